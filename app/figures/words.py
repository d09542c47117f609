"""The names of kinds, measures, groupings and cells, in the reader's language.

Promise: public words only; what has no name of its own here is shown as the dictionary's own word. Pure.
"""

from __future__ import annotations

from app.figures import behaviour
from app.figures.speech import MONEY, SHARES, Speech

TIMES = ("month", "week", "day", "cohort")
"""Groupings that have an order in time and are drawn as lines."""


def kind(speech: Speech, name: str) -> str:
    """What a kind of report is called."""
    _ = speech.gettext
    return {
        "store_month": _("Orders, sales and people by store"),
        "rfm": _("Customers by recency, frequency and value"),
        "funnel": _("From viewing to paying"),
        "sales": _("People and sales by any groupings"),
        "trend": _("The course of time"),
        "keys": _("People by product or coupon that no list holds"),
        "distribution": _("How people are spread"),
        "norms": _("How much each person contributes"),
        "segment_reach": _("How many people a segment reaches"),
        "cube": _("Part of a month's plan"),
        **behaviour.kinds(speech),
    }.get(name, plain(name))


def question(speech: Speech, name: str) -> str:
    """What a kind of report answers, in one sentence."""
    _ = speech.gettext
    return {
        "store_month": _("How many orders, how much sales and how many people had each store in a closed month?"),
        "rfm": _("How many customers stand in each of the eight segments at the close of a month?"),
        "funnel": _("How many people viewed a product, put one into the basket, and paid?"),
        "sales": _(
            "How many orders, how much sales and how many people by store, category, time of day, tier or any two or three of them?"
        ),
        "keys": _("How many people bought each product, or used each coupon, where enough people did?"),
        "trend": _("Does a number rise or fall, month by month or day by day?"),
        "distribution": _("How many people gave so many orders, spent so much, or had so large a basket?"),
        "norms": _("How much does one person add at most? Bought once at the close of a month, to set the bound."),
        "segment_reach": _("How many people does a segment mean, and how many of them can a channel and a recipient reach?"),
        "cube": _("One part of what a month buys when it closes; its tables are free."),
        **behaviour.questions(speech),
    }.get(name, "")


def measure(speech: Speech, name: str) -> str:
    """What is counted."""
    _ = speech.gettext
    return {
        "orders": _("orders"),
        "sales": _("sales"),
        "people": _("people"),
        "lines": _("order lines"),
        "visits": _("visits"),
        "reach": _("people in a store, a channel or a category"),
        "enquiries": _("enquiries"),
        **behaviour.measures(speech),
    }.get(name, plain(name))


def unit(speech: Speech, name: str) -> str:
    """The title of a measure's axis: with the currency where it is money."""
    if name == "sales":
        return speech.gettext("sales (%(currency)s)", currency=speech.currency)
    if name in MONEY:
        return speech.gettext("%(measure)s (%(currency)s)", measure=measure(speech, name), currency=speech.currency)
    if name in SHARES:
        return speech.gettext("%(measure)s, in per cent", measure=measure(speech, name))
    return measure(speech, name)


def grouping(speech: Speech, name: str) -> str:
    """What numbers are grouped or filtered by."""
    _ = speech.gettext
    return {
        "store_id": _("Store"),
        "store": _("Store"),
        "channel": _("Channel"),
        "segment": _("Segment"),
        "step": _("Step"),
        "sex": _("Sex"),
        "age_band": _("Age band"),
        "occupation": _("Occupation"),
        "region": _("Region"),
        "tier": _("Membership tier"),
        "city_tier": _("City tier"),
        "category": _("Product category"),
        "product_id": _("Product"),
        "device_class": _("Kind of device"),
        "month": _("Month"),
        "week": _("Week"),
        "day": _("Day"),
        "weekday": _("Weekday"),
        "daypart": _("Time of day"),
        "hour": _("Hour of the day"),
        "stage": _("Stage"),
        "stage_before": _("Stage before"),
        "orders_each": _("Orders of a person"),
        "coupon_id": _("Coupon"),
        "spent": _("What a person spent"),
        "basket": _("What a person's order was worth"),
        "bin": _("Size of contribution"),
        "outcome": _("Outcome"),
        "rule": _("Rule"),
        "recipient": _("Recipient"),
        **behaviour.groupings(speech),
    }.get(name, plain(name))


def plain(name: str) -> str:
    """A word of ours that has no name: its underscores are spaces."""
    return name.replace("_", " ").replace("-", " ")


def period(speech: Speech, months: list[int]) -> str:
    """The months of a report in words."""
    if not months:
        return ""
    first, last = min(months), max(months)
    if first == last:
        return speech.month(first)
    return speech.gettext("%(first)s to %(last)s", first=speech.month(first), last=speech.month(last))
