"""What clients' messages have in common, whoever's format they speak: identifiers, clocks, properties, words about consent.

Promise: a sender's clock is corrected when it differs from ours by over a minute, and what it claimed goes no further than this step.
A property that the dictionary does not know is counted by its path and dropped; a forbidden one refuses the row. Nothing is guessed. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingestion import strictjson, surplus, traits
from ingestion.commerce import ORDER_KINDS, PRODUCT_FIELDS, PROPERTIES, Unreadable, minor_units, order_lines
from ingestion.source import Claim, Row
from privacy.vocabulary import FormRule, Reason

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

Forbidden = Callable[[str], str | None]

MAX_ID = 512
"""Longest id that is looked at; Segment's own limit for message ids is 100 characters."""
SKEW = timedelta(minutes=1)
"""From here on the sender's clock is corrected by the difference between sending and receipt."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SKEW_MICROS = SKEW // _MICROSECOND
_LATEST = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


# ── pieces of a message ────────────────────────────────────────────────────────────────────────────────────────────────────────


def identifier(message: Mapping[str, Any], place: str) -> str | None:
    """A name or number as text; None where there is none."""
    value = message.get(place)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    text = str(value)
    if len(text) > MAX_ID:
        raise Unreadable(place, FormRule.TOO_LONG)
    return text


def part(message: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """An object inside the message; empty where there is none."""
    value = message.get(place)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    return value


# ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def micros(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(value: Any, place: str) -> int | None:
    """A time in ISO 8601; without a zone it is UTC (clients.md §3)."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 40:
        raise Unreadable(place, FormRule.BAD_TIME)
    try:
        moment = datetime.fromisoformat(value)
        return micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Unreadable(place, FormRule.BAD_TIME) from None


def milliseconds(value: Any, place: str) -> int | None:
    """A time as whole milliseconds since the epoch, a number or its digits."""
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, (bool, float)) or len(text) > 17 or not (text.isascii() and text.isdigit()):
        raise Unreadable(place, FormRule.BAD_TIME)
    return int(text) * 1000


def corrected(told: int | None, sent: int | None, received: int) -> int:
    """When it happened by our clock: receipt − (sent − told) where the clocks differ by over a minute; receipt where nothing was told."""
    if told is None:
        return received
    if sent is not None and abs(received - sent) > _SKEW_MICROS:
        told += received - sent
    return min(max(told, -_LATEST), _LATEST)


# ── consent ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def claims(said: Mapping[str, bool], source: SourceFacts, at: int, *, explicit: bool = False) -> tuple[Claim, ...]:
    """What categories say about purposes: a purpose is allowed only if every category that stands for it is."""
    purposes: dict[str, bool] = {}
    for category, value in said.items():
        purpose = source.consent_categories.get(category)
        if purpose is not None:
            purposes[purpose] = purposes.get(purpose, True) and value
    return tuple(Claim(purpose, value, at, explicit) for purpose, value in purposes.items())


# ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unknown(values: Mapping[str, Any], place: str, known: frozenset[str], forbidden: Forbidden) -> tuple[dict[str, int], str | None]:
    """Unknown names by path, and why the row must not enter, if one of them, or one inside them, must not be there."""
    dropped: dict[str, int] = {}
    refuse: str | None = None
    for key, value in values.items():
        if key not in known and value is not None:
            path = strictjson.safe_path([place, key] if place else [key])
            dropped[path] = dropped.get(path, 0) + 1
            if value != "" and surplus.names_forbidden(forbidden, key):
                refuse = Reason.FORBIDDEN_CATEGORY.value
        if isinstance(value, (dict, list)) and surplus.nested_forbidden(forbidden, value):
            refuse = Reason.FORBIDDEN_CATEGORY.value
    return dropped, refuse


def event_fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the dictionary's event takes of an event's properties; absent ones are None."""
    fields: dict[str, Any] = {
        "product_id": properties.get("product_id") or properties.get("sku"),
        "store_id": properties.get("store_id") or properties.get("store"),
        "category": properties.get("category"),
        "channel": properties.get("channel"),
        "quantity": properties.get("quantity"),
        "currency": properties.get("currency"),
        "session_id": properties.get("session_id"),
        "step": properties.get("step"),
        "page": properties.get("path") or properties.get("url"),
        "referrer": properties.get("referrer"),
        "region": properties.get("region"),
    }
    for place in ("value", "total", "revenue", "price"):
        if properties.get(place) is not None:
            fields["value_minor"] = minor_units(properties[place], fields["currency"], f"properties.{place}")
            break
    return fields


def event_rows(
    word: str,
    at: int,
    properties: Mapping[str, Any],
    around: Mapping[str, Any],
    identifiers: Mapping[str, str],
    said: tuple[Claim, ...],
    forbidden: Forbidden,
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    """An event with its properties, and the lines of its order. `around` fills the fields that the properties leave open."""
    dropped, refuse = unknown(properties, "properties", PROPERTIES, forbidden)
    fields = event_fields(properties)
    for name, value in around.items():
        fields[name] = fields.get(name) or value
    present = {name: value for name, value in fields.items() if value is not None and value != ""}
    rows = [Row("event", at, {"event": word} | present, identifiers, said, refuse)]
    if word in ORDER_KINDS and properties.get("products") is not None:
        rows += [Row("order_line", at, line, identifiers, (), refuse) for line in order_lines(word, properties)]
        strange = Counter(key for product in properties["products"] for key in product if key not in PRODUCT_FIELDS)
        dropped |= {strictjson.safe_path(["properties", "products", key]): number for key, number in strange.items()}
    return tuple(rows), dropped


# ── members ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def member_rows(
    said: Mapping[str, Any],
    at: int,
    identifiers: Mapping[str, str],
    claimed: tuple[Claim, ...],
    catalogue: Catalogue,
    place: str = "traits",
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    """What somebody told about themself: a member's row with the identifiers among it; an event, where there are no details."""
    told = traits.of(said, catalogue, place=place)
    address = said.get("address")
    if isinstance(address, dict) and address.get("state"):
        told.fields.setdefault("region", address["state"])
    known = {**identifiers, **told.identifiers}
    if told.fields or told.refuse:
        return (Row("member", at, told.fields, known, claimed, told.refuse),), told.dropped
    return (Row("event", at, {"event": "identify"}, known, claimed),), told.dropped
