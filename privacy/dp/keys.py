"""Keys that nobody knows beforehand: a count is told, and its key with it, only where the noisy count reaches a threshold.

Promise: one person is in at most clip² keys with weight 1 each; a key that stands there because of one person is told with probability at
most δ, certified by OpenDP's map of the very measurement that is invoked. What is told is sorted by key: neither the order nor anything
else depends on the exact counts. It must never learn whose keys these are.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from privacy.dp import accountant, mechanisms
from privacy.dp.mechanisms import NoisyVector
from privacy.errors import Invalid
from privacy.records import Aggregate, Question

Cells = tuple[tuple[str, ...], ...]
_MOST = 2**40
"""No threshold is looked for beyond it."""


def drawn(question: Question, aggregate: Aggregate) -> tuple[Cells, NoisyVector]:
    """What may leave: the public cells with noise, or, for a question of unknown keys, those whose noisy count reaches the threshold."""
    if not question.delta_units:
        return aggregate.cells, mechanisms.noise(aggregate.values, question.bounds.sensitivity, question.rho_nano)
    return thresholded(question, {cell[0]: value for cell, value in zip(aggregate.cells, aggregate.values, strict=True)})


def thresholded(question: Question, counts: dict[str, int]) -> tuple[Cells, NoisyVector]:
    """Noisy counts of the keys that reach the threshold.

    Argument. A person adds 1 to at most k = clip² keys, so that counts of keys that are there without them move by at most √k = clip in L2
    and by at most 1 each: Gaussian noise on them costs ρ. A key that is there only because of them has the count 1, and its noisy count
    reaches t with probability at most δ/k; a union over their k keys gives δ. OpenDP certifies both, (ρ, δ), for (k, clip, 1).
    """
    if any(type(value) is not int or value < 1 for value in counts.values()):
        raise Invalid("a key stands in a table only with somebody's count", code="not_whole")
    scale = mechanisms.calibrate(question.bounds.sensitivity, question.rho_nano)
    measurement, _ = _certified(question, scale)
    told: dict[str, int] = measurement(counts) if counts else {}
    keys = sorted(told)
    return tuple((key,) for key in keys), NoisyVector(tuple(int(told[key]) for key in keys), scale, question.rho_nano / accountant.NANO)


def threshold(question: Question) -> int:
    """From which noisy count on a key is told: a public number."""
    return _certified(question, mechanisms.calibrate(question.bounds.sensitivity, question.rho_nano))[1]


def _certified(question: Question, scale: float) -> tuple[Any, int]:
    """The measurement with the least threshold whose certified cost is at most what was paid; raises where there is none."""
    if question.bounds.scale != 1 or len(question.measures) != 1:
        raise Invalid("a question of unknown keys counts people, one a key", code="bad_bounds")
    least = _least(scale, question.bounds.clip, question.rho_nano, question.delta_units)
    return mechanisms.above_threshold(scale, least), least


@cache
def _least(scale: float, clip: int, rho_nano: int, delta_units: int) -> int:
    """The least threshold of public numbers, looked for once."""
    price, delta = Fraction(rho_nano, accountant.NANO), Fraction(delta_units, accountant.DELTA_UNITS)

    def fits(limit: int) -> bool:
        rho, mass = mechanisms.above_threshold(scale, limit).map((clip**2, float(clip), 1.0))
        return Fraction(rho) <= price and Fraction(mass) <= delta

    high = 2
    while not fits(high):
        high *= 2
        if high > _MOST:
            raise Invalid("no threshold was certified for this price", code="bad_price")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
