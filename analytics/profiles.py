"""The month's close: one row a person and data month, from that person's own rows and public constants (dp_rules P-3).

Promise: look-back lives here and nowhere else: recency, frequency and value over at most twelve months, the stage and the one before, the
profile as of the close. A month closes once; what arrives later changes nothing in it. It must never learn an identifier, and it
hands on no number about people.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from analytics import metrics
from analytics.lake.reader import PERSON
from privacy import errors
from privacy.vocabulary import STATISTICS

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from analytics.lake.reader import LakeReader, View

TABLE = "person_month"
PROFILE = ("sex", "age_band", "occupation", "region", "tier")
SOURCE = "close"
_DAY = 24 * 3600


class WritesMonths(Protocol):
    """The lake's writer, as the close sees it."""

    def close_month(self, name: str, month: int, rows: pa.Table, version: str) -> bool: ...


def close_month(reader: LakeReader, writer: WritesMonths, month: int, *, zone: str, now: datetime, purpose: str = STATISTICS) -> bool:
    """Writes `person_month` of one month; false if it was closed before. Raises Refused while the month is not over."""
    if not metrics.is_month(month):
        raise errors.Invalid("a month is written YYYYMM", code="bad_month", field="month")
    end = metrics.month_end(month, zone)
    if end > now:
        raise errors.Refused("a month closes when it is over", code="period_open", field="month")
    if reader.month_closed(TABLE, month):
        return False
    window = metrics.months_between(metrics.month_after(month, 1 - metrics.LOOK_BACK_MONTHS), month)
    earlier = tuple(held for held in reader.months_held("profiles") if held <= month)
    before = metrics.month_after(month, -1)
    with reader.open(purpose, sorted({*window, *earlier, before})) as view:
        rows = view.run(_rows(view, month, end, window, earlier, before))
    return writer.close_month(TABLE, month, rows, metrics.CLOSE_VERSION)


def _rows(view: View, month: int, end: datetime, window: Sequence[int], earlier: Sequence[int], before: int) -> ir.Table:
    """One row for everybody who has a row of their own in the window, or a profile."""
    import ibis

    profile = _profile(view, earlier)
    bought = purchases(view.people("order_lines", window), end)
    told = _told(view, window)
    people = ibis.union(profile.select(PERSON), bought.select(PERSON), told.select(PERSON)).distinct()
    previous = view.people(TABLE, (before,)).group_by(PERSON).agg(previous_stage=ibis._.stage.max())
    known = people.left_join(profile, PERSON).drop(f"{PERSON}_right").left_join(bought, PERSON).drop(f"{PERSON}_right")
    known = known.left_join(previous, PERSON).drop(f"{PERSON}_right").left_join(told, PERSON).drop(f"{PERSON}_right")
    known = known.inner_join(view.identifiers(month), PERSON)
    return known.select(
        virtual_id=known.virtual_id,
        month=ibis.literal(month, "int32"),
        hour=ibis.literal((end - timedelta(hours=1)).astimezone(UTC)),
        source=ibis.literal(SOURCE),
        **{column: known[column] for column in PROFILE},
        **bands(known, end),
        stage=stage(known, month, end),
        previous_stage=known.previous_stage,
        first_purchase_month=known.first_purchase_month.cast("int32"),
        again_band=_again(known["first"], known["second"]),
        further_band=_band(known.days - 1, metrics.FURTHER_DAYS),
        ticket_band=ibis.cases((known.days > 0, 1 + _band(known.paid // known.days, metrics.TICKET_MINOR)), else_=0).cast("int32"),
        discount_band=_discount(known),
        sharing_band=_band(known.told, metrics.SHARED_TIMES),
    )


def _profile(view: View, months: Sequence[int]) -> ir.Table:
    """Each attribute as it was stated last; within one hour, where the order is not known, the greatest word."""
    return stated(view.people("profiles", months), PROFILE)


def stated(rows: ir.Table, columns: Sequence[str]) -> ir.Table:
    """One row a person: of rows of `profiles` each attribute as it was stated last."""
    hourly = rows.group_by([PERSON, "hour"]).agg(**{column: rows[column].max() for column in columns})
    return hourly.group_by(PERSON).agg(**{column: hourly[column].argmax(hourly.hour, where=hourly[column].notnull()) for column in columns})


def _told(view: View, months: Sequence[int]) -> ir.Table:
    """Everybody who did something, and how often they told others of a product."""
    events = view.people("events", months)
    return events.group_by(PERSON).agg(told=events.event.isin(metrics.SHARED).coalesce(False).cast("int64").sum())


def purchases(lines: ir.Table, end: datetime) -> ir.Table:
    """Orders, days with one, amount paid, list prices, discounts, first month and last hour of a person's sales; returns and cancellations
    lower the amount paid. Days are counted back from the close, so they are days of the controller's zone where clocks do not change."""
    import ibis

    lines = lines.mutate(sale=lines.kind.fill_null("sale") == "sale")
    taken_off = lines.discount_minor.coalesce(0).abs()
    lines = lines.mutate(
        signed=ibis.cases((lines.sale, lines.net_minor), else_=-lines.net_minor.abs()),
        taken_off=taken_off,
        listed=lines.gross_minor.coalesce(lines.net_minor + taken_off),
    )
    orders = lines.group_by([PERSON, "month", order_of(lines).name("order_no")]).agg(
        sale=lines.sale.max(),
        paid=lines.signed.sum(),
        listed=lines.listed.sum(where=lines.sale),
        taken_off=lines.taken_off.sum(where=lines.sale),
        first=lines.hour.min(where=lines.sale),
        last=lines.hour.max(where=lines.sale),
    )
    close = int(end.timestamp())
    orders = orders.mutate(day=(close - 1 - orders["last"].epoch_seconds()) // _DAY)
    begun = orders["first"].collect(where=orders.sale).sort()
    return orders.group_by(PERSON).agg(
        orders=orders.sale.sum().cast("int64"),
        paid=orders.paid.sum().coalesce(0),
        days=orders.day.nunique(where=orders.sale),
        listed=orders.listed.sum(),
        taken_off=orders.taken_off.sum(),
        first=orders["first"].min(),
        second=begun[1],
        last=orders["last"].max(),
        first_purchase_month=orders.month.min(where=orders.sale),
    )


def bands(known: ir.Table, end: datetime) -> dict[str, ir.IntegerColumn]:
    """The bands of recency, frequency and value of what `purchases` found, counted back from an instant."""
    import ibis

    return {
        "recency_band": _recency(known.last, end),
        "frequency_band": _band(known.orders, metrics.FREQUENCY_ORDERS),
        "value_band": ibis.cases((known.orders.coalesce(0) > 0, _band(known.paid, metrics.VALUE_MINOR)), else_=0).cast("int32"),
    }


def order_of(lines: ir.Table) -> ir.IntegerColumn:
    """What makes lines one order: its key; where the source named none, the hour."""
    return lines.order_key.coalesce(lines.hour.epoch_seconds().cast("int64"))


def _recency(last: ir.TimestampColumn, end: datetime) -> ir.IntegerColumn:
    import ibis

    within = [(last >= literal(end - timedelta(days=days)), 5 - number) for number, days in enumerate(metrics.RECENCY_DAYS)]
    return ibis.cases(*within, (last.notnull(), 1), else_=0).cast("int32")


def _band(amount: ir.IntegerColumn, edges: Sequence[int]) -> ir.IntegerColumn:
    import ibis

    reached = [(amount >= edge, number) for number, edge in reversed(list(enumerate(edges, 1)))]
    return ibis.cases(*reached, else_=0).cast("int32")


def _again(first: ir.TimestampColumn, second: ir.TimestampColumn) -> ir.IntegerColumn:
    """How soon after the first purchase the second one came, in whole hours."""
    import ibis

    hours = (second.epoch_seconds() - first.epoch_seconds()) // 3600
    within = [(hours <= 24 * days, number) for number, days in enumerate(metrics.AGAIN_DAYS, 1)]
    return ibis.cases(*within, (second.notnull(), metrics.AGAIN_LATER), else_=0).cast("int32")


def _discount(known: ir.Table) -> ir.IntegerColumn:
    """The part of list prices that was taken off, compared in whole numbers, so that edges are exact."""
    import ibis

    reached = [
        (100 * known.taken_off >= edge * known.listed, 2 + number) for number, edge in reversed(list(enumerate(metrics.DISCOUNT_PERCENT)))
    ]
    priced = known.listed.coalesce(0) > 0
    return ibis.cases((known.days.coalesce(0) <= 0, 0), *[(priced & above, band) for above, band in reached], else_=1).cast("int32")


def stage(known: ir.Table, month: int, end: datetime) -> ir.StringColumn:
    """The stage of what `purchases` found, in a month that has come to an instant."""
    import ibis

    last = known["last"]
    by_age = [
        (last >= literal(end - timedelta(days=days)), name) if days is not None else (last.notnull(), name)
        for name, days in metrics.STAGES.items()
    ]
    return ibis.cases((known.first_purchase_month == month, metrics.NEW), *by_age, else_=metrics.PROSPECT)


def literal(instant: datetime) -> ir.TimestampScalar:
    """An instant as the lake counts."""
    import ibis

    return ibis.literal(instant.astimezone(UTC))
