"""Orders by region of the store and hour of the day: a strip of 24 public bins for each region.

Promise: regions are those of the table of stores and hours those of the controller's clock, whoever bought; a bin that nobody was in is
there like any other, and what noise alone could have made is shown as too few to tell. The whole map has one price and one answer: asked
again it is the same map, so two of one month differ in nothing. It must never learn a person beyond the run of one question.

Argument (dp_rules P-6, P-7, P-11). The region and the hour of an order are functions of the person's own order and of public tables. A strip
must not be priced bin by bin: one weight a person over all regions and hours of the months bounds what leaves with the person by `clip` in
L2, and that is what is priced, once. Two maps of different filters are two paid questions, and both together lose at most the sum.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.profiles import order_of
from analytics.reports.base import House, Report, filtered, plain_rows
from privacy import errors
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question

REGION, HOUR = "region", "hour"
HOURS = tuple(f"{hour:02d}" for hour in range(24))


def regions(house: House) -> tuple[str, ...]:
    """The regions that have a store."""
    return tuple(sorted({name for name in house.tables["stores"]["region"].to_pylist() if name}))


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    values = {REGION: regions(house), HOUR: HOURS}
    if not values[REGION]:
        raise errors.NotConfigured("the regions are not known: load the table of stores", code="no_public_cells", field="by")
    return tuple(product(*[values[name] for name in question.by]))


def clock(months: Sequence[int], zone: str) -> pa.Table:
    """Every hour of the months with its hour by the local clock: public, and right when clocks change."""
    local, at = ZoneInfo(zone), []
    for month in months:
        instant, end = metrics.month_start(month, zone), metrics.month_end(month, zone)
        at += [instant + timedelta(hours=hour) for hour in range((end - instant) // timedelta(hours=1))]
    return pa.table({"at": pa.array(at, pa.timestamp("us", tz="UTC")), "of_day": [HOURS[one.astimezone(local).hour] for one in at]})


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row an order: where and at which hour it was given. Where its lines differ, the least word counts."""
    import ibis

    lines = filtered(view.people("order_lines"), question.where)
    lines = lines.filter(lines.kind.fill_null("sale") == "sale")
    lines = lines.mutate(order_no=order_of(lines))
    orders = lines.group_by([PERSON, "month", "order_no"]).agg(at=lines.hour.min(), shop=lines.store_id.min())
    stores = view.table(house.tables["stores"].select(["id", "region"]))
    hours = view.table(clock(question.months, house.zone)).rename(whole="at")
    placed = orders.inner_join(stores, orders.shop == stores.id)
    placed = placed.inner_join(hours, placed["at"] == hours.whole)
    return placed.select(PERSON, region=placed.region, hour=placed.of_day, orders=ibis.literal(1, "int64"))


REPORT = Report(
    kind="heat_map",
    version=1,
    table="order_lines",
    by=(REGION, HOUR),
    measures=(Measure("orders"),),
    bounds=Bounds(clip=5),
    rho_nano=3_000_000,
    contributions=contributions,
    render=plain_rows,
    own={REGION: (), HOUR: HOURS},
    filters=("channel", "store_id", "product_id"),
    tables=("stores",),
    public_cells=public_cells,
)
