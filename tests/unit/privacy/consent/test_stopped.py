"""Counts of what a no kept out: they add up, by month and purpose, and end after a year."""

from __future__ import annotations

from datetime import date

from app.stores import Stores
from privacy.consent import stopped

ANNA, BO = b"a" * 16, b"b" * 16
P, Q = "analytics.statistics", "marketing.profiling"


def test_counts_add_up_by_person_purpose_and_month(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        stopped.add(tx, {(ANNA, P): 2, (BO, P): 1, (ANNA, Q): 1}, date(2026, 5, 31))
        stopped.add(tx, {(ANNA, P): 3}, date(2026, 5, 1))
        stopped.add(tx, {(ANNA, P): 4}, date(2026, 6, 1))
        stopped.add(tx, {}, date(2026, 6, 1))
    with stores.read_platform() as tx:
        assert stopped.of(tx, [ANNA]) == [(P, 202606, 4), (P, 202605, 5), (Q, 202605, 1)]
        assert stopped.of(tx, [ANNA, BO]) == [(P, 202606, 4), (P, 202605, 6), (Q, 202605, 1)], "two who are one have one count"
        assert stopped.of(tx, [b"c" * 16]) == []


def test_a_month_is_forgotten_when_a_year_has_passed(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        stopped.add(tx, {(ANNA, P): 1}, date(2025, 12, 9))
        stopped.add(tx, {(ANNA, P): 1}, date(2026, 1, 9))
        assert stopped.sweep(tx, date(2026, 12, 31)) == 0
        assert stopped.sweep(tx, date(2027, 1, 1)) == 1
        assert stopped.of(tx, [ANNA]) == [(P, 202601, 1)]
