"""What one person brings to each marginal of a plan, from one month's rows: orders, lines, people, enquiries; and the public cells.

Promise: every value is a function of the person's own rows and of public constants (dp_rules P-6): lists of the plan, of the dictionary, of
tables without people, of the calendar. Each order, line and person stands in exactly one cell of a dimension, whatever is not listed under
one last value, so that marginals of one measure add up to the same total. The lake is opened when the first rows are read, once for all
slices of a close. It must never learn a person beyond the run of one close.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from analytics import metrics
from analytics.aggregate import PERSON, Block, vector
from analytics.profiles import order_of
from privacy import errors
from privacy.records import Measure
from privacy.vocabulary import STATISTICS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import LakeReader, View
    from analytics.reports.base import House
    from analytics.reports.plan import Plan, Slice

OTHER, UNKNOWN = "other", "unknown"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKS = ("1", "2", "3", "4", "5")
STAGES = (metrics.NEW, *metrics.STAGES, metrics.PROSPECT)
BOUGHT = ("yes", "no")
NEVER = "none"
SINCE_FIRST = (*(str(months) for months in range(metrics.LOOK_BACK_MONTHS)), NEVER)
RECENT_BAND = metrics.recency_band(30)
"""Bought within the last thirty days of the month: the band of recency or a higher one."""
ENQUIRY = "enquiry"
TIMES = ("weekday", "daypart", "day", "week")
OF_ORDERS = ("sex", "age_band", "occupation", "tier")
"""Attributes of the person that orders and lines carry, as of the close of their month."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The public values of every dimension, the one for all others last, and the tables without people that orders are joined with."""

    values: Mapping[str, tuple[str, ...]]
    stores: pa.Table
    products: pa.Table

    def check(self, by: Sequence[str]) -> None:
        """Raises NotConfigured where the table that lists a dimension's values is empty."""
        for name in by:
            if not self.values[name]:
                raise errors.NotConfigured(f"the values of {name} are not known: load the table that lists them", code="no_public_cells")

    def places(self, name: str, column: pa.ChunkedArray) -> pa.Array:
        """Where each value stands in its dimension's list; the last place for everything that is not listed."""
        values = self.values[name] or (OTHER,)
        found = pc.index_in(column, pa.array(values, pa.string()))
        return pc.fill_null(found.combine_chunks(), len(values) - 1)

    def last(self, name: str) -> int:
        """The place of everything that is not listed."""
        return max(0, len(self.values[name]) - 1)

    def shops(self) -> pa.Table:
        """Stores with the places of themselves and of their region."""
        ids = self.stores["id"]
        return pa.table({"shop": ids, "store": self.places("store", ids), "region": self.places("region", self.stores["region"])})

    def articles(self) -> pa.Table:
        """Products with the place of their category."""
        return pa.table({"article": self.products["id"], "category": self.places("category", self.products["category"])})


def labels(reader: LakeReader, plan: Plan, house: House, month: int) -> Labels:
    """The dimensions of a month, from public facts alone."""
    stores = reader.open_table("stores").select(["id", "region"])
    products = reader.open_table("products").select(["id", "category"])
    outcomes = house.dictionary.generalisations
    ages = outcomes["bands"]["age"]
    regions = [*outcomes["regions"]["big"], *(names[0] for names in outcomes["regions"]["provinces"].values())]
    values = {
        "store": _known(stores["id"]),
        "region": _known(stores["region"]),
        "category": _known(products["category"]),
        "channel": (*plan.values["channel"], OTHER),
        "tier": (*plan.values["tier"], OTHER),
        "sex": house.dictionary.record("member").fields["sex"].input.values,
        "age_band": (*(f"{low}-{high}" for low, high in ages["edges"]), f"{ages['last']}+", UNKNOWN),
        "occupation": (*outcomes["groups"]["occupation"], OTHER, UNKNOWN),
        "home": (*dict.fromkeys(regions), OTHER),
        "stage": STAGES,
        "stage_before": (*STAGES, UNKNOWN),
        "since_first": SINCE_FIRST,
        "bought": BOUGHT,
        "weekday": WEEKDAYS,
        "daypart": tuple(plan.dayparts),
        "week": WEEKS,
        "day": tuple(f"{day:02d}" for day in range(1, monthrange(month // 100, month % 100)[1] + 1)),
    }
    return Labels(values, stores, products)


def _known(column: pa.ChunkedArray) -> tuple[str, ...]:
    found = sorted({value for value in column.to_pylist() if value})
    return (*(value for value in found if value != OTHER), OTHER) if found else ()


def hours(plan: Plan, known: Labels, month: int, zone: str) -> pa.Table:
    """Every hour of a data month with its local weekday, part of the day, day and week: public, and right when clocks change."""
    named = {hour: name for name, held in plan.dayparts.items() for hour in held}
    instant, end, local_zone = metrics.month_start(month, zone), metrics.month_end(month, zone), ZoneInfo(zone)
    at = []
    while instant < end:
        at.append(instant)
        instant += timedelta(hours=1)
    local = [one.astimezone(local_zone) for one in at]
    names = {
        "weekday": [WEEKDAYS[one.weekday()] for one in local],
        "daypart": [named[one.hour] for one in local],
        "day": [f"{one.day:02d}" for one in local],
        "week": [WEEKS[(one.day - 1) // 7] for one in local],
    }
    places = {name: known.places(name, pa.chunked_array([column])) for name, column in names.items()}
    return pa.table({"at": pa.array(at, pa.timestamp("us", tz="UTC")), **places})


class PlanRows:
    """One month's rows for a plan. A context: what it opened ends with it."""

    def __init__(self, reader: LakeReader, plan: Plan, house: House, known: Labels, month: int) -> None:
        self._reader = reader
        self._plan = plan
        self._house = house
        self._known = known
        self._month = month
        self._open = ExitStack()
        self._vectors: dict[str, ir.Table] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    @cached_property
    def view(self) -> View:
        return self._open.enter_context(self._reader.open(STATISTICS, (self._month,)))

    @contextmanager
    def open(self, purpose: str, months: Sequence[int]) -> Iterator[View]:
        """The view of this close, to reports that the plan buys as they are: the same people for the whole close."""
        if purpose != STATISTICS or set(months) != {self._month}:
            raise errors.Refused("a month that the question does not name is not opened", code="month_not_priced")
        yield self.view

    def open_table(self, name: str) -> pa.Table:
        """A table without people, as it was when the close began."""
        return self._known.stores if name == "stores" else self._reader.open_table(name)

    def blocks(self, one: Slice) -> dict[str, Block]:
        """The marginals of a slice."""
        found = {}
        for marginal in one.marginals:
            self._known.check(marginal.by)
            measures = tuple(Measure(name, one.units[name]) for name in marginal.of)
            values = tuple(self._known.values[name] for name in marginal.by)
            once = not {"people", "reach"}.isdisjoint(marginal.of)
            found[marginal.name] = Block(self._rows(marginal.by, marginal.of), marginal.by, values, measures, once)
        return found

    def vector(self, one: Slice) -> ir.Table:
        """What a slice takes from each person; kept where it is read again for the histogram of norms."""
        if not one.norms_nano:
            return vector(self.blocks(one))
        if one.name not in self._vectors:
            self._vectors[one.name] = self.view.keep(vector(self.blocks(one)))
        return self._vectors[one.name]

    def _rows(self, by: Sequence[str], of: Sequence[str]) -> ir.Table:
        if "people" in of:
            return self.people
        if "enquiries" in of:
            return self.enquiries
        return self.lines if "category" in by else self.orders

    @cached_property
    def _lines(self) -> ir.Table:
        import ibis

        lines = self.view.people("order_lines")
        lines = lines.filter(lines.currency.fill_null(self._house.currency) == self._house.currency)
        sale = lines.kind.fill_null("sale") == "sale"
        paid = ibis.cases((sale, lines.net_minor), else_=-lines.net_minor.abs())
        return self.view.keep(
            lines.select(
                PERSON,
                "hour",
                "store_id",
                "channel",
                "product_id",
                order_no=order_of(lines),
                sold=sale.cast("int64"),
                paid=paid.coalesce(0),
            )
        )

    @cached_property
    def orders(self) -> ir.Table:
        """One row an order: what it was worth and where, when and by whom it was given. Where its lines differ, the least word counts."""
        lines = self._lines
        of = lines.group_by([PERSON, "order_no"]).agg(
            orders=lines.sold.max(),
            sales=lines.paid.sum(),
            hour=lines.hour.min(),
            store_id=lines.store_id.min(),
            sold_by=lines.channel.min(),
        )
        stores = self.view.table(self._known.shops())
        clock = self.view.table(hours(self._plan, self._known, self._month, self._house.zone))
        people = self.people.select(*OF_ORDERS, buyer=PERSON)
        joined = of.left_join(stores, of.store_id == stores.shop).left_join(clock, of.hour == clock.at)
        joined = joined.left_join(people, joined[PERSON] == people.buyer)
        return self.view.keep(
            joined.select(
                PERSON,
                "order_no",
                orders=joined.orders,
                reach=joined.orders,
                sales=joined.sales,
                channel=self._place(joined.sold_by, "channel"),
                **{name: joined[name].coalesce(self._known.last(name)) for name in ("store", "region", *TIMES, *OF_ORDERS)},
            )
        )

    @cached_property
    def lines(self) -> ir.Table:
        """One row an order and category, with what its order says."""
        products = self.view.table(self._known.articles())
        lines = self._lines
        named = lines.left_join(products, lines.product_id == products.article)
        named = named.mutate(category=named.category.coalesce(self._known.last("category")))
        sums = named.group_by([PERSON, "order_no", "category"]).agg(lines=named.sold.sum(), reach=named.sold.max(), sales=named.paid.sum())
        orders = self.orders.drop("orders", "sales", "reach").rename(buyer=PERSON, number="order_no")
        joined = sums.inner_join(orders, [sums[PERSON] == orders.buyer, sums.order_no == orders.number])
        return self.view.keep(joined.drop("buyer", "number"))

    @cached_property
    def people(self) -> ir.Table:
        """One row a person of the month's close; of two people who were merged since, the greater word counts."""
        import ibis

        rows = self.view.people("person_month")
        columns = ("sex", "age_band", "occupation", "tier", "region", "stage", "previous_stage", "first_purchase_month", "recency_band")
        one = rows.group_by(PERSON).agg(**{name: rows[name].max() for name in columns})
        first = one.first_purchase_month
        months = self._month // 100 * 12 + self._month % 100 - (first // 100 * 12 + first % 100)
        return self.view.keep(
            one.select(
                PERSON,
                people=ibis.literal(1, "int64"),
                home=self._place(one.region, "home"),
                stage=self._place(one.stage, "stage"),
                stage_before=self._place(one.previous_stage, "stage_before"),
                since_first=self._place(months.cast("string"), "since_first"),
                bought=ibis.cases((one.recency_band.coalesce(0) >= RECENT_BAND, 0), else_=1),
                **{name: self._place(one[name], name) for name in OF_ORDERS},
            )
        )

    @cached_property
    def enquiries(self) -> ir.Table:
        """One row an enquiry: the category it was about, or that of the product."""
        import ibis

        events = self.view.people("events")
        events = events.filter(events.event == ENQUIRY)
        products = self.view.table(self._known.articles())
        named = events.rename(about="category").left_join(products, events.product_id == products.article)
        about = self._place(named.about, "category", unlisted=named.category)
        return self.view.keep(named.select(PERSON, category=about, enquiries=ibis.literal(1, "int64")))

    def _place(self, column: ir.StringColumn, name: str, unlisted: ir.IntegerColumn | None = None) -> ir.IntegerColumn:
        """Where the value stands in the public list; the last place for everything else and for nothing."""
        import ibis

        values = ibis.array(list(self._known.values[name] or (OTHER,)))
        last = self._known.last(name)
        place = ibis.cases((values.contains(column), values.index(column)), else_=None)
        return ibis.coalesce(place, last) if unlisted is None else ibis.coalesce(place, unlisted, last)
