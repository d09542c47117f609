"""People by the eight customary segments of recency, frequency and value, from `person_month` of one closed month.

Promise: edges and names are public constants (`analytics.metrics`); a person stands in one cell; no row left of the month is read.
Who bought nothing within the look-back stands in none. It must never learn a person beyond the run of one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, plain_rows
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

SEGMENT = "segment"
_NAMES = {one.key: {"en": one.en, "zh": one.zh} for one in metrics.SEGMENTS}


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person: their segment, and 1."""
    import ibis

    rows = filtered(view.people("person_month"), question.where)
    rows = rows.filter((rows.recency_band > 0) & (rows.frequency_band > 0))
    high = [rows[name].coalesce(0) >= metrics.HIGH_BAND for name in ("recency_band", "frequency_band", "value_band")]
    named = []
    for one in metrics.SEGMENTS:
        recent, frequent, valuable = (column == flag for column, flag in zip(high, one.flags, strict=True))
        named.append((recent & frequent & valuable, one.key))
    rows = rows.mutate(segment=ibis.cases(*named))
    return rows.select(PERSON, *question.by, people=ibis.literal(1))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    return [row | {"name": _NAMES[row[SEGMENT]]} for row in plain_rows(release, house, margin)]


REPORT = Report(
    kind="rfm",
    version=1,
    table="person_month",
    by=(SEGMENT,),
    measures=(Measure("people"),),
    bounds=Bounds(clip=1),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={SEGMENT: tuple(one.key for one in metrics.SEGMENTS)},
    groups=("sex",),
    filters=("sex", "age_band", "occupation", "region", "tier"),
    once=("people",),
    one_cell=True,
    needs_close=True,
)
