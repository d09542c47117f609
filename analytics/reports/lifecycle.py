"""Where customers stand and where they came from: stages of a closed month by the stage of the month before, as people and as shares.

Promise: a person stands in one cell of `person_month`, so the bound is 1 whatever they did; stages and their edges are public constants. The
shares of a row are the nearest ones to the released counts that are not negative and add up to one; their intervals are Fieller's. It must
never learn a person beyond the run of one question.

Argument (dp_rules P-3, P-6). A row of `person_month` is a function of the person's own rows and of public constants and is data of its month;
one row a person is kept (of two that were merged since, the greater word), which adds 1 to one cell. Removing the person takes that 1 away.
Everything after the release is arithmetic on released numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, plain_rows
from analytics.reports.shares import part_of_one, share, shares
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

BEFORE, STAGE = "previous_stage", "stage"
UNKNOWN = "unknown"
STAGES = (metrics.NEW, *metrics.STAGES, metrics.PROSPECT)
BEFORE_STAGES = (*STAGES, UNKNOWN)
"""Who was not there a month ago came from nowhere that is known."""


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person: both stages, and 1."""
    import ibis

    rows = filtered(view.people("person_month"), question.where)
    one = rows.group_by(PERSON).agg(stage=rows.stage.max(), previous_stage=rows.previous_stage.max())
    known = one.previous_stage.isin(STAGES)
    return one.select(PERSON, STAGE, previous_stage=ibis.cases((known, one.previous_stage), else_=UNKNOWN), people=ibis.literal(1, "int64"))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """People in every cell, then what share of each row went where."""
    return plain_rows(release, house, margin) + transitions(release, margin)


def transitions(release: Release, margin: Margin) -> list[dict[str, Any]]:
    """Of everybody at a stage before, the share at each stage now."""
    by, scale, half = release.question.by, release.question.bounds.scale, margin(release) / release.question.bounds.scale
    groups: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for cell, value in zip(release.cells, release.values, strict=True):
        groups.setdefault(cell[by.index(BEFORE)], []).append((cell, value / scale))
    rows = []
    for group in groups.values():
        counts = [count for _, count in group]
        for (cell, count), part in zip(group, shares(counts), strict=True):
            low, high = share(count, sum(counts), half, len(counts))
            rows.append(dict(zip(by, cell, strict=True)) | {"measure": "share"} | part_of_one(part, low, high))
    return rows


REPORT = Report(
    kind="lifecycle",
    version=1,
    table="person_month",
    by=(BEFORE, STAGE),
    measures=(Measure("people"),),
    bounds=Bounds(clip=1),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={BEFORE: BEFORE_STAGES, STAGE: STAGES},
    filters=("sex", "age_band", "occupation", "region", "tier"),
    once=("people",),
    one_cell=True,
    hides_nothing=True,
    needs_close=True,
)
