"""How much one person can move what is released, and how much of the truth that bound hides.

Promise: one weight per person and plan, so that the whole released vector moves by at most `scale · clip` in L2 when any one person
leaves; a clip that is chosen from released numbers only. Pure: it takes one person's own amounts, public constants or a release.
It must never learn two people at once: nothing here compares a person with another (dp_rules P-6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from privacy.errors import Invalid
from privacy.records import Bounds

SENSITIVITY_LIMIT = 2**20
"""scale · clip may not be larger: above it too few entries could be proved (see `entries_limit`)."""

PEOPLE_LIMIT = 10**10
"""More people than live. With the limit on the sensitivity every sum stays below 2**54, far inside 64 bits (DP-14)."""

NORM_BINS = 20
"""Bins of the released histogram of people's norms: bin 0 holds ‖v‖ ≤ 1, bin i holds 2^(i-1) < ‖v‖ ≤ 2^i, the last one everything above."""


def check(bounds: Bounds) -> None:
    """Refuses bounds that are not positive whole numbers or that are too large to be proved."""
    for name, value in (("clip", bounds.clip), ("scale", bounds.scale)):
        if type(value) is not int or value < 1:
            raise Invalid("a bound is a whole number of at least 1", code="bad_bounds", field=name)
    if bounds.sensitivity > SENSITIVITY_LIMIT:
        raise Invalid(f"scale times clip is at most {SENSITIVITY_LIMIT}", code="bad_bounds", field="clip")


def entries_limit(bounds: Bounds) -> int:
    """How many entries (cells × measures) a released vector may have so that float arithmetic provably keeps the bound."""
    return int(2**53 // bounds.sensitivity**2) - 16


def contribution(amounts: Sequence[int], units: Sequence[int], bounds: Bounds) -> tuple[int, ...]:
    """One person's bounded part: s = min(1, C/‖v‖₂) over v = amounts/units, each entry trunc(scale · s · v) toward zero.

    This is the reference that the engine's expression is tested against.

    Argument (dp_rules P-7). Let S = scale · clip, n entries, u = 2^-53. In doubles the quotient v, the n squares, their sum in any order,
    the root, the division and the two products are off by a relative η ≤ (n/2 + 6)·u, and truncation toward zero only shrinks, so the
    integer vector w has ‖w‖² ≤ S²(1+η)² ≤ S² + S²(n+13)u. While S²(n+16) < 2^53 that is less than S² + 1; ‖w‖² and S² are whole numbers,
    hence ‖w‖ ≤ S exactly. Removing the person removes exactly w from every sum, so the released vector moves by at most S.
    Where s = 1 the computed norm was at most clip and the same estimate holds. Refunds are negative amounts and change nothing.
    """
    check(bounds)
    if len(amounts) != len(units) or any(unit < 1 for unit in units):
        raise Invalid("every amount needs a unit of at least 1", code="bad_bounds", field="unit")
    if len(amounts) > entries_limit(bounds):
        raise Invalid("the vector has more entries than its bound allows", code="bad_bounds", field="cells")
    vector = [amount / unit for amount, unit in zip(amounts, units, strict=True)]
    norm = math.sqrt(sum(value * value for value in vector))
    weight = 1.0 if norm <= bounds.clip else bounds.clip / norm
    return tuple(math.trunc(bounds.scale * weight * value) for value in vector)


def hidden_share(counts: Sequence[float], clip: float, *, noise: float = 0.0) -> float:
    """At most which share of the total (in norm) a bound of `clip` hides, read from a *released* histogram of norms.

    Argument. A person of norm x loses max(0, x - clip). Over all ways to place people in their bins the share Σ loss / Σ x is largest
    when people above the clip stand at their bin's upper edge and the others at the lower one; that is what is computed.
    `noise` is the half width that a bin must exceed to count as occupied: bins after the last such bin are noise and are left out, or else
    a few invented people at the open end would rule the answer. Everything here is post-processing of a release.
    """
    if len(counts) != NORM_BINS or not clip > 0:
        raise Invalid("a norm histogram has twenty bins and a clip is positive", code="bad_histogram")
    occupied = [index for index, count in enumerate(counts) if count > noise]
    if not occupied:
        return 0.0
    lost = total = 0.0
    for index in range(occupied[-1] + 1):
        people = max(0.0, float(counts[index]))
        upper = 2.0**index
        lower = 0.0 if index == 0 else upper / 2.0
        if upper > clip:
            lost += people * (upper - clip)
            total += people * upper
        else:
            total += people * lower
    return min(1.0, lost / total) if total > 0.0 else 0.0


def choose_clip(counts: Sequence[float], *, noise: float, most_hidden: float, candidates: Sequence[int]) -> int:
    """The smallest public candidate whose bound hides at most `most_hidden`; the largest one if none does.

    The histogram is a release of *earlier* months, so the clip of this month depends on no row of this month (dp_rules P-7).
    """
    ordered = sorted(candidates)
    if not ordered or ordered[0] < 1:
        raise Invalid("a clip is chosen among whole numbers of at least 1", code="bad_bounds", field="clip")
    for clip in ordered:
        if hidden_share(counts, clip, noise=noise) <= most_hidden:
            return clip
    return ordered[-1]
