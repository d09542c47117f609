"""Noise costs at most what was paid, is the discrete Gaussian, and refuses everything it cannot certify."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import pytest

from privacy.dp import accountant, mechanisms
from privacy.errors import Invalid


@pytest.mark.parametrize("rho_nano", [1, 3, 7, 500_000, 5_000_000, 33_333_333, 250_000_000])
@pytest.mark.parametrize("sensitivity", [1, 3, 1_000, 16_000, 2**20])
def test_the_certified_cost_is_at_most_the_price_and_close_to_it(rho_nano: int, sensitivity: int) -> None:
    drawn = mechanisms.noise((5,), sensitivity, rho_nano)
    assert Fraction(drawn.cost) <= Fraction(rho_nano, accountant.NANO)
    assert drawn.cost == pytest.approx(rho_nano / accountant.NANO, rel=1e-9)
    assert drawn.sigma == mechanisms.calibrate(sensitivity, rho_nano)


def test_ten_prices_of_a_tenth_add_up_exactly() -> None:
    """The float filter of the library lost the tenth one (dp.md trap 3); whole numbers do not."""
    assert sum([5_000_000] * 10) == 50_000_000


def test_the_noise_is_the_discrete_gaussian() -> None:
    """χ² over the central cells of 40,000 draws, at a level of one in a million."""
    scale = 3.0
    drawn = mechanisms.noise((0,) * 40_000, 3, 500_000_000 // 2)
    assert drawn.sigma == pytest.approx(3 / math.sqrt(0.5))
    scale = drawn.sigma
    reach = range(-12, 13)
    total = math.fsum(math.exp(-0.5 * (x / scale) ** 2) for x in range(-80, 81))
    seen = dict.fromkeys(reach, 0)
    beyond = 0
    for value in drawn.values:
        if value in seen:
            seen[value] += 1
        else:
            beyond += 1
    chi = 0.0
    outside = 1.0
    for x in reach:
        share = math.exp(-0.5 * (x / scale) ** 2) / total
        outside -= share
        chi += (seen[x] - 40_000 * share) ** 2 / (40_000 * share)
    chi += (beyond - 40_000 * outside) ** 2 / (40_000 * outside)
    assert chi < 75.0  # 25 degrees of freedom: P(χ² > 75) ≈ 6e-7


def test_draws_are_independent_and_never_repeat_a_sequence() -> None:
    """Attack 60: no seed to recover; neighbours in a vector and two vectors are uncorrelated."""
    first = mechanisms.noise((0,) * 5_000, 1_000, 500_000).values
    second = mechanisms.noise((0,) * 5_000, 1_000, 500_000).values
    assert first != second
    for left, right in ((first, second), (first[:-1], first[1:])):
        assert abs(statistics.correlation(left, right)) < 6 / math.sqrt(len(left))


def test_zero_cells_and_negative_sums_are_noised_like_all_others() -> None:
    drawn = mechanisms.noise((0, -50_000, 10**9), 1_000, 250_000_000)
    assert len(drawn.values) == 3
    assert all(type(value) is int for value in drawn.values)


@pytest.mark.parametrize("rho_nano", [0, -1, 250_000_001, 10**18, True, 1.5])
def test_a_price_that_is_none_or_absurd_is_refused(rho_nano: int) -> None:
    """Among them the price of scale zero, which the library itself would accept and answer exactly (dp.md trap 11)."""
    with pytest.raises(Invalid) as raised:
        mechanisms.noise((1,), 1, rho_nano)
    assert raised.value.code == "bad_price"


@pytest.mark.parametrize("sensitivity", [0, -1, 2**20 + 1, 1.5])
def test_a_sensitivity_that_cannot_be_proved_is_refused(sensitivity: int) -> None:
    with pytest.raises(Invalid) as raised:
        mechanisms.noise((1,), sensitivity, 1_000)
    assert raised.value.code == "bad_bounds"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ((), "no_cells"),
        ((1.0,), "not_whole"),
        ((True,), "not_whole"),
        ((math.nan,), "not_whole"),
        (("7",), "not_whole"),
        ((2**63,), "out_of_range"),
        ((-(2**63),), "out_of_range"),
        ((10**10 * 1_000 + 1,), "out_of_range"),
    ],
)
def test_values_that_could_wrap_or_are_no_whole_numbers_are_refused(values: tuple[int, ...], code: str) -> None:
    """Attack 14: nothing reaches the 64-bit library that would saturate there, and no message carries the value."""
    with pytest.raises(Invalid) as raised:
        mechanisms.noise(values, 1_000, 1_000_000)
    assert raised.value.code == code
    assert all(str(value) not in raised.value.message for value in values)
