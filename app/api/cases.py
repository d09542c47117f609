"""What an officer's case shows: consent as of a moment, the timeline, what is held, what was stopped. A case opens to its own account only.

Each look is an entry before anything is read. A handle or an identifier is in no address: that is what the case is for.
"""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app import cases, minors
from app.answers.parts import page_of
from app.answers.people import (
    ApprovalOut,
    ClosedOut,
    ConsequencesOut,
    DecidedOut,
    HoldingsOut,
    OpenCaseOut,
    RevealedOut,
    StandingsOut,
    StoppedOut,
    TimelineOut,
)
from app.guard import needs, services
from app.shapes import AtIn, DecisionIn, RevealIn, Strict

blueprint = Blueprint("cases", __name__, url_prefix="/api/subjects/cases", description="What is known of one person")


class ApprovalIn(Strict):
    """Why somebody of the staff has to see a minor's data."""

    reason = fields.String(required=True, validate=validate.Length(3, 500))


@blueprint.get("")
@needs("person.find")
@blueprint.response(200, page_of(OpenCaseOut))
def list_cases() -> dict[str, Any]:
    """The caller's open cases, the newest first."""
    return {"items": cases.mine(services(), actor=g.caller.account_id), "next": None}


@blueprint.get("/<case_id>")
@needs("person.find")
@blueprint.arguments(AtIn, location="query")
@blueprint.response(200, StandingsOut)
def show_standings(query: dict[str, Any], case_id: str) -> dict[str, Any]:
    """How every purpose stood at a moment, `at`: a day (its end), a time of the deployment's zone, or an instant; now, if none is given."""
    return cases.look(services(), case_id, ["consents"], actor=g.caller.account_id, at=query["at"])


@blueprint.get("/<case_id>/timeline")
@needs("person.find")
@blueprint.response(200, TimelineOut)
def show_timeline(case_id: str) -> dict[str, Any]:
    """Acts of consent, and who of the staff looked or changed something."""
    return cases.look(services(), case_id, ["timeline"], actor=g.caller.account_id)


@blueprint.get("/<case_id>/holdings")
@needs("person.find")
@blueprint.response(200, HoldingsOut)
def show_holdings(case_id: str) -> dict[str, Any]:
    """How many rows of each kind are held, until when, and of which days; counts, never contents."""
    return cases.look(services(), case_id, ["held"], actor=g.caller.account_id)


@blueprint.get("/<case_id>/stopped")
@needs("person.find")
@blueprint.response(200, StoppedOut)
def show_stopped(case_id: str) -> dict[str, Any]:
    """How many items a no of the person's kept out, by purpose and month."""
    return cases.look(services(), case_id, ["stopped"], actor=g.caller.account_id)


@blueprint.get("/<case_id>/merges/<merge_id>")
@needs("person.unmerge")
@blueprint.response(200, ConsequencesOut)
def show_consequences(case_id: str, merge_id: str) -> dict[str, Any]:
    """What an undone merge would leave; nothing is changed."""
    return cases.consequences(services(), case_id, merge_id, actor=g.caller.account_id)


@blueprint.post("/<case_id>/reveals")
@needs("person.reveal")
@blueprint.arguments(RevealIn)
@blueprint.response(201, RevealedOut)
def reveal(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """One identifier in clear, for a purpose and a reason of its own."""
    return cases.reveal(services(), case_id, actor=g.caller.account_id, **body)


@blueprint.post("/<case_id>/decisions")
@needs("consent.edit")
@blueprint.arguments(DecisionIn)
@blueprint.response(201, DecidedOut)
def decide(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Records an act of the person, with how it was collected; tells how the purpose stood before and stands now."""
    return cases.decide(services(), case_id, body, actor=g.caller.account_id)


@blueprint.post("/<case_id>/approvals")
@needs("person.find")
@blueprint.arguments(ApprovalIn)
@blueprint.response(201, ApprovalOut)
def ask_approval(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """Asks another officer to approve looking at a minor; the approval ends with the case."""
    return minors.ask(services(), case_id, actor=g.caller.account_id, **body)


@blueprint.post("/<case_id>/closing")
@needs("person.find")
@blueprint.response(201, ClosedOut)
def close(case_id: str) -> dict[str, Any]:
    """Ends a case before its eight hours are over."""
    cases.close(services(), case_id, actor=g.caller.account_id)
    return {"closed": case_id}
