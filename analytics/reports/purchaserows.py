"""What one person's purchases bring to a question: orders, lines, sales, under public words of store, time, product and person.

Promise: every word is a function of the person's own rows and of public constants (dp_rules P-6): tables without people, the plan's lists,
the dictionary, the calendar. An order stands in one cell of every dimension but the category, a line in one cell of each; what is not listed
stands under one last value. Attributes of the person come from `person_month` of the row's own month (P-3) and no other month is
read. It must never learn a person beyond the run of one question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.aggregate import PERSON
from analytics.profiles import TABLE as CLOSED_TABLE
from analytics.profiles import order_of
from analytics.reports import plan
from analytics.reports.planrows import OF_ORDERS, TIMES, Labels, hours, labels
from privacy import errors

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from analytics.reports.base import Filters, House, Opens

MONTH, CATEGORY = "month", "category"
PLACES = ("store", "region")
OF_PEOPLE = OF_ORDERS
"""Attributes of the person, as of the close of the row's month."""
DIMENSIONS = ("store", "region", "channel", CATEGORY, "weekday", "daypart", *OF_PEOPLE)
KEYS = ("product_id", "coupon_id")
"""Words of a line that no public list holds; they are told above a threshold alone."""
_NUMBER = "order_no"
_KEY = (PERSON, MONTH, _NUMBER)


@cache
def lists() -> plan.Plan:
    """The plan that holds the public lists; they are the same at every size."""
    return plan.load(0)


def known(reader: Opens, house: House, month: int) -> Labels:
    """The public values of every dimension."""
    return labels(reader, lists(), house, month)  # type: ignore[arg-type]  # it opens tables without people alone


def values(reader: Opens, house: House, name: str, months: Sequence[int]) -> tuple[str, ...]:
    """The public values of one dimension; raises NotConfigured where the table that lists them is empty."""
    if name == MONTH:
        return tuple(str(month) for month in sorted(set(months)))
    public = known(reader, house, months[0])
    public.check((name,))
    return public.values[name]


def kept(name: str, public: Sequence[str], where: Filters) -> tuple[str, ...]:
    """The values that the filters leave; raises Invalid for a word that is no public value."""
    found = tuple(public)
    for field, operator, text in where:
        if field == name:
            named = set(text.split("|"))
            if not named <= set(public):
                raise errors.Invalid("a filter names a value that is in no public list", code="unknown_value", field="where")
            found = tuple(one for one in found if (one in named) != (operator == "!="))
    return found


def purchases(view: View, reader: Opens, months: Sequence[int], house: House, by: Sequence[str], where: Filters) -> ir.Table:
    """One row an order (and category, where it is grouped by): 1 order if anything was sold, its lines, what was paid, and the words of `by`.

    With a filter by category an order counts with its lines of these categories alone.
    """
    names = list(dict.fromkeys([*by, *(field for field, _, _ in where)]))
    public = {month: known(reader, house, month) for month in sorted(set(months))}
    lists_ = public[min(public)]
    lines = view.keep(_lines(view, house))
    orders = _orders(view, lines, public, house, names)
    if CATEGORY in names:
        articles = view.table(pa.table({"article": lists_.products["id"], "said": lists_.products[CATEGORY]}))
        lines = lines.left_join(articles, lines.product_id == articles.article)
        lines = lines.mutate(category=_listed(lines.said, lists_.values[CATEGORY]))
    lines = lines.select(*_KEY, "sold", "paid", *[name for name in names if name in (CATEGORY, *KEYS)])
    rows = lines.inner_join(orders, list(_KEY))
    for name in dict.fromkeys(field for field, _, _ in where):
        rows = rows.filter(rows[name].isin(list(kept(name, lists_.values[name], where))))
    rows = rows.mutate(data_month=rows[MONTH], month=rows[MONTH].cast("string"))
    sums = rows.group_by(list(dict.fromkeys([PERSON, _NUMBER, "data_month", *by]))).agg(
        orders=rows.sold.max(), lines=rows.sold.sum(), sales=rows.paid.sum()
    )
    return sums.mutate(people=sums.orders)


def _lines(view: View, house: House) -> ir.Table:
    """Lines in the deployment's currency; returns and cancellations lower sales and sell nothing."""
    import ibis

    lines = view.people("order_lines")
    lines = lines.filter(lines.currency.fill_null(house.currency) == house.currency)
    sale = lines.kind.fill_null("sale") == "sale"
    paid = ibis.cases((sale, lines.net_minor), else_=-lines.net_minor.abs()).coalesce(0)
    columns = (PERSON, MONTH, "hour", "store_id", "channel", *KEYS)
    return lines.select(*columns, order_no=order_of(lines), sold=sale.cast("int64"), paid=paid)


def _orders(view: View, lines: ir.Table, of_months: Mapping[int, Labels], house: House, names: Collection[str]) -> ir.Table:
    """One row an order with the words that it has as a whole. Where its lines differ, the least word counts."""
    public = of_months[min(of_months)]
    rows = lines.group_by(list(_KEY)).agg(hour=lines.hour.min(), store_id=lines.store_id.min(), sold_by=lines.channel.min())
    if not {"store", "region"}.isdisjoint(names):
        shops = view.table(pa.table({"shop": public.stores["id"], "area": public.stores["region"]}))
        rows = rows.left_join(shops, rows.store_id == shops.shop)
        rows = rows.mutate(store=_listed(rows.shop, public.values["store"]), region=_listed(rows.area, public.values["region"]))
    if "channel" in names:
        rows = rows.mutate(channel=_listed(rows.sold_by, public.values["channel"]))
    if not set(TIMES).isdisjoint(names):
        clock = view.table(pa.concat_tables([_clock(of_months[month], month, house, names) for month in sorted(of_months)]))
        rows = rows.left_join(clock, rows.hour == clock.at)
    if not set(OF_PEOPLE).isdisjoint(names):
        people = _people(view, public, names)
        rows = rows.left_join(people, [rows[PERSON] == people.buyer, rows[MONTH] == people.of_month])
        rows = rows.mutate(**{name: rows[name].fill_null(public.values[name][-1]) for name in OF_PEOPLE if name in names})
    return rows.select(*_KEY, *[name for name in names if name not in (CATEGORY, MONTH, *KEYS)])


def _clock(public: Labels, month: int, house: House, names: Collection[str]) -> pa.Table:
    """Every hour of a month with its local words, those that are asked for."""
    at = hours(lists(), public, month, house.zone)
    words = {name: pa.array(public.values[name]).take(at[name].combine_chunks()) for name in TIMES if name in names}
    return pa.table({"at": at["at"], **words})


def _people(view: View, public: Labels, names: Collection[str]) -> ir.Table:
    """One row a person and month; of two people who were merged since, the greater word counts."""
    rows = view.people(CLOSED_TABLE)
    wanted = [name for name in OF_PEOPLE if name in names]
    one = rows.group_by([PERSON, MONTH]).agg(**{name: rows[name].max() for name in wanted})
    return one.select(buyer=one[PERSON], of_month=one[MONTH], **{name: _listed(one[name], public.values[name]) for name in wanted})


def _listed(column: ir.StringColumn, values: Sequence[str]) -> ir.StringColumn:
    """The word itself where it is listed, or else the last value."""
    import ibis

    return ibis.cases((column.isin(list(values)), column), else_=values[-1] if values else "other")
