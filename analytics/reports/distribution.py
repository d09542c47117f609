"""How many people gave so many orders, spent so much, or had so large a basket: one value a person, in public bins, with quartiles.

Promise: a person's value is a function of their own purchases in the period (dp_rules P-6): how many orders, what they paid together, or what
one of their orders was worth on average; the bins are constants. Quartiles are read off the released bins, with the interval of bin edges
that is certain. It must never learn a person beyond the run of one question.

Argument for privacy: a person stands in one bin with weight 1, so that leaving moves the released vector by exactly scale · 1, the bound;
nothing is hidden by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports import derived
from analytics.reports.base import House, Opens
from analytics.reports.purchaserows import DIMENSIONS, kept, purchases, values
from analytics.reports.purchases import PEOPLE, WHOLE, Purchases, render, table_of
from privacy import errors

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Bounds, Measure, Question, Release

ORDERS_EACH, SPENT, BASKET = "orders_each", "spent", "basket"
EDGES = {
    ORDERS_EACH: (1, 2, 3, 4, 5, 6, 8, 11, 16, 21, 31),
    SPENT: (0, 1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 50_000, 100_000, 200_000, 500_000),
    BASKET: (0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 20_000, 50_000),
}
"""Lower edges of the bins: orders, or minor units of the currency. The first bin holds everything below the second edge, the last one is open."""


def bins(name: str) -> tuple[str, ...]:
    """The public names of a value's bins: first and last value that each holds."""
    edges = EDGES[name]
    inside = [f"{low}-{high - 1}" if high - 1 > low else str(low) for low, high in pairwise(edges)]
    return (*inside, f"{edges[-1]}+")


@dataclass(frozen=True, slots=True)
class Distribution(Purchases):
    """One value a person, in bins."""

    def _groupings(self, asked: Sequence[str]) -> tuple[str, ...]:
        by = tuple(dict.fromkeys(asked)) or self.by
        if len(by) != 1 or by[0] not in self.own:
            raise errors.Invalid("this report is of one value: orders, amount spent or basket", code="unknown_grouping", field="by")
        return by

    def bound(self, months: Sequence[int], by: Sequence[str], measures: Sequence[Measure]) -> Bounds:
        return self.bounds

    def cells(self, reader: Opens, question: Question, house: House) -> tuple[tuple[str, ...], ...]:
        for name in dict.fromkeys(field for field, _, _ in question.where):
            kept(name, values(reader, house, name, question.months), question.where)
        return tuple((one,) for one in self.own[question.by[0]])

    def brought(self, view: View, reader: Opens, question: Question, house: House) -> ir.Table:
        """One row a person who gave an order: the bin of their value, and 1."""
        import ibis

        name = question.by[0]
        given = purchases(view, reader, question.months, house, (), question.where)
        one = given.group_by(PERSON).agg(orders=given.orders.sum(), spent=given.sales.sum())
        one = one.filter(one.orders > 0)
        value = {ORDERS_EACH: one.orders, SPENT: one.spent, BASKET: (one.spent // one.orders).cast("int64")}[name]
        labels = self.own[name]
        cases = [(value < edge, label) for edge, label in zip(EDGES[name][1:], labels, strict=False)]
        return one.select(PERSON, people=ibis.literal(1), **{name: ibis.cases(*cases, else_=labels[-1])})

    def derived(self, release: Release, house: House) -> list[dict[str, Any]]:
        table = table_of(release)
        edges = (*EDGES[release.question.by[0]], math.inf)
        counts, deviation = table.columns["people"], table.deviations["people"]
        adding = frozenset({"people"})
        return [
            *derived.quantiles(counts, deviation, edges),
            *derived.totals(table, adding),
            *derived.shares(table, adding),
        ]


REPORT = Distribution(
    kind="distribution",
    version=1,
    table="order_lines",
    by=(BASKET,),
    measures=(PEOPLE,),
    bounds=WHOLE,
    rho_nano=1_000_000,
    render=render,
    own={name: bins(name) for name in EDGES},
    groups=(ORDERS_EACH, SPENT),
    filters=DIMENSIONS,
    once=("people",),
    one_cell=True,
    usual=("people",),
    most=1,
)
