"""Impact assessments: drafted by one officer, approved by another, in versions (PIPL 55, 56)."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app.answers.papers import AssessmentOut
from app.answers.parts import page_of
from app.guard import needs, once, seen_version, services, tagged
from app.shapes import Strict

blueprint = Blueprint("assessments", __name__, url_prefix="/api/assessments", description="Impact assessments (PIPL 55, 56)")


class AssessmentIn(Strict):
    title = fields.String(validate=validate.Length(max=200))
    kinds = fields.List(fields.String(validate=validate.Length(1, 40)), validate=validate.Length(max=8))
    scope = fields.List(fields.String(validate=validate.Length(1, 80)), validate=validate.Length(max=64))
    lawfulness = fields.String(validate=validate.Length(max=8_000))
    impact = fields.String(validate=validate.Length(max=8_000))
    measures = fields.String(validate=validate.Length(max=8_000))
    conclusion = fields.String(validate=validate.Length(max=40))
    review_by = fields.String(validate=validate.Length(max=10))


@blueprint.get("")
@needs("accountability.read")
@blueprint.response(200, page_of(AssessmentOut))
def list_assessments() -> dict[str, Any]:
    """Every assessment as it stands."""
    return {"items": services().assessments.listing(), "next": None}


@blueprint.post("")
@needs("accountability.edit")
@blueprint.arguments(AssessmentIn)
@blueprint.response(201, AssessmentOut)
@once()
def add_assessment(body: dict[str, Any]) -> dict[str, Any]:
    """A draft with the three contents of PIPL 56."""
    return services().assessments.add(body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/<assessment_id>")
@needs("accountability.read")
@blueprint.response(200, AssessmentOut)
def show_assessment(assessment_id: str) -> Response:
    """One assessment; its `ETag` is its version."""
    return _tagged(services().assessments.one(assessment_id))


@blueprint.patch("/<assessment_id>")
@needs("accountability.edit")
@blueprint.arguments(AssessmentIn)
@blueprint.response(200, AssessmentOut)
def change_assessment(body: dict[str, Any], assessment_id: str) -> Response:
    """Changes what is given; it is a draft again."""
    return _tagged(services().assessments.change(assessment_id, body, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/<assessment_id>/approvals")
@needs("accountability.edit")
@blueprint.response(200, AssessmentOut)
def approve(assessment_id: str) -> Response:
    """The yes of an officer who wrote nothing of it, to the version named in `If-Match`."""
    return _tagged(services().assessments.approve(assessment_id, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/<assessment_id>/withdrawals")
@needs("accountability.edit")
@blueprint.response(200, AssessmentOut)
def withdraw(assessment_id: str) -> Response:
    """Takes it out of force."""
    return _tagged(services().assessments.withdraw(assessment_id, seen=seen_version(), actor=g.caller.account_id))


def _tagged(paper: dict[str, Any]) -> Response:
    return tagged(paper, str(paper["version"]))
