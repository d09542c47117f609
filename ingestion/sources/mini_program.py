"""Messages of a mini-program: Segment's shape, WeChat's names of people, and the proof that its user agreed to the privacy notice.

Promise: a message that does not say when its user agreed, and to which notice, is refused and counted whatever else is in it, and nothing
of it is kept; only a refusal that it carries is recorded. Agreeing to a notice is not consent: what says so still meets the consent gate.
An openid means something only inside its own mini-program: register one source for each, with the appid as its namespace; an openid that
names another appid is kept apart by it. What a stored message says of the agreement goes on with its rows, as evidence. The reader of the
messages themselves is handed in. Stores nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingestion import strictjson
from ingestion.commerce import Unreadable
from ingestion.messages import identifier, instant, micros, milliseconds
from ingestion.source import Agreed, Reading, Row
from privacy.errors import Invalid
from privacy.records import RawBatch
from privacy.vocabulary import FormRule, IdentifierType, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from privacy.records import SourceFacts

    Reader = Callable[[strictjson.Parsed], RawBatch]

OWN = ("openid", "unionid", "appid", "privacy", "privacyAgreement")
"""What a mini-program may say beside the message, or in its context; the general reader never sees it."""
EVIDENCE = ("privacyAgreement", "privacy")
MAX_VERSION = 200
_APPID = re.compile(r"wx[0-9a-zA-Z]{16}\Z")
_NOBODY = "-"
"""Stands for the visitor while the general reader looks for one; it names nobody and is taken out again."""


def read(parsed: strictjson.Parsed, source: SourceFacts, *, received_at: datetime, only: str | None, reader: Reader) -> RawBatch:
    """Reads one request. `reader` reads messages of Segment's shape out of what it is given."""
    envelope = parsed.value
    if not isinstance(envelope, dict):
        raise Invalid("the body is not an object", code="invalid_json")
    batched = only is None and ("batch" in envelope or "type" not in envelope)
    sent = envelope.get("batch") if batched else [envelope]
    if not isinstance(sent, list):
        raise Invalid("the body has no batch", code="batch_missing", field="batch")
    around = envelope.get("context") if batched else None
    shared = around if isinstance(around, dict) else {}
    told = [_told(message, shared) for message in sent]
    plain = [_plain(message, own) if isinstance(message, dict) else message for message, own in zip(sent, told, strict=True)]
    without = {key: value for key, value in shared.items() if key not in OWN}
    general = {**envelope, "batch": plain} | ({"context": without} if batched and "context" in envelope else {})
    raw = reader(strictjson.Parsed(general if batched else plain[0], parsed.faults))
    received = micros(received_at)
    items = [_item(*each, source, received) for each in zip(raw.items or (), sent, told, strict=True)]
    return replace(raw, items=items)


def _told(message: Any, shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the message says of its own: at its top, in its context, or in its batch's, in this order."""
    if not isinstance(message, dict):
        return {}
    context = message.get("context")
    places = (message, context if isinstance(context, dict) else {}, shared)
    return {name: found for name in OWN if (found := next((one[name] for one in places if one.get(name)), None)) is not None}


def _plain(message: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in message.items() if key not in OWN}
    if isinstance(plain.get("context"), dict):
        plain["context"] = {key: value for key, value in plain["context"].items() if key not in OWN}
    if not plain.get("userId") and not plain.get("anonymousId") and (own.get("openid") or own.get("unionid")):
        plain["anonymousId"] = _NOBODY
    return plain


def _item(reading: Reading, message: Any, own: Mapping[str, Any], source: SourceFacts, received: int) -> Reading:
    original = _held(reading, own)
    names, fault = _names(own, source)
    try:
        agreed = _agreed(own, message, received) if isinstance(message, dict) else None
    except Unreadable:
        agreed = None
    if agreed is None:
        return _refused(reading, names, received)
    if reading.rule is not None:
        return replace(reading, original=original)
    if fault is not None:
        return Reading(reading.message_id, path=fault.path, rule=fault.rule, original=original)
    rows = tuple(row._replace(identifiers=_with(row, names), agreed=agreed) for row in reading.rows)
    return replace(reading, rows=rows, original=original)


def _held(reading: Reading, own: Mapping[str, Any]) -> Callable[[], Any]:
    """The message as it would be kept: what the general reader keeps, and what it never saw."""

    def make() -> Any:
        kept = reading.original() if callable(reading.original) else reading.original
        if not isinstance(kept, dict):
            return kept
        return {key: value for key, value in kept.items() if not (key == "anonymousId" and value == _NOBODY)} | dict(own)

    return make


def _agreed(own: Mapping[str, Any], message: Mapping[str, Any], received: int) -> Agreed | None:
    """What the evidence says, if it names the notice and an instant that is not after the event, both by the sender's clock."""
    evidence = next((own[name] for name in EVIDENCE if isinstance(own.get(name), dict)), None)
    if evidence is None:
        return None
    version = evidence.get("version") or evidence.get("contractName")
    if not isinstance(version, str) or not 0 < len(version) <= MAX_VERSION:
        return None
    given = evidence.get("agreedAt")
    at = instant(given, "agreedAt") if isinstance(given, str) else milliseconds(given, "agreedAt")
    return Agreed(version, at) if at is not None and at <= _happened(message, received) else None


def _happened(message: Mapping[str, Any], received: int) -> int:
    """When the sender says it was; a time that cannot be read is a fault of form, which is told later."""
    try:
        told = instant(message.get("timestamp") or message.get("originalTimestamp"), "timestamp")
    except Unreadable:
        return received
    return received if told is None else told


def _refused(reading: Reading, names: Mapping[str, str], received: int) -> Reading:
    """Nothing but the reason and the noes of the message go on; law before form, so that nothing of it is ever held."""
    told = reading.rows[0] if reading.rule is None and reading.rows else None
    noes = tuple(claim for claim in told.claims if not claim.granted) if told else ()
    row = Row(
        "event",
        told.at if told else received,
        {"event": "other"},
        _with(told, names) if told and noes else {},
        noes,
        Reason.NO_PRIVACY_AGREEMENT.value,
    )
    return Reading(reading.message_id, rows=(row,))


def _names(own: Mapping[str, Any], source: SourceFacts) -> tuple[dict[str, str], Unreadable | None]:
    """WeChat's names of the user, or what is wrong with them."""
    names: dict[str, str] = {}
    try:
        openid, unionid, appid = (identifier(own, name) for name in ("openid", "unionid", "appid"))
        if appid is not None and not _APPID.match(appid):
            raise Unreadable("appid", FormRule.BAD_PATTERN)
    except Unreadable as fault:
        return {}, fault
    if openid is not None:
        names[IdentifierType.OPENID.value] = openid if appid is None or appid == source.namespace else f"{appid}-{openid}"
    if unionid is not None:
        names[IdentifierType.UNIONID.value] = unionid
    return names, None


def _with(row: Row, names: Mapping[str, str]) -> dict[str, str]:
    kept = {kind: value for kind, value in row.identifiers.items() if not (kind == IdentifierType.COOKIE.value and value == _NOBODY)}
    return {**kept, **names}
