"""Who comes back: of people who bought for the first time in a month, the shares that bought again within 7 and within 30 days.

Promise: one cell a person (month of the first purchase × how soon the second one came), read from `person_month` of one closed month. Only
cohorts whose thirty days are over are shown, and only those before which at least six months were looked through without a purchase. It must
never learn a person beyond the run of one question.

Argument (dp_rules P-3, §3 cohorts). First month and the time to the second purchase are functions of the person's own orders within the
look-back, written at the close and charged to the month that they are read in; the person adds 1 to one cell, so the bound is 1. "Within 30
days" is the sum of two released cells; the shares are quotients of released sums.
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

COHORT, AGAIN = "cohort", "again"
OUTCOMES = ("within_7", "within_30", "not_yet")
"""Released: the second purchase within 7 days, on days 8 to 30, or not within 30 days."""
OLDEST, NEWEST = 5, 2
"""Months before the read month: six months of look-back lie before the oldest, thirty days are over for the newest."""
PEOPLE = Measure("people")


def months(question: Question) -> tuple[str, ...]:
    """The cohorts that a month's report shows, oldest first."""
    (month,) = question.months
    return tuple(str(metrics.month_after(month, -back)) for back in range(OLDEST, NEWEST - 1, -1))


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (cohort, outcome) if question.by[0] == COHORT else (outcome, cohort) for cohort in months(question) for outcome in OUTCOMES
    )


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person: month of the first purchase, how soon the second came, and 1."""
    import ibis

    rows = filtered(view.people("person_month"), question.where)
    one = rows.group_by(PERSON).agg(first=rows.first_purchase_month.min(), again=rows.again_band.max())
    again = ibis.cases(
        (one.again == metrics.AGAIN_WITHIN_7, OUTCOMES[0]), (one.again == metrics.AGAIN_WITHIN_30, OUTCOMES[1]), else_=OUTCOMES[2]
    )
    return one.filter(one["first"].notnull()).select(
        PERSON, cohort=one["first"].cast("string"), again=again, people=ibis.literal(1, "int64")
    )


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Each cohort: how many people, and the shares that came back within 7 and within 30 days."""
    question, half = release.question, margin(release)
    found = dict(zip(release.cells, release.values, strict=True))
    rows = []
    for cohort in dict.fromkeys(cell[question.by.index(COHORT)] for cell in release.cells):
        values = [found[(cohort, outcome) if question.by[0] == COHORT else (outcome, cohort)] for outcome in OUTCOMES]
        whole = margin(release, terms=len(OUTCOMES))
        rows.append({COHORT: cohort, AGAIN: "first", "measure": PEOPLE.name} | numbers(sum(values), whole, PEOPLE, question.bounds))
        for parts in (1, 2):
            low, high = share(sum(values[:parts]), sum(values), half, len(values), parts)
            middle = sum(values[:parts]) / sum(values) if sum(values) > 0 else (low + high) / 2
            rows.append({COHORT: cohort, AGAIN: OUTCOMES[parts - 1], "measure": "share"} | part_of_one(middle, low, high))
    return sorted(rows, key=lambda row: row["measure"])


REPORT = Report(
    kind="cohorts",
    version=1,
    table="person_month",
    by=(COHORT, AGAIN),
    measures=(PEOPLE,),
    bounds=Bounds(clip=1),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={COHORT: (), AGAIN: OUTCOMES},
    filters=("sex", "age_band", "occupation", "region", "tier"),
    once=("people",),
    one_cell=True,
    hides_nothing=True,
    terms=len(OUTCOMES),
    needs_close=True,
    public_cells=public_cells,
)
