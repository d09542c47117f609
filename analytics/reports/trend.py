"""A measure month by month, or day by day or week by week of one month, with at most one further dimension; and whether it rises or falls.

Promise: the strip of a month is one question and has one price for its month (dp_rules P-11): its days share one weight a person, which
bounds all of them together. A slope is told with a margin that holds for all slopes shown, and as rising or falling only where that
margin leaves zero out. It must never learn a person beyond the run of one question.

Argument for privacy: the vector and its bound are those of `analytics.reports.purchases`; slopes follow from the release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.reports import derived
from analytics.reports.purchaserows import DIMENSIONS, MONTH
from analytics.reports.purchases import LINES, ORDERS, PEOPLE, SALES, Purchases, outer, render, table_of

if TYPE_CHECKING:
    from analytics.reports.base import House
    from privacy.records import Release

TIMES = (MONTH, "week", "day")


@dataclass(frozen=True, slots=True)
class Trend(Purchases):
    """The course of time."""

    def derived(self, release: Release, house: House) -> list[dict[str, Any]]:
        time = next(name for name in release.question.by if name in TIMES)
        return derived.slopes(table_of(release), time)


REPORT = Trend(
    kind="trend",
    version=1,
    table="order_lines",
    by=(MONTH,),
    measures=(ORDERS, SALES, PEOPLE, LINES),
    bounds=outer(3),
    rho_nano=2_000_000,
    render=render,
    groups=("week", "day", *DIMENSIONS),
    filters=DIMENSIONS,
    once=("people",),
    usual=("orders",),
    most=2,
    times=TIMES,
)
