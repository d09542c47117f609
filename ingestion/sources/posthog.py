"""Batches of PostHog's server clients, read into rows of the dictionary.

Promise: `distinct_id` is the customer number, or the cookie where the client says that it is the device's own id; details of people are
taken from `$identify` alone, identifiers among them; the network address is left behind. Stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ingestion import messages, strictjson, surplus
from ingestion.commerce import EVENT_NAMES, Unreadable
from ingestion.messages import identifier, instant, part
from ingestion.source import Reading, Row
from privacy.dictionary.catalogue import snake
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

EVENTS = {
    "$pageview": "page_viewed",
    "$screen": "screen_viewed",
    "$identify": "identify",
    "$create_alias": "identify",
    "$groupidentify": "group",
}
KNOWN = frozenset({"event", "distinct_id", "properties", "timestamp", "uuid", "type", "library", "library_version", "receivedAt", "sentAt"})
"""What stands beside each other in a message; anything else is counted as unknown."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every message of one request."""

    source: SourceFacts
    catalogue: Catalogue
    received: int
    sent: Any
    replayed: bool


def read(
    parsed: strictjson.Parsed,
    source: SourceFacts,
    catalogue: Catalogue,
    *,
    received_at: datetime,
    request_id: str,
    replayed: bool = False,
) -> RawBatch:
    """Read one request. Replayed messages carry the instant of their first receipt."""
    envelope = parsed.value
    batch = envelope.get("batch") if isinstance(envelope, dict) else None
    if not isinstance(batch, list):
        raise Invalid("the body has no batch", code="batch_missing", field="batch")
    request = _Request(source, catalogue, messages.micros(received_at), envelope.get("sent_at"), replayed)
    faulty = {fault.index: fault for fault in parsed.faults}
    items = [
        _read(message, request)
        if index not in faulty
        else Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=partial(_held, message, request))
        for index, message in enumerate(batch)
    ]
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _read(message: Any, request: _Request) -> Reading:
    if not isinstance(message, dict):
        return Reading(None, rule=FormRule.NOT_AN_OBJECT, original=message)
    message_id: str | None = None
    held = partial(_held, message, request)
    try:
        message_id = identifier(message, "uuid")
        rows, dropped = _rows(message, request)
    except Unreadable as fault:
        return Reading(message_id, path=fault.path, rule=fault.rule, original=held)
    return Reading(message_id, rows=rows, dropped=dropped, original=held)


def _held(message: Any, request: _Request) -> Any:
    """The message as it must be kept to be read again without its envelope."""
    if not isinstance(message, dict) or request.replayed:
        return message
    return {**message, "receivedAt": request.received, "sentAt": request.sent}


def _rows(message: Mapping[str, Any], request: _Request) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    name = message.get("event")
    if not isinstance(name, str) or not name:
        raise Unreadable("event", FormRule.MISSING if name is None or name == "" else FormRule.WRONG_TYPE)
    properties = part(message, "properties")
    identifiers = _identifiers(message, properties)
    at = _time(message, request)
    forbidden = request.catalogue.forbidden
    outside, refuse = messages.unknown(message, "", KNOWN, forbidden)
    if name == "$identify" or (name == "$set" and properties.get("$set")):
        rows, counted = messages.member_rows(
            {**part(properties, "$set_once"), **part(properties, "$set")}, at, identifiers, (), request.catalogue, "$set"
        )
    else:
        word = EVENTS.get(name) or EVENT_NAMES.get(snake(name[:100]), "other")
        own = {key: value for key, value in properties.items() if not key.startswith("$")}
        around = {
            "session_id": properties.get("$session_id"),
            "page": properties.get("$pathname") or properties.get("$current_url"),
            "referrer": properties.get("$referrer"),
            "user_agent": properties.get("$raw_user_agent") or properties.get("$user_agent"),
        }
        rows, counted = messages.event_rows(word, at, own, around, identifiers, (), forbidden)
    if refuse or surplus.nested_forbidden(forbidden, properties):
        rows = tuple(row._replace(refuse=Reason.FORBIDDEN_CATEGORY.value) for row in rows)
    return rows, {**outside, **counted}


def _identifiers(message: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
    who = identifier(message, "distinct_id")
    if who is None:
        raise Unreadable("distinct_id", FormRule.MISSING)
    anonymous = who == properties.get("$device_id")
    found = {(IdentifierType.COOKIE if anonymous else IdentifierType.CUSTOMER_NO).value: who}
    before = identifier(properties, "$anon_distinct_id") or identifier(properties, "alias")
    if before is not None and not anonymous and message.get("event") in ("$identify", "$create_alias"):
        found[IdentifierType.COOKIE.value] = before
    return found


def _time(message: Mapping[str, Any], request: _Request) -> int:
    noted = message.get("receivedAt") if request.replayed else None
    received = noted if isinstance(noted, int) else request.received
    told = instant(message.get("timestamp"), "timestamp")
    sent = instant(message.get("sentAt") if request.replayed else request.sent, "sent_at") if told is not None else None
    return messages.corrected(told, sent, received)
