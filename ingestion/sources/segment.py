"""Messages of Segment's and RudderStack's clients, read into rows of the dictionary (reference/clients.md §3, wire.md 5.1 to 5.3).

Promise: a message is a visit's event, a member's details, the lines of an order, or a rule of form that it broke; nothing is guessed.
E-mail, phone and the like are taken from `identify` alone: RudderStack's browser client repeats them on every event, and there they are
left behind, as are the write key, the network address and whatever the dictionary does not know. Stores nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ingestion import strictjson, surplus
from ingestion.commerce import (
    EVENT_NAMES,
    MESSAGE_FIELDS,
    ORDER_KINDS,
    PRODUCT_FIELDS,
    PROPERTIES,
    SEX,
    TRAIT_FIELDS,
    TRAIT_IDENTIFIERS,
    TRAITS_LEFT_BEHIND,
    Unreadable,
    minor_units,
    order_lines,
)
from ingestion.source import Claim, Reading, Row
from privacy.dictionary.catalogue import snake
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

TYPES = ("track", "identify", "page", "screen", "group", "alias")
MAX_ID = 512
"""Longest id that is looked at; Segment's own limit for message ids is 100 characters."""
SKEW = timedelta(minutes=1)
"""From here on the sender's clock is corrected by the difference between sending and receipt."""
CONSENT_EVENT = "Segment Consent Preference Updated"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SKEW_MICROS = SKEW // _MICROSECOND
_LATEST = (datetime(9000, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every message of one request."""

    source: SourceFacts
    catalogue: Catalogue
    received: int
    sent: Any
    context: Mapping[str, Any]
    only: str | None


def read(
    parsed: strictjson.Parsed,
    source: SourceFacts,
    catalogue: Catalogue,
    *,
    received_at: datetime,
    request_id: str,
    only: str | None = None,
) -> RawBatch:
    """Read one request: a batch, or a single message whose type the route may tell (`only`)."""
    envelope = parsed.value
    if not isinstance(envelope, dict):
        raise Invalid("the body is not an object", code="invalid_json")
    messages = envelope.get("batch") if only is None and ("batch" in envelope or "type" not in envelope) else [envelope]
    if not isinstance(messages, list):
        raise Invalid("the body has no batch", code="batch_missing", field="batch")
    context = envelope.get("context")
    request = _Request(
        source=source,
        catalogue=catalogue,
        received=(received_at - _EPOCH) // _MICROSECOND,
        sent=envelope.get("sentAt"),
        context=context if isinstance(context, dict) and messages is envelope.get("batch") else {},
        only=only,
    )
    faulty = {fault.index: fault for fault in parsed.faults}
    items = [
        _read(message, request)
        if index not in faulty
        else Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=message)
        for index, message in enumerate(messages)
    ]
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _read(message: Any, request: _Request) -> Reading:
    if not isinstance(message, dict):
        return Reading(None, rule=FormRule.NOT_AN_OBJECT, original=message)
    message_id: str | None = None
    try:
        message_id = _id(message, "messageId")
        rows, dropped = _rows(message, request)
        rows, dropped = _beside(message, rows, dropped, request)
    except Unreadable as fault:
        return Reading(message_id, path=fault.path, rule=fault.rule, original=message)
    if message_id is None and (message.get("timestamp") or message.get("originalTimestamp")):
        message_id = "content:" + hashlib.sha256(strictjson.dumps(message)).hexdigest()
    return Reading(message_id, rows=rows, dropped=dropped, original=message)


def _rows(message: Mapping[str, Any], request: _Request) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    kind = request.only or message.get("type")
    if kind not in TYPES:
        raise Unreadable("type", FormRule.UNKNOWN_TYPE if kind is not None else FormRule.MISSING)
    context = _object(message, "context")
    if request.context:
        context = {**request.context, **context}
    identifiers = {}
    user, anonymous = _id(message, "userId"), _id(message, "anonymousId")
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
        previous = _id(message, "previousId")
        if previous is None or user is None:
            raise Unreadable("previousId" if previous is None else "userId", FormRule.MISSING)
        identifiers[IdentifierType.COOKIE.value] = previous
        return (Row("event", at, {"event": "identify"}, identifiers, _consents(context, at, request, explicit=False)),), {}
    if kind == "group" and _id(message, "groupId") is None:
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
    properties = _object(message, "properties")
    claims = _consents(context, at, request, explicit=explicit and not request.source.public)
    if explicit and not isinstance(_object(context, "consent").get("categoryPreferences"), dict):
        raise Unreadable("context.consent.categoryPreferences", FormRule.MISSING)
    dropped, refuse = _surplus(properties, "properties", PROPERTIES, request)
    if word in ("consent_updated", "group"):
        return (Row("event", at, {"event": word}, identifiers, claims, refuse),), dropped
    page = _object(context, "page")
    fields: dict[str, Any] = {
        "event": word,
        "product_id": properties.get("product_id") or properties.get("sku"),
        "store_id": properties.get("store_id") or properties.get("store"),
        "category": properties.get("category"),
        "channel": properties.get("channel"),
        "quantity": properties.get("quantity"),
        "currency": properties.get("currency"),
        "session_id": properties.get("session_id") or context.get("sessionId"),
        "step": properties.get("step"),
        "page": properties.get("path") or properties.get("url") or page.get("path") or page.get("url"),
        "referrer": properties.get("referrer") or page.get("referrer"),
        "user_agent": context.get("userAgent"),
        "region": properties.get("region"),
    }
    currency = fields["currency"]
    for place in ("value", "total", "revenue", "price"):
        if properties.get(place) is not None:
            fields["value_minor"] = minor_units(properties[place], currency, f"properties.{place}")
            break
    present = {field: value for field, value in fields.items() if value is not None and value != ""}
    rows = [Row("event", at, present, identifiers, claims, refuse)]
    if word in ORDER_KINDS and properties.get("products") is not None:
        rows += [Row("order_line", at, line, identifiers, (), refuse) for line in order_lines(word, properties)]
        unknown = Counter(key for product in properties["products"] for key in product if key not in PRODUCT_FIELDS)
        paths = {strictjson.safe_path(["properties", "products", key]): number for key, number in unknown.items()}
        dropped = {**dropped, **paths}
    return tuple(rows), dropped


@dataclass(slots=True)
class _Traits:
    """What the traits of one `identify` come to."""

    fields: dict[str, Any]
    identifiers: dict[str, str]
    dropped: dict[str, int]
    refuse: str | None = None


def _identify(
    message: Mapping[str, Any], context: Mapping[str, Any], identifiers: dict[str, str], at: int, request: _Request
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    traits = _Traits({}, identifiers, {})
    for key, value in {**_object(context, "traits"), **_object(message, "traits")}.items():
        if value is not None and value != "":
            _take_trait(traits, key, value, request)
    claims = _consents(context, at, request, explicit=False)
    if traits.fields or traits.refuse:
        return (Row("member", at, traits.fields, identifiers, claims, traits.refuse),), traits.dropped
    return (Row("event", at, {"event": "identify"}, identifiers, claims),), traits.dropped


def _take_trait(traits: _Traits, key: str, value: Any, request: _Request) -> None:
    """One trait: refused with its row, an identifier, a field, left behind, or unknown and counted. The law's words come first."""
    record = request.catalogue.record("member")
    name = snake(key)
    target = TRAIT_FIELDS.get(name, name)
    kind = TRAIT_IDENTIFIERS.get(name)
    field = record.fields.get(target)
    if surplus.names_forbidden(request.catalogue.forbidden, key) or surplus.nested_forbidden(request.catalogue.forbidden, value):
        traits.refuse = Reason.FORBIDDEN_CATEGORY.value
    elif target in record.child_fields:
        traits.refuse = traits.refuse or Reason.CHILD_FIELD.value
    elif kind is not None:
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise Unreadable(f"traits.{kind}", FormRule.WRONG_TYPE)
        traits.identifiers[kind] = str(value)
    elif field is not None and target != record.time and (not field.dropped or target in record.sensitive_fields):
        traits.fields[target] = SEX.get(str(value).strip().lower(), value) if target == "sex" else value
    elif name == "address" and isinstance(value, dict):
        if value.get("state"):
            traits.fields.setdefault("region", value["state"])
    elif name not in TRAITS_LEFT_BEHIND:
        path = strictjson.safe_path(["traits", key])
        traits.dropped[path] = traits.dropped.get(path, 0) + 1


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


def _surplus(values: Mapping[str, Any], place: str, known: frozenset[str], request: _Request) -> tuple[Mapping[str, int], str | None]:
    """Unknown properties by path, and whether one of them must not be there."""
    dropped: dict[str, int] = {}
    refuse: str | None = None
    for key, value in values.items():
        if key not in known and value is not None:
            path = strictjson.safe_path([place, key])
            dropped[path] = dropped.get(path, 0) + 1
            if value != "" and surplus.names_forbidden(request.catalogue.forbidden, key):
                refuse = Reason.FORBIDDEN_CATEGORY.value
        if isinstance(value, (dict, list)) and surplus.nested_forbidden(request.catalogue.forbidden, value):
            refuse = Reason.FORBIDDEN_CATEGORY.value
    return dropped, refuse


def _consents(context: Mapping[str, Any], at: int, request: _Request, *, explicit: bool) -> tuple[Claim, ...]:
    """What the message says about purposes: a purpose is allowed only if every category that stands for it is."""
    said: dict[str, bool] = {}
    consent = context.get("consent")
    if isinstance(consent, dict) and isinstance(consent.get("categoryPreferences"), dict):
        said = {name: value is True for name, value in consent["categoryPreferences"].items()}
    managed = context.get("consentManagement")
    if isinstance(managed, dict):
        for key, value in (("allowedConsentIds", True), ("deniedConsentIds", False)):
            names = managed.get(key)
            said |= {name: value for name in names if isinstance(name, str)} if isinstance(names, list) else {}
    if not said:
        return ()
    purposes: dict[str, bool] = {}
    for category, value in said.items():
        purpose = request.source.consent_categories.get(category)
        if purpose is not None:
            purposes[purpose] = purposes.get(purpose, True) and value
    return tuple(Claim(purpose, value, at, explicit) for purpose, value in purposes.items())


def _time(message: Mapping[str, Any], request: _Request) -> int:
    """When it happened, in microseconds: the sender's clock, corrected by receipt minus sending when they differ by over a minute."""
    place = "timestamp" if message.get("timestamp") else "originalTimestamp"
    told = _instant(message.get(place), place)
    if told is None:
        return request.received
    sent = _instant(message.get("sentAt") or request.sent, "sentAt")
    if sent is not None and abs(request.received - sent) > _SKEW_MICROS:
        told += request.received - sent
    return min(max(told, -_LATEST), _LATEST)


def _instant(value: Any, place: str) -> int | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 40:
        raise Unreadable(place, FormRule.BAD_TIME)
    try:
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise Unreadable(place, FormRule.BAD_TIME) from None


def _id(message: Mapping[str, Any], place: str) -> str | None:
    value = message.get(place)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    text = str(value)
    if len(text) > MAX_ID:
        raise Unreadable(place, FormRule.TOO_LONG)
    return text


def _object(message: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    value = message.get(place)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    return value
