"""What the endpoints of clients share: whose request it is, from which page, how its body is read and what it is answered.

Promise: a request is refused before a byte of its body is read where that can be: an unknown key, a page that the source does not allow, a
rate above the source's. Bodies are read once and bounded, whatever their label says. A client key, which anybody can read, is told
`{"success": true}` and nothing else. Looks at no message.
"""

from __future__ import annotations

import base64
import binascii
import time
import zlib
from typing import Any

from flask import Response, g, jsonify, request

from app import intake
from app.guard import body, services
from ingestion import strictjson
from ingestion.registry import Listed
from privacy.errors import Invalid, PiyingError, Refused
from privacy.records import SourceFacts

CORS = {
    "Access-Control-Allow-Headers": "authorization, content-type, anonymousid, sentat, x-retry-count",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Max-Age": "900",
    "Access-Control-Expose-Headers": "Retry-After",
}
"""What browsers ask before each POST and read of each answer (clients.md rule 10)."""


# ── who sends ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def key_of_header() -> str:
    """The write key of the header; empty where there is none that could be one."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode("ascii").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def by_key(key: Any) -> SourceFacts:
    """The source of a write key, if this request may come from where it does; raises Refused."""
    if not isinstance(key, str) or not key:
        raise Refused("a write key is needed", code="key_missing")
    return _from_allowed_page(intake.sender_of(services(), key))


def by_root() -> SourceFacts:
    """The one source whose clients send without a key."""
    return _from_allowed_page(intake.root_sender(services()))


def _from_allowed_page(sender: Listed) -> SourceFacts:
    """A browser says which page sends; with a client key it must be one that the source names, if it names any."""
    origin = request.headers.get("Origin")
    g.sender, g.began = sender, time.monotonic()
    if origin is not None and sender.facts.public and sender.origins and origin not in sender.origins:
        raise Refused("this source does not allow pages of this origin", code="origin_not_allowed")
    return sender.facts


# ── what is sent ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def document(*, items: str = "batch") -> strictjson.Parsed:
    """The body as JSON, inflated within the limit, whatever its content type says (rules 3 to 5)."""
    limits = services().settings.limits
    raw = body(limits.request_bytes)
    if raw[:2] == b"\x1f\x8b":
        raw = _inflate(raw, limits.request_bytes)
    if not raw.strip():
        raise Invalid("the body is empty", code="empty_body")
    return checked(strictjson.loads(raw, max_depth=limits.json_depth, items=items), items)


def checked(parsed: strictjson.Parsed, items: str) -> strictjson.Parsed:
    """An object with no more items than a request may have; raises Invalid."""
    if not isinstance(parsed.value, dict):
        raise Invalid("the body must be a JSON object", code="invalid_json")
    found = parsed.value.get(items)
    if isinstance(found, list) and len(found) > services().settings.limits.request_items:
        raise Invalid("the batch has more items than this endpoint takes", code="too_many_items")
    return parsed


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


# ── what is answered ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def receive(source: SourceFacts, kind: str, parsed: strictjson.Parsed) -> Response:
    """Takes the request in and answers 200: counts to a server key, nothing but success to a client key."""
    return answer(source, intake.receive(services(), source, kind, parsed, gpc=request.headers.get("Sec-GPC")))


def answer(source: SourceFacts, received: intake.Received) -> Response:
    """What a source is told of its request."""
    if source.public:
        time.sleep(services().pace.wait(time.monotonic() - g.began))
        return jsonify(success=True)
    receipt = received.receipt
    return jsonify(
        success=True,
        request_id=received.request_id,
        received=receipt.received,
        stored=receipt.stored,
        duplicate=receipt.duplicate,
        quarantined=receipt.quarantined,
        refused=receipt.refused,
    )


def cors(response: Response) -> Response:
    """What a browser needs to read the answer, for pages that the source allows; before the source is known, for those of any source."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    allowed = _allowed()
    if origin and (allowed is None or origin in allowed):
        response.headers["Access-Control-Allow-Origin"] = origin
        for name, value in CORS.items():
            response.headers[name] = value
    return response


def _allowed() -> frozenset[str] | None:
    """The origins whose pages may read the answer; None for any. A server's key is no page's."""
    sender: Listed | None = g.get("sender")
    if sender is not None:
        return None if sender.facts.public and not sender.origins else frozenset(sender.origins)
    try:
        return intake.allowed_origins(services())
    except PiyingError:
        return frozenset()  # what failed was answered already, and a browser that cannot read it comes again


def base_address() -> str:
    """How this server is reached: as the settings say, else as this request did."""
    return services().settings.server.base_url.rstrip("/") or request.host_url.rstrip("/")
