"""Impact assessments: drafted by one officer, approved by another, before processing that needs one begins.

Promise: the page shows the three contents that the law wants, who wrote and who approved them; nobody gets a button to approve their own words.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors
from app.accountability import history
from app.console import gate, paperwork, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Listing
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("assessments_pages", __name__)

COLUMNS = (
    Column("title", N_("Title"), "verbatim", href="page"),
    Column("kind_words", N_("What has to be assessed")),
    Column("scope", N_("What it covers"), "list"),
    Column("state_word", N_("State"), "badge"),
    Column("review_by", N_("To be reviewed by"), "verbatim"),
)


@blueprint.get("/assessments")
@gate.page("accountability.read")
def page() -> ResponseReturnValue:
    """Every assessment."""
    rows = [_row(one) for one in reversed(services().assessments.listing())]
    empty = Empty(
        _("No assessment yet"),
        _("Sensitive data, automated decisions, sharing and transfers abroad need one first (PIPL 55)."),
        "/assessments/new",
        _("Draft one"),
    )
    return shell.render("papers/assessments.html", listing=Listing(COLUMNS, rows, _("Impact assessments"), total=len(rows), empty=empty))


@blueprint.get("/assessments/new")
@gate.page("accountability.edit")
def new_page() -> ResponseReturnValue:
    """The form for a draft."""
    return _form({}, {})


@blueprint.post("/assessments/new")
@gate.act("accountability.edit")
def add() -> ResponseReturnValue:
    """A draft."""
    given = paperwork.sent("assessment", request.form)
    try:
        made = services().assessments.add(given, actor=g.caller.account_id)
    except PiyingError as error:
        return _form(given, {error.field or "title": paperwork.wrong(error)}, status=errors.status_of(error))
    flash(_("Drafted: another officer has to approve it."), "good")
    return redirect(f"/assessments/{made['id']}", 303)


def _form(kept: dict[str, Any], wrong: dict[str, str], *, status: int = 200, change: str = "") -> ResponseReturnValue:
    return shell.render(
        "papers/form.html",
        status,
        items=paperwork.items("assessment", kept, wrong),
        errors=wrong,
        heading=_("Change the assessment") if change else _("New impact assessment"),
        parents=[("/assessments", _("Impact assessments"))],
        lead=_("A change makes it a draft again.") if change else _("The three contents of PIPL 56; another officer approves."),
        button=_("Change") if change else _("Draft it"),
        version=kept.get("version"),
    )


@blueprint.get("/assessments/<assessment_id>")
@gate.page("accountability.read")
def one(assessment_id: str) -> ResponseReturnValue:
    """One assessment with its history."""
    return _one(assessment_id)


def _one(assessment_id: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    desk = services().assessments
    shown, versions = desk.one(assessment_id), desk.history(assessment_id)
    approver = history.staff(services()).get(shown["approved_by"], shown["approved_by"])
    return shell.render(
        "papers/assessment.html",
        status,
        one=_row(shown) | {"approver": approver},
        own=g.caller.account_id in {one["by"] for one in versions if one["version"] <= shown["version"]},
        wrong=wrong,
        words=paperwork,
        changes=paperwork.changes(versions),
    )


@blueprint.get("/assessments/<assessment_id>/change")
@gate.page("accountability.edit")
def change_page(assessment_id: str) -> ResponseReturnValue:
    """The form to change it."""
    return _form(services().assessments.one(assessment_id), {}, change=assessment_id)


@blueprint.post("/assessments/<assessment_id>/change")
@gate.act("accountability.edit")
def change(assessment_id: str) -> ResponseReturnValue:
    """Changes it; it is a draft again."""
    given = paperwork.sent("assessment", request.form, change=True)
    try:
        services().assessments.change(assessment_id, given, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        kept = services().assessments.one(assessment_id) | given
        return _form(kept, {error.field or "title": paperwork.wrong(error)}, status=errors.status_of(error), change=assessment_id)
    flash(_("Drafted: another officer has to approve it."), "good")
    return redirect(f"/assessments/{assessment_id}", 303)


@blueprint.post("/assessments/<assessment_id>/approvals")
@gate.act("accountability.edit", fresh=True)
def approve(assessment_id: str) -> ResponseReturnValue:
    """Another officer's yes."""
    try:
        services().assessments.approve(assessment_id, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        services().assessments.one(assessment_id)
        return _one(assessment_id, paperwork.wrong(error), errors.status_of(error))
    flash(_("Approved."), "good")
    return redirect(f"/assessments/{assessment_id}", 303)


@blueprint.post("/assessments/<assessment_id>/withdrawals")
@gate.act("accountability.edit", fresh=True)
def withdraw(assessment_id: str) -> ResponseReturnValue:
    """Takes it out of force."""
    services().assessments.withdraw(assessment_id, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    flash(_("It is out of force: what rested on it is no more covered."), "good")
    return redirect(f"/assessments/{assessment_id}", 303)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    return one | {
        "page": f"/assessments/{one['id']}",
        "kind_words": ", ".join(paperwork.word(kind) for kind in one["kinds"]),
        "state_word": f"assessment_{one['standing']}",
    }
