"""Each fact is the number that it says, and its interval holds."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.reports import cubefacts
from analytics.reports.cube import Cube, Held
from analytics.reports.families import Dimension, Family, Marginal
from analytics.reports.planrows import WEEKDAYS

MONTHS = tuple(202601 + number for number in range(12))
SEX: Dimension = ("sex", ("female", "male"))
AGE: Dimension = ("age_band", ("18-19", "20-24", "25-29", "30-34"))
WORK: Dimension = ("occupation", ("student", "office_worker", "other"))
CHANNEL: Dimension = ("channel", ("pos", "delivery"))
PART: Dimension = ("daypart", ("noon", "afternoon", "evening"))
KIND: Dimension = ("category", ("milk_tea", "low_sugar", "snack"))
TRUTH = {
    "women_20_30": 0.75,
    "students": 0.4,
    "student_order": 0.6,
    "midweek": 0.65,
    "afternoon_delivery": 2.5,
    "low_sugar": 1.2,
    "low_sugar_share": 0.15,
}


def held(measure: str, *tables: tuple[tuple[Dimension, ...], Any], sd: float = 1.0, chance: np.random.Generator | None = None) -> Held:
    noise = np.random.default_rng(0) if chance is None else chance
    scale = 0.0 if chance is None else sd
    made = [
        Marginal(
            axes,
            np.array(values, dtype=float) + noise.normal(0.0, scale, np.shape(values)) if scale else np.array(values, dtype=float),
            sd**2,
        )
        for axes, values in tables
    ]
    return Held(measure, Family(tuple(made)), (f"rel_{measure}",), adds=True)


def month_of(number: int, sd: float = 1.0, chance: np.random.Generator | None = None) -> Cube:
    month = MONTHS[number]
    days = [date(2026, number + 1, day) for day in range(1, monthrange(2026, number + 1)[1] + 1)]
    rate = {"wed": 65.0, "thu": 65.0, "sat": 100.0, "sun": 100.0}
    tills = [[rate.get(WEEKDAYS[day.weekday()], 80.0), 10.0] for day in days]
    day_axis: Dimension = ("day", tuple(f"{day.day:02d}" for day in days))
    cube = Cube(month, [])
    cube.__dict__["families"] = (
        held("people", ((SEX, AGE), [[100, 400, 350, 50], [25, 25, 25, 25]]), ((WORK,), [400, 500, 100]), sd=sd, chance=chance),
        held(
            "orders", ((WORK,), [4_000, 5_000, 1_000]), ((CHANNEL, PART), [[3_200, 1_000, 3_200], [800, 1_000, 800]]), sd=sd, chance=chance
        ),
        held("sales", ((WORK,), [4_000 * 1_800, 5_000 * 3_000, 1_000 * 2_500]), sd=sd * 2_000, chance=chance),
        held("lines", ((KIND,), [8_500, 1_500, 2_000]), sd=sd, chance=chance),
        held("orders", ((day_axis, CHANNEL), tills), sd=sd, chance=chance),
        held("enquiries", ((KIND,), [500, 1_000 * 1.2**number, 100]), sd=sd, chance=chance),
    )
    return cube


def year(sd: float = 1.0, chance: np.random.Generator | None = None, months: int = 12) -> dict[int, Cube]:
    return {MONTHS[number]: month_of(number, sd, chance) for number in range(months)}


TRUTH_HERE = TRUTH | {"women_20_30": 0.75, "students": 0.4, "afternoon_delivery": (1_000 / 2_000) / (1_600 / 8_000)}


def test_each_fact_is_the_number_that_it_says() -> None:
    rows, missing = cubefacts.facts(year())
    assert missing == []
    assert {row["fact"]: row["value"] for row in rows} == pytest.approx(TRUTH_HERE, rel=1e-6)
    assert {row["fact"]: len(row["months"]) for row in rows}["students"] == 1
    assert {row["fact"]: len(row["months"]) for row in rows}["midweek"] == 12


def test_intervals_hold_the_truth_at_their_coverage() -> None:
    """Two months of seven facts, drawn 200 times. A fact of one number holds with 95 %, others with more.

    200 draws at 95 % leave fewer than 165 inside
    with probability below 2e-11 (Chernoff: exp(−200·0.1249))."""
    chance = np.random.default_rng(11)
    inside = dict.fromkeys(TRUTH, 0)
    for _ in range(200):
        rows, missing = cubefacts.facts(year(20.0, chance, months=2))
        assert missing == []
        for row in rows:
            inside[row["fact"]] += row["low"] <= TRUTH_HERE[row["fact"]] <= row["high"]
    assert min(inside.values()) >= 165, inside


def test_a_fact_whose_tables_are_not_there_is_missing_and_not_guessed() -> None:
    cubes = year(months=2)
    for cube in cubes.values():
        cube.__dict__["families"] = tuple(one for one in cube.families if one.measure != "enquiries")
    rows, missing = cubefacts.facts(cubes)
    assert missing == ["low_sugar"]
    assert len(rows) == 6


def test_noise_as_large_as_the_numbers_makes_facts_missing() -> None:
    _, missing = cubefacts.facts(year(1e6))
    assert set(missing) == set(TRUTH)


def test_only_the_twelve_newest_months_count_and_an_odd_month_is_left_out_of_the_growth() -> None:
    rows, _ = cubefacts.facts(year(months=5))
    growth = next(row for row in rows if row["fact"] == "low_sugar")
    assert growth["value"] == pytest.approx(1.2)
