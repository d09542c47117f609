"""The bound of a question about purchases: what the table may weigh, what is left to the histogram, which values filters leave."""

from __future__ import annotations

import math

import pytest

from analytics.reports.base import Options
from analytics.reports.purchaserows import kept
from analytics.reports.purchases import WHOLE, bin_cells, inner, mark, outer
from analytics.reports.sales import REPORT
from privacy import errors
from privacy.dp import accountant, mechanisms
from privacy.dp.bounds import SENSITIVITY_LIMIT, check, entries_limit
from tests.fakes.chain import HOUSE

MAY = 202605


@pytest.mark.parametrize("power", range(1, 10))
def test_the_table_and_its_histogram_fit_the_bound_and_use_it(power: int) -> None:
    bounds = outer(power)
    check(bounds)
    assert inner(bounds).clip == 2**power
    both = inner(bounds).sensitivity ** 2 + mark(bounds) ** 2
    assert both <= bounds.sensitivity**2 < both + 2 * mark(bounds) + 1, "no room is left over"
    assert bounds.sensitivity <= SENSITIVITY_LIMIT
    assert entries_limit(bounds) > 20_000 + 80


def test_the_histogram_costs_a_margin_little_where_much_is_bounded() -> None:
    assert [round(outer(power).clip / 2**power, 2) for power in (3, 4, 5)] == [1.12, 1.06, 1.06]


def test_no_cell_of_a_table_can_be_taken_for_one_of_the_histogram() -> None:
    for by in (("store",), ("store", "channel"), ("store", "channel", "tier")):
        assert {len(cell) for cell in bin_cells(by)} == {max(2, len(by) + 1)}


@pytest.mark.parametrize("months", [1, 2, 12, 24, 60])
@pytest.mark.parametrize("by", [("store",), ("month",)])
def test_every_period_has_a_bound_that_can_be_proved(months: int, by: tuple[str, ...]) -> None:
    chosen = REPORT.chosen(("orders", "lines", "sales", "people"))
    bounds = REPORT.bound(range(202601, 202601 + months), by, chosen)
    check(bounds)
    assert entries_limit(bounds) > 20_000 + 80


def test_more_measures_and_more_months_weigh_more() -> None:
    def clip(*measures: str, by: str = "store", months: int = 1) -> int:
        return REPORT.bound(range(months), (by,), REPORT.chosen(measures)).clip

    assert clip("people") < clip("orders") < clip("orders", "sales")
    assert clip("orders", months=4) == outer(5).clip
    assert clip("orders", by="month", months=4) == outer(4).clip
    assert REPORT.bound((MAY,), ("tier",), REPORT.chosen(("people",))) == WHOLE
    assert REPORT.bound((MAY,), ("store",), REPORT.chosen(("people",))) != WHOLE


def test_filters_leave_public_values_alone() -> None:
    public = ("pos", "delivery", "other")
    assert kept("channel", public, (("channel", "in", "delivery|pos"), ("tier", "=", "gold"))) == ("pos", "delivery")
    assert kept("channel", public, (("channel", "!=", "pos"),)) == ("delivery", "other")
    with pytest.raises(errors.Invalid) as refused:
        kept("channel", public, (("channel", "=", "web"),))
    assert refused.value.code == "unknown_value"


def test_a_question_without_groupings_is_by_store_and_without_measures_the_usual_ones() -> None:
    question = REPORT.question(Options(MAY, MAY), HOUSE)
    assert question.by == ("store",)
    assert [one.name for one in question.measures] == ["orders", "sales", "people"]
    assert math.log2(inner(question.bounds).clip) == 4


def test_a_printed_margin_holds_the_bounded_truth_in_95_of_100_cells() -> None:
    """20,000 cells of one release with the real noise: 95 ± 1 % are 6.5 standard deviations, missed once in 10¹⁰ runs."""
    question = REPORT.question(Options(MAY, MAY, ("store", "category", "weekday"), measures=("orders",)), HOUSE)
    truth = [1_000 * (number % 97) for number in range(20_000)]
    noisy = mechanisms.noise(truth, question.bounds.sensitivity, question.rho_nano)
    half = accountant.half_width(noisy.sigma)
    held = sum(abs(value - real) <= half for value, real in zip(noisy.values, truth, strict=True))
    assert 0.94 < held / len(truth) < 0.96
