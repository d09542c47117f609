"""A question as its form and its address write it: months, groupings, filters, a price or the margin that is needed.

Promise: what is no word of the kind's grammar is refused by its field; an address never carries what looks like somebody's identifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from app.console.lists import identifier_like
from privacy.errors import Invalid

FILTER = "w."
"""What the name of a filter's field begins with."""


def body(kind: Mapping[str, Any], form: MultiDict[str, str]) -> dict[str, Any]:
    """A form's fields as a question."""
    asked: dict[str, Any] = {"kind": kind["kind"], "by": [name for name in form.getlist("by") if name], "where": _where(form)}
    first, last = form.get("from", ""), form.get("to", "")
    if first:
        asked |= {"from_": first, "to": first if kind["one_month"] or not last else max(first, last)}
    if measures := [name for name in form.getlist("measure") if name]:
        asked["measures"] = measures
    if price := form.get("price", ""):
        asked["price"] = _price(price, kind["prices"])
    return asked


def _where(form: MultiDict[str, str]) -> list[str]:
    found = []
    for name in form:
        if name.startswith(FILTER):
            words = [word.strip() for text in form.getlist(name) for word in text.split("|") if word.strip()]
            if any(identifier_like(word) for word in words):
                raise Invalid("an address carries no identifier", code="identifier_in_address", field=name)
            if words:
                found.append(f"{name.removeprefix(FILTER)}={'|'.join(words)}")
    return found


def _price(text: str, prices: Sequence[int]) -> int:
    found = next((price for price in prices if str(price) == text), None)
    if found is None:
        raise Invalid("the report has no such price", code="bad_price", field="price")
    return found


def margin(form: MultiDict[str, str]) -> float | None:
    """The margin that somebody says they need; None where they said nothing."""
    text = form.get("margin", "").strip().replace(",", "")
    if not text:
        return None
    try:
        wanted = float(text)
    except ValueError:
        wanted = 0.0
    if not 0 < wanted < 1e12:
        raise Invalid("a margin is a number above zero", code="bad_margin", field="margin")
    return wanted


def fields(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A question as the hidden fields of the form that runs it, and as the address that shows it."""
    found = [("from", asked.get("from_") or ""), ("to", asked.get("to") or "")]
    found += [("by", name) for name in asked["by"]]
    found += [(FILTER + name, value) for name, _, value in (text.partition("=") for text in asked["where"])]
    found += [("measure", name) for name in asked.get("measures", ())]
    found += [("price", str(asked["price"]))] if asked.get("price") else []
    return [(name, value) for name, value in found if value]


def unnamed(kind: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Groupings whose values nobody knows beforehand and that the question does not name: it would be refused after waiting."""
    named = {text.partition("=")[0] for text in asked["where"]}
    return [name for name in asked["by"] if name in kind["filters"] and not kind["filters"][name] and name not in named]


def again(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The question of a stored release, with changes, to ask something near it."""
    months = [f"{month // 100}-{month % 100:02d}" for month in sorted(document["months"])]
    question = document["question"]
    where = [f"{name}={value}" for name, operator, value in question["where"] if operator != "!="]
    return {"kind": document["kind"], "from_": months[0], "to": months[-1], "by": list(question["by"]), "where": where} | changes
