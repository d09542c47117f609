"""What has left: parts on their way, dead letters, removals, the board of recipients. No answer holds a person."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app import deliveries
from app.answers.deliveries import BoardOut, DeliveryOut, RemovalOut, ReplayedOut
from app.answers.parts import page_of
from app.guard import needs, services
from app.shapes import PageIn, Strict

blueprint = Blueprint("deliveries", __name__, url_prefix="/api", description="Deliveries of exports and removals after them")


class RemovalsIn(PageIn):
    recipient = fields.String(load_default="", validate=validate.Length(1, 40))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


class DeliveriesIn(RemovalsIn):
    state = fields.String(load_default="", validate=validate.OneOf(["queued", "sending", "waiting", "acknowledged", "dead"]))
    action = fields.String(load_default="", validate=validate.OneOf(["add", "remove"]))
    batch = fields.String(load_default="", validate=validate.Length(1, 40))


class DeadIn(Strict):
    recipient = fields.String(load_default="", validate=validate.Length(1, 40))
    delivery = fields.String(load_default="", validate=validate.Length(1, 40))


@blueprint.get("/deliveries")
@needs("delivery.read")
@blueprint.arguments(DeliveriesIn, location="query")
@blueprint.response(200, page_of(DeliveryOut))
def list_deliveries(wanted: dict[str, Any]) -> dict[str, Any]:
    """Parts of exports and of removals, newest first."""
    return deliveries.listing(services(), **wanted)


@blueprint.get("/deliveries/board")
@needs("delivery.read")
@blueprint.response(200, BoardOut)
def show_board() -> dict[str, Any]:
    """For each recipient its parts by state, who waits to be taken out, measured latency, and whether nothing is added there."""
    return {"items": deliveries.board(services()), "acknowledge_hours": services().settings.delivery.acknowledge_hours}


@blueprint.post("/deliveries/replays")
@needs("delivery.edit")
@blueprint.arguments(DeadIn)
@blueprint.response(201, ReplayedOut)
def replay(body: dict[str, Any]) -> dict[str, Any]:
    """Queues dead parts again under their old keys: one, those of a recipient, or all. What was revoked or is over stays dead."""
    return deliveries.replay(services(), actor=g.caller.account_id, **body)


@blueprint.get("/deliveries/<delivery_id>")
@needs("delivery.read")
@blueprint.response(200, DeliveryOut)
def show_delivery(delivery_id: str) -> dict[str, Any]:
    """One part."""
    return deliveries.one(services(), delivery_id)


@blueprint.post("/deliveries/<delivery_id>/acknowledgement")
@needs("delivery.edit")
@blueprint.response(201, DeliveryOut)
def acknowledge(delivery_id: str) -> dict[str, Any]:
    """Notes that the recipient said by another way that it has a part."""
    return deliveries.acknowledge(services(), delivery_id, actor=g.caller.account_id)


@blueprint.post("/deliveries/<delivery_id>/files")
@needs("delivery.edit")
@blueprint.response(201, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def fetch(delivery_id: str) -> Response:
    """A part of a removal, sealed for a recipient whom nothing is pushed to; `Piying-Signature` is ours. Every fetch is logged."""
    name, raw, signature = deliveries.fetch(services(), delivery_id, actor=g.caller.account_id)
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Piying-Signature": signature}
    return Response(raw, mimetype="application/octet-stream", status=201, headers=told)


@blueprint.get("/removals")
@needs("delivery.read")
@blueprint.arguments(RemovalsIn, location="query")
@blueprint.response(200, page_of(RemovalOut))
def list_removals(wanted: dict[str, Any]) -> dict[str, Any]:
    """Removals with their signed manifests, newest first."""
    return deliveries.removals(services(), **wanted)
