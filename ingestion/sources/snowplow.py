"""Events of Snowplow's trackers, read into rows of the dictionary (reference/clients.md §2, §3).

Promise: page views, screen views, structured and self-describing events become the dictionary's events; a schema that nobody mapped is
`other`, its data are dropped and counted. `uid` is the customer number, `duid` the cookie; the network's id, the address and the texts of
structured events are left behind. The device's clock is corrected by the difference between its sending and our receipt; `ttm`, which
the sender vouches for, is not. Stores nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ingestion import messages, strictjson, surplus
from ingestion.commerce import EVENT_NAMES, Unreadable
from ingestion.messages import identifier, milliseconds
from ingestion.source import Reading, Row
from privacy.dictionary.catalogue import snake
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

TYPES = {"pv": "page_viewed", "pp": "other", "se": "other", "ue": "other", "tr": "order_completed", "ti": "other"}
"""Kinds of events: page view, page ping, structured, self-describing, and the two of the old shop protocol."""
SCHEMAS = {
    "page_view": "page_viewed",
    "screen_view": "screen_viewed",
    "link_click": "link_clicked",
    "site_search": "product_searched",
    "add_to_cart": "product_added",
    "remove_from_cart": "product_removed",
    "application_install": "app_installed",
    "application_foreground": "app_opened",
}
"""Names of Snowplow's own schemas; a retailer's schema is known by Segment's names of events (`order_completed`)."""
ACTIONS = {
    "add_to_basket": "product_added",
    "add_to_cart": "product_added",
    "remove_from_basket": "product_removed",
    "remove_from_cart": "product_removed",
    "product_view": "product_viewed",
    "list_view": "product_list_viewed",
    "list_click": "link_clicked",
    "checkout_step": "checkout_step",
    "transaction": "order_completed",
    "refund": "order_refunded",
    "promo_view": "promotion_viewed",
    "promo_click": "promotion_clicked",
}
"""Actions of structured events, and of Snowplow's schema for shops."""
CONSENT = {"allow_all": True, "implicit_consent": True, "deny_all": False, "withdrawn": False}
"""What an event of consent preferences says of every category; `allow_selected` names those that are allowed."""
PARAMETERS = frozenset({
    "e", "eid", "aid", "tna", "tv", "p", "uid", "duid", "tnuid", "nuid", "ip", "ua", "url", "page", "refr", "lang", "cs", "vp", "ds", "res",
    "cd", "tz", "cookie", "mac", "vid", "sid", "dtm", "stm", "ttm", "co", "cx", "ue_pr", "ue_px", "se_ca", "se_ac", "se_la", "se_pr", "se_va",
    "pp_mix", "pp_max", "pp_miy", "pp_may", "tr_id", "tr_af", "tr_tt", "tr_tx", "tr_sh", "tr_ci", "tr_st", "tr_co", "tr_cu", "ti_id", "ti_sk",
    "ti_nm", "ti_ca", "ti_pr", "ti_qu", "ti_cu", "fp", "receivedAt",
})  # fmt: skip
"""The protocol's own parameters; any other is counted as unknown."""
SESSION = "client_session"


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every event of one request."""

    source: SourceFacts
    catalogue: Catalogue
    received: int
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
    """Read one request: `payload_data`, whose `data` are the events. Replayed events carry the instant of their first receipt."""
    envelope = parsed.value
    events = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(events, list):
        raise Invalid("the body has no data", code="batch_missing", field="data")
    request = _Request(source, catalogue, messages.micros(received_at), replayed)
    faulty = {fault.index: fault for fault in parsed.faults}
    items = [
        _read(event, request)
        if index not in faulty
        else Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=partial(_held, event, request))
        for index, event in enumerate(events)
    ]
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _read(event: Any, request: _Request) -> Reading:
    if not isinstance(event, dict):
        return Reading(None, rule=FormRule.NOT_AN_OBJECT, original=event)
    event_id: str | None = None
    held = partial(_held, event, request)
    try:
        event_id = identifier(event, "eid")
        rows, dropped = _rows(event, request)
    except Unreadable as fault:
        return Reading(event_id, path=fault.path, rule=fault.rule, original=held)
    return Reading(event_id, rows=rows, dropped=dropped, original=held)


def _held(event: Any, request: _Request) -> Any:
    """The event as it must be kept to be read again: with the instant of its receipt, which its clock is compared with."""
    return {**event, "receivedAt": request.received} if isinstance(event, dict) and not request.replayed else event


def _rows(event: Mapping[str, Any], request: _Request) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    kind = event.get("e")
    if not isinstance(kind, str) or kind not in TYPES:
        raise Unreadable("e", FormRule.MISSING if kind is None or kind == "" else FormRule.UNKNOWN_TYPE)
    identifiers = _identifiers(event)
    at = _time(event, request)
    forbidden = request.catalogue.forbidden
    word = TYPES[kind]
    properties: Mapping[str, Any] = {}
    said: dict[str, bool] = {}
    if kind == "se":
        word = _word(_text(event, "se_ac"))
    elif kind == "tr":
        properties = {"total": event.get("tr_tt"), "currency": event.get("tr_cu"), "order_id": event.get("tr_id")}
    elif kind == "ue":
        name, properties = _described(_object(event, "ue_pr", "ue_px", required=True))
        word, said = _meaning(name, properties, request)
    contexts, session, strange = _contexts(event)
    around = {"session_id": session, "page": event.get("url"), "referrer": event.get("refr"), "user_agent": event.get("ua")}
    claims = messages.claims(said, request.source, at)
    rows, dropped = messages.event_rows(word, at, {} if word == "consent_updated" else properties, around, identifiers, claims, forbidden)
    outside, refuse = messages.unknown(event, "", PARAMETERS, forbidden)
    dropped = {**dropped, **outside, **strange}
    if refuse or surplus.nested_forbidden(forbidden, contexts) or surplus.nested_forbidden(forbidden, properties):
        rows = tuple(row._replace(refuse=Reason.FORBIDDEN_CATEGORY.value) for row in rows)
    return rows, dropped


def _identifiers(event: Mapping[str, Any]) -> dict[str, str]:
    user, cookie = identifier(event, "uid"), identifier(event, "duid") or identifier(event, "tnuid")
    found = {} if user is None else {IdentifierType.CUSTOMER_NO.value: user}
    found |= {} if cookie is None else {IdentifierType.COOKIE.value: cookie}
    if not found:
        raise Unreadable("uid", FormRule.MISSING)
    return found


def _time(event: Mapping[str, Any], request: _Request) -> int:
    """`ttm` as it is, else `dtm` by our clock."""
    noted = event.get("receivedAt") if request.replayed else None
    received = noted if isinstance(noted, int) else request.received
    true = milliseconds(event.get("ttm"), "ttm")
    if true is not None:
        return messages.corrected(true, None, received)
    return messages.corrected(milliseconds(event.get("dtm"), "dtm"), milliseconds(event.get("stm"), "stm"), received)


# ── what an event says ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _word(name: str) -> str:
    plain = snake(name[:100])
    return ACTIONS.get(plain) or EVENT_NAMES.get(plain, "other")


def _meaning(name: str, data: Mapping[str, Any], request: _Request) -> tuple[str, dict[str, bool]]:
    """The dictionary's word for a schema, and what it says about categories of consent."""
    plain = snake(name[:100])
    if plain in ("consent_preferences", "consent_withdrawn", "consent_granted"):
        return "consent_updated", _preferences(plain, data, request.source)
    if plain == "snowplow_ecommerce_action":
        return _word(_text(data, "type")), {}
    return SCHEMAS.get(plain) or EVENT_NAMES.get(plain, "other"), {}


def _preferences(name: str, data: Mapping[str, Any], source: SourceFacts) -> dict[str, bool]:
    """An assertion about every category of the source, however many the event names: what is not allowed is denied."""
    if name != "consent_preferences":
        return dict.fromkeys(source.consent_categories, False) if name == "consent_withdrawn" and data.get("all") is True else {}
    word, scopes = data.get("event_type"), data.get("consent_scopes")
    if isinstance(word, str) and word in CONSENT:
        return dict.fromkeys(source.consent_categories, CONSENT[word])
    if word != "allow_selected":
        return {}
    allowed = {scope for scope in scopes if isinstance(scope, str)} if isinstance(scopes, list) else set()
    return {category: category in allowed for category in source.consent_categories}


def _contexts(event: Mapping[str, Any]) -> tuple[list[Any], str | None, dict[str, int]]:
    """What is attached to the event: only the session's name is taken, the rest is counted by the schemas' names."""
    attached = _object(event, "co", "cx", required=False).get("data")
    if attached is None:
        attached = []
    if not isinstance(attached, list):
        raise Unreadable("co", FormRule.WRONG_TYPE)
    session, strange = _text(event, "sid") or None, dict[str, int]()
    for one in attached:
        if not isinstance(one, dict):
            raise Unreadable("co", FormRule.WRONG_TYPE)
        name, data = _schema_name(one), one.get("data")
        if name == SESSION and isinstance(data, dict):
            session = _text(data, "sessionId") or session
            continue
        path = strictjson.safe_path(["contexts", name])
        strange[path] = strange.get(path, 0) + 1
    return attached, session, strange


def _described(outer: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the data of the event inside its two wrappings."""
    inner = outer.get("data")
    if not isinstance(inner, dict):
        raise Unreadable("ue_pr", FormRule.WRONG_TYPE)
    data = inner.get("data")
    if data is not None and not isinstance(data, dict):
        raise Unreadable("ue_pr", FormRule.WRONG_TYPE)
    return _schema_name(inner), data or {}


def _schema_name(described: Mapping[str, Any]) -> str:
    """`order` of `iglu:com.acme/order/jsonschema/1-0-0`."""
    parts = described["schema"].removeprefix("iglu:").split("/") if isinstance(described.get("schema"), str) else []
    return parts[1] if len(parts) == 4 else ""


def _object(event: Mapping[str, Any], plain: str, encoded: str, *, required: bool) -> Mapping[str, Any]:
    """The JSON object inside a parameter, as text or as base64 of either alphabet, with or without its padding."""
    place, value = (plain, event.get(plain)) if event.get(plain) else (encoded, event.get(encoded))
    if value is None or value == "":
        if required:
            raise Unreadable(plain, FormRule.MISSING)
        return {}
    if not isinstance(value, str):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    try:
        raw = value.encode() if place == plain else _decoded(value)
        parsed = strictjson.loads(raw, items="")
    except (Invalid, binascii.Error, ValueError):
        raise Unreadable(place, FormRule.NOT_AN_OBJECT) from None
    if parsed.faults:
        raise Unreadable(place, parsed.faults[0].rule)
    if not isinstance(parsed.value, dict):
        raise Unreadable(place, FormRule.NOT_AN_OBJECT)
    return parsed.value


def _decoded(text: str) -> bytes:
    bare = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _text(values: Mapping[str, Any], place: str) -> str:
    value = values.get(place)
    if value is not None and not isinstance(value, str):
        raise Unreadable(place, FormRule.WRONG_TYPE)
    return value or ""
