"""Questions about purchases: some measures by some public dimensions, under one weight a person, with the share that the bound hides.

Promise: everything that is asked for is one vector and has one price. Removing one person moves it by at most `bounds.sensitivity` in L2:
the table's part is bounded by 2^p (dp_rules P-7), and the rest of the bound is spent on one cell a person in a histogram of
norms, which is drawn with the table and tells how much the bound hides (P-9). How many cells there are is public, and refused beforehand
where they are too many. It must never learn a person beyond the run of one question.

Argument. Let S = scale · clip and T = scale · 2^p < S. The table's entries of one person have a norm of at most T, by the estimate at
`privacy.dp.bounds.contribution`; in the histogram the person adds the whole number ⌊√(S² − T²)⌋ to one cell. So the two together move by
at most √(T² + S² − T²) = S. Where a person has at most one entry, of one person, the bound is 1 and hides nothing: no histogram.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from analytics.aggregate import aggregate, beside, with_norms
from analytics.reports import derived, norms
from analytics.reports.base import House, Margin, Opens, Report, not_closed, numbers
from analytics.reports.purchaserows import CATEGORY, MONTH, OF_PEOPLE, kept, purchases, values
from privacy import errors
from privacy.records import Aggregate, Bounds, Measure, Question

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import LakeReader, View
    from privacy.records import Release
    from privacy.release import Releases

MOST_NUMBERS = 20_000
"""Numbers (cells × measures) of one question: a public limit, checked before a price is told."""
ORDERS, LINES, SALES, PEOPLE = Measure("orders"), Measure("lines"), Measure("sales", 2_000), Measure("people")
_POWERS = {ORDERS: 3, LINES: 4, SALES: 4, PEOPLE: 2}
"""log₂ of what one person may weigh in a month, by measure; the largest one counts."""
_MOST_POWER = 9
"""Beyond it too few entries could be proved; longer periods hide more, and say so."""
WHOLE = Bounds(clip=1)
"""One entry of one person: nothing is hidden."""
NORM = "norm"


def outer(power: int) -> Bounds:
    """The bound of a question whose table is bounded by 2^power: the least whole one that leaves a quarter of itself to the histogram."""
    return Bounds(clip=math.ceil(2.0**power * math.sqrt(16 / 15)))


def inner(bounds: Bounds) -> Bounds:
    """The bound of the table itself."""
    return bounds if bounds == WHOLE else replace(bounds, clip=2 ** int(math.log2(bounds.clip)))


def mark(bounds: Bounds) -> int:
    """What a person adds to their one cell of the histogram."""
    return math.isqrt(bounds.sensitivity**2 - inner(bounds).sensitivity ** 2)


def bin_cells(by: Sequence[str]) -> list[tuple[str, ...]]:
    """The histogram's cells: one place longer than those of the table, so that no public value can be taken for one."""
    return [(NORM, name, *[""] * (len(by) - 1)) for name in norms.BINS]


@dataclass(frozen=True, slots=True)
class Purchases(Report):
    """A report about purchases."""

    usual: tuple[str, ...] = ()
    """The measures of a question that names none."""
    most: int = 3
    times: tuple[str, ...] = ()
    """Where it is about the course of time: exactly one of these is a grouping."""

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.measures)

    @property
    def most_groupings(self) -> int:
        return self.most

    @property
    def offered(self) -> tuple[str, ...]:
        return self.filters

    def chosen(self, asked: Sequence[str]) -> tuple[Measure, ...]:
        wanted = set(asked) or set(self.usual)
        if not wanted <= set(self.choices):
            raise errors.Invalid("the report has no such measure", code="unknown_measure", field="measure")
        return tuple(one for one in self.measures if one.name in wanted)

    def _groupings(self, asked: Sequence[str]) -> tuple[str, ...]:
        by = tuple(dict.fromkeys(asked)) or self.by
        if not set(by) <= {*self.by, *self.groups}:
            raise errors.Invalid("the report cannot be grouped by this", code="unknown_grouping", field="by")
        if self.times and set(by).isdisjoint(self.times):
            by = (*self.by, *by)
        if len(by) > self.most or (self.times and len([name for name in by if name in self.times]) != 1):
            raise errors.Invalid(
                f"the report is grouped by at most {self.most}, of which one is of time", code="many_groupings", field="by"
            )
        return by

    def bound(self, months: Sequence[int], by: Sequence[str], measures: Sequence[Measure]) -> Bounds:
        """By measures; over m months √m times as much where months are kept apart, m times where they are added up."""
        if not {"day", "week"}.isdisjoint(by) and len(months) > 1:
            raise errors.Invalid("days and weeks are of one month", code="one_month_only", field="to")
        if tuple(measures) == (PEOPLE,) and len(months) == 1 and {*OF_PEOPLE, MONTH}.issuperset(by):
            return WHOLE
        power = max(_POWERS[one] for one in measures)
        more = math.log2(len(months)) * (0.5 if MONTH in by else 1.0)
        return outer(min(power + math.ceil(more - 1e-9), _MOST_POWER))

    def cells(self, reader: Opens, question: Question, house: House) -> tuple[tuple[str, ...], ...]:
        """All public cells that the filters leave."""
        for name in dict.fromkeys(field for field, _, _ in question.where):
            kept(name, values(reader, house, name, question.months), question.where)
        domains = [kept(name, values(reader, house, name, question.months), question.where) for name in question.by]
        if math.prod(len(domain) for domain in domains) * len(question.measures) > MOST_NUMBERS:
            raise errors.Invalid(
                f"a question has at most {MOST_NUMBERS} numbers: ask for fewer groupings", code="too_many_cells", field="by"
            )
        return tuple(product(*domains))

    def check(self, reader: Opens, question: Question, house: House) -> None:
        self.cells(reader, question, house)

    def check_months(self, reader: LakeReader, question: Question) -> None:
        named = {*question.by, *(field for field, _, _ in question.where)}
        if not named.isdisjoint(OF_PEOPLE) and not all(reader.month_closed("person_month", month) for month in question.months):
            raise not_closed()

    def values(self, reader: Opens, name: str, house: House) -> tuple[str, ...]:
        try:
            return () if name in (MONTH, *self.times) else values(reader, house, name, (200001,))
        except errors.NotConfigured:
            return ()

    def read(self, reader: Opens, question: Question, cells: Sequence[tuple[str, ...]], house: House) -> Aggregate:
        """The exact bounded vector: the table, then the histogram of norms in the first measure's column."""
        with reader.open(question.purpose, question.months) as view:
            rows = view.keep(self.brought(view, reader, question, house))
            shared: dict[str, Any] = {"by": question.by, "cells": cells, "measures": question.measures, "once": self.once}
            table = aggregate(view, rows, bounds=inner(question.bounds), **shared)
            if question.bounds == WHOLE:
                return table
            counts = self._histogram(view, with_norms(view, rows, **shared), mark(question.bounds))
        return beside(table, bin_cells(question.by), counts)

    def brought(self, view: View, reader: Opens, question: Question, house: House) -> ir.Table:
        """What people bring to the question."""
        return purchases(view, reader, question.months, house, question.by, question.where)

    def _histogram(self, view: View, of_people: ir.Table, weight: int) -> tuple[int, ...]:
        return aggregate(
            view,
            norms.binned(of_people),
            by=(norms.BIN,),
            cells=[(name,) for name in norms.BINS],
            measures=(PEOPLE,),
            bounds=Bounds(clip=1, scale=weight),
            once=("people",),
        ).values

    def hidden(self, release: Release, releases: Releases) -> float | None:
        bounds = release.question.bounds
        if bounds == WHOLE:
            return 0.0
        width = len(release.measures)
        marks = release.values[len(table_cells(release)) * width :: width]
        alone = replace(release.question, measures=(PEOPLE,), by=(norms.BIN,), bounds=Bounds(clip=1, scale=mark(bounds)))
        histogram = replace(release, question=alone, cells=tuple((name,) for name in norms.BINS), measures=("people",), values=marks)
        return releases.hidden_share(histogram, float(inner(bounds).clip))

    def derived(self, release: Release, house: House) -> list[dict[str, Any]]:
        return derived.of_table(table_of(release), adding(release.question))


def table_cells(release: Release) -> tuple[tuple[str, ...], ...]:
    """The cells of the table, without those of the histogram."""
    return tuple(cell for cell in release.cells if len(cell) == len(release.question.by))


def adding(question: Question) -> frozenset[str]:
    """Measures whose rows may be added up (dp_rules P-10): not orders by category, of which one order has several; not people, unless
    each stands in one row."""
    found = {"lines", "sales"} | (set() if CATEGORY in question.by else {"orders"})
    one_row = len(question.months) == 1 and {*OF_PEOPLE, MONTH}.issuperset(question.by)
    return frozenset(found | ({"people"} if one_row else set()))


def table_of(release: Release) -> derived.Table:
    """The released table in the measures' own units."""
    question, cells = release.question, table_cells(release)
    units = {one.name: one.unit / question.bounds.scale for one in question.measures}
    width = len(question.measures)
    columns = {
        one.name: tuple(value * units[one.name] for value in release.values[place : len(cells) * width : width])
        for place, one in enumerate(question.measures)
    }
    return derived.Table(question.by, cells, columns, {name: release.sigma * unit for name, unit in units.items()})


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """One row for each cell and measure; negative values stay, or else sums would be biased."""
    half, question = margin(release), release.question
    values_ = iter(release.values)
    return [
        dict(zip(question.by, cell, strict=True)) | {"measure": one.name} | numbers(next(values_), half, one, question.bounds)
        for cell in table_cells(release)
        for one in question.measures
    ]
