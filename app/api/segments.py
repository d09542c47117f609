"""Segments: who is meant, for which purpose and use, as rules of a closed grammar; how many that are, as releases; why somebody is meant."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app import audiences, reaching, segments
from app.answers.parts import page_of
from app.answers.segments import ExplanationOut, ReachAskedOut, ReachOut, SaidOut, SegmentOut, SegmentReasonsOut, SegmentVersionOut
from app.guard import needs, once, seen_version, services, tagged
from app.reaching import Wanted
from app.shapes import Strict

blueprint = Blueprint("segments", __name__, url_prefix="/api", description="Segments")


class RuleIn(Strict):
    rule = fields.Raw(required=True, metadata={"type": "object", "description": "a rule of the grammar"})


class SegmentIn(RuleIn):
    name = fields.String(required=True, validate=validate.Length(1, 120))
    purpose = fields.String(required=True, validate=validate.Length(1, 80))
    use = fields.String(required=True, validate=validate.Length(1, 20))
    review = fields.String(validate=validate.Length(max=40))


class ReachIn(Strict):
    version = fields.Integer(load_default=None, validate=validate.Range(1, 10**6))
    channel = fields.String(load_default="", validate=validate.Length(max=20))
    recipient = fields.String(load_default="", validate=validate.Length(max=80))


class ExplanationIn(Strict):
    segment = fields.String(load_default="", validate=validate.Length(max=80))
    version = fields.Integer(load_default=None, validate=validate.Range(1, 10**6))
    audience = fields.String(load_default="", validate=validate.Length(max=80))


class SegmentChange(Strict):
    rule = fields.Raw(metadata={"type": "object"})
    name = fields.String(validate=validate.Length(1, 120))
    purpose = fields.String(validate=validate.Length(1, 80))
    use = fields.String(validate=validate.Length(1, 20))
    review = fields.String(validate=validate.Length(max=40))


@blueprint.get("/segments")
@needs("segment.read")
@blueprint.response(200, page_of(SegmentOut))
def list_segments() -> dict[str, Any]:
    """The newest version of every segment."""
    return {"items": segments.listing(services()), "next": None}


@blueprint.post("/segments")
@needs("segment.edit")
@blueprint.arguments(SegmentIn)
@blueprint.response(201, SegmentOut)
@once()
def add_segment(body: dict[str, Any]) -> dict[str, Any]:
    """Writes a segment down; a use for prices or terms needs an approved review."""
    return segments.add(services(), body, actor=g.caller.account_id, also=g.also)


@blueprint.post("/segments/sentences")
@needs("segment.read")
@blueprint.arguments(RuleIn)
@blueprint.response(200, SaidOut)
def say(body: dict[str, Any]) -> dict[str, Any]:
    """A rule in words and in its canonical form; nothing is kept, nothing is counted."""
    return segments.said(body["rule"])


@blueprint.get("/segments/<segment_id>")
@needs("segment.read")
@blueprint.response(200, SegmentOut)
def show_segment(segment_id: str) -> Response:
    """A segment as it stands; its `ETag` is its version."""
    return _tagged(segments.one(services(), segment_id))


@blueprint.get("/segments/<segment_id>/versions/<version>")
@needs("segment.read")
@blueprint.response(200, SegmentOut)
def show_version(segment_id: str, version: str) -> dict[str, Any]:
    """One version, as it was written."""
    return segments.one(services(), segment_id, segments.version_of(version))


@blueprint.patch("/segments/<segment_id>")
@needs("segment.edit")
@blueprint.arguments(SegmentChange)
@blueprint.response(200, SegmentOut)
def change_segment(body: dict[str, Any], segment_id: str) -> Response:
    """Writes the next version; purpose and use stay what they are."""
    return _tagged(segments.change(services(), segment_id, body, seen=seen_version(), actor=g.caller.account_id))


@blueprint.get("/segments/<segment_id>/versions")
@needs("segment.read")
@blueprint.response(200, page_of(SegmentVersionOut))
def list_versions(segment_id: str) -> dict[str, Any]:
    """Every version, the newest first."""
    return {"items": segments.versions(services(), segment_id), "next": None}


@blueprint.get("/segments/<segment_id>/reach")
@needs("segment.read")
@blueprint.arguments(ReachIn, location="query")
@blueprint.response(200, ReachOut)
def look_at_reach(query: dict[str, Any], segment_id: str) -> dict[str, Any]:
    """What a size costs, and the answer, if it was bought: charges nothing, however often it is asked."""
    return reaching.look(services(), Wanted.of(segment_id, query), asked_by=g.caller.account_id)


@blueprint.post("/segments/<segment_id>/reach")
@needs("segment.edit")
@blueprint.arguments(ReachIn)
@blueprint.response(202, ReachAskedOut)
@once()
def ask_for_reach(body: dict[str, Any], segment_id: str) -> dict[str, Any]:
    """Buys a size, and with a channel or a recipient whom they reach; a stored answer is told for nothing."""
    return reaching.ask_later(services(), Wanted.of(segment_id, body), asked_by=g.caller.account_id, also=g.also)


@blueprint.post("/segments/<segment_id>/reasons")
@needs("segment.exact")
@blueprint.arguments(ReachIn)
@blueprint.response(200, SegmentReasonsOut)
def exact_reasons(body: dict[str, Any], segment_id: str) -> dict[str, Any]:
    """Whole numbers and the gate's reasons, now; logged before anybody is looked for."""
    return reaching.exact(services(), Wanted.of(segment_id, body), actor=g.caller.account_id)


@blueprint.post("/subjects/cases/<case_id>/explanations")
@needs("person.find")
@blueprint.arguments(ExplanationIn)
@blueprint.response(200, ExplanationOut)
def explain(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """The audiences in which the case's person stands or stood, and why they are in a segment now, or were in an audience, from their own rows."""
    told = audiences.of_case(services(), case_id, actor=g.caller.account_id, **body)
    return {"audiences": told["audiences"], "why": told["why"]}


def _tagged(told: dict[str, Any]) -> Response:
    return tagged(told, str(told["version"]))
