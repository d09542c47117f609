"""The contacts that came before a purchase, in their order, as every report of campaigns reads them.

Promise: a person's path is their own touches by channels that the table of campaigns lists (or that the question names), up to their own
last purchase of the question's months; who bought nothing has all their touches as a path. Within one hour, where the order is not known,
channels stand in the order of the alphabet. It must never learn a person beyond the run of one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.aggregate import PERSON
from analytics.reports.parameters import value
from privacy import errors

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from analytics.reports.base import House
    from privacy.records import Question

CHANNEL = "channel"
MOST_CHANNELS = 6
"""Channels of one question: their sets are public cells, and 2 to the power of 6 are enough (dp_rules P-14)."""


def channels(question: Question, house: House) -> tuple[str, ...]:
    """The channels that count: those that the question names, else those of the campaigns. Raises where they are none or too many."""
    if any(field == CHANNEL and operator != "!=" for field, operator, _ in question.where):
        found = value(question, CHANNEL).split("|")
    else:
        excluded = {said for field, operator, said in question.where if field == CHANNEL}
        found = sorted({name for name in house.tables["campaigns"][CHANNEL].to_pylist() if name} - excluded)
    if not found or len(found) > MOST_CHANNELS:
        raise errors.NotConfigured(
            f"name one to {MOST_CHANNELS} channels in a filter, or load the campaigns that list them", code="no_public_cells", field="where"
        )
    return tuple(found)


def sales(view: View, house: House) -> ir.Table:
    """A person's lines that count: when, whether a sale, and what was paid; returns and cancellations lower it."""
    import ibis

    lines = view.people("order_lines")
    lines = lines.filter(lines.currency.fill_null(house.currency) == house.currency)
    sale = lines.kind.fill_null("sale") == "sale"
    paid = ibis.cases((sale, lines.net_minor), else_=-lines.net_minor.abs())
    return lines.select(PERSON, "month", "hour", sale=sale, paid=paid.coalesce(0))


def touches(view: View, question: Question, house: House) -> ir.Table:
    """Every touch of a listed channel."""
    found = view.people("touches")
    return found.filter(found.channel.isin(channels(question, house)))


def paths(view: View, question: Question, house: House) -> ir.Table:
    """One row a touch of a path: its channel, its place from 1 on, how many there are, and whether the person bought after it."""
    import ibis

    lines = sales(view, house)
    bought = lines.group_by(PERSON).agg(bought_at=lines.hour.max(where=lines.sale)).rename(buyer=PERSON)
    found = touches(view, question, house)
    joined = found.left_join(bought, found[PERSON] == bought.buyer)
    before = joined.filter(joined.bought_at.isnull() | (joined.hour <= joined.bought_at))
    own = ibis.window(group_by=PERSON)
    ordered = ibis.window(group_by=PERSON, order_by=["hour", CHANNEL])
    return before.select(
        PERSON,
        CHANNEL,
        converted=before.bought_at.notnull(),
        place=ibis.row_number().over(ordered) + 1,
        length=before.channel.count().over(own),
        following=before.channel.lead(1).over(ordered),
    )
