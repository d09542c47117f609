"""A month's default plan is bought at its close: slice by slice, through the one release door, once.

Promise: a slice of a month that has an answer is never bought again, whatever the plan says by then; a close that was killed between two
slices goes on with the next one and pays nothing twice; what cannot be bought (the month's cap, a table that is missing) is told and the
other slices are bought. The bound of the sales slice comes from the histogram released for the month before (dp_rules P-7). It must never
learn an exact number: each is made inside the release door's call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analytics import metrics
from analytics.aggregate import aggregate, aggregate_vector, block_norms
from analytics.reports import norms
from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from analytics.reports.plan import AMOUNT, KIND, written
from analytics.reports.planrows import PlanRows, labels
from privacy.errors import BudgetExhausted, NotConfigured
from privacy.records import Bounds, Measure, Question
from privacy.vocabulary import STATISTICS

if TYPE_CHECKING:
    from analytics.lake.reader import LakeReader
    from analytics.reports.base import House, Reports
    from analytics.reports.plan import Plan, Slice
    from analytics.reports.planrows import Labels
    from privacy.records import Aggregate
    from privacy.release import Releases

ALSO = ("rfm", "funnel")
"""Reports that the plan buys as they are: whoever asks them of a closed month gets the stored answer for nothing."""
BOUGHT, KEPT = "bought", "kept"
_NORMS = "_norms"


class Cubes:
    """Buys plans. `cap_nano` is what a month may spend, by the settings."""

    def __init__(self, reader: LakeReader, releases: Releases, reports: Reports, house: House, plan: Plan, cap_nano: int) -> None:
        self._reader = reader
        self._releases = releases
        self._reports = reports
        self._house = house
        self._plan = plan
        self._cap_nano = cap_nano

    def buy(self, month: int, asked_by: str) -> dict[str, str]:
        """Buys what the month does not have yet; for each part `bought`, `kept` or the code of what stands in the way."""
        told = {}
        held = self.held(month)
        known = labels(self._reader, self._plan, self._house, month)
        with PlanRows(self._reader, self._plan, self._house, known, month) as rows:
            for name, question in self._questions(month):
                told[name] = KEPT if name in held else self._buy(name, question, rows, known, asked_by)
            for kind in ALSO:
                told[kind] = self._ask(kind, month, rows, asked_by)
            told[norms.KIND] = self._release_norms(month, rows, asked_by)
        return told

    def due(self, month: int) -> bool:
        """Whether a part of the month is missing that its account and the public tables allow to be bought."""
        held = self.held(month)
        known = labels(self._reader, self._plan, self._house, month)
        missing = [question for name, question in self._questions(month) if name not in held and self._has_cells(self._slice(name), known)]
        also = [self._reports.question(kind, Options(month, month)) for kind in ALSO]
        if known.values["store"]:
            also.append(norms.StoreMonthNorms().question(month))
        missing += [question for question in also if self._releases.known(question) is None]
        return any(self._releases.quote(question).affordable for question in missing)

    def held(self, month: int) -> set[str]:
        """The parts of a plan that a month has answers of, under whatever version of the plan."""
        return {part(release.question) for release in self._releases.listed(kinds=(KIND, norms.KIND), months=(month,))}

    def norms_question(self, one: Slice, month: int) -> Question:
        """The histogram of what people brought to a slice in a month, before its bound."""
        where = (("plan", "=", f"{self._plan.label}/{one.name}"),)
        return Question(norms.KIND, 1, STATISTICS, (month,), (norms.BIN,), where, (Measure("people"),), Bounds(clip=1), one.norms_nano)

    def clip(self, one: Slice, month: int) -> int:
        """The bound of a slice: the smallest public one that hid little enough in the month before, by its released histogram."""
        if not one.clips:
            return one.clip
        before = self._releases.known(self.norms_question(one, metrics.month_after(month, -1)))
        if before is None:
            return one.clip
        return self._releases.choose_clip(before, most_hidden=self._house.most_hidden, candidates=one.clips)

    def _questions(self, month: int) -> Iterator[tuple[str, Question]]:
        """Every part of the plan, and its question."""
        for one in self._plan.slices:
            yield one.name, self._plan.question(one, month, clip=self.clip(one, month), cap_nano=self._cap_nano)
            if one.norms_nano:
                yield _norms_of(one.name), self.norms_question(one, month)

    def _buy(self, name: str, question: Question, rows: PlanRows, known: Labels, asked_by: str) -> str:
        try:
            if not self._has_cells(self._slice(name), known):
                raise NotConfigured("a table that lists public values is empty", code="no_public_cells")
            self._releases.answer(question, lambda: self._read(name, question, rows), asked_by)
        except (BudgetExhausted, NotConfigured) as obstacle:
            return obstacle.code
        return BOUGHT

    def _ask(self, kind: str, month: int, rows: PlanRows, asked_by: str) -> str:
        """A report as anybody would ask it; it reads through the view of this close."""
        report, question = KINDS[kind], self._reports.question(kind, Options(month, month))
        if self._releases.known(question) is not None:
            return KEPT
        cells = report.cells(self._reader, question, self._house)
        try:
            self._releases.answer(question, lambda: report.read(rows, question, cells, self._house), asked_by)
        except BudgetExhausted as obstacle:
            return obstacle.code
        return BOUGHT

    def _release_norms(self, month: int, rows: PlanRows, asked_by: str) -> str:
        """The histogram from which a question by store takes its bound (decision 0006)."""
        histogram = norms.StoreMonthNorms()
        if self._releases.known(histogram.question(month)) is not None:
            return KEPT
        try:
            histogram.answer(rows, self._releases, self._house, month, asked_by)
        except (BudgetExhausted, NotConfigured) as obstacle:
            return obstacle.code
        return BOUGHT

    def _read(self, name: str, question: Question, rows: PlanRows) -> Aggregate:
        """The exact bounded vector; called by the release door alone."""
        one = self._slice(name)
        if question.kind == KIND:
            return aggregate_vector(rows.view, rows.vector(one), rows.blocks(one), question.bounds, measure=AMOUNT.name)
        return aggregate(
            rows.view,
            norms.binned(block_norms(rows.vector(one))),
            by=(norms.BIN,),
            cells=[(one,) for one in norms.BINS],
            measures=question.measures,
            bounds=question.bounds,
            once=("people",),
        )

    def _slice(self, name: str) -> Slice:
        return self._plan.slice(name.removesuffix(_NORMS))

    def _has_cells(self, one: Slice, known: Labels) -> bool:
        return all(known.values[name] for marginal in one.marginals for name in marginal.by)


def _norms_of(name: str) -> str:
    return name + _NORMS


def part(question: Question) -> str:
    """The part of a plan that a stored question was."""
    said = written(question)
    return said["slice"] if question.kind == KIND else _norms_of(said["plan"].rpartition("/")[2])
