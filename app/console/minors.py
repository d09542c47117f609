"""Looks at minors' data: what officers asked for, the answer of whoever is responsible, and a year's looks as a signed file.

Promise: nobody gets a button to approve their own question; the list names staff, cases and reasons, never a minor. Taking a year's file is an
export in the access log.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import minors
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.people_words import words_of_people
from app.guard import services

blueprint = Blueprint("minors_pages", __name__)

BANDS = {"under_14": N_("Under 14"), "under_18": N_("14 to 17")}


@blueprint.get("/people/minors")
@gate.page("minor.approve")
def page() -> ResponseReturnValue:
    """What was asked and answered, the newest first."""
    me = str(g.caller.account_id)
    listed = minors.listing(services(), actor=me)
    return shell.render(
        "people/minors.html",
        listed=listed,
        me=me,
        responsible=minors.responsible(services(), me),
        years=minors.years(services()),
        BANDS=BANDS,
        **words_of_people(),
    )


@blueprint.post("/people/minors/<case_id>/answers")
@gate.act("minor.approve", fresh=True)
def answer(case_id: str) -> ResponseReturnValue:
    """A yes or a no to somebody else's question."""
    approve = request.form.get("answer") == "approve"
    minors.answer(services(), case_id, approve=approve, actor=g.caller.account_id)
    flash(_("Approved until the case is over. Every look stands in the access log.") if approve else _("Refused."), "good")
    return redirect("/people/minors", 303)


@blueprint.get("/people/minors/years/<year>.zip")
@gate.page("minor.approve", fresh=True)
def file(year: str) -> ResponseReturnValue:
    """A year's looks with who approved each, signed."""
    raw = minors.year(services(), year, actor=g.caller.account_id)
    return Response(raw, mimetype="application/zip", headers={"Content-Disposition": 'attachment; filename="minors.zip"'})
