"""What is compared is fixed by public lists before any released value is looked at."""

from __future__ import annotations

import pytest

from analytics.reports import scans
from tests.fakes import planted


def names(cubes: object) -> list[tuple[object, ...]]:
    made = scans.compared(list(cubes.values()))  # type: ignore[attr-defined]
    return [(one.scan, one.measure, one.by, tuple(one.group.items()), tuple(one.against.items()), one.reference) for one in made]


def test_which_comparisons_are_made_does_not_depend_on_what_was_released() -> None:
    one = names(planted.year(planted.ALL, 2, sd=40, seed=1))
    assert one == names(planted.year(planted.Planted(), 2, sd=4_000, seed=2))
    assert len(one) == len(set(map(repr, one)))
    assert {row[0] for row in one} == {"share", "order_value", "weekday", "mix", "growth"}


def test_nobody_is_compared_with_what_is_not_listed() -> None:
    made = scans.compared(list(planted.year(planted.ALL, 2).values()))
    assert not any(value in ("other", "unknown") for one in made for values in one.group.values() for value in values)


@pytest.mark.parametrize(
    ("scan", "group", "truth"),
    [
        ("share", {"sex": ("female",), "age_band": ("20-24", "25-29")}, 0.75),
        ("share", {"occupation": ("student",)}, 0.4),
        ("weekday", {"weekday": ("wed", "thu"), "channel": ("pos",)}, 0.65),
        ("mix", {"channel": ("delivery",), "daypart": ("afternoon",)}, 2.5),
    ],
)
def test_without_noise_a_comparison_is_the_number_that_was_planted(scan: str, group: dict[str, tuple[str, ...]], truth: float) -> None:
    made = scans.compared(list(planted.year(planted.ALL, 4).values()))
    one = next(one for one in made if one.scan == scan and dict(one.group) == group)
    found = one.estimate(1)
    assert found is not None
    assert found.value == pytest.approx(truth, rel=1e-6)


def test_growth_is_told_by_the_month_and_what_the_calendar_adds_is_its_comparison_value() -> None:
    made = [one for one in scans.compared(list(planted.year(planted.ALL, 6).values())) if one.scan == "growth"]
    low = next(one for one in made if dict(one.group) == {"category": ("low_sugar",)} and one.measure == "enquiries")
    told = low.estimate(1)
    assert told is not None
    shown = low.shown(told)
    assert shown is not None
    assert shown.value == pytest.approx(1.2)
    orders = next(one for one in made if one.measure == "sales" and not one.by)
    assert orders.reference == pytest.approx((28 + 31 + 30) / (30 + 31 + 31)), "November to January, then February to April"


def test_of_many_values_each_is_compared_with_all_the_rest() -> None:
    made = [
        one
        for one in scans.compared(list(planted.year(planted.Planted(), 2).values()))
        if one.scan == "order_value" and one.by == ("store",)
    ]
    assert len(made) == 24
    assert all(not one.against for one in made)


def test_what_stands_beside_enquiries_is_the_share_of_the_lines() -> None:
    sums = scans.beside(list(planted.year(planted.ALL, 2).values()), "low_sugar")
    assert sums is not None
    assert sums.above / sums.below == pytest.approx(0.25), "one of four kinds of drinks; snacks are none"
    assert scans.beside(list(planted.year(planted.ALL, 2).values()), "horoscopes") is None
