"""The endpoints that Segment's, RudderStack's and PostHog's clients post to, unmodified (clients.md rules 1–14).

Promise: 200 with a small JSON body, or a problem document with `code` and `message`. A client key, which anybody can read, is told
`{"success": true}` and nothing else, whatever became of its items. Bodies are read once, bounded, before anything else looks at them.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from app import senders
from app.guard import by_write_key, public

blueprint = Blueprint("ingest", __name__)
blueprint.after_request(senders.cors)

SINGLE = {"track": "track", "identify": "identify", "page": "page", "screen": "screen", "group": "group", "alias": "alias"}
SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}


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


@blueprint.post("/beacon/v1/batch", strict_slashes=False)
@by_write_key
def beacon() -> Response:
    """A batch that a page sends as it closes: no header may be set then, so the key stands in the query (rule 6)."""
    return _receive("batch")


@blueprint.post("/batch", strict_slashes=False)
@by_write_key
def posthog() -> Response:
    """A batch of PostHog's clients, whose key stands in the body."""
    parsed = senders.document()
    return senders.receive(senders.by_key(parsed.value.get("api_key")), "posthog", parsed)


@blueprint.post("/v1/m", strict_slashes=False)
@public
def metrics() -> Response:
    """What Segment's browser client counts about itself. Nothing is read and nothing kept."""
    return jsonify(success=True)


def _receive(kind: str) -> Response:
    """The key of the header or the query is looked up before a byte of the body is read: strangers cost little. Else it is in the body."""
    key = senders.key_of_header() or request.args.get("writeKey")
    source = senders.by_key(key) if key else None
    parsed = senders.document()
    return senders.receive(source or senders.by_key(parsed.value.get("writeKey")), kind, parsed)
