"""Orders, sales and people by store for closed months.

Promise: one weight a person over everything that the plan releases: orders (unit 1), sales (unit 2,000 minor units) and people (unit 1) of
all stores together; returns and cancellations lower sales. People are counted once in each row; rows of people do not add up.
It must never learn a person beyond the run of one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.aggregate import PERSON
from analytics.profiles import order_of
from analytics.reports.base import House, Report, filtered, plain_rows
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question

MEASURES = (Measure("orders"), Measure("sales", 2_000), Measure("people"))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row an order and store: 1 order if anything was sold in it, what was paid, and 1 person."""
    import ibis

    lines = filtered(view.people("order_lines"), question.where)
    lines = lines.filter(lines.currency.fill_null(house.currency) == house.currency)
    sale = lines.kind.fill_null("sale") == "sale"
    lines = lines.mutate(
        order_no=order_of(lines),
        sold=ibis.cases((sale, 1), else_=0),
        paid=ibis.cases((sale, lines.net_minor), else_=-lines.net_minor.abs()),
    )
    orders = lines.group_by([PERSON, *question.by, "order_no"]).agg(orders=lines.sold.max(), sales=lines.paid.sum())
    return orders.mutate(people=orders.orders)


REPORT = Report(
    kind="store_month",
    version=1,
    table="order_lines",
    by=("store_id",),
    measures=MEASURES,
    bounds=Bounds(clip=16),
    rho_nano=5_000_000,
    contributions=contributions,
    render=plain_rows,
    groups=("channel",),
    filters=("store_id", "channel", "product_id"),
    once=("people",),
)
