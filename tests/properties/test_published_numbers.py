"""Google's published numbers: visits counted by the reports before noise, and an accountant that never says less than theirs.

Their accountant adds up distributions of losses; ours adds up ρ, which is a bound. So a calculation by numbers (tests.oracles.losses) is held to
their figures to their tolerance, and ours to the calculation: never below it, and close where the noise is Gaussian, as ours is.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from analytics.engine import Engine, Session
from analytics.reports.asked import Options
from analytics.reports.base import Reports
from analytics.reports.kinds import KINDS
from privacy.dp import accountant
from tests.fakes.chain import HOUSE, ZONE, reader
from tests.fakes.releases import FakeReleases
from tests.house import ROOT
from tests.oracles import losses

FOLDER = Path(os.environ.get("PIYING_TEST_DATA", ROOT.parent / "shared" / "data")) / "google_dp"
MONTH = 202605
BY_HOUR = dict(zip(range(9, 21), (13, 18, 19, 39, 61, 21, 14, 15, 48, 52, 78, 72), strict=True))
BY_DAY = (300, 300, 400, 400, 450, 500, 500)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="Google's published numbers are not there: set PIYING_TEST_DATA")


# ── visits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("visits")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def visits(name: str) -> list[dict[str, Any]]:
    """Each visit as a purchase of one line in the first week of a month: who, when, what was spent."""
    found = []
    with (FOLDER / name).open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            text = row["Time entered"].replace(" ", "")
            form = "%I:%M:%S%p" if text.count(":") == 2 else "%I:%M%p"
            clock = datetime.strptime(text, form).replace(year=2026, month=5, day=int(row.get("Day") or 1), minute=0, second=0)  # noqa: DTZ007
            found.append(
                {
                    "run_id": int(row["VisitorId"]),
                    "month": MONTH,
                    "hour": clock.replace(tzinfo=ZoneInfo(ZONE)),
                    "order_key": number,
                    "kind": "sale",
                    "store_id": "S1",
                    "net_minor": 100 * int(row["Money spent (euros)"]),
                    "currency": "CNY",
                }
            )
    return found


def asked(session: Session, rows: list[dict[str, Any]], kind: str, options: Options) -> list[dict[str, Any]]:
    """The report's rows without noise."""
    stores = pa.table({"id": ["S1"], "region": ["restaurant"]})
    reports = Reports(reader(session, {"order_lines": rows}, stores=stores), FakeReleases(), HOUSE, KINDS)  # type: ignore[arg-type]
    return list(reports.ask(kind, options, "usr_1")["rows"])


@pytest.mark.parametrize("name", ["zetasql_day_data.csv", "java_day_data.csv"])
def test_the_heat_map_counts_the_published_visits_by_hour(session: Session, name: str) -> None:
    rows = asked(session, visits(name), "heat_map", Options(MONTH, MONTH))
    assert {int(row["hour"]): row["value"] for row in rows if row["value"]} == BY_HOUR
    assert len(rows) == 24, "hours without a visit are there, too"


@pytest.mark.parametrize("name", ["zetasql_week_data.csv", "java_week_data.csv"])
def test_the_trend_counts_the_published_visits_by_day(session: Session, name: str) -> None:
    rows = asked(session, visits(name), "trend", Options(MONTH, MONTH, ("day",), measures=("orders",)))
    assert tuple(row["value"] for row in rows[:7]) == BY_DAY
    assert not any(row["value"] for row in rows[7:])


def test_sales_and_people_of_the_published_week_are_those_of_the_file(session: Session) -> None:
    """People are counted once however many days they came."""
    week = visits("zetasql_week_data.csv")
    rows = asked(session, week, "sales", Options(MONTH, MONTH, ("store",), measures=("orders", "people")))
    told = {row["measure"]: row["value"] for row in rows if row["store"] == "S1"}
    assert told == {"orders": len(week), "people": len({one["run_id"] for one in week})}


# ── losses ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cases(test: str) -> list[Any]:
    if not FOLDER.is_dir():
        return []
    known = json.loads((FOLDER / "dp_accounting_golden.json").read_text())["cases"]
    return [pytest.param(one, id=one["testcase_name"]) for one in known if one["test"] == test]


def ours(rho: float, delta: float) -> float:
    return accountant.epsilon(round(rho * accountant.NANO), delta)


@pytest.mark.parametrize("case", cases("test_get_smallest_gaussian_noise"))
def test_our_scale_is_their_least_gaussian_noise_and_our_epsilon_is_no_less_than_theirs(case: dict[str, Any]) -> None:
    """25 questions that move by 6, at a standard deviation of 10: each costs ρ = 6²/(2·10²), for which we draw with exactly this scale. Noise
    that is whole has losses on a lattice, whose δ lies off the continuous one by the square of its step."""
    rho = case["sensitivity"] ** 2 / (2 * case["expected_std"] ** 2)
    assert accountant.sigma(round(rho * accountant.NANO), case["sensitivity"]) == pytest.approx(case["expected_std"], abs=1e-9)
    moved = case["sensitivity"] * case["num_queries"] ** 0.5
    assert losses.gaussian_delta(case["expected_std"], moved, case["epsilon"]) == pytest.approx(case["delta"], abs=1e-8)
    counted = losses.discrete_gaussian(case["expected_std"], case["sensitivity"], 1e-3).times(case["num_queries"])
    assert counted.delta(case["epsilon"]) == pytest.approx(case["delta"], abs=1e-3)
    assert ours(rho * case["num_queries"], case["delta"]) >= case["epsilon"]


@pytest.mark.parametrize("case", cases("test_get_smallest_laplace_noise"))
def test_the_calculation_finds_their_laplace_noise_and_ours_is_no_less(case: dict[str, Any]) -> None:
    """Their tolerance is a tenth of the parameter's unit. Laplace noise of pure ε costs ρ = ε²/2."""
    parameter, number = case["expected_parameter"], case["num_queries"]
    more, less = (losses.laplace(parameter + way * 0.1, case["sensitivity"], 2e-5).times(number) for way in (1, -1))
    assert more.delta(case["epsilon"]) <= case["delta"] + 1e-12
    assert less.delta(case["epsilon"]) >= case["delta"]
    if case["delta"]:
        each = case["sensitivity"] / parameter
        assert ours(number * each * each / 2, case["delta"]) >= case["epsilon"]


@pytest.mark.parametrize("case", cases("test_get_smallest_discrete_laplace_noise"))
def test_the_calculation_finds_their_discrete_laplace_noise(case: dict[str, Any]) -> None:
    """Their tolerance is a thousandth; the smaller the parameter, the more noise."""
    parameter, number = case["expected_parameter"], case["num_queries"]
    more, less = (losses.discrete_laplace(parameter - way * 1e-3, case["sensitivity"]).times(number) for way in (1, -1))
    assert more.delta(case["epsilon"]) <= case["delta"] + 1e-12
    assert less.delta(case["epsilon"]) >= case["delta"]


@pytest.mark.parametrize("case", cases("test_get_smallest_subsampled_gaussian_noise"))
def test_the_calculation_finds_their_noise_on_samples_and_we_claim_nothing_for_sampling(case: dict[str, Any]) -> None:
    std, number = case["expected_std"], case["num_queries"]
    more, less = (
        losses.sampled_gaussian(std * (1 + way * 1e-3), case["sensitivity"], case["sampling_prob"]).times(number) for way in (1, -1)
    )
    assert more.delta(case["epsilon"]) <= case["delta"] <= less.delta(case["epsilon"])
    assert ours(number * case["sensitivity"] ** 2 / (2 * std**2), case["delta"]) > case["epsilon"]


@pytest.mark.parametrize("case", cases("test_advanced_composition"))
def test_the_calculation_adds_questions_up_as_theirs_does_and_ours_is_no_less(case: dict[str, Any]) -> None:
    found = losses.composed_epsilon(case["epsilon"], case["delta"], case["num_queries"], case["total_delta"])
    assert found == case["expected_total_epsilon"]
    if found is not None and not case["delta"] and case["total_delta"]:
        assert ours(case["num_queries"] * case["epsilon"] ** 2 / 2, case["total_delta"]) >= found


@pytest.mark.parametrize("case", cases("test_get_smallest_epsilon_from_advanced_composition"))
def test_the_calculation_finds_their_share_of_a_total(case: dict[str, Any]) -> None:
    found = losses.least_single_epsilon(case["total_epsilon"], case["delta"], case["num_queries"], case["total_delta"])
    if case["expected_epsilon"] is None:
        assert found is None
    else:
        assert found == pytest.approx(case["expected_epsilon"], abs=1e-2)


@pytest.mark.parametrize(("rho_nano", "questions"), [(5_000_000, 1), (5_000_000, 10), (50_000_000, 12)])
def test_our_epsilon_is_above_the_exact_loss_of_our_own_noise_and_within_a_tenth_of_it(rho_nano: int, questions: int) -> None:
    """The default month and its parts, at δ 1e-6: what is told to the officer is a little more than what is lost."""
    sigma = accountant.sigma(rho_nano, 16)
    exact = losses.discrete_gaussian(sigma, 16).times(questions).epsilon(1e-6)
    assert exact <= accountant.epsilon(rho_nano * questions, 1e-6) <= 1.12 * exact
