"""Shares and quotients of released numbers, with intervals that know the noise above and below the line.

Promise: pure functions of released values and of their margins; nothing here reads data or costs anything. Margins are 95 % of the noise of
the bounded numbers, like those that they are made of (dp_rules P-9).

Argument for the intervals (Fieller). With noise of known variance on top and bottom, top - p·bottom is normal for every p; the p for which it
lies within its own margin are exactly those that the numbers do not contradict. They are one interval where the bottom is certainly not zero,
and everything where it is not: then nothing is known, and that is what is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from analytics import metrics

DIGITS = 6


def quotient(top: float, bottom: float, above: float, below: float, common: float = 0.0) -> tuple[float, float] | None:
    """The 95 % interval of top / bottom: `above` and `below` are squared half widths, `common` their covariance in the same unit.
    None where the bottom may be zero."""
    lead = bottom * bottom - below
    if bottom <= 0 or lead <= 0:
        return None
    middle = top * bottom - common
    root = math.sqrt(max(0.0, middle * middle - lead * (top * top - above)))
    return (middle - root) / lead, (middle + root) / lead


def share(part: float, whole: float, half: float, terms: int, parts: int = 1) -> tuple[float, float]:
    """The interval of a part among `terms` values that add up to the whole, the part itself being `parts` of them; 0 to 1 if nothing is known."""
    found = quotient(part, whole, parts * half * half, terms * half * half, parts * half * half)
    return (0.0, 1.0) if found is None else (min(1.0, max(0.0, found[0])), max(0.0, min(1.0, found[1])))


def shares(values: Sequence[float]) -> list[float]:
    """The nearest shares, by least squares, that are not negative and add up to one: a projection onto the simplex."""
    whole = sum(values)
    given = [value / whole for value in values] if whole > 0 else [1 / len(values)] * len(values)
    ordered = sorted(given, reverse=True)
    total, shift = 0.0, 0.0
    for count, value in enumerate(ordered, 1):
        total += value
        if value - (total - 1) / count > 0:
            shift = (total - 1) / count
    return [max(0.0, value - shift) for value in given]


def part_of_one(value: float, low: float, high: float) -> dict[str, Any]:
    """A share as a report's row tells it: inside its interval, and with how it may be shown."""
    return told(min(1.0, max(0.0, value)), low, high)


def told(value: float, low: float, high: float, *, floor_is_zero: bool = True) -> dict[str, Any]:
    """A number that is no sum of released values, with the interval that it has; the ends are rounded outward."""
    low, high = min(low, value), max(high, value)
    least, most = math.floor(low * 10**DIGITS) / 10**DIGITS, math.ceil(high * 10**DIGITS) / 10**DIGITS
    reading = metrics.reading(value, (high - low) / 2, floor_is_zero=floor_is_zero).document() | {"low": least, "high": most}
    return {"value": round(value, DIGITS), "low": least, "high": most, "reading": reading}
