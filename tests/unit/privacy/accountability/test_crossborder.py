"""The yearly thresholds decide which mechanism a transfer needs; more people never need less."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accountability import crossborder
from privacy.accountability.crossborder import ROUTES, Counts


@pytest.mark.parametrize(
    ("people", "sensitive", "route"),
    [
        (99_999, 0, "exempt"),
        (100_000, 0, "standard_contract"),
        (1, 1, "standard_contract"),
        (9_999, 9_999, "standard_contract"),
        (10_000, 10_000, "security_assessment"),
        (999_999, 0, "standard_contract"),
        (1_000_000, 0, "security_assessment"),
    ],
)
def test_the_thresholds(people: int, sensitive: int, route: str) -> None:
    assert crossborder.route(Counts(people, sensitive)) == route


@pytest.mark.parametrize(
    ("mechanism", "allowed"),
    [("none", False), ("exempt", False), ("standard_contract", True), ("certification", True), ("security_assessment", True)],
)
def test_a_transfer_over_the_threshold_needs_its_mechanism(mechanism: str, allowed: bool) -> None:
    crossing = crossborder.crossing(Counts(100_000, 0), mechanism)
    assert crossing.allowed is allowed
    assert crossing.code == ("within" if allowed else "crossborder_needs_standard_contract")
    assert not crossborder.crossing(Counts(1_000_000, 0), "standard_contract").allowed


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2_000_000), st.integers(0, 20_000), st.integers(0, 10_000))
def test_more_people_never_need_less(people: int, sensitive: int, more: int) -> None:
    before, after = crossborder.route(Counts(people, sensitive)), crossborder.route(Counts(people + more, sensitive))
    assert ROUTES.index(before) <= ROUTES.index(after)


def test_the_next_threshold_and_the_end_of_the_year() -> None:
    nearest = crossborder.next_threshold(Counts(80_000, 0))
    assert nearest is not None
    assert (nearest[0].route, nearest[1]) == ("standard_contract", 0.8)
    assert crossborder.next_threshold(Counts(2_000_000, 20_000)) is None
    assert crossborder.forecast(100, date(2026, 12, 31)) == 100
    assert crossborder.forecast(100, date(2026, 1, 1)) == 36_500
    assert crossborder.forecast(366, date(2028, 12, 31)) == 366
