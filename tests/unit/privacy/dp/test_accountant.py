"""Prices, ε and margins against the published table, against closed forms and against the definition."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from privacy.dp import accountant


@pytest.mark.parametrize(
    ("rho_nano", "months", "expected"),
    [
        (10_000_000, 1, 0.62),
        (10_000_000, 12, 2.37),
        (10_000_000, 24, 3.46),
        (50_000_000, 1, 1.47),
        (50_000_000, 12, 5.79),
        (50_000_000, 24, 8.64),
        (50_000_000, 60, 14.95),
        (100_000_000, 1, 2.14),
        (100_000_000, 12, 8.64),
        (100_000_000, 24, 13.05),
    ],
)
def test_epsilon_matches_the_table_of_the_design(rho_nano: int, months: int, expected: float) -> None:
    assert accountant.epsilon(rho_nano * months, 1e-6) == pytest.approx(expected, abs=0.005)


def test_epsilon_is_the_minimum_over_orders_to_four_digits() -> None:
    """The search against a brute walk over a million-fold range of orders."""
    for rho_nano in (200_000, 5_000_000, 50_000_000, 1_200_000_000):
        for delta in (1e-6, 1e-9, 1e-12):
            walked = math.inf
            for step in range(1, 40_000):
                beta = math.exp(-8 + step * 18 / 40_000)
                bound = (1 + beta) * rho_nano / 1e9 + (math.log(1 / delta) - math.log(1 + beta)) / beta + math.log(beta / (1 + beta))
                walked = min(walked, bound)
            assert accountant.epsilon(rho_nano, delta) == pytest.approx(walked, rel=1e-4)


def test_nothing_spent_means_no_epsilon_and_more_spent_means_more() -> None:
    assert accountant.epsilon(0, 1e-6) == 0.0
    walked = [accountant.epsilon(rho, 1e-6) for rho in (1, 10, 1_000, 10**6, 10**8, 10**9)]
    assert walked == sorted(walked)


@pytest.mark.parametrize(("rho_nano", "delta"), [(-1, 1e-6), (1, 0.0), (1, 1.0)])
def test_epsilon_refuses_what_is_no_budget(rho_nano: int, delta: float) -> None:
    with pytest.raises(ValueError, match="rho"):
        accountant.epsilon(rho_nano, delta)


@pytest.mark.parametrize("rho_nano", [1, 3, 500_000, 2_000_000, 5_000_000, 50_000_000, 250_000_000])
@pytest.mark.parametrize("sensitivity", [1, 7, 1_000, 16_000, 2**20])
def test_sigma_is_the_least_float_that_the_price_allows(rho_nano: int, sensitivity: int) -> None:
    def cost(scale: float) -> Fraction:
        return Fraction(sensitivity) ** 2 / (2 * Fraction(scale) ** 2)

    scale = accountant.sigma(rho_nano, sensitivity)
    assert cost(scale) <= Fraction(rho_nano, accountant.NANO)
    assert cost(math.nextafter(scale, 0.0)) > Fraction(rho_nano, accountant.NANO)


def _inside(scale: float, width: int) -> float:
    weights = [math.exp(-0.5 * (x / scale) ** 2) for x in range(int(scale * 15) + 3)]
    total = weights[0] + 2 * math.fsum(weights[1:])
    return (weights[0] + 2 * math.fsum(weights[1 : width + 1])) / total


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 1.5, 3.0, 10.0, 31.6227766, 100.5, 999.9, 1999.0, 2001.0, 5000.3, 12345.6])
@pytest.mark.parametrize("coverage", [0.5, 0.95, 0.9975])
def test_half_width_is_the_smallest_that_covers(scale: float, coverage: float) -> None:
    """By the definition, on both sides of the change from summing to integrating."""
    width = accountant.half_width(scale, coverage=coverage)
    assert _inside(scale, width) >= coverage
    assert width == 0 or _inside(scale, width - 1) < coverage


def test_half_width_is_not_the_library_convention_which_is_one_too_wide() -> None:
    assert accountant.half_width(3.0) == 6


def test_the_sum_of_four_terms_has_twice_the_spread() -> None:
    assert accountant.half_width(50.0, terms=4) == accountant.half_width(100.0)


def test_margins_that_must_hold_together_are_wider() -> None:
    assert accountant.simultaneous(1) == pytest.approx(0.95)
    assert accountant.simultaneous(20) == pytest.approx(0.9975)
    assert accountant.half_width(100.0, coverage=accountant.simultaneous(20)) > accountant.half_width(100.0)


@pytest.mark.parametrize(
    ("scale", "coverage", "terms"), [(0.0, 0.95, 1), (math.inf, 0.95, 1), (math.nan, 0.95, 1), (1.0, 1.0, 1), (1.0, 0.95, 0)]
)
def test_half_width_refuses_what_is_no_noise(scale: float, coverage: float, terms: int) -> None:
    with pytest.raises(ValueError, match="margin"):
        accountant.half_width(scale, coverage=coverage, terms=terms)
