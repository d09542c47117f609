"""A finding is what noise alone could not have made, over every comparison that was possible."""

from __future__ import annotations

import random

import pytest

from app.figures import findings
from tests.fakes.documents import CHINESE, ENGLISH, FUNNEL, MONTHS, STORES, document


def stores(*values: float, half: float = 30.0) -> dict[str, object]:
    return document("store_month", {"store_id": [f"S{place}" for place in range(len(values))]}, {"orders": values}, half)


def test_the_clear_winner_is_named_with_its_number() -> None:
    told = findings.findings(STORES, ENGLISH)
    assert told[0] == "orders: S1 has the most, 1,000 ± 30; every other row has fewer, all margins taken together."
    assert findings.findings(STORES, CHINESE)[0].startswith("订单数：S1最多")


def test_a_difference_within_the_margins_is_no_finding() -> None:
    assert findings.findings(stores(130, 100, 110), ENGLISH) == ["orders: no difference between the rows is larger than the noise."]


def test_a_difference_that_one_margin_would_allow_is_refused_where_many_were_looked_at() -> None:
    """Two rows 50 apart with margins of 30 differ (42 < 50); among forty rows the same difference may be chance."""
    assert "has the most" in findings.findings(stores(150, 100), ENGLISH)[0]
    many = stores(150, *[100.0] * 39)
    assert findings.findings(many, ENGLISH) == ["orders: no difference between the rows is larger than the noise."]


def test_where_only_the_ends_differ_no_row_is_called_the_first() -> None:
    told = findings.findings(stores(300, 290, 100), ENGLISH)[0]
    assert "S0 has" in told
    assert "more than S2" in told
    assert "cannot be told" in told


def test_noise_without_a_difference_is_called_a_finding_in_at_most_one_of_twenty_tables() -> None:
    """2,000 tables of eight equal rows: the bound is 5 %; 7 % would be 4 standard deviations off, and the draws are fixed by a seed."""
    draws = random.Random(20261123)
    half = 30.0
    wrong = 0
    for _ in range(2_000):
        values = [1000 + draws.gauss(0, half / 1.959964) for _ in range(8)]
        wrong += "no difference" not in findings.findings(stores(*values), ENGLISH)[0]
    assert wrong / 2_000 < 0.07


def test_simultaneous_margins_grow_with_the_comparisons() -> None:
    assert findings.wider(1) == pytest.approx(1.0)
    assert 1.0 < findings.wider(2) < findings.wider(100) < 2.5


def test_a_change_through_time_is_told_with_its_interval_or_not_at_all() -> None:
    assert "more in Oct 2026 than in Aug 2026" in findings.findings(MONTHS, ENGLISH)[0]
    flat = document("trend", {"month": ["202608", "202609"]}, {"orders": [100.0, 110.0]})
    assert "no change is larger than the noise" in findings.findings(flat, ENGLISH)[0]
    falling = document("trend", {"month": ["202608", "202609"]}, {"orders": [400.0, 110.0]})
    assert "fewer in Sep 2026" in findings.findings(falling, ENGLISH)[0]


def test_a_funnel_tells_the_share_that_gets_through_and_where_most_leave() -> None:
    told = findings.findings(FUNNEL, ENGLISH)
    assert told[0].startswith("Everybody: between 15% and 26%")
    assert told[1] == "Most leave between “Put into the basket” and “Paid”."
    few = document("funnel", {"step": ["product_viewed", "product_added", "order_completed"]}, {"people": [50.0, 30.0, 10.0]})
    assert findings.findings(few, ENGLISH) == ["Everybody: too few to tell which share gets to the end."]


def test_one_number_alone_is_told_or_said_to_be_too_few() -> None:
    assert findings.findings(stores(1000), ENGLISH) == ["orders: 1,000 ± 30."]
    assert findings.findings(stores(5), ENGLISH) == ["orders: too few to tell from none."]
