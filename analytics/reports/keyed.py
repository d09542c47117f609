"""How many people bought each product or used each coupon, where no table lists them: keys are told above a threshold alone.

Promise: a key that stands in the data because of one person is told with a probability of at most 1e-12, which is charged to every month of
the question beside its price (DP-06); a person counts in at most four keys. Which keys are too rare to be told is not said, nor how
many. It must never learn a person beyond the run of one question.

Argument for privacy: the counts are bounded at `analytics.aggregate.aggregate_keys`, noise and threshold are argued at `privacy.dp.keys`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from analytics.aggregate import aggregate_keys
from analytics.reports.asked import House, Opens, Options
from analytics.reports.purchaserows import DIMENSIONS, KEYS, kept, purchases, values
from analytics.reports.purchases import PEOPLE, Purchases, render
from privacy import errors
from privacy.records import Aggregate, Bounds, Question

if TYPE_CHECKING:
    from privacy.records import Measure, Release
    from privacy.release import Releases

DELTA_UNITS = 1_000
"""1e-12 for one release (dp_rules §2); a month has 1e-9."""
FOUR_KEYS = Bounds(clip=2, scale=1)


@dataclass(frozen=True, slots=True)
class Keyed(Purchases):
    """Counts of people by keys that nobody knows beforehand."""

    def question(self, options: Options, house: House) -> Question:
        return replace(Purchases.question(self, options, house), delta_units=DELTA_UNITS)

    def _groupings(self, asked: Sequence[str]) -> tuple[str, ...]:
        by = tuple(dict.fromkeys(asked)) or self.by
        if len(by) != 1 or by[0] not in KEYS:
            raise errors.Invalid("this report is by product or by coupon", code="unknown_grouping", field="by")
        return by

    def bound(self, months: Sequence[int], by: Sequence[str], measures: Sequence[Measure]) -> Bounds:
        return self.bounds

    def cells(self, reader: Opens, question: Question, house: House) -> tuple[tuple[str, ...], ...]:
        """None: which keys there are is what the release tells."""
        for name in dict.fromkeys(field for field, _, _ in question.where):
            kept(name, values(reader, house, name, question.months), question.where)
        return ()

    def read(self, reader: Opens, question: Question, cells: Sequence[tuple[str, ...]], house: House) -> Aggregate:
        with reader.open(question.purpose, question.months) as view:
            rows = purchases(view, reader, question.months, house, question.by, question.where)
            bought = rows.filter(rows.orders > 0)
            return aggregate_keys(view, bought, key=question.by[0], measure=PEOPLE.name, bounds=question.bounds)

    def hidden(self, release: Release, releases: Releases) -> float | None:
        """Not known: how many keys people had beyond four is not asked."""
        return None

    def derived(self, release: Release, house: House) -> list[dict[str, Any]]:
        return []


REPORT = Keyed(
    kind="keys",
    version=1,
    table="order_lines",
    by=("product_id",),
    measures=(PEOPLE,),
    bounds=FOUR_KEYS,
    rho_nano=1_000_000,
    render=render,
    groups=("coupon_id",),
    filters=DIMENSIONS,
    once=("people",),
    usual=("people",),
    most=1,
)
