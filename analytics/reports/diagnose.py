"""What stands out in a chain, found without being asked: every comparison that the released tables allow, ranked, for nothing.

Promise: post-processing of the closed months' stored releases; nothing is charged, nothing exact is read. A finding is a comparison whose
interval lies beyond what is worth a sentence, where all intervals of everything that was compared hold together with 95 % (Bonferroni,
dp_rules P-13): on a chain in which nothing stands out, something is found in at most one of twenty. Pure.

Argument. The comparisons are fixed by public lists before any value is looked at, so their number m is a constant. Each interval misses
its truth with probability at most 5 %/m over the noise (Fieller for a quotient; a quotient of two quotients holds where both do, each at
5 %/2m). Where no true value lies beyond its scan's least deviation, a finding means that an interval missed: probability at most 5 %.
Choosing, ranking and leaving out afterwards only removes sentences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from analytics.reports import scans
from analytics.reports.cube import Cube
from analytics.reports.cubefacts import YEAR
from analytics.reports.families import Estimate, ratio, reach
from analytics.reports.scans import Compared

KIND = "diagnose"
UNITS = {scans.SHARE: "share", scans.WORTH: "ratio", scans.WEEKDAY: "ratio", scans.MIX: "ratio", scans.GROWTH: "monthly_ratio"}


def diagnose(cubes: Mapping[int, Cube]) -> tuple[list[dict[str, Any]], int]:
    """The findings of the months' at most twelve newest, the largest first, and how many comparisons were made."""
    year = [cubes[month] for month in sorted(cubes)[-YEAR:]]
    if not year:
        return [], 0
    made = list(scans.compared(year))
    enquired = {one.group["category"][0] for one in made if one.scan == scans.GROWTH and one.measure == "enquiries" and one.by}
    numbers = len(made) + len(enquired)
    found: list[tuple[float, float, Compared, Estimate]] = []
    for one in made:
        told = one.estimate(numbers)
        if told is not None and (beyond := _beyond(one, told)) > 1.0 and beyond >= one.least:
            found.append((beyond, _weight(one, told, beyond), one, told))
    kept = _without_repeats(found)
    ranked = sorted(kept, key=lambda each: (-each[0], each[2].scan, sorted(each[2].claims)))
    return [_row(place, each, year, numbers) for place, each in enumerate(ranked, start=1)], numbers


def _beyond(one: Compared, told: Estimate) -> float:
    """How many times the comparison value the number is at least, upward or downward; 1 where the interval holds it."""
    if told.low > one.reference:
        return told.low / one.reference
    if told.high < one.reference and not one.upward:
        return one.reference / told.high if told.high > 0 else math.inf
    return 1.0


def _weight(one: Compared, told: Estimate, beyond: float) -> float:
    """By what one of several overlapping findings is chosen: how far it deviates times how much it concerns, of all people or of the week."""
    concerned = {scans.SHARE: told.low, scans.WEEKDAY: float(len(one.group.get("weekday", ())))}.get(one.scan, 1.0)
    return concerned * math.log(beyond)


def _without_repeats(found: Sequence[tuple[float, float, Compared, Estimate]]) -> list[tuple[float, float, Compared, Estimate]]:
    claimed: dict[tuple[str, str], set[str]] = {}
    kept = []
    for each in sorted(found, key=lambda each: (-each[1], sorted(each[2].claims))):
        one = each[2]
        taken = claimed.setdefault((one.scan, one.measure), set())
        if taken.isdisjoint(one.claims):
            taken |= one.claims
            kept.append(each)
    return kept


def _row(place: int, each: tuple[float, float, Compared, Estimate], year: Sequence[Cube], numbers: int) -> dict[str, Any]:
    beyond, _, one, told = each
    shown = one.shown(told)
    reference = one.reference ** (1.0 / one.degree)
    if shown is None:  # the whole interval lies below what a root is taken of: nothing is left of it
        shown = Estimate(max(0.0, told.value), 0.0, max(0.0, told.high) ** (1.0 / one.degree))
    row: dict[str, Any] = {
        "rank": place,
        "scan": one.scan,
        "measure": one.measure,
        "by": list(one.by),
        "group": {name: list(values) for name, values in one.group.items()},
        "against": {name: list(values) for name, values in one.against.items()},
        "unit": UNITS[one.scan],
        "value": round(shown.value, 6),
        "low": round(shown.low, 6),
        "high": round(shown.high, 6),
        "reference": round(reference, 6),
        "times": round(min(beyond, 1e6), 6),
        "months": list(one.months),
        "releases": one.releases,
        "beside": None,
    }
    if one.scan == scans.GROWTH and one.measure == "enquiries" and one.by == ("category",):
        row["beside"] = _beside(year, one.group["category"][0], numbers)
    return row


def _beside(year: Sequence[Cube], category: str, numbers: int) -> dict[str, Any] | None:
    """What the category has of the lines that were sold: asked about and not bought is a sentence of its own."""
    sums = scans.beside(year, category)
    told = None if sums is None else ratio(sums.above, sums.below, sums.variances, reach(numbers))
    if sums is None or told is None:
        return None
    return {"name": "share_of_lines", "value": round(told.value, 6), "low": round(told.low, 6), "high": round(told.high, 6)}
