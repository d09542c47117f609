"""What each channel brings and costs: how far people got on it, the sales that it came last before, and what came back of its cost.

Promise: a person stands at one step of each channel that touched them, and their sales count for the last channel before their last
purchase; costs are imported tables without people, exact and free. It must never learn a person beyond the run of one question.

Argument (dp_rules P-6, P-7). Steps and sales of a person are their own; people and sales of all channels together lie under one weight of at
most `clip`, which is priced. What came back of a cost is a released number divided by a public one: the interval is divided with it.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, numbers
from analytics.reports.paths import CHANNEL, channels, paths, sales, touches
from analytics.reports.shares import told
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

STEP, BOUGHT = "step", "bought"
STEPS = ("impression", "open", "click", "visit", BOUGHT)
PEOPLE, SALES = Measure("people"), Measure("sales", 5_000)
COST, RETURN = "cost", "roi"


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    values = {CHANNEL: channels(question, house), STEP: STEPS}
    return tuple(product(*[values[name] for name in question.by]))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person and channel: the furthest step there; and one with the sales of whoever bought, at the last channel before it."""
    import ibis

    found = touches(view, question, house)
    place = ibis.cases(*[(found.kind == name, number) for number, name in enumerate(STEPS)])
    reached = found.mutate(place=place).group_by([PERSON, CHANNEL]).agg(place=ibis._.place.max(), since=ibis._.hour.min())
    path = paths(view, question, house)
    last = path.filter(path.converted & (path.place == path.length)).select(buyer=path[PERSON], by=path.channel)
    joined = reached.left_join(last, [reached[PERSON] == last.buyer, reached.channel == last.by])
    steps = ibis.cases((joined.buyer.notnull(), BOUGHT), *[(joined.place == number, name) for number, name in enumerate(STEPS)])
    people = joined.select(PERSON, CHANNEL, step=steps, people=ibis.literal(1, "int64"), sales=ibis.literal(0, "int64"))
    begun = reached.group_by(PERSON).agg(since=reached.since.min()).rename(touched=PERSON)
    lines = sales(view, house)
    after = lines.inner_join(begun, lines[PERSON] == begun.touched)
    after = after.filter(after.hour >= after.since)
    spent = after.group_by(PERSON).agg(sales=after.paid.sum())
    credited = spent.inner_join(last, spent[PERSON] == last.buyer)
    paid = credited.select(
        PERSON,
        channel=credited.by,
        step=ibis.literal(BOUGHT),
        people=ibis.literal(0, "int64"),
        sales=credited.sales.cast("int64"),
    )
    return people.union(paid)


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """People at least so far by channel and step; then sales, cost and what came back, by channel."""
    by, bounds, half = release.question.by, release.question.bounds, margin(release)
    values = iter(release.values)
    found = {}
    for cell in release.cells:
        named = dict(zip(by, cell, strict=True))
        found[named[CHANNEL], named[STEP]] = {measure: next(values) for measure in release.measures}
    rows: list[dict[str, Any]] = []
    names = tuple(dict.fromkeys(name for name, _ in found))
    for name, (number, step) in product(names, enumerate(STEPS)):
        further = [found[name, one][PEOPLE.name] for one in STEPS[number:]]
        head = {CHANNEL: name, STEP: step, "measure": PEOPLE.name, "marginal": "steps"}
        rows.append(head | numbers(sum(further), margin(release, terms=len(further)), PEOPLE, bounds))
    spent = costs(release.question, house)
    for name in names:
        head = {CHANNEL: name, "marginal": CHANNEL}
        brought = numbers(found[name, BOUGHT][SALES.name], half, SALES, bounds)
        rows.append(head | {"measure": SALES.name} | brought)
        cost = spent.get(name, 0)
        rows.append(head | {"measure": COST} | told(cost, cost, cost))
        if cost:
            back = [brought[end] / cost - 1 for end in ("value", "low", "high")]
            rows.append(head | {"measure": RETURN} | told(*back, floor_is_zero=False))
    order = (PEOPLE.name, SALES.name, COST, RETURN)
    return sorted(rows, key=lambda row: order.index(row["measure"]))


def costs(question: Question, house: House) -> dict[str, int]:
    """What the campaigns of each channel cost on the days of the question's months, in minor units: exact, without people."""
    channel = dict(zip(*[house.tables["campaigns"][name].to_pylist() for name in ("id", CHANNEL)], strict=True))
    table = house.tables["campaign_costs"]
    months = pc.add(pc.multiply(pc.year(table["day"]), 100), pc.month(table["day"])).to_pylist()
    total: dict[str, int] = {}
    for campaign, month, cost in zip(table["campaign"].to_pylist(), months, table["cost_minor"].to_pylist(), strict=True):
        if month in question.months and metrics.is_month(month) and channel.get(campaign) and cost:
            total[channel[campaign]] = total.get(channel[campaign], 0) + cost
    return total


REPORT = Report(
    kind="channels",
    version=1,
    table="touches",
    by=(CHANNEL, STEP),
    measures=(PEOPLE, SALES),
    bounds=Bounds(clip=8),
    rho_nano=3_000_000,
    contributions=contributions,
    render=render,
    own={CHANNEL: (), STEP: STEPS},
    filters=(CHANNEL,),
    once=("people",),
    terms=len(STEPS),
    tables=("campaigns", "campaign_costs"),
    public_cells=public_cells,
)
