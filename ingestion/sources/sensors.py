"""Messages of Sensors Data's (神策) SDKs: what they post is unpacked, and read into rows of the dictionary (reference/wire.md 5.4).

Promise: an event becomes a visit's event, a profile a member's details, a sign-up the link of two names of one person; nothing is guessed.
A `distinct_id` is a customer number only where the message says that it is a login; else it is a cookie. Times are counts of milliseconds
since 1970 in UTC, corrected by the sender's flush time. Network addresses, libraries and every other preset that the dictionary does not
know are dropped and counted. Unbinding and deleting are acts that a person's request needs; here they store nothing. Stores nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import urllib.parse
import zlib
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ingestion import messages, strictjson, surplus
from ingestion.commerce import EVENT_NAMES, PROPERTIES, Unreadable
from ingestion.messages import corrected, identifier, part
from ingestion.source import Reading, Row
from privacy.dictionary.catalogue import snake
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import SourceFacts

MAX_EVENT = 100
PRESETS = {
    "$pageview": "page_viewed", "$AppViewScreen": "screen_viewed", "$MPViewScreen": "screen_viewed", "$AppStart": "app_opened",
    "$MPLaunch": "app_opened", "$MPShow": "app_opened", "$AppInstall": "app_installed", "$WebClick": "link_clicked",
    "$AppClick": "link_clicked", "$MPClick": "link_clicked", "$MPShare": "product_shared", "$SignUp": "signed_up",
}  # fmt: skip
"""The SDKs' own events; other names are read as everybody's (`Product Viewed`, `productViewed`), and what is left is `other`."""
IDENTITIES = {
    "$identity_login_id": IdentifierType.CUSTOMER_NO, "$identity_mobile": IdentifierType.PHONE, "$identity_email": IdentifierType.EMAIL,
    "$identity_cookie_id": IdentifierType.COOKIE, "$identity_anonymous_id": IdentifierType.COOKIE,
    "$identity_mp_openid": IdentifierType.OPENID, "$identity_mp_unionid": IdentifierType.UNIONID,
    "$identity_unionid": IdentifierType.UNIONID, "$identity_idfv": IdentifierType.DEVICE, "$identity_idfa": IdentifierType.DEVICE,
    "$identity_ios_uuid": IdentifierType.DEVICE, "$identity_android_id": IdentifierType.DEVICE,
    "$identity_android_uuid": IdentifierType.DEVICE, "$identity_oaid": IdentifierType.DEVICE,
}  # fmt: skip
AROUND = {
    "session_id": ("$event_session_id",), "page": ("$url", "$url_path", "$screen_name"), "referrer": ("$referrer",),
    "user_agent": ("$user_agent",), "region": ("$city", "$province"),
}  # fmt: skip
"""Fields of an event and the presets that may hold them where the sender's own properties do not: the first one that is there."""
MESSAGE_FIELDS = frozenset(
    {
        "type", "time", "distinct_id", "properties", "event", "original_id", "login_id", "anonymous_id", "identities", "lib", "project",
        "token", "time_free", "item_type", "item_id", "_track_id", "_flush_time", "_hybrid_h5", "_received",
    }
)  # fmt: skip
_TAKEN = frozenset(name for names in AROUND.values() for name in names) | {"$is_login_id"}
PROFILE = ("profile_set", "profile_set_once")
LINKS = ("track_signup", "track_id_bind")
SILENT = ("profile_unset", "profile_delete", "profile_increment", "profile_append", "track_id_unbind", "item_set", "item_delete")
"""Types that hold nothing for the lake: counted as `nothing_to_store`."""
_EVENT = re.compile(r"[^\d\W]|\$")


# ── the envelope ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unpack(body: bytes, *, limit: int) -> bytes:
    """The JSON of a request: `{"batch": […]}`, out of a form's base64 and gzip, or as it is. Raises Invalid `bad_encoding`, `too_large`."""
    text = (_inflated(body, limit) if body[:2] == b"\x1f\x8b" else body).strip()
    if text[:1] not in (b"{", b"["):
        text = _of_form(text, limit).strip()
    return b'{"batch":' + (text if text[:1] == b"[" else b"[" + text + b"]") + b"}"


def _of_form(text: bytes, limit: int) -> bytes:
    try:
        form = dict(urllib.parse.parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=20))
    except (UnicodeDecodeError, ValueError):
        raise Invalid("the body is neither a form nor JSON", code="bad_encoding") from None
    packed = form.get("data_list") or form.get("data")
    if not packed:
        raise Invalid("the form has no data", code="batch_missing", field="data_list")
    told = form.get("crc") or dict(urllib.parse.parse_qsl(form.get("ext", ""))).get("crc")
    if told and told != str(checksum(packed)):
        raise Invalid("the data does not fit its check sum", code="bad_encoding", field="crc")
    try:
        raw = base64.b64decode(packed.replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("the data is not base64", code="bad_encoding", field="data_list") from None
    return _inflated(raw, limit) if raw[:2] == b"\x1f\x8b" else _within(raw, limit)


def _inflated(raw: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(31)
    try:
        plain = _within(inflater.decompress(raw, limit + 1), limit)
    except zlib.error:
        raise Invalid("the data is not valid gzip", code="bad_encoding", field="gzip") from None
    if not inflater.eof or inflater.unused_data:
        raise Invalid("the data is cut short, or goes on after its end", code="bad_encoding", field="gzip")
    return plain


def _within(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        raise Invalid("the data is larger than this endpoint takes", code="too_large")
    return raw


def checksum(text: str) -> int:
    """The SDKs' check sum: h = 31 h + character, as a signed 32-bit number."""
    places = np.frombuffer(text.encode("latin-1", "replace"), np.uint8).astype(np.uint32)
    powers = np.cumprod(np.r_[np.uint32(1), np.full(max(len(places) - 1, 0), 31, np.uint32)], dtype=np.uint32)[: len(places)][::-1]
    total = int(np.sum(places * powers, dtype=np.uint32))
    return total - (1 << 32) if total >= 1 << 31 else total


# ── messages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Request:
    catalogue: Catalogue
    received: int
    replayed: bool


def read(
    parsed: strictjson.Parsed, source: SourceFacts, catalogue: Catalogue, *, received_at: datetime, request_id: str, replayed: bool = False
) -> RawBatch:
    """Reads the messages of one request; of held ones that are `replayed` the clocks are compared with their first receipt."""
    sent = parsed.value.get("batch") if isinstance(parsed.value, dict) else None
    if not isinstance(sent, list):
        raise Invalid("the body has no batch", code="batch_missing", field="data_list")
    request = _Request(catalogue, messages.micros(received_at), replayed)
    faulty = {fault.index: fault for fault in parsed.faults}
    items = [
        _read(message, request)
        if index not in faulty
        else Reading(None, path=faulty[index].path, rule=faulty[index].rule, original=partial(_held, message, request))
        for index, message in enumerate(sent)
    ]
    return RawBatch(source=source, received_at=received_at, items=items, request_id=request_id)


def _held(message: Any, request: _Request) -> Any:
    """The message as it is kept: with the instant of its first receipt."""
    return message | {"_received": request.received} if isinstance(message, dict) and not request.replayed else message


def _read(message: Any, request: _Request) -> Reading:
    if not isinstance(message, dict):
        return Reading(None, rule=FormRule.NOT_AN_OBJECT, original=message)
    message_id, held = _message_id(message), partial(_held, message, request)
    forbidden = surplus.nested_forbidden(request.catalogue.forbidden, message)
    try:
        rows, dropped = _rows(message, request)
    except Unreadable as fault:
        if not forbidden:
            return Reading(message_id, path=fault.path, rule=fault.rule, original=held)
        rows, dropped = (Row("event", request.received, {"event": "other"}, {}),), {}
    if forbidden:
        rows = tuple(row._replace(refuse=Reason.FORBIDDEN_CATEGORY.value) for row in rows)
    unknown = Counter(strictjson.safe_path([key]) for key, value in message.items() if key not in MESSAGE_FIELDS and value is not None)
    return Reading(message_id, rows=rows, dropped=unknown + Counter(dropped), original=held)


def _message_id(message: Mapping[str, Any]) -> str | None:
    """The SDKs give none: a digest of what a retry does not change. Two equal messages of one millisecond are one."""
    if not message.get("time"):
        return None
    lasting = {key: value for key, value in message.items() if key not in ("_flush_time", "_received")}
    return "content:" + hashlib.sha256(strictjson.dumps(lasting)).hexdigest()


def _rows(message: Mapping[str, Any], request: _Request) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    kind = message.get("type")
    if not isinstance(kind, str) or (kind != "track" and kind not in (*PROFILE, *LINKS, *SILENT)):
        raise Unreadable("type", FormRule.MISSING if kind is None else FormRule.UNKNOWN_TYPE)
    if kind in SILENT:
        return (), {}
    properties = part(message, "properties")
    identifiers = _who(message, properties, kind)
    if not identifiers:
        raise Unreadable("distinct_id", FormRule.MISSING)
    at = _time(message, request)
    forbidden = request.catalogue.forbidden
    rows: tuple[Row, ...]
    if kind in PROFILE:
        rows, dropped = messages.member_rows(_own(properties), at, identifiers, (), request.catalogue, "properties")
    elif kind in LINKS:
        dropped, refuse = messages.unknown(_own(properties), "properties", PROPERTIES, forbidden)
        rows = (Row("event", at, {"event": "identify"}, identifiers, (), refuse),)
    else:
        rows, dropped = _event(message, properties, identifiers, at, request)
    strange = Counter(strictjson.safe_path(["identities", key]) for key in part(message, "identities") if key not in IDENTITIES)
    return rows, strange + _presets(properties, _TAKEN if kind == "track" else {"$is_login_id"}) + Counter(dropped)


def _event(
    message: Mapping[str, Any], properties: Mapping[str, Any], identifiers: Mapping[str, str], at: int, request: _Request
) -> tuple[tuple[Row, ...], Mapping[str, int]]:
    name = message.get("event")
    if not isinstance(name, str) or not name:
        raise Unreadable("event", FormRule.MISSING if name is None or name == "" else FormRule.WRONG_TYPE)
    if len(name) > MAX_EVENT:
        raise Unreadable("event", FormRule.TOO_LONG)
    if not _EVENT.match(name):
        raise Unreadable("event", FormRule.BAD_PATTERN)
    word = PRESETS.get(name) or EVENT_NAMES.get(snake(name), "other")
    around = {field: next((properties[one] for one in places if properties.get(one)), None) for field, places in AROUND.items()}
    own = _own(properties)
    listed = own.get("products")
    if isinstance(listed, list) and not all(isinstance(one, dict) for one in listed):
        own = {key: value for key, value in own.items() if key != "products"} | {"products_listed": listed}
    return messages.event_rows(word, at, own, around, identifiers, (), request.catalogue.forbidden)


def _own(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The sender's own properties, without the SDK's presets."""
    return {key: value for key, value in properties.items() if not key.startswith("$")}


def _presets(properties: Mapping[str, Any], known: AbstractSet[str]) -> Counter[str]:
    """Presets that nothing is taken from, by path."""
    return Counter(
        strictjson.safe_path(["properties", key])
        for key, value in properties.items()
        if key.startswith("$") and key not in known and value is not None
    )


def _who(message: Mapping[str, Any], properties: Mapping[str, Any], kind: str) -> dict[str, str]:
    """The names of whoever it was. With `identities` the `distinct_id` is only put together from them and says nothing more."""
    found: dict[str, str] = {}
    identities = part(message, "identities")
    for key, type_ in IDENTITIES.items():
        if (text := identifier(identities, key)) is not None:
            found.setdefault(type_.value, text)
    login, anonymous = identifier(message, "login_id"), identifier(message, "anonymous_id")
    distinct = identifier(message, "distinct_id")
    if kind == "track_signup":
        original = identifier(message, "original_id")
        if distinct is None or original is None:
            raise Unreadable("original_id" if distinct else "distinct_id", FormRule.MISSING)
        login, anonymous = login or distinct, anonymous or original
    elif distinct is not None and not found:
        if properties.get("$is_login_id") is True:
            login = login or distinct
        elif distinct != login:
            anonymous = anonymous or distinct
    if login is not None:
        found.setdefault(IdentifierType.CUSTOMER_NO.value, login)
    if anonymous is not None:
        found.setdefault(IdentifierType.COOKIE.value, anonymous)
    return found


def _time(message: Mapping[str, Any], request: _Request) -> int:
    """The sender's clock in milliseconds, corrected by when the SDK says that it sent."""
    noted = message.get("_received") if request.replayed else None
    return corrected(
        messages.milliseconds(message.get("time"), "time"),
        messages.milliseconds(message.get("_flush_time"), "_flush_time"),
        noted if isinstance(noted, int) else request.received,
    )
