"""Which channels a purchase is credited to, by four rules: the first touch, the last one, all alike, or the ends more than the middle.

Promise: a person who bought hands out at most one conversion under each rule, so that nobody weighs more than anybody else and the bound
hides nothing; credits are those of the person's own path (`analytics.reports.paths`). It must never learn a person beyond the run of one
question.

Argument (dp_rules P-14). Under one rule a person's credits are not negative and add up to at most 1, so their L2 norm is at most 1; the four
rules together have a norm of at most 2, which is the clip, and what was priced. Credits are whole millionths, cut downward. No rule looks at
anybody else's path: Markov and Shapley, which do, are made of released counts (`markov`, `shapley`).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, numbers
from analytics.reports.paths import CHANNEL, channels, paths
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

RULE = "rule"
FIRST, LAST, LINEAR, POSITION = RULES = ("first", "last", "linear", "position")
WHOLE = 1_000_000
"""Parts of one conversion."""
ENDS = 400_000
"""What the position rule gives to the first and to the last of three touches and more; those between share the rest."""
CONVERSIONS = Measure("conversions", WHOLE)
ONE = Measure("conversions")


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    values = {RULE: RULES, CHANNEL: channels(question, house)}
    return tuple(product(*[values[name] for name in question.by]))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a touch and rule: the channel and its part of the person's one conversion."""
    import ibis

    path = paths(view, question, house)
    path = path.filter(path.converted)
    one, last = path.place == 1, path.place == path.length
    middle = (WHOLE - 2 * ENDS) // ibis.greatest(path.length - 2, 1)
    parts = {
        FIRST: ibis.cases((one, WHOLE), else_=0),
        LAST: ibis.cases((last, WHOLE), else_=0),
        LINEAR: WHOLE // path.length,
        POSITION: ibis.cases((path.length == 1, WHOLE), (path.length == 2, WHOLE // 2), (one | last, ENDS), else_=middle),
    }
    return ibis.union(
        *[path.select(PERSON, CHANNEL, rule=ibis.literal(rule), conversions=part.cast("int64")) for rule, part in parts.items()]
    )


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Conversions by rule and channel."""
    by, half, bounds = release.question.by, margin(release), release.question.bounds
    return [
        dict(zip(by, cell, strict=True)) | {"measure": ONE.name} | numbers(value, half, ONE, bounds)
        for cell, value in zip(release.cells, release.values, strict=True)
    ]


REPORT = Report(
    kind="attribution",
    version=1,
    table="touches",
    by=(CHANNEL, RULE),
    measures=(CONVERSIONS,),
    bounds=Bounds(clip=2),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={CHANNEL: (), RULE: RULES},
    filters=(CHANNEL,),
    tables=("campaigns",),
    public_cells=public_cells,
    in_units=True,
    hides_nothing=True,
)
