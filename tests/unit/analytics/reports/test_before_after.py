"""What a campaign changed, against its holdout."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from analytics.reports.base import Options
from analytics.reports.before_after import render
from analytics.reports.kinds import KINDS
from privacy import errors
from privacy.records import Release
from tests.fakes.behaviour import HOUSE, Row, ask, hour, reports, told

REPORT = KINDS["before_after"]
OPTIONS = Options(202511, 202601, (), ("experiment=x1",))


def planted(season: float = 0.0, effect: float = 0.0, drift: float = 0.0) -> dict[str, list[Row]]:
    """1,000 people, a fifth held out; buying rates of 20 % plus a season in the last month, the effect on those touched, and a drift of theirs."""
    touches, lines = [], []
    for person in range(1_000):
        held = person % 5 == 0
        arm = "control" if held else "ab"[person % 2]
        touches.append(
            {"run_id": person, "month": 202601, "hour": hour(5), "channel": "sms", "kind": "impression", "experiment": "x1", "arm": arm}
        )
        luck = (person // 5) / 200
        own = 0.0 if held else 1.0
        for month, rate in ((202511, 0.2), (202512, 0.2 + own * drift), (202601, 0.2 + season + own * (effect + drift))):
            if luck < rate - 1e-9:
                lines.append({"run_id": person, "month": month, "hour": hour(9), "order_key": month, "kind": "sale", "net_minor": 15_000})
    return {"touches": touches, "order_lines": lines}


def found(folder: Path, rows: dict[str, list[Row]]) -> dict[tuple[str, str], Row]:
    document = ask(folder, "before_after", rows, "experiment=x1", start=202511)
    return {(row["measure"], row["comparison"]): row for row in document if "comparison" in row}


def test_the_planted_effect_is_recovered_and_the_season_is_taken_off(tmp_path: Path) -> None:
    rows = found(tmp_path, planted(season=0.15, effect=0.25))
    assert rows["rate_difference", "effect"]["value"] == pytest.approx(0.25, abs=1e-6)
    assert rows["rate_difference", "placebo"]["value"] == pytest.approx(0, abs=1e-6)
    assert rows["rate_difference", "naive"]["value"] == pytest.approx(0.4, abs=1e-6)
    assert rows["spent_difference", "effect"]["value"] == pytest.approx(0.25 * 15_000, rel=1e-4)
    assert rows["rate_difference", "effect"]["low"] > 0


def test_a_season_alone_fools_the_naive_comparison_and_nobody_else(tmp_path: Path) -> None:
    rows = found(tmp_path, planted(season=0.3))
    effect, naive = rows["rate_difference", "effect"], rows["rate_difference", "naive"]
    assert effect["low"] <= 0 <= effect["high"]
    assert naive["low"] > 0


def test_groups_that_drifted_apart_before_are_shown_by_the_placebo(tmp_path: Path) -> None:
    placebo = found(tmp_path, planted(drift=0.3))["rate_difference", "placebo"]
    assert placebo["low"] > 0


def test_groups_and_months_agree_with_a_count_by_hand(tmp_path: Path) -> None:
    rows = planted(season=0.1)
    document = ask(tmp_path, "before_after", rows, "experiment=x1", start=202511)
    assert told(document, "people", "group") == {"holdout": 200, "touched": 800}
    buyers = told(document, "buyers", "group", "period")
    for number, month in enumerate((202511, 202512, 202601)):
        held = sum(line["month"] == month and line["run_id"] % 5 == 0 for line in rows["order_lines"])
        assert buyers["holdout", ("before_2", "before_1", "after")[number]] == held


def test_without_effect_the_interval_leaves_zero_out_in_at_most_five_of_a_hundred_campaigns() -> None:
    """2,000 campaigns, people and noise drawn by a seed; the variance among people is bounded from above, so it is fewer. 8 % would be 6 σ off."""
    draw, sigma, wrong = random.Random(5), 47_434.0, 0
    question, half = REPORT.question(OPTIONS, HOUSE), math.ceil(1.959964 * sigma)
    cells = tuple((group, period) for group in ("holdout", "touched") for period in ("before_2", "before_1", "after"))
    for _ in range(2_000):
        values = []
        for group, period in cells:
            people = 1_000 if group == "holdout" else 4_000
            bought = draw.gauss(0.3 * people, math.sqrt(0.21 * people))
            for value in (people * (period == "after"), bought, bought / 2):
                values.append(round(1_000 * value + draw.gauss(0, sigma)))
        release = Release("rel_1", question, cells, ("people", "buyers", "spent"), tuple(values), sigma, 1, 1, {}, False, hour(1))
        rows = render(release, HOUSE, lambda one, *, terms=1: half)  # type: ignore[misc]
        row = next(row for row in rows if row.get("comparison") == "effect" and row["measure"] == "rate_difference")
        wrong += not row["low"] <= 0 <= row["high"]
    assert wrong / 2_000 < 0.08


def test_it_is_of_three_months_and_all_of_them_are_charged(tmp_path: Path) -> None:
    asked = reports(tmp_path, planted())
    with pytest.raises(errors.Invalid) as refused:
        asked.ask("before_after", Options(202512, 202601, (), ("experiment=x1",)), "usr_1")
    assert refused.value.code == "bad_period"
    assert asked.ask("before_after", OPTIONS, "usr_1")["months"] == [202511, 202512, 202601]
