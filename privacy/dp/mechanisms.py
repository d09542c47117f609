"""Noise: OpenDP's discrete Gaussian under OpenDP's certified map, and nothing else of that library.

Promise: whole numbers in, whole numbers out; nothing is drawn before the certified map says that it costs no more than was paid; scale
zero, non-finite costs and numbers that could wrap are refused before anything is drawn.
It must never learn whose numbers these are, nor choose its own randomness: OpenDP draws from the operating system and offers no seed.

OpenDP is imported inside the function, and only the modules that are called: its prelude brings scikit-learn and takes seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from privacy.dp import accountant
from privacy.dp.bounds import PEOPLE_LIMIT, SENSITIVITY_LIMIT
from privacy.errors import Invalid

_STEPS = 64
"""How often the scale may be nudged up until the certified map agrees; it rounds outward by a few units in the last place."""

_TAIL = 64
"""Standard deviations that must still fit in 64 bits; noise beyond them has probability below 1e-880."""


@dataclass(frozen=True, slots=True)
class NoisyVector:
    """What may leave: the noised values in their order, and the scale of the noise on each of them."""

    values: tuple[int, ...]
    sigma: float
    cost: float = field(default=0.0)


def noise(values: Sequence[int], sensitivity: int, rho_nano: int) -> NoisyVector:
    """The values with discrete Gaussian noise, for at most `rho_nano`, given that one person moves them by at most `sensitivity` in L2.

    Argument. The scale is the least one at which Δ²/(2σ²) ≤ ρ in exact arithmetic (`accountant.sigma`), then nudged up until OpenDP's own
    map of the very measurement that is invoked certifies a loss ≤ ρ, compared as exact fractions. The measurement adds independent
    discrete Gaussian noise to every entry of a vector of fixed public length, so the whole vector is ρ-zCDP. 64-bit saturation cannot
    happen: |sums| ≤ people · Δ and 64 standard deviations fit together below 2^63, for every data set, so refusing on it tells nothing.
    """
    _check(values, sensitivity, rho_nano)
    measurement, scale, cost = _calibrated(sensitivity, rho_nano)
    drawn = measurement(list(values))
    if len(drawn) != len(values):
        raise Invalid("the mechanism changed the number of cells", code="bad_mechanism")
    return NoisyVector(tuple(int(value) for value in drawn), scale, cost)


def calibrate(sensitivity: int, rho_nano: int) -> float:
    """The scale that `noise` will use for this price; no data, so a quote may show it."""
    _check((0,), sensitivity, rho_nano)
    return _calibrated(sensitivity, rho_nano)[1]


def _check(values: Sequence[int], sensitivity: int, rho_nano: int) -> None:
    if type(rho_nano) is not int or not 1 <= rho_nano <= accountant.MAX_CAP_NANO:
        raise Invalid("a price is a whole number of nano-rho, at least 1 and at most a month's largest cap", code="bad_price")
    if type(sensitivity) is not int or not 1 <= sensitivity <= SENSITIVITY_LIMIT:
        raise Invalid(f"a sensitivity is a whole number from 1 to {SENSITIVITY_LIMIT}", code="bad_bounds")
    if not values:
        raise Invalid("a release has at least one cell", code="no_cells")
    if any(type(value) is not int for value in values):
        raise Invalid("a mechanism takes whole numbers only", code="not_whole")
    largest = max(abs(value) for value in values)
    if largest > PEOPLE_LIMIT * sensitivity:
        raise Invalid("a sum is larger than its bound allows", code="out_of_range")
    if largest + _TAIL * accountant.sigma(rho_nano, sensitivity) >= 2**63 - 1:
        raise Invalid("a sum and its noise do not fit in 64 bits", code="out_of_range")


def _calibrated(sensitivity: int, rho_nano: int) -> tuple[Any, float, float]:
    """The measurement, its scale and its certified cost; raises rather than return one that costs more than the price."""
    from opendp import domains, measurements, metrics, mod

    mod.enable_features("contrib")  # the only feature: never "floating-point", never "honest-but-curious"
    space = domains.vector_domain(domains.atom_domain(T="i64")), metrics.l2_distance(T=float)
    price = Fraction(rho_nano, accountant.NANO)
    scale = accountant.sigma(rho_nano, sensitivity)
    for step in range(_STEPS):
        if not (math.isfinite(scale) and scale > 0.0):
            break
        measurement = space >> measurements.then_gaussian(scale=scale)
        cost = float(measurement.map(float(sensitivity)))
        if math.isfinite(cost) and cost > 0.0 and Fraction(cost) <= price:
            return measurement, scale, cost
        scale *= 1.0 + 2.0 ** (step - 52)
    raise Invalid("no scale was certified for this price", code="bad_price")


def above_threshold(scale: float, limit: int) -> Any:
    """OpenDP's measurement of counts by keys that nobody knows beforehand: it tells those whose noisy count reaches the limit."""
    from opendp import domains, measurements, metrics, mod

    mod.enable_features("contrib")  # the only feature: never "floating-point", never "honest-but-curious"
    space = (
        domains.map_domain(domains.atom_domain(T=str), domains.atom_domain(T="i64")),
        metrics.l02inf_distance(metrics.absolute_distance(T=float)),
    )
    return space >> measurements.then_gaussian_threshold(scale=scale, threshold=limit)
