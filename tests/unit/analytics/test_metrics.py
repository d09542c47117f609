"""The words of the reports are public constants."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from analytics import metrics


@pytest.mark.parametrize(("days", "band"), [(0, 5), (7, 5), (7.1, 4), (30, 4), (31, 3), (90, 3), (180, 2), (181, 1)])
def test_recency_edges_are_7_30_90_and_180_days(days: float, band: int) -> None:
    assert metrics.recency_band(days) == band


@pytest.mark.parametrize(("orders", "band"), [(0, 0), (1, 1), (2, 2), (3, 3), (5, 3), (6, 4), (10, 4), (11, 5), (99, 5)])
def test_frequency_edges_are_1_2_3_6_and_11_orders(orders: int, band: int) -> None:
    assert metrics.band(orders, metrics.FREQUENCY_ORDERS) == band


def test_the_eight_customary_segments_are_named_in_both_languages() -> None:
    names = {one.key: (one.en, one.zh) for one in metrics.SEGMENTS}
    assert len(names) == 8
    assert names["champions"] == ("Champions", "重要价值客户")
    assert len({zh for _, zh in names.values()}) == 8


def test_every_purchaser_has_exactly_one_segment_and_nobody_else_has_one() -> None:
    found = {metrics.segment(*bands) for bands in product(range(1, 6), range(1, 6), range(6))}
    assert found == {one.key for one in metrics.SEGMENTS}
    assert metrics.segment(0, 0, 0) is None
    assert metrics.segment(5, 5, 5) == "champions"
    assert metrics.segment(1, 1, 1) == "general_to_win_back"


def test_months_are_those_of_the_controllers_zone() -> None:
    assert metrics.month_start(202601, "Asia/Shanghai") == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert metrics.month_end(202512, "Asia/Shanghai") == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert metrics.months_between(202511, 202602) == (202511, 202512, 202601, 202602)
    assert metrics.month_after(202601, -13) == 202412
    assert not metrics.is_month(202613)


@pytest.mark.parametrize(
    ("value", "margin", "kind"), [(1000, 90, "number"), (710, 177, "about"), (700, 300, "band"), (200, 150, "too_few")]
)
def test_a_wide_margin_never_stands_beside_a_bare_number(value: float, margin: float, kind: str) -> None:
    """dp_rules §6: ≤ 10 % a number, ≤ 25 % "about", ≤ 50 % a band, beyond that too few to tell."""
    shown = metrics.reading(value, margin)
    assert shown.as_ == kind
    assert (shown.value is None) == (kind in ("band", "too_few"))
    assert (shown.readable_from is None) == (kind != "too_few")


@pytest.mark.parametrize("floor_is_zero", [True, False])
@pytest.mark.parametrize("value", [-40.4, 0.0, 7.7, 710.3, 12_345.6])
@pytest.mark.parametrize("margin", [3.3, 177.0, 238.4])
def test_the_ends_of_an_interval_are_rounded_outward(value: float, margin: float, floor_is_zero: bool) -> None:
    shown = metrics.reading(value, margin, floor_is_zero=floor_is_zero)
    low, high = (max(0.0, end) if floor_is_zero else end for end in (value - margin, value + margin))
    assert shown.low <= low
    assert shown.high >= high
    assert shown.high - shown.low <= 3 * margin


def test_a_number_is_rounded_to_at_most_half_its_margin() -> None:
    assert metrics.reading(12_345, 238).value == 12_300
    assert metrics.reading(0, 5).as_ == "too_few"
    assert metrics.reading(-40, 3, floor_is_zero=False).low < -40
