"""People, orders, lines and sales by one, two or three of store, region, channel, category, weekday, daypart, the person's words and month.

Promise: the measures that are asked for, over all public cells with their zeros, under one weight a person and at one price; sums, means
and shares follow from the released table alone. It must never learn a person beyond the run of one question.

Argument for privacy: the vector and its bound are those of `analytics.reports.purchases`.
"""

from __future__ import annotations

from analytics.reports.purchaserows import DIMENSIONS, MONTH
from analytics.reports.purchases import LINES, ORDERS, PEOPLE, SALES, Purchases, outer, render

REPORT = Purchases(
    kind="sales",
    version=1,
    table="order_lines",
    by=("store",),
    measures=(ORDERS, SALES, PEOPLE, LINES),
    bounds=outer(4),
    rho_nano=2_000_000,
    render=render,
    groups=(*(name for name in DIMENSIONS if name != "store"), MONTH),
    filters=DIMENSIONS,
    once=("people",),
    usual=("orders", "sales", "people"),
)
