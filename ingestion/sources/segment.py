"""Messages of Segment's and RudderStack's clients, read into rows of the dictionary (reference/clients.md §3, wire.md 5.1 to 5.3).

Promise: a message is a visit's event, a member's details, the lines of an order, or a rule of form that it broke; nothing is guessed.
E-mail, phone and the like are taken from `identify` alone: RudderStack's browser client repeats them on every event, and there they are
left behind, as are the write key, the network address and whatever the dictionary does not know. Stores nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ingestion import messages, strictjson, surplus
from ingestion.commerce import (
    EVENT_NAMES,
    MESSAGE_FIELDS,
    PROPERTIES,
    Unreadable,
)
from ingestion.messages import identifier, instant, part
from ingestion.source import Claim, Reading, Row
from privacy.dictionary.catalogue import snake
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import ALIAS, FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

TYPES = ("track", "identify", "page", "screen", "group", "alias")
CONSENT_EVENT = "Segment Consent Preference Updated"
NEVER_KEPT = frozenset({"writeKey", "_metadata"})
"""What a message carries for the endpoint alone (clients.md §3); a held message goes without it."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every message of one request."""

    source: SourceFacts
    catalogue: Catalogue
    received: int
    sent: Any
    context: Mapping[str, Any]
    only: str | None
    replayed: bool


def read(
    parsed: strictjson.Parsed,
    source: SourceFacts,
    catalogue: Catalogue,
    *,
    received_at: datetime,
    request_id: str,
    only: str | None = None,
    replayed: bool = False,
) -> RawBatch:
    """Read one request: a batch, or a single message whose type the route may tell (`only`).

    Messages that were held and are `replayed` carry the instant of their first receipt, which their clocks are compared with.
    """
    envelope = parsed.value
    if not isinstance(envelope, dict):
        raise Invalid("the body is not an object", code="invalid_json")
    sent = envelope.get("batch") if only is None and ("batch" in envelope or "type" not in envelope) else [envelope]
    if not isinstance(sent, list):
        raise Invalid("the body has no batch", code="batch_missing", field="batch")
    context = envelope.get("context")
    request = _Request(
        source=source,
        catalogue=catalogue,
        received=messages.micros(received_at),
        sent=envelope.get("sentAt"),
        context=context if isinstance(context, dict) and sent is envelope.get("batch") else {},
        only=only,
        replayed=replayed,
    )
    faulty = {fault.index: fault for fault in parsed.faults}
    items = [
        _read(message, request)
        if index not in faulty
        else Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=partial(_held, message, request))
        for index, message in enumerate(sent)
    ]
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _read(message: Any, request: _Request) -> Reading:
    if not isinstance(message, dict):
        return Reading(None, rule=FormRule.NOT_AN_OBJECT, original=message)
    message_id: str | None = None
    held = partial(_held, message, request)
    try:
        message_id = identifier(message, "messageId")
        rows, dropped = _rows(message, request)
        rows, dropped = _beside(message, rows, dropped, request)
    except Unreadable as fault:
        return Reading(message_id, path=fault.path, rule=fault.rule, original=held)
    return Reading(message_id or _content(message), rows=rows, dropped=dropped, original=held)


def _content(message: Mapping[str, Any]) -> str | None:
    """What stands for the id of a message that has none and tells its time: the digest of the whole."""
    if not (message.get("timestamp") or message.get("originalTimestamp")):
        return None
    return "content:" + hashlib.sha256(strictjson.dumps(message)).hexdigest()


def _held(message: Any, request: _Request) -> Any:
    """The message as it must be kept to be read again without its request: with what route and envelope told, without the key."""
    if not isinstance(message, dict):
        return message
    told: dict[str, Any] = {"type": request.only} if request.only else {}
    told |= {"context": {**request.context, **(message.get("context") or {})}} if request.context and _plain(message) else {}
    told |= {"messageId": content} if not message.get("messageId") and (content := _content(message)) else {}
    if not request.replayed:
        told |= {"receivedAt": request.received}
        told |= {"sentAt": request.sent} if request.sent and not message.get("sentAt") else {}
    return {name: value for name, value in message.items() if name not in NEVER_KEPT} | told


def _plain(message: Mapping[str, Any]) -> bool:
    return message.get("context") is None or isinstance(message["context"], dict)


def _received(message: Mapping[str, Any], request: _Request) -> int:
    """When the message came in first; of a held one it stands where we wrote it."""
    noted = message.get("receivedAt") if request.replayed else None
    return noted if isinstance(noted, int) else request.received


def _rows(message: Mapping[str, Any], request: _Request) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    kind = request.only or message.get("type")
    if kind not in TYPES:
        raise Unreadable("type", FormRule.UNKNOWN_TYPE if kind is not None else FormRule.MISSING)
    context = part(message, "context")
    if request.context:
        context = {**request.context, **context}
    identifiers = {}
    user, anonymous = identifier(message, "userId"), identifier(message, "anonymousId")
    if user is not None:
        identifiers[IdentifierType.CUSTOMER_NO.value] = user
    if anonymous is not None:
        identifiers[IdentifierType.COOKIE.value] = anonymous
    if not identifiers:
        raise Unreadable("userId", FormRule.MISSING)
    at = _time(message, request)
    if kind == "identify":
        return _identify(message, context, identifiers, at, request)
    if kind == "alias":
        previous = identifier(message, "previousId")
        if previous is None or user is None:
            raise Unreadable("previousId" if previous is None else "userId", FormRule.MISSING)
        identifiers[IdentifierType.COOKIE.value] = previous
        if previous != anonymous and not request.source.public:
            identifiers[ALIAS] = previous  # nobody says whether the earlier id was a visitor's or a customer's: it is looked for as both
        return (Row("event", at, {"event": "identify"}, identifiers, _consents(context, at, request, explicit=False)),), {}
    if kind == "group" and identifier(message, "groupId") is None:
        raise Unreadable("groupId", FormRule.MISSING)
    return _event(kind, message, context, identifiers, at, request)


def _event(
    kind: str, message: Mapping[str, Any], context: Mapping[str, Any], identifiers: dict[str, str], at: int, request: _Request
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    name = message.get("event")
    explicit = False
    if kind == "track":
        if not isinstance(name, str) or not name:
            raise Unreadable("event", FormRule.MISSING if name is None or name == "" else FormRule.WRONG_TYPE)
        explicit = name == CONSENT_EVENT
        word = "consent_updated" if explicit else EVENT_NAMES.get(snake(name[:100]), "other")
    else:
        word = {"page": "page_viewed", "screen": "screen_viewed", "group": "group"}[kind]
    properties = part(message, "properties")
    claims = _consents(context, at, request, explicit=explicit and not request.source.public)
    if explicit and not isinstance(part(context, "consent").get("categoryPreferences"), dict):
        raise Unreadable("context.consent.categoryPreferences", FormRule.MISSING)
    forbidden = request.catalogue.forbidden
    if word in ("consent_updated", "group"):
        dropped, refuse = messages.unknown(properties, "properties", PROPERTIES, forbidden)
        return (Row("event", at, {"event": word}, identifiers, claims, refuse),), dropped
    page = part(context, "page")
    around = {
        "session_id": context.get("sessionId"),
        "page": page.get("path") or page.get("url"),
        "referrer": page.get("referrer"),
        "user_agent": context.get("userAgent"),
    }
    return messages.event_rows(word, at, properties, around, identifiers, claims, forbidden)


def _identify(
    message: Mapping[str, Any], context: Mapping[str, Any], identifiers: dict[str, str], at: int, request: _Request
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    traits = {**part(context, "traits"), **part(message, "traits")}
    return messages.member_rows(traits, at, identifiers, _consents(context, at, request, explicit=False), request.catalogue)


def _beside(
    message: Mapping[str, Any], rows: tuple[Row, ...], dropped: Mapping[str, int], request: _Request
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    """What stands beside the fields that a message has: unknown names are counted, a forbidden one refuses all of its rows, wherever it is."""
    forbidden = request.catalogue.forbidden
    unknown = [key for key, value in message.items() if key not in MESSAGE_FIELDS and value is not None]
    if unknown:
        dropped = dict(dropped)
        for key in unknown:
            path = strictjson.safe_path([key])
            dropped[path] = dropped.get(path, 0) + 1
    wrong = any(surplus.names_forbidden(forbidden, key) or surplus.nested_forbidden(forbidden, message[key]) for key in unknown)
    if wrong or surplus.nested_forbidden(forbidden, message.get("context")):
        rows = tuple(row._replace(refuse=Reason.FORBIDDEN_CATEGORY.value) for row in rows)
    return rows, dropped


def _consents(context: Mapping[str, Any], at: int, request: _Request, *, explicit: bool) -> tuple[Claim, ...]:
    """What the message says about categories, in Segment's words or in RudderStack's."""
    said: dict[str, bool] = {}
    consent = context.get("consent")
    if isinstance(consent, dict) and isinstance(consent.get("categoryPreferences"), dict):
        said = {name: value is True for name, value in consent["categoryPreferences"].items()}
    managed = context.get("consentManagement")
    if isinstance(managed, dict):
        for key, value in (("allowedConsentIds", True), ("deniedConsentIds", False)):
            names = managed.get(key)
            said |= {name: value for name in names if isinstance(name, str)} if isinstance(names, list) else {}
    return messages.claims(said, request.source, at, explicit=explicit) if said else ()


def _time(message: Mapping[str, Any], request: _Request) -> int:
    """When it happened, in microseconds by our clock."""
    place = "timestamp" if message.get("timestamp") else "originalTimestamp"
    told = instant(message.get(place), place)
    sent = instant(message.get("sentAt") or request.sent, "sentAt") if told is not None else None
    return messages.corrected(told, sent, _received(message, request))
