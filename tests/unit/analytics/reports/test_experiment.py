"""An experiment read: against pandas on invented people and on Hillstrom's e-mails, and by simulation."""

from __future__ import annotations

import math
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.reports.base import Options
from analytics.reports.experiment import names, planned, render
from analytics.reports.kinds import KINDS
from privacy import errors
from privacy.records import Release
from tests.contracts.tree import ROOT
from tests.fakes.behaviour import HOUSE, Row, ask, hour, reports, told, world
from tests.oracles import behaviour as oracle

DATA = Path(os.environ.get("PIYING_TEST_DATA") or ROOT.parent / "shared" / "data") / "hillstrom"
REPORT = KINDS["experiment"]


def test_arms_buyers_and_differences_agree_with_pandas(tmp_path: Path) -> None:
    rows = world(people=200)
    document = ask(tmp_path, "experiment", rows, "experiment=x1", "cap=300")
    people = oracle.arms(rows["touches"], rows["order_lines"], "x1", 30_000)
    of_arm = people.groupby("arm")
    assert told(document, "people", "arm") == of_arm.size().to_dict()
    assert told(document, "buyers", "arm") == of_arm.bought.sum().to_dict()
    rates, spent = of_arm.bought.mean(), of_arm.part.mean() * 30_000
    assert told(document, "rate_difference", "arm") == pytest.approx({name: rates[name] - rates["control"] for name in "ab"}, abs=1e-5)
    assert told(document, "spent_difference", "arm") == pytest.approx({name: spent[name] - spent["control"] for name in "ab"}, abs=60)


@pytest.mark.skipif(not DATA.is_dir(), reason="the Hillstrom file is not there: set PIYING_TEST_DATA")
def test_hillstroms_e_mails_agree_with_pandas(tmp_path: Path) -> None:
    """Two weeks after the mailing: visits are no purchases, conversions are; spend is clamped at 300."""
    raw = pd.read_csv(next(DATA.glob("*.csv.gz"))).head(6_000)
    arms = raw.segment.map({"Womens E-Mail": "women", "Mens E-Mail": "men", "No E-Mail": "control"})
    touches = [
        {"run_id": n, "hour": hour(1), "channel": "email", "kind": "impression", "experiment": "mail", "arm": arm}
        for n, arm in enumerate(arms)
    ]
    bought = raw[raw.conversion == 1]
    lines = [
        {"run_id": n, "hour": hour(5), "order_key": n, "kind": "sale", "net_minor": round(spend * 100)} for n, spend in bought.spend.items()
    ]
    document = ask(tmp_path, "experiment", {"touches": touches, "order_lines": lines}, "experiment=mail", "arm=women|men|control")
    frame = raw.assign(arm=arms, part=raw.spend.clip(upper=300))
    assert told(document, "people", "arm") == {**frame.groupby("arm").size().to_dict(), "several": 0}
    assert told(document, "buyers", "arm") == {**frame.groupby("arm").conversion.sum().to_dict(), "several": 0}
    rates = frame.groupby("arm").conversion.mean()
    assert told(document, "rate_difference", "arm") == pytest.approx(
        {name: rates[name] - rates["control"] for name in ("women", "men")}, abs=1e-6
    )
    sizes = {row["arm"]: row for row in document if row["measure"] == "sample_share"}
    assert all(row["low"] <= row["expected"] <= row["high"] for row in sizes.values())
    means = frame.groupby("arm").part.mean() * 100
    spent = told(document, "spent_difference", "arm")
    assert spent == pytest.approx({name: means[name] - means["control"] for name in ("women", "men")}, abs=5)


def released(people: list[float], buyers: list[float], sigma: float = 0.001, where: tuple[str, ...] = ()) -> Release:
    """An answer about arms a and control, with everybody who bought having spent half the cap."""
    question = REPORT.question(Options(202601, 202601, (), ("experiment=x1", "arm=a|control", *where)), HOUSE)
    values = [round(1000 * one) for number, bought in zip(people, buyers, strict=True) for one in (number, bought, bought / 2, bought / 4)]
    cells = (("control",), ("a",), ("several",))
    return Release("rel_1", question, cells, ("people", "buyers", "spent", "squares"), tuple(values), sigma, 1, 1, {}, False, hour(1))


def rendered(release: Release) -> dict[tuple[str, str], Row]:
    def margin(release: Release, *, terms: int = 1) -> int:
        return math.ceil(1.959964 * release.sigma * math.sqrt(terms))

    return {(row["measure"], row["arm"]): row for row in render(release, HOUSE, margin)}


def test_the_sample_ratio_check_rings_on_55_to_45_and_not_on_an_even_split() -> None:
    assert not holds(rendered(released([5_500, 4_500, 0], [500, 400, 0]))["sample_share", "a"])
    assert holds(rendered(released([5_030, 4_970, 0], [500, 400, 0]))["sample_share", "a"])
    assert holds(rendered(released([5_500, 4_500, 0], [500, 400, 0], where=("split=55:45",)))["sample_share", "a"])


def holds(row: Row) -> bool:
    return bool(row["low"] <= row["expected"] <= row["high"])


def test_intervals_grow_with_the_noise() -> None:
    clear, noisy = (rendered(released([5_000, 5_000, 0], [600, 500, 0], sigma=sigma)) for sigma in (1.0, 60_000.0))
    for measure in ("rate_difference", "spent_difference"):
        widths = [one[measure, "a"]["high"] - one[measure, "a"]["low"] for one in (clear, noisy)]
        assert widths[1] > 1.5 * widths[0]


def test_arms_that_do_not_differ_are_called_different_in_five_of_a_hundred_experiments() -> None:
    """Each of the two comparisons gets half of the five; 1,500 experiments by a seed: 2.5 % ± 2 % is five standard deviations of that share."""
    draw, sigma, alarms, wrong = random.Random(11), 31_623.0, 0, 0
    for _ in range(1_500):
        whole = [1_000.0, 1_000.0, 0.0]
        bought = [round(draw.gauss(200, math.sqrt(160))) for _ in whole[:2]] + [0]
        exact = released(whole, [float(one) for one in bought], sigma)
        noisy = replace(exact, values=tuple(round(value + draw.gauss(0, sigma)) for value in exact.values))
        found = rendered(noisy)
        row = found["rate_difference", "a"]
        wrong += not row["low"] <= 0 <= row["high"]
        alarms += not holds(found["sample_share", "a"])
    assert abs(wrong / 1_500 - 0.025) < 0.02
    assert alarms / 1_500 < 0.005


@pytest.mark.parametrize(
    ("where", "code"), [((), "bad_filter"), (("experiment=x1", "split=1:1"), "bad_filter"), (("experiment=x1", "cap=0"), "bad_filter")]
)
def test_a_question_without_its_experiment_or_with_another_split_is_refused_before_it_is_paid(
    tmp_path: Path, where: tuple[str, ...], code: str
) -> None:
    asked = reports(tmp_path, {})
    with pytest.raises(errors.Invalid) as refused:
        asked.ask("experiment", Options(202601, 202601, (), where), "usr_1")
    assert refused.value.code == code
    door: Any = asked._releases
    assert door.read == []


def test_a_peek_is_another_question_with_its_own_price(tmp_path: Path) -> None:
    asked = reports(tmp_path, world())
    first = asked.ask("experiment", Options(202601, 202601, (), ("experiment=x1",)), "usr_1")
    peek = asked.ask("experiment", Options(202512, 202601, (), ("experiment=x1",)), "usr_1")
    assert not peek["cached"]
    assert first["release"] != peek["release"]
    assert peek["cost"]["rho_nano"] == first["cost"]["rho_nano"] == REPORT.rho_nano


def test_the_arm_to_compare_with_comes_first() -> None:
    question = released([1, 1, 0], [0, 0, 0]).question
    assert names(question) == ("control", "a")
    assert planned(question, names(question)) == [0.5, 0.5]
