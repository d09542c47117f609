"""How close baskets were to a price threshold, and in which distance they were left: free delivery from 99 yuan, say.

Promise: the threshold is a public constant of the question, and so are the bands below it; a basket is what one visit put in and did not
take out again, at list prices, else at what its messages said; it is paid for if the visit came to an order. It must never
learn a person beyond the run of one question.

Argument (dp_rules P-6, P-7). The band of a basket is a function of the person's own events of one visit, of the products' list prices (a
table without people) and of the threshold. A person brings one vector of baskets by band and outcome, under one weight of at most `clip` in
L2, which is what is priced. The share that was left is a quotient of two released cells' sum, after the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, plain_rows
from analytics.reports.parameters import Parameter, filters, value
from analytics.reports.shares import part_of_one, share
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

DISTANCE, OUTCOME, THRESHOLD = "distance", "outcome", "threshold"
EDGES = (("over", 100), ("to_10", 90), ("to_20", 80), ("to_30", 70), ("to_50", 50), ("far", None))
"""Bands by hundredths of the threshold that a basket reaches at least: over it, up to 10 % short, 20, 30, 50, and further away."""
DISTANCES = tuple(name for name, _ in EDGES)
PAID, LEFT = "paid", "left"
ADDED, REMOVED, ORDERED = "product_added", "product_removed", "order_completed"


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a basket: how far below the threshold, whether it was paid for, and 1."""
    import ibis

    events = filtered(view.people("events"), filters(question, THRESHOLD)).drop("step")
    events = events.filter(events.event.isin((ADDED, REMOVED, ORDERED)) & events.visit.notnull())
    events = events.filter(events.currency.fill_null(house.currency) == house.currency)
    prices = view.table(house.tables["products"].select(["id", "list_price_minor"])).rename(article="id")
    priced = events.left_join(prices, events.product_id == prices.article)
    worth = (priced.list_price_minor * priced.quantity.coalesce(1).abs()).coalesce(priced.value_minor.abs(), 0)
    signed = ibis.cases((priced.event == ADDED, worth), (priced.event == REMOVED, -worth), else_=0)
    lines = priced.mutate(worth=signed, added=priced.event == ADDED, ordered=priced.event == ORDERED)
    baskets = lines.group_by([PERSON, "month", "visit"]).agg(worth=lines.worth.sum(), added=lines.added.max(), ordered=lines.ordered.max())
    baskets = baskets.filter(baskets.added & (baskets.worth > 0))
    minor = int(value(question, THRESHOLD)) * 10 ** get_currency_precision(house.currency)
    within = [(baskets.worth * 100 >= minor * least, name) for name, least in EDGES if least is not None]
    return baskets.select(
        PERSON,
        distance=ibis.cases(*within, else_=DISTANCES[-1]),
        outcome=ibis.cases((baskets.ordered, PAID), else_=LEFT),
        baskets=ibis.literal(1, "int64"),
    )


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Baskets in every band, then the share of each band that was left."""
    by, half = release.question.by, margin(release)
    found = {dict(zip(by, cell, strict=True))[DISTANCE]: [0, 0] for cell in release.cells}
    for cell, amount in zip(release.cells, release.values, strict=True):
        named = dict(zip(by, cell, strict=True))
        found[named[DISTANCE]][named[OUTCOME] == PAID] = amount
    rows = []
    for distance, (left, paid) in found.items():
        low, high = share(left, left + paid, half, 2)
        middle = left / (left + paid) if left + paid > 0 else (low + high) / 2
        rows.append({DISTANCE: distance, OUTCOME: LEFT, "measure": LEFT} | part_of_one(middle, low, high))
    return plain_rows(release, house, margin) + rows


REPORT = Report(
    kind="baskets",
    version=1,
    table="events",
    by=(DISTANCE, OUTCOME),
    measures=(Measure("baskets"),),
    bounds=Bounds(clip=8),
    rho_nano=3_000_000,
    contributions=contributions,
    render=render,
    own={DISTANCE: DISTANCES, OUTCOME: (PAID, LEFT)},
    filters=("channel", "store_id", "device_class", "region"),
    tables=("products",),
    parameters={
        THRESHOLD: Parameter("[1-9][0-9]{0,5}", "99", ("19", "29", "39", "49", "59", "69", "79", "88", "99", "129", "149", "199", "299"))
    },
)
