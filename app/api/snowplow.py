"""The endpoints of Snowplow's trackers, at the root for one source and under `/c/<write key>` for every other.

Promise: these clients repeat every status but 400, 401, 403, 410 and 422 without limit, so a request that can never succeed is answered one
of those (`app.errors`). What stands in the address of a GET is somebody's event: it is read here and written nowhere, not into a log either.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from app import senders
from app.guard import by_write_key, services
from ingestion import strictjson
from privacy.errors import Invalid
from privacy.records import SourceFacts

blueprint = Blueprint("snowplow", __name__)
blueprint.after_request(senders.cors)

TP2 = "/com.snowplowanalytics.snowplow/tp2"


@blueprint.post(TP2, strict_slashes=False)
@by_write_key
def post() -> Response:
    """Events for the source that owns the root paths."""
    return _posted(senders.by_root())


@blueprint.post("/c/<key>" + TP2, strict_slashes=False)
@by_write_key
def post_keyed(key: str) -> Response:
    """Events for the source of the key in the path."""
    return _posted(senders.by_key(key))


@blueprint.get("/i", strict_slashes=False)
@by_write_key
def pixel() -> Response:
    """One event in the address, for the source that owns the root paths."""
    return _asked(senders.by_root())


@blueprint.get("/c/<key>/i", strict_slashes=False)
@by_write_key
def pixel_keyed(key: str) -> Response:
    """One event in the address, for the source of the key in the path."""
    return _asked(senders.by_key(key))


def _posted(source: SourceFacts) -> Response:
    return senders.receive(source, "snowplow", senders.document(items="data"))


def _asked(source: SourceFacts) -> Response:
    if request.method == "HEAD":
        return jsonify(success=True)
    event = request.args.to_dict()
    if not event:
        raise Invalid("the address carries no event", code="empty_body")
    limits = services().settings.limits
    if len(request.query_string) > limits.item_bytes:
        raise Invalid("the address is larger than this endpoint takes", code="too_large")
    parsed = strictjson.loads(strictjson.dumps({"data": [event]}), max_depth=limits.json_depth, items="data")
    return senders.receive(source, "snowplow", parsed)
