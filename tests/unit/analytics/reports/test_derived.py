"""What follows from a released table: exact without noise, certain with it. Draws are seeded: nothing here is left to chance."""

from __future__ import annotations

import math
import random

import pytest

from analytics.reports.derived import Table, means, quantiles, shares, slopes, totals, way

ADDING = {"orders", "sales"}


def table(orders: list[float], sales: list[float], deviation: float) -> Table:
    cells = tuple((f"S{number}",) for number in range(len(orders)))
    return Table(("store",), cells, {"orders": tuple(orders), "sales": tuple(sales)}, {"orders": deviation, "sales": 2_000 * deviation})


def test_means_and_shares_without_noise_are_plain_quotients() -> None:
    exact = table([10, 30], [20_000, 90_000], 1e-9)
    assert [one["value"] for one in means(exact)] == [2_000, 3_000]
    assert [one["value"] for one in shares(exact, {"orders"})] == [0.25, 0.75]
    assert totals(exact, {"orders"})[0]["value"] == 40


def test_a_quotient_whose_denominator_may_be_zero_has_no_value() -> None:
    assert means(table([3, 900], [6_000, 1_800_000], 5.0))[0]["value"] is None
    assert all(one["low"] is None for one in shares(table([1, -1], [0, 0], 5.0), {"orders"}))


@pytest.mark.parametrize("what", ["mean", "share", "total", "slope"])
def test_intervals_hold_the_truth_in_95_of_100_draws(what: str) -> None:
    """2,000 draws: a coverage of 95 % lies between 92 and 98 % except once in 10⁹ such tests, and the seed is fixed besides."""
    chance, draws, deviation, held = random.Random(11), 2_000, 25.0, 0
    truth_orders, truth_sales = [400.0, 900.0, 1_500.0, 2_100.0], [1e6, 2e6, 5e6, 4e6]
    wanted = {"mean": truth_sales[0] / truth_orders[0], "share": 400 / 4_900, "total": 4_900.0, "slope": 570.0}[what]
    for _ in range(draws):
        orders = [one + chance.gauss(0, deviation) for one in truth_orders]
        sales = [one + chance.gauss(0, 2_000 * deviation) for one in truth_sales]
        noisy = table(orders, sales, deviation)
        alone = Table(noisy.by, noisy.cells, {"orders": noisy.columns["orders"]}, {"orders": deviation})
        told = {
            "mean": means(noisy),
            "share": shares(alone, ADDING),
            "total": totals(alone, ADDING),
            "slope": slopes(alone, "store"),
        }
        found = told[what][0]
        held += found["low"] <= wanted <= found["high"]
    assert 0.92 < held / draws < 0.98


def test_a_slope_is_told_only_where_the_noise_cannot_make_it() -> None:
    """Ten flat series of twelve months, 500 times: all margins of a release hold together in 95 of 100."""
    chance, false = random.Random(3), 0
    months = [str(month) for month in range(12)]
    cells = tuple((month, f"S{store}") for month in months for store in range(10))
    for _ in range(500):
        flat = Table(("month", "store"), cells, {"orders": tuple(100 + chance.gauss(0, 20) for _ in cells)}, {"orders": 20.0})
        false += any(one["way"] != "open" for one in slopes(flat, "month"))
    assert false / 500 < 0.1
    rising = Table(("month",), tuple((month,) for month in months), {"orders": tuple(range(0, 1200, 100))}, {"orders": 20.0})
    assert slopes(rising, "month")[0]["way"] == "rising"
    assert slopes(rising, "month")[0]["value"] == pytest.approx(100)
    assert way(-3, -1) == "falling"
    assert slopes(Table(("month",), (("1",),), {"orders": (5.0,)}, {"orders": 1.0}), "month") == []


def test_quartiles_are_certain_between_bin_edges_and_exact_without_noise() -> None:
    edges = (0.0, 10.0, 20.0, 30.0, math.inf)
    exact = quantiles([25, 50, 20, 5], 1e-9, edges)
    assert [one["value"] for one in exact] == pytest.approx([10.0, 15.0, 20.0])
    assert (exact[1]["low"], exact[1]["high"]) == (10.0, 20.0)
    chance, held = random.Random(8), 0
    truth = [4_000.0, 9_000.0, 5_000.0, 1_000.0]
    for _ in range(500):
        found = quantiles([one + chance.gauss(0, 60) for one in truth], 60.0, edges)
        held += all(one["low"] <= real <= (one["high"] or math.inf) for one, real in zip(found, (10.83, 16.1, 22.5), strict=True))
    assert held / 500 > 0.94


def test_quartiles_of_nobody_have_no_value() -> None:
    assert all(one["value"] is None or one["high"] is None or one["high"] > one["low"] for one in quantiles([0, 1, -1], 30.0, (0, 1, 2, 3)))
