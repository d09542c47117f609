"""View, add, pay: how many people reached each step, as the furthest step that each of them reached, and which share went no further.

Promise: one cell a person, so the bound is 1 whatever the number of steps; "reached at least this step" is added up after the release, and
the share that went no further is a quotient of released numbers, one of which is part of the other: its interval knows that. It must never
learn a person beyond the run of one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, numbers
from analytics.reports.shares import part_of_one, share
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

STEP = "step"
PEOPLE = Measure("people")
LEFT = "left"
"""The share of those who got to a step that went no further."""


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person (and further grouping): the furthest of the funnel's steps."""
    import ibis

    events = filtered(view.people("events"), question.where)
    events = events.filter(events.event.isin(metrics.FUNNEL)).drop("step")
    place = ibis.cases(*[(events.event == name, number) for number, name in enumerate(metrics.FUNNEL)])
    others = [name for name in question.by if name != STEP]
    furthest = events.mutate(place=place).group_by([PERSON, *others]).agg(place=ibis._.place.max())
    names = ibis.cases(*[(furthest.place == number, name) for number, name in enumerate(metrics.FUNNEL)])
    return furthest.select(PERSON, *others, step=names, people=ibis.literal(1))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """For each further grouping the steps in their order, each with everybody who got at least so far; then who went no further."""
    by = release.question.by
    place = by.index(STEP)
    found = dict(zip(release.cells, release.values, strict=True))
    others = list(dict.fromkeys(cell[:place] + cell[place + 1 :] for cell in release.cells))
    reached, left = [], []
    for other in others:
        for number, step in enumerate(metrics.FUNNEL):
            further = [found[(*other[:place], name, *other[place:])] for name in metrics.FUNNEL[number:]]
            head = dict(zip(by, (*other[:place], step, *other[place:]), strict=True))
            half = margin(release, terms=len(further))
            reached.append(head | {"measure": PEOPLE.name} | numbers(sum(further), half, PEOPLE, release.question.bounds))
            if len(further) > 1:
                low, high = share(further[0], sum(further), margin(release), len(further))
                middle = further[0] / sum(further) if sum(further) > 0 else (low + high) / 2
                left.append(head | {"measure": LEFT} | part_of_one(middle, low, high))
    return reached + left


REPORT = Report(
    kind="funnel",
    version=1,
    table="events",
    by=(STEP,),
    measures=(PEOPLE,),
    bounds=Bounds(clip=1),
    rho_nano=1_000_000,
    contributions=contributions,
    render=render,
    own={STEP: metrics.FUNNEL},
    groups=("channel", "store_id"),
    filters=("channel", "store_id", "category", "device_class", "region"),
    once=("people",),
    one_cell=True,
    terms=len(metrics.FUNNEL),
)
