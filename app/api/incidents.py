"""Incidents: their clocks, who was affected, letters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app.accountability import affected, letters
from app.answers.papers import AffectedOut, IncidentOut, LettersOut
from app.answers.parts import page_of
from app.guard import needs, once, seen_version, services, tagged
from app.shapes import Strict, StrictBoolean

blueprint = Blueprint("incidents", __name__, url_prefix="/api/incidents", description="Incidents concerning personal information (PIPL 57)")


class IncidentIn(Strict):
    title = fields.String(validate=validate.Length(max=200))
    what = fields.String(validate=validate.Length(max=8_000))
    discovered_at = fields.String(validate=validate.Length(max=40))
    began_at = fields.String(validate=validate.Length(max=40))
    ended_at = fields.String(validate=validate.Length(max=40))
    level = fields.String(validate=validate.Length(max=20))
    harm = fields.String(validate=validate.Length(max=20))
    network = StrictBoolean()
    critical = StrictBoolean()
    regimes = fields.List(fields.String(validate=validate.Length(1, 8)), validate=validate.Length(max=8))
    categories = fields.List(fields.String(validate=validate.Length(1, 40)), validate=validate.Length(max=64))
    cause = fields.String(validate=validate.Length(max=4_000))
    taken = fields.String(validate=validate.Length(max=4_000))
    advice = fields.String(validate=validate.Length(max=4_000))


class NotificationIn(Strict):
    clock = fields.String(required=True, validate=validate.Length(1, 40))
    at = fields.AwareDateTime(required=True)


class StateIn(Strict):
    state = fields.String(required=True, validate=validate.OneOf(["contained", "closed"]))
    reason = fields.String(load_default="", validate=validate.Length(max=2_000))


class AffectedIn(Strict):
    by = fields.String(required=True, validate=validate.OneOf(affected.WAYS))
    type = fields.String(validate=validate.Length(max=20))
    namespace = fields.String(validate=validate.Length(max=64))
    list = fields.String(validate=validate.Length(max=1_000_000))
    column = fields.String(validate=validate.Length(max=90))
    since = fields.String(validate=validate.Length(max=40))
    until = fields.String(validate=validate.Length(max=40))


@blueprint.get("")
@needs("accountability.read")
@blueprint.response(200, page_of(IncidentOut))
def list_incidents() -> dict[str, Any]:
    """Every incident as it stands, with its clocks."""
    return {"items": services().incidents.listing(), "next": None}


@blueprint.post("")
@needs("accountability.edit")
@blueprint.arguments(IncidentIn)
@blueprint.response(201, IncidentOut)
@once()
def add_incident(body: dict[str, Any]) -> dict[str, Any]:
    """Opens an incident; its clocks run from the discovery."""
    return services().incidents.add(body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/<incident_id>")
@needs("accountability.read")
@blueprint.response(200, IncidentOut)
def show_incident(incident_id: str) -> Response:
    """One incident; its `ETag` is its version."""
    return _tagged(services().incidents.one(incident_id))


@blueprint.patch("/<incident_id>")
@needs("accountability.edit")
@blueprint.arguments(IncidentIn)
@blueprint.response(200, IncidentOut)
def change_incident(body: dict[str, Any], incident_id: str) -> Response:
    """Changes what is given; clocks follow."""
    return _tagged(services().incidents.change(incident_id, body, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/<incident_id>/notifications")
@needs("accountability.edit")
@blueprint.arguments(NotificationIn)
@blueprint.response(200, IncidentOut)
def notify(body: dict[str, Any], incident_id: str) -> Response:
    """Writes down that somebody was told, which stops a clock."""
    at: datetime = body["at"]
    return _tagged(services().incidents.notify(incident_id, body["clock"], at, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/<incident_id>/states")
@needs("accountability.edit")
@blueprint.arguments(StateIn)
@blueprint.response(200, IncidentOut)
def move(body: dict[str, Any], incident_id: str) -> Response:
    """Contained, or closed."""
    desk = services().incidents
    return _tagged(desk.move(incident_id, body["state"], reason=body["reason"], seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/<incident_id>/affected")
@needs("accountability.edit")
@blueprint.arguments(AffectedIn)
@blueprint.response(201, AffectedOut)
def ask(body: dict[str, Any], incident_id: str) -> dict[str, Any]:
    """Counts who was affected: from identifiers or hashes of an export, a column, or a stretch of time. The list is kept nowhere."""
    return affected.ask(services(), incident_id, body, actor=g.caller.account_id)


@blueprint.get("/<incident_id>/letters")
@needs("accountability.read")
@blueprint.response(200, LettersOut)
def read_letters(incident_id: str) -> dict[str, str]:
    """The notice to the people concerned, in both languages."""
    return letters.of(services(), incident_id)


def _tagged(paper: dict[str, Any]) -> Response:
    return tagged(paper, str(paper["version"]))
