"""Looks at minors' data: what was asked for, another officer's answer, a year's looks as a signed file (PIPL 31)."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from app import minors
from app.answers.parts import page_of
from app.answers.people import ApprovalOut, UsedApprovalOut
from app.guard import needs, services
from app.shapes import Strict, StrictBoolean

blueprint = Blueprint("minors", __name__, url_prefix="/api/minors", description="Who looked at a minor, and who approved it")


class AnswerIn(Strict):
    approve = StrictBoolean(required=True)


@blueprint.get("")
@needs("minor.approve")
@blueprint.response(200, page_of(UsedApprovalOut))
def list_approvals() -> dict[str, Any]:
    """What was asked and answered, the newest first; nobody is named but staff."""
    return {"items": minors.listing(services(), actor=g.caller.account_id), "next": None}


@blueprint.post("/<case_id>/answers")
@needs("minor.approve")
@blueprint.arguments(AnswerIn)
@blueprint.response(201, ApprovalOut)
def answer(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """A responsible person's yes or no to what another officer asked for."""
    return minors.answer(services(), case_id, approve=body["approve"], actor=g.caller.account_id)


@blueprint.get("/years/<year>")
@needs("minor.approve")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def read_year(year: str) -> Response:
    """Every look of a year with who approved it, as a signed ZIP; handing it out is an entry of the access log."""
    raw = minors.year(services(), year, actor=g.caller.account_id)
    return Response(raw, mimetype="application/zip", headers={"Content-Disposition": f'attachment; filename="minors-{year}.zip"'})
