"""What the form of a question shows: choices, prices with their margins, what is left, and why a question would be refused.

Promise: everything here is public before it is paid; a refusal says what is left and what would fit, never a number about people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict

from app import published
from app.console import charts, free
from app.console.languages import _, month
from app.console.questions import body, fields, margin, unnamed
from app.figures import cells, meaning, words
from privacy.errors import PiyingError

if TYPE_CHECKING:
    from app.wiring import Services


def context(services: Services, kind: Mapping[str, Any], form: MultiDict[str, str], *, me: str, refused: str = "") -> dict[str, Any]:
    """Everything that the form's page needs."""
    speech = charts.speech()
    shown: dict[str, Any] = {
        "kind": kind,
        "speech": speech,
        "words": words,
        "cells": cells,
        "meaning": meaning,
        "form": form,
        "months": [(f"{one // 100}-{one % 100:02d}", month(one)) for one in published.months(services)],
        "offers": [],
        "chosen": None,
        "refused": refused,
        "errors": {},
        "hidden": [],
        "free_at": [],
        "chosen_measures": list(kind.get("usual") or kind["measures"]),
        "asked": {"by": [], "where": []},
    }
    try:
        asked = body(kind, form)
        shown["asked"] = asked
        if needed := _needed(kind, asked):
            shown["errors"] = needed if form else {}
            return shown
        if missing := unnamed(kind, asked):
            name = words.grouping(speech, missing[0])
            shown["errors"] = {f"w.{missing[0]}": _("%(name)s: name the values that you want as rows, with | between them.", name=name)}
            return shown
        offers = published.offers(services, asked, kind["prices"], asked_by=me)
        shown["chosen_measures"] = list(offers[0]["margins"])
        shown["free_at"] = free.addresses(published.held_free(services, asked))
        chosen, note = _chosen(kind, offers, asked, form)
    except PiyingError as error:
        shown["errors"] = {error.field or "from": told(error)}
        return shown
    asked["price"] = chosen["price"]
    refused = refused or ("" if chosen["affordable"] else _not_affordable(offers, chosen))
    return shown | {"offers": offers, "chosen": chosen, "note": note, "hidden": fields(asked), "refused": refused}


def _needed(kind: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, str]:
    """Constants without a usual value that the question does not name yet, each with a sentence."""
    named = {text.partition("=")[0] for text in asked["where"]}
    names = [one["name"] for one in kind["parameters"] if not one["usual"] and one["name"] not in named]
    return {f"w.{name}": _("%(name)s: name it, as your data do.", name=words.grouping(charts.speech(), name)) for name in names}


def refusal(services: Services, kind: Mapping[str, Any], asked: Mapping[str, Any], *, me: str) -> str:
    """Why a question would not be answered, in words; empty if it would."""
    if needed := _needed(kind, asked):
        return next(iter(needed.values()))
    if unnamed(kind, asked):
        return _("Name the values that you want as rows.")
    offers = published.offers(services, asked, kind["prices"], asked_by=me)
    chosen = next((one for one in offers if one["price"] == (asked.get("price") or kind["price"])), offers[0])
    return "" if chosen["affordable"] else _not_affordable(offers, chosen)


def _chosen(
    kind: Mapping[str, Any], offers: list[dict[str, Any]], asked: Mapping[str, Any], form: MultiDict[str, str]
) -> tuple[dict[str, Any], str]:
    """The offer that is looked at: by price, or the cheapest with the margin that is needed; and a word about it."""
    wanted = margin(form)
    usual = next(one for one in offers if one["price"] == (asked.get("price") or kind["price"]))
    if wanted is None or asked.get("price"):
        return usual, ""
    measure = next(iter(offers[0]["margins"]))
    found = published.for_margin(offers, measure, wanted)
    if found is None:
        narrowest = charts.speech().amount(offers[-1]["margins"][measure], measure)
        return offers[-1], _(
            "No price of this report gives that margin; the narrowest is ±%(margin)s. A coarser question may.", margin=narrowest
        )
    return found, _("The cheapest price that gives the margin you need is chosen.")


def _not_affordable(offers: list[dict[str, Any]], chosen: Mapping[str, Any]) -> str:
    """What is left, of the tightest month or of the team's share of it, and what would fit."""
    places = {"price": f"{chosen['price'] / published.NANO:.4f}", "left": f"{chosen['tightest'] / published.NANO:.4f}"}
    if fits := [one for one in offers if one["affordable"]]:
        places["fits"] = f"{fits[-1]['price'] / published.NANO:.4f}"
        if chosen["of_team"]:
            return _(
                "This costs ρ %(price)s, but your team has only ρ %(left)s left of the tightest month. "
                "ρ %(fits)s would fit: choose it above, with wider margins.",
                **places,
            )
        return _(
            "This costs ρ %(price)s, but the tightest month has only ρ %(left)s left. ρ %(fits)s would fit: choose it above, with wider margins.",
            **places,
        )
    if chosen["of_team"]:
        return _(
            "This costs ρ %(price)s, but your team has only ρ %(left)s left of the tightest month, which is less than the cheapest price. "
            "Ask an officer for a larger share, choose other months, or a stored report: reading one is free.",
            **places,
        )
    return _(
        "This costs ρ %(price)s, but the tightest month has only ρ %(left)s left, which is less than the cheapest price. "
        "Choose other months, or a stored report: reading one is free.",
        **places,
    )


def told(error: PiyingError) -> str:
    """Why a question was refused, by its code."""
    sentences = {
        "period_open": _("These months are not closed yet: a month closes seven days after its end."),
        "period_expired": _("A month of this period is older than what is kept."),
        "bad_month": _("Choose a first month, and a last one that is not earlier."),
        "bad_period": _("Choose a first month, and a last one that is not earlier."),
        "one_month_only": _("This report is of one month: choose the same month twice."),
        "unknown_grouping": _("The report cannot be grouped by this."),
        "unknown_filter": _("The report has no such filter."),
        "unknown_measure": _("The report does not count this."),
        "unknown_value": _("A filter names a word that is in no public list."),
        "many_groupings": _("Choose fewer groupings, and one of time where the report is about time."),
        "too_many_cells": _("These groupings make too many rows: choose fewer, or filter."),
        "bad_filter": _("A filter is a short word, or several with | between them."),
        "bad_price": _("The report has no such price."),
        "bad_margin": _("A margin is a number above zero."),
        "identifier_in_address": _("This looks like somebody's number or address; questions carry none."),
        "no_public_cells": _("Name the values that you want as rows."),
        "month_not_closed": _("This month has not been closed here yet; an operator closes it with piying close-month."),
        "budget_exhausted": _("The months asked about have too little budget left."),
    }
    return sentences.get(error.code, _("The question was refused (%(code)s).", code=error.code))
