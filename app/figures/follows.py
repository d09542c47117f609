"""What follows from a report's rows, in words: sums, means, shares, slopes and quartiles, each with its interval.

Promise: pure functions of a report's document. A slope is called rising or falling only where its interval, which holds together with
all the others, leaves zero out; a quotient whose denominator may be zero is not told. Nothing is claimed that noise explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.figures import cells, words
from app.figures.speech import Speech, outward

MONEY = ("sales_per_order", "sales_per_person")
MOST = 200
"""Derived numbers on one page; all of them stand in the document."""
WHATS = ("mean", "share", "total", "threshold")


@dataclass(frozen=True, slots=True)
class Follow:
    """One derived number as a page shows it."""

    what: str
    of: str
    shown: str
    between: str


def follows(document: Mapping[str, Any], speech: Speech) -> list[Follow]:
    """Sums, means and shares, as many as a page holds."""
    found = [one for one in document.get("derived", ()) if one["what"] in WHATS]
    return [_follow(one, speech) for one in found[:MOST]]


def _follow(one: Mapping[str, Any], speech: Speech) -> Follow:
    _ = speech.gettext
    of = speech.together([cells.cell(speech, name, value) for name, value in one["of"].items()]) or _("all")
    if one["value"] is None:
        return Follow(name(one, speech), of, _("too few to tell"), "")
    if one["what"] == "threshold":
        return Follow(_("Told from"), of, number(one, one["value"], speech), "")
    shown, low, high = (number(one, one[place], speech) for place in ("value", "low", "high"))
    return Follow(name(one, speech), of, shown, _("%(low)s to %(high)s", low=low, high=high))


def name(one: Mapping[str, Any], speech: Speech) -> str:
    """What a derived number is."""
    _ = speech.gettext
    if one["what"] == "mean":
        return {
            "sales_per_order": _("Sales per order"),
            "sales_per_person": _("Sales per person"),
            "lines_per_order": _("Lines per order"),
        }.get(one["measure"], words.plain(one["measure"]))
    measure = words.measure(speech, one["measure"])
    return _("Share of all %(measure)s", measure=measure) if one["what"] == "share" else _("All %(measure)s", measure=measure)


def number(one: Mapping[str, Any], value: float, speech: Speech) -> str:
    """A derived number in its own unit."""
    if one["what"] == "share":
        return speech.share(value)
    if one["what"] == "mean":
        return speech.fine_money(value) if one["measure"] in MONEY else speech.number(value)
    return speech.amount(value, one["measure"])


# ── sentences ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def courses(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Whether each measure rises or falls; with a further grouping, which of its rows do."""
    slopes = [one for one in document["derived"] if one["what"] == "slope"]
    time = next((name for name in document["question"]["by"] if name in words.TIMES), "month")
    told = []
    for measure in dict.fromkeys(one["measure"] for one in slopes):
        own = [one for one in slopes if one["measure"] == measure]
        moving = [one for one in own if one["way"] != "open"]
        if not moving:
            name_ = words.measure(speech, measure)
            told.append(speech.gettext("%(measure)s: no rise or fall is larger than the noise.", measure=name_))
        told += [_course(one, time, speech) for one in sorted(moving, key=lambda one: -abs(one["value"]))[:5]]
    return told


def _course(one: Mapping[str, Any], time: str, speech: Speech) -> str:
    _ = speech.gettext
    least, most = outward(*sorted((abs(one["low"]), abs(one["high"]))))
    of = speech.together([cells.cell(speech, field, value) for field, value in one["of"].items()])
    places = {
        "measure": words.measure(speech, one["measure"]),
        "least": speech.amount(least, one["measure"]),
        "most": speech.amount(most, one["measure"]),
        "time": words.grouping(speech, time).lower(),
        "of": of,
    }
    if of:
        if one["way"] == "rising":
            return _("%(measure)s, %(of)s: rising, by %(least)s to %(most)s from one %(time)s to the next.", **places)
        return _("%(measure)s, %(of)s: falling, by %(least)s to %(most)s from one %(time)s to the next.", **places)
    if one["way"] == "rising":
        return _("%(measure)s: rising, by %(least)s to %(most)s from one %(time)s to the next.", **places)
    return _("%(measure)s: falling, by %(least)s to %(most)s from one %(time)s to the next.", **places)


def quartiles(document: Mapping[str, Any], speech: Speech) -> list[str]:
    """Between which values the quartiles of what people did lie."""
    value = document["question"]["by"][0]
    found = [one for one in document["derived"] if one["what"] == "quantile"]
    if not found or any(one["value"] is None for one in found):
        return [speech.gettext("Too few people to tell how they are spread.")]
    return [_quartile(one, value, speech) for one in found]


def _quartile(one: Mapping[str, Any], value: str, speech: Speech) -> str:
    _ = speech.gettext
    low, high = (None if one[place] is None else _in(value, one[place], speech) for place in ("low", "high"))
    what = words.grouping(speech, value)
    part = speech.share(one["share"])
    if high is None:
        return _("%(what)s: %(share)s of the people lie below a value of at least %(low)s.", what=what, share=part, low=low)
    return _("%(what)s: %(share)s of the people lie below a value between %(low)s and %(high)s.", what=what, share=part, low=low, high=high)


def _in(value: str, amount: float, speech: Speech) -> str:
    return speech.money(amount) if value in cells.MONEY else speech.number(amount)
