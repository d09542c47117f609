"""A fair division of purchases among channels: Shapley values over released counts of the sets of channels that came before a purchase.

Promise: a person who bought stands in one set, so the bound is 1; the division is made of the released counts alone and adds up to all
purchases that a channel came before. It must never learn a person beyond the run of one question.

Argument (dp_rules P-14). The worth of some channels is how many purchases had no other channel before them, so it is a sum of the counts of
sets; the Shapley value of a channel in that game is the sum over the sets with it of the set's count divided by its size (a set's purchase
is shared alike by those who were all needed). It is linear in the released counts, so its margin is exact: the root of the summed squares of
the divisors. With at most six channels there are 63 public cells.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, numbers
from analytics.reports.paths import CHANNEL, channels, paths
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

SET = "channels"
TOGETHER = "+"
CONVERSIONS = Measure("conversions")


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    known = sorted(channels(question, house))
    return tuple((TOGETHER.join(some),) for size in range(1, len(known) + 1) for some in combinations(known, size))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person who bought: the set of channels before the purchase, and 1."""
    import ibis

    path = paths(view, question, house)
    path = path.filter(path.converted)
    sets = path.group_by(PERSON).agg(channels=path.channel.collect(distinct=True).sort().join(TOGETHER))
    return sets.select(PERSON, SET, conversions=ibis.literal(1, "int64"))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Each channel's part, all of them together, then the sets that they are made of."""
    bounds, half = release.question.bounds, margin(release)
    sets = {tuple(cell[0].split(TOGETHER)): value for cell, value in zip(release.cells, release.values, strict=True)}
    rows = []
    for name in dict.fromkeys(name for some in sets for name in some):
        held = [(value, len(some)) for some, value in sets.items() if name in some]
        width = half * math.sqrt(sum(1 / size**2 for _, size in held))
        part = numbers(sum(value / size for value, size in held), width, CONVERSIONS, bounds)
        rows.append({CHANNEL: name, "measure": CONVERSIONS.name, "marginal": CHANNEL} | part)
    whole = numbers(sum(sets.values()), margin(release, terms=len(sets)), CONVERSIONS, bounds)
    rows.append({"measure": CONVERSIONS.name, "marginal": "all"} | whole)
    for some, value in sets.items():
        head = {SET: TOGETHER.join(some), "measure": CONVERSIONS.name, "marginal": SET}
        rows.append(head | numbers(value, half, CONVERSIONS, bounds))
    return rows


REPORT = Report(
    kind="shapley",
    version=1,
    table="touches",
    by=(SET,),
    measures=(CONVERSIONS,),
    bounds=Bounds(clip=1),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={SET: ()},
    filters=(CHANNEL,),
    tables=("campaigns",),
    public_cells=public_cells,
    one_cell=True,
)
