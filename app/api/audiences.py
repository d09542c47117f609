"""Stored audiences: made from a version of a segment, found again by the schedule, ended. When, and never how many; that is for officers."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app import audiences
from app.answers.parts import page_of
from app.answers.segments import KINDS, AudienceCountOut, AudienceOut, AudienceQueuedOut, WholeAudienceOut
from app.guard import needs, once, services
from app.shapes import Strict

blueprint = Blueprint("audiences", __name__, url_prefix="/api/audiences", description="Stored audiences")


class AudiencesIn(Strict):
    segment = fields.String(load_default="", validate=validate.Length(max=80))
    state = fields.String(load_default="", validate=validate.OneOf(["", "active", "ended"]))


class AudienceIn(Strict):
    segment = fields.String(required=True, validate=validate.Length(1, 80))
    version = fields.Integer(load_default=None, validate=validate.Range(1, 10**6))
    name = fields.String(load_default="", validate=validate.Length(max=120))
    kind = fields.String(load_default="continuous", validate=validate.OneOf(KINDS))
    hours = fields.Integer(load_default=24, validate=validate.Range(1, 168))
    days = fields.Integer(load_default=180, validate=validate.Range(1, 365))


@blueprint.get("")
@needs("segment.read")
@blueprint.arguments(AudiencesIn, location="query")
@blueprint.response(200, page_of(AudienceOut))
def list_audiences(query: dict[str, Any]) -> dict[str, Any]:
    """Audiences, the newest first, each with how fresh it is."""
    return {"items": audiences.listing(services(), **query), "next": None}


@blueprint.post("")
@needs("segment.edit")
@blueprint.arguments(AudienceIn)
@blueprint.response(201, AudienceOut)
@once()
def make_audience(body: dict[str, Any]) -> dict[str, Any]:
    """Makes an audience from a version of a segment; its people are found by a job."""
    return audiences.make(services(), body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/<audience_id>")
@needs("segment.read")
@blueprint.response(200, WholeAudienceOut)
def show_audience(audience_id: str) -> dict[str, Any]:
    """An audience, what it is made from and how fresh it is."""
    return audiences.one(services(), audience_id)


@blueprint.post("/<audience_id>/refreshes")
@needs("segment.edit")
@blueprint.response(202, AudienceQueuedOut)
def refresh_audience(audience_id: str) -> dict[str, Any]:
    """Finds the people of a continuous audience now."""
    return audiences.refresh_later(services(), audience_id, actor=g.caller.account_id)


@blueprint.post("/<audience_id>/ending")
@needs("segment.edit")
@blueprint.response(200, AudienceOut)
def end_audience(audience_id: str) -> dict[str, Any]:
    """Ends an audience; everything about its people goes with it."""
    return audiences.end(services(), audience_id, actor=g.caller.account_id)


@blueprint.post("/<audience_id>/counts")
@needs("segment.exact")
@blueprint.response(200, AudienceCountOut)
def count_audience(audience_id: str) -> dict[str, Any]:
    """How many people stand in it now; exact, logged before anybody is looked for."""
    return audiences.count(services(), audience_id, actor=g.caller.account_id)
