"""Proposals: pairs of people whose records look alike, for an officer to accept or to dismiss.

Promise: nobody is merged without an officer's word, given with a purpose and a reason that stand in the log; the two are shown masked, and
whose proposal was opened is logged before.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import cases, errors, people
from app.console import gate, shell
from app.console.languages import _
from app.console.people_words import told, words_of_people
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("proposals_pages", __name__)


@blueprint.get("/people/proposals")
@gate.page("person.merge")
def page() -> ResponseReturnValue:
    """Those that wait, the strongest first."""
    return shell.render("people/proposals.html", waiting=people.proposals(services(), actor=g.caller.account_id)["items"])


@blueprint.get("/people/proposals/<proposal_id>")
@gate.page("person.merge", fresh=True)
def one(proposal_id: str) -> ResponseReturnValue:
    """The two, masked, and the decision."""
    return _form(proposal_id)


def _form(proposal_id: str, status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    pair = cases.pair(services(), proposal_id, actor=g.caller.account_id)
    return shell.render("people/proposal.html", status, pair=pair, wrong=wrong or {}, **words_of_people())


@blueprint.post("/people/proposals/<proposal_id>")
@gate.act("person.merge", fresh=True)
def decide(proposal_id: str) -> ResponseReturnValue:
    """Makes one person of the two, or leaves them apart for good."""
    merging = request.form.get("decision") == "accept"
    act = people.accept if merging else people.dismiss
    purpose, reason = request.form.get("purpose", ""), request.form.get("reason", "")
    try:
        act(services(), proposal_id, purpose=purpose, reason=reason, actor=g.caller.account_id)
    except PiyingError as error:
        if error.code == "proposal_unknown":
            raise
        return _form(proposal_id, errors.status_of(error), {error.field or "reason": told(error)})
    flash(_("The two are one person now.") if merging else _("The proposal is dismissed and will not come again."), "good")
    return redirect("/people/proposals", 303)
