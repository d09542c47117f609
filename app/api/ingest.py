"""The endpoints that Segment's and RudderStack's clients post to, unmodified (clients.md rules 1–14).

Promise: 200 with a small JSON body, or a problem document with `code` and `message`. A client key, which anybody can read, is told
`{"success": true}` and nothing else, whatever became of its items. Bodies are read once, bounded, before anything else looks at them.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from flask import Blueprint, Response, jsonify, request

from app import intake
from app.guard import body, by_write_key, services
from ingestion import strictjson
from privacy.errors import Invalid, Refused
from privacy.records import SourceFacts

blueprint = Blueprint("ingest", __name__)

SINGLE = {"track": "track", "identify": "identify", "page": "page", "screen": "screen", "group": "group", "alias": "alias"}
SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
BATCH = ("batch", "import", "b")


@blueprint.post("/v1/<any(track, identify, page, screen, group, alias, t, i, p, s, g, a):kind>", strict_slashes=False)
@by_write_key
def single(kind: str) -> Response:
    """One message."""
    return _receive({**SINGLE, **SHORT}[kind])


@blueprint.post("/v1/<any(batch, b, import):kind>", strict_slashes=False)
@by_write_key
def batch(kind: str) -> Response:
    """A batch of messages; `import` is a batch with history."""
    return _receive("batch")


def _receive(kind: str) -> Response:
    limits = services().settings.limits
    key = _key_of_header()
    source = intake.source_of(services(), key) if key else None
    parsed = strictjson.loads(_body(limits.request_bytes), max_depth=limits.json_depth)
    if not isinstance(parsed.value, dict):
        raise Invalid("the body must be a JSON object", code="invalid_json")
    source = source or _source(parsed.value)
    messages = parsed.value.get("batch")
    if isinstance(messages, list) and len(messages) > limits.request_items:
        raise Invalid("the batch has more items than this endpoint takes", code="too_many_items")
    received = intake.receive(services(), source, kind, parsed)
    if source.public:
        return jsonify(success=True)
    return jsonify(
        success=True,
        request_id=received.request_id,
        received=received.receipt.received,
        stored=received.receipt.stored,
        duplicate=received.receipt.duplicate,
        quarantined=received.receipt.quarantined,
        refused=received.receipt.refused,
    )


def _body(limit: int) -> bytes:
    """The request's bytes, inflated within the limit whatever the content type says (rules 3–5); 413 above it, however it was sent."""
    raw = body(limit)
    if raw[:2] == b"\x1f\x8b":
        raw = _inflate(raw, limit)
    if not raw.strip():
        raise Invalid("the body is empty", code="empty_body")
    return raw


def _inflate(raw: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(31)
    try:
        plain = inflater.decompress(raw, limit + 1)
    except zlib.error:
        raise Invalid("the body is not valid gzip", code="bad_encoding") from None
    if len(plain) > limit:
        raise Invalid("the body is larger than this endpoint takes", code="too_large")
    if not inflater.eof or inflater.unused_data:
        raise Invalid("the body is cut short, or goes on after its end", code="bad_encoding")
    return plain


def _source(document: dict[str, Any]) -> SourceFacts:
    """The source whose write key stands in the body, else in the query: some clients put it in no header (rule 6)."""
    key = document.get("writeKey") or request.args.get("writeKey") or ""
    if not isinstance(key, str) or not key:
        raise Refused("a write key is needed", code="key_missing")
    return intake.source_of(services(), key)


def _key_of_header() -> str:
    """The write key of the header, looked up before a byte of the body is parsed: strangers cost little."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("ascii").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
