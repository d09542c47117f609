"""The histogram of norms: how much people would contribute to the plan of orders, sales and people by store.

Promise: twenty public bins, one cell a person, paid once at a month's close (dp_rules P-7); from it the share that the bound hides is
printed, and a later month's clip is chosen. It must never learn a person beyond the run of one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analytics.aggregate import NORM, PERSON, aggregate, with_norms
from analytics.reports import store_month
from analytics.reports.base import House, Opens, Report
from privacy.records import Aggregate, Bounds, Measure, Question
from privacy.vocabulary import STATISTICS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from privacy.records import Release
    from privacy.release import Releases

KIND = "norms"
BIN = "bin"
BINS = tuple(f"{number:02d}" for number in range(20))
"""Bin 0 holds norms of at most 1, bin i those above 2^(i-1) and at most 2^i, the last one everything above."""
RHO_NANO = 500_000


class StoreMonthNorms:
    """The histogram of one plan."""

    plan: Report = store_month.REPORT

    def question(self, month: int) -> Question:
        plan = f"{self.plan.kind}-{self.plan.version}"
        return Question(KIND, 1, STATISTICS, (month,), (BIN,), (("plan", "=", plan),), (Measure("people"),), Bounds(clip=1), RHO_NANO)

    def answer(self, reader: Opens, releases: Releases, house: House, month: int, asked_by: str) -> Release:
        """Buys the histogram, or repeats it."""
        question = self.question(month)
        of_plan = Question(KIND, 1, STATISTICS, (month,), self.plan.by, (), self.plan.measures, self.plan.bounds, RHO_NANO)
        cells = () if releases.known(question) else self.plan.cells(reader, of_plan, house)
        return releases.answer(question, lambda: self.read(reader, question, of_plan, cells, house), asked_by)

    def read(self, reader: Opens, question: Question, of_plan: Question, cells: Sequence[tuple[str, ...]], house: House) -> Aggregate:
        """One cell a person; called by the release door alone."""
        with reader.open(question.purpose, question.months) as view:
            rows = self.plan.contributions(view, of_plan, house)
            norms = with_norms(view, rows, by=self.plan.by, cells=cells, measures=self.plan.measures, once=self.plan.once)
            return aggregate(
                view,
                binned(norms),
                by=(BIN,),
                cells=[(name,) for name in BINS],
                measures=question.measures,
                bounds=question.bounds,
                once=("people",),
            )


def binned(norms: ir.Table) -> ir.Table:
    """One row a person: the bin of their norm, and 1. The squared norm is compared, so that edges are exact."""
    import ibis

    edges = [(norms[NORM] <= 4.0**number, name) for number, name in enumerate(BINS[:-1])]
    return norms.filter(norms[NORM] > 0).select(PERSON, people=ibis.literal(1), bin=ibis.cases(*edges, else_=BINS[-1]))
