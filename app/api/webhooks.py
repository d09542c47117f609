"""Endpoints that one kind of source has to itself, the write key in their path: a shop's signed orders, Sensors Data's SDKs.

Promise: 200 with a small JSON body, or a problem document. Of a shop's request nothing is parsed before its signature was found right;
to a client key, which anybody can read, a well-formed request is answered `{"success": true}` whatever became of its items.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from app import intake, senders
from app.guard import body, by_write_key, services
from privacy.errors import Invalid

blueprint = Blueprint("webhooks", __name__)
blueprint.after_request(senders.cors)


@blueprint.post("/c/<key>/orders", strict_slashes=False)
@by_write_key
def orders(key: str) -> Response:
    """Orders, cancellations and refunds as a shop pushes them, signed with the source's secret."""
    return _receive(key, "orders")


@blueprint.post("/c/<key>/sa", strict_slashes=False)
@by_write_key
def sensors(key: str) -> Response:
    """What Sensors Data's SDKs post; the project in the query is theirs and means nothing here."""
    return _receive(key, "sensors")


def _receive(key: str, kind: str) -> Response:
    source = senders.by_key(key)
    raw = body(services().settings.limits.request_bytes)
    if not raw.strip():
        raise Invalid("the body is empty", code="empty_body")
    return senders.answer(source, intake.receive_packed(services(), source, kind, lambda name: request.headers.get(name, ""), raw))
