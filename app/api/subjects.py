"""People as officers see them: masked, for a purpose and a reason, logged before anything is read. Identifiers and handles stand in bodies."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import cases, people
from app.answers.parts import page_of
from app.answers.people import AcceptedOut, DismissedOut, LookedUpOut, ProposalOut, ReasonsOut, UnmergedOut
from app.guard import needs, services
from app.shapes import CaseIn, LookupIn, ProposalIn, UnmergeIn

blueprint = Blueprint("subjects", __name__, url_prefix="/api/subjects", description="Who is who")


@blueprint.post("/lookups")
@needs("person.find")
@blueprint.arguments(LookupIn)
@blueprint.response(201, LookedUpOut)
def look_up(body: dict[str, Any]) -> dict[str, Any]:
    """A person's handle and masked identifiers, and a case of eight hours; nobody known looks the same but for the empty list."""
    identifier = body.pop("identifier")
    return cases.open_(services(), identifier["type"], identifier["value"], actor=g.caller.account_id, **body)


@blueprint.post("/reasons")
@needs("person.find")
@blueprint.arguments(CaseIn)
@blueprint.response(201, ReasonsOut)
def show_reasons(body: dict[str, Any]) -> dict[str, Any]:
    """Why a person's identifiers belong together: links, merges, refused links."""
    return people.reasons(services(), actor=g.caller.account_id, **body)


@blueprint.post("/unmerges")
@needs("person.unmerge")
@blueprint.arguments(UnmergeIn)
@blueprint.response(201, UnmergedOut)
def unmerge(body: dict[str, Any]) -> dict[str, Any]:
    """Undoes one merge, named as the reasons named it."""
    return people.unmerge(services(), actor=g.caller.account_id, **body)


@blueprint.get("/proposals")
@needs("person.merge")
@blueprint.response(200, page_of(ProposalOut))
def list_proposals() -> dict[str, Any]:
    """Pairs of people who may be one, the strongest first."""
    return people.proposals(services(), actor=g.caller.account_id)


@blueprint.post("/proposals/acceptances")
@needs("person.merge")
@blueprint.arguments(ProposalIn)
@blueprint.response(201, AcceptedOut)
def accept_proposal(body: dict[str, Any]) -> dict[str, Any]:
    """Merges the two people of a proposal."""
    return people.accept(services(), actor=g.caller.account_id, **body)


@blueprint.post("/proposals/dismissals")
@needs("person.merge")
@blueprint.arguments(ProposalIn)
@blueprint.response(201, DismissedOut)
def dismiss_proposal(body: dict[str, Any]) -> dict[str, Any]:
    """Ends a proposal; the pair is not proposed again."""
    return people.dismiss(services(), actor=g.caller.account_id, **body)
