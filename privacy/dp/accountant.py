"""The arithmetic of privacy loss: prices in nano-ρ, the noise they buy, the ε that they mean, the margin that is printed.

Promise: pure functions of public numbers. Prices are integers (one nano-ρ is ρ = 1e-9 of zero-concentrated differential privacy), so
that they add exactly. Every rounding goes to the safe side: more noise, a larger ε, a wider margin.
It must never learn a count, a value or a person: nothing here takes data.
"""

from __future__ import annotations

import math
from fractions import Fraction

NANO = 10**9
"""Nano-ρ in ρ = 1."""

DELTA_UNITS = 10**15
"""Units of δ in δ = 1: thresholded keys are charged in whole 1e-15."""

MAX_CAP_NANO = 250_000_000
"""No month may ever have more than ρ = .25, whatever the settings say (dp_rules P-5)."""

MARGIN = 0.95
"""The printed margins hold with this probability, over the noise (dp_rules P-9)."""

_EXACT_SIGMA = 2_000.0
"""Up to here half widths are summed term by term; above it, by Euler-Maclaurin, whose next term is below 1e-13."""


def epsilon(rho_nano: int, delta: float) -> float:
    """The smallest ε we can prove for a total of `rho_nano` at `delta`.

    Argument. ρ-zCDP bounds the Rényi divergence of every order α > 1 by αρ; by Canonne, Kamath and Steinke (2020, Prop. 12) this
    gives (ε, δ)-differential privacy with  ε(α) = αρ + (ln(1/δ) + (α-1)·ln(1-1/α) - ln α) / (α-1)  for *each* α > 1. So whatever α the
    search ends at, the number returned is a valid bound; a better search could only lower it. ε(α) is unimodal in ln(α-1).
    """
    if rho_nano < 0 or not 0.0 < delta < 1.0:
        raise ValueError("rho is at least 0 and delta lies between 0 and 1")
    if rho_nano == 0:
        return 0.0
    rho = rho_nano / NANO

    def at(log_beta: float) -> float:
        beta = math.exp(log_beta)  # α - 1
        alpha = 1.0 + beta
        return alpha * rho + (math.log(1.0 / delta) - math.log(alpha)) / beta + math.log(beta / alpha)

    golden = (math.sqrt(5.0) - 1.0) / 2.0
    low, high = -20.0, 40.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = at(left), at(right)
    for _ in range(120):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = at(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = at(right)
    return max(0.0, min(at_left, at_right))


def sigma(rho_nano: int, sensitivity: int) -> float:
    """The least scale (as a float) at which a vector moving by at most `sensitivity` in L2 costs at most `rho_nano`.

    Argument. A discrete Gaussian of scale σ on an integer vector of L2 sensitivity Δ is Δ²/(2σ²)-zCDP (Canonne, Kamath, Steinke 2020,
    Thm 4). The comparison Δ²·10⁹ ≤ 2·rho_nano·σ² is made in exact fractions, so no rounding can make the noise too small.
    """
    if rho_nano < 1 or sensitivity < 1:
        raise ValueError("a price and a sensitivity are at least 1")
    scale = sensitivity / math.sqrt(2.0 * rho_nano / NANO)
    while not _enough(scale, rho_nano, sensitivity):
        scale = math.nextafter(scale, math.inf)
    while _enough(math.nextafter(scale, 0.0), rho_nano, sensitivity):
        scale = math.nextafter(scale, 0.0)
    return scale


def _enough(scale: float, rho_nano: int, sensitivity: int) -> bool:
    return Fraction(sensitivity) ** 2 * NANO <= 2 * rho_nano * Fraction(scale) ** 2


def half_width(scale: float, *, coverage: float = MARGIN, terms: int = 1) -> int:
    """The smallest w with P(|noise| ≤ w) ≥ `coverage`, where the noise is the sum of `terms` independent discrete Gaussians.

    Argument. For one term this is the definition, computed from the distribution's own weights exp(-x²/2σ²); OpenDP's conversion is
    one too wide. A sum of k terms is for σ ≥ 1 the discrete Gaussian of scale σ√k up to a relative 1e-8 (Poisson summation: the
    correction is 4·exp(-π²σ²)), which is below what moves an integer margin.
    """
    if not (math.isfinite(scale) and scale > 0.0) or not 0.0 < coverage < 1.0 or terms < 1:
        raise ValueError("a margin needs a finite positive scale, a coverage below 1 and at least one term")
    spread = scale * math.sqrt(terms)
    return _half_width_by_sum(spread, coverage) if spread <= _EXACT_SIGMA else _half_width_by_integral(spread, coverage)


def simultaneous(numbers: int, coverage: float = MARGIN) -> float:
    """The coverage that each of `numbers` margins needs so that all of them hold together with `coverage` (Bonferroni, dp_rules P-13)."""
    if numbers < 1:
        raise ValueError("there is at least one number")
    return 1.0 - (1.0 - coverage) / numbers


def _half_width_by_sum(spread: float, coverage: float) -> int:
    reach = math.ceil(spread * 12.0) + 2
    weights = [math.exp(-0.5 * (x / spread) ** 2) for x in range(reach)]
    total = 2.0 * math.fsum(weights[1:]) + weights[0]
    inside = weights[0]
    width = 0
    while inside < coverage * total and width + 1 < reach:
        width += 1
        inside += 2.0 * weights[width]
    return width


def _half_width_by_integral(spread: float, coverage: float) -> int:
    def inside(width: int) -> float:
        edge = width + 0.5
        density = math.exp(-0.5 * (edge / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
        return math.erf(edge / (spread * math.sqrt(2.0))) + edge * density / (12.0 * spread**2)

    low, high = 0, math.ceil(spread * 12.0)
    while low < high:
        middle = (low + high) // 2
        if inside(middle) >= coverage:
            high = middle
        else:
            low = middle + 1
    return low
