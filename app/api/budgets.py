"""What may still be published about each month."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import asking, teams
from app.answers.work import BudgetOut, ShareMadeOut, TeamsOut
from app.guard import needs, once, services
from app.shapes import ShareConfirmIn, ShareIn, TeamMemberIn

blueprint = Blueprint("budgets", __name__, url_prefix="/api/budgets", description="Privacy budget by data month")


@blueprint.get("")
@needs("budget.read")
@blueprint.response(200, BudgetOut)
def read() -> dict[str, Any]:
    """Cap, spent and left by month, in nano-rho; it never refreshes."""
    return asking.budget(services())


@blueprint.get("/teams")
@needs("budget.read")
@blueprint.response(200, TeamsOut)
def shares() -> dict[str, Any]:
    """The teams' shares of the question slice and what each has left; for officers also proposals that wait and who is in which team."""
    return teams.known(services(), editing="budget.edit" in g.caller.permissions)


@blueprint.post("/teams")
@needs("budget.edit")
@blueprint.arguments(ShareIn)
@blueprint.response(201, ShareMadeOut)
@once()
def propose(body: dict[str, Any]) -> dict[str, Any]:
    """Writes a team's share down; it counts when another officer confirms it."""
    return {"share": teams.propose(services(), body["team"], str(body["percent"]), actor=g.caller.account_id, also=g.also)}


@blueprint.post("/teams/confirmations")
@needs("budget.edit")
@blueprint.arguments(ShareConfirmIn)
@blueprint.response(200, TeamsOut)
def confirm(body: dict[str, Any]) -> dict[str, Any]:
    """Puts another officer's proposal in force."""
    teams.confirm(services(), str(body["share"]), actor=g.caller.account_id)
    return teams.known(services(), editing=True)


@blueprint.post("/teams/members")
@needs("budget.edit")
@blueprint.arguments(TeamMemberIn)
@blueprint.response(200, TeamsOut)
def assign(body: dict[str, Any]) -> dict[str, Any]:
    """Puts an account that asks questions into a team, or out of every one by an empty name."""
    teams.assign(services(), body["account"], body["team"], actor=g.caller.account_id)
    return teams.known(services(), editing=True)
