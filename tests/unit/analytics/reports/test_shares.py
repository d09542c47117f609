"""Shares and quotients of released numbers."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.reports.shares import part_of_one, quotient, share, shares, told


@given(st.lists(st.floats(-50, 1_000), min_size=1, max_size=8))
def test_shares_are_not_negative_and_add_up_to_one(values: list[float]) -> None:
    found = shares(values)
    assert all(one >= 0 for one in found)
    assert sum(found) == pytest.approx(1)


def test_shares_of_clear_counts_are_their_quotients() -> None:
    assert shares([30.0, 10.0, 60.0]) == pytest.approx([0.3, 0.1, 0.6])


def test_a_part_that_noise_made_negative_is_shared_out_among_the_others() -> None:
    found = shares([80.0, 40.0, -20.0])
    assert found[2] == 0.0
    assert found[0] - found[1] == pytest.approx(0.4)  # the nearest point keeps the differences of what stays


def test_the_interval_of_a_quotient_agrees_with_the_equation_it_solves() -> None:
    low, high = quotient(30.0, 100.0, 25.0, 75.0, 25.0) or (0.0, 0.0)
    for end in (low, high):
        assert (30 - end * 100) ** 2 == pytest.approx(25 - 2 * end * 25 + end * end * 75)


def test_nothing_is_known_where_the_whole_may_be_zero() -> None:
    assert quotient(1.0, 3.0, 4.0, 9.0) is None
    assert share(1.0, 3.0, 2.0, 3) == (0.0, 1.0)


def test_intervals_of_shares_hold_the_truth_in_95_of_100_draws() -> None:
    """4,000 draws with a seed: 95 % ± 1.75 % is five standard deviations of their share."""
    draw, sigma, counts = random.Random(7), 12.0, (120.0, 60.0, 220.0)
    inside = 0
    for _ in range(4_000):
        noisy = [count + draw.gauss(0, sigma) for count in counts]
        low, high = share(noisy[0], sum(noisy), 1.959964 * sigma, 3)
        inside += low <= 0.3 <= high
    assert abs(inside / 4_000 - 0.95) < 0.0175


def test_a_share_stands_inside_its_interval_and_between_nothing_and_all() -> None:
    row = part_of_one(1.2, 0.4, 0.9)
    assert (row["value"], row["low"], row["high"]) == (1.0, 0.4, 1.0)
    assert told(-0.25, -0.5, 0.0, floor_is_zero=False)["low"] == -0.5
