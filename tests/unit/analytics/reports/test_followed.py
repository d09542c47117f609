"""What follows from tables of the cubes has intervals that hold though the tables' noise is not independent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analytics.reports import followed
from analytics.reports.cube import Held
from analytics.reports.families import Dimension, Family, Marginal

CHANNEL: Dimension = ("channel", ("pos", "delivery", "online"))
DAY: Dimension = ("day", tuple(f"{day:02d}" for day in range(1, 11)))
PART: Dimension = ("daypart", ("noon", "night"))
SIGMA = 5.0
TRUE = np.arange(30.0).reshape(3, 10) * 4 + 200
DRAWS = 400


def cube(noise: np.random.Generator, measure: str = "orders", *, factor: float = 1.0) -> Any:
    """A month with two tables of one measure that were made consistent: channel by day and channel by daypart."""
    by_day, by_part = TRUE * factor, np.stack([TRUE.sum(axis=1) * 0.7, TRUE.sum(axis=1) * 0.3], axis=1) * factor
    family = Family(
        (
            Marginal((CHANNEL, DAY), by_day + noise.normal(0, SIGMA, by_day.shape), SIGMA**2),
            Marginal((CHANNEL, PART), by_part + noise.normal(0, SIGMA, by_part.shape), SIGMA**2),
        )
    )
    held = Held(measure, family, ("rel_1",), adds=True)
    return SimpleNamespace(find=lambda name, by: held if held.covers(by) else None)


def told(found: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {(one["what"], one["measure"], *one["of"].values()): one for one in found}


def covered(truth: dict[Any, float], months: int, by: tuple[str, ...], where: Any = (), *, sloped: bool = False) -> float:
    """The share of intervals that hold, over draws."""
    noise, held = np.random.default_rng(11), []
    for _ in range(DRAWS):
        cubes = {202601 + number: cube(noise) for number in range(months)}
        found = told(followed.of_cubes(cubes, {"orders": "orders"}, by, where, sloped=sloped))
        held += [found[key]["low"] <= value <= found[key]["high"] for key, value in truth.items()]
    return sum(held) / len(held)


def test_sums_over_months_and_shares_of_what_filters_leave_hold_95_times_in_100() -> None:
    """1,200 intervals of 400 independent draws: a rate under .9 or over .99 has probability below 1e-5 for one draw each, and fixed noise."""
    kept = TRUE[:2].sum()
    truth = {
        ("total", "orders"): 3 * kept,
        ("share", "orders", "pos"): TRUE[0].sum() / kept,
        ("share", "orders", "delivery"): TRUE[1].sum() / kept,
    }
    assert 0.9 < covered(truth, 3, ("channel",), (("channel", "in", "delivery|pos"),)) < 0.99


def test_slopes_over_days_of_one_month_hold_together() -> None:
    truth = {("slope", "orders", name): 4.0 for name in CHANNEL[1]}
    assert covered(truth, 1, ("day", "channel"), sloped=True) > 0.95


def test_slopes_over_months_are_of_independent_numbers() -> None:
    noise = np.random.default_rng(3)
    cubes = {202601 + number: cube(noise, factor=1 + number) for number in range(4)}
    found = told(followed.of_cubes(cubes, {"orders": "orders"}, ("month",), sloped=True))
    one = found["slope", "orders"]
    assert one["low"] < TRUE.sum() < one["high"]
    assert one["way"] == "rising"


def test_means_are_told_by_row_and_orders_by_category_have_no_sum() -> None:
    noise = np.random.default_rng(5)
    orders, sales = cube(noise), cube(noise, "sales", factor=20.0)
    both = SimpleNamespace(find=lambda name, by: (orders if name == "orders" else sales).find(name, by))
    found = told(followed.of_cubes({202601: both}, {"orders": "orders", "sales": "sales"}, ("channel",)))
    assert found["mean", "sales_per_order", "pos"]["value"] == pytest.approx(20, rel=0.05)
    assert {what for what, *_ in found} == {"total", "mean", "share"}


def test_distinct_people_are_never_added_up() -> None:
    table = Marginal((CHANNEL,), np.array([5.0, 6.0, 7.0]), 1.0)
    held = Held("reach", Family((table,)), ("rel_1",), adds=False)
    alone = SimpleNamespace(find=lambda name, by: held)
    assert followed.of_cubes({202601: alone}, {"people": "reach"}, ("channel",)) == []  # type: ignore[dict-item]
