"""Recipients and their agreements: who receives data, what is missing before it may, what was agreed until when.

Promise: papers about companies; nothing here tells who is in a list. A recipient becomes active only when nothing is missing.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors
from app.console import gate, paperwork, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("recipients_pages", __name__)

STATUSES = (("proposed", N_("Proposed")), ("active", N_("Active")), ("suspended", N_("Suspended")), ("ended", N_("Over")))
COLUMNS = (
    Column("name", N_("Name"), "verbatim", href="page"),
    Column("kind_word", N_("What it is to us")),
    Column("country", N_("Country"), "code"),
    Column("status_state", N_("State"), "badge"),
    Column("agreement_state", N_("Agreement"), "badge"),
    Column("lacking", N_("Still missing")),
)
FILE = tuple(
    Column(name, name)
    for name in (
        *("id", "key", "name_en", "name_zh", "contact", "country", "kind", "purposes", "method", "categories", "mechanism", "status"),
        *("abroad", "agreement", "assessments_missing"),
    )
)
FILTERS = (Filter("status", N_("State"), "choice", STATUSES),)


@blueprint.get("/recipients")
@gate.page("accountability.read")
def page() -> ResponseReturnValue:
    """Every recipient, and what is missing."""
    applied = parse(request.args, FILTERS)
    rows = [_row(one) for one in _matching(applied)]
    empty = Empty(
        _("No recipient yet"), _("Nothing leaves for anybody who is not written down here."), "/recipients/new", _("Write one down")
    )
    listing = Listing(COLUMNS, rows, _("Recipients"), FILTERS, applied, len(rows), csv="/recipients.csv", empty=empty)
    return shell.render("papers/recipients.html", listing=listing)


@blueprint.get("/recipients.csv")
@gate.page("accountability.read")
def file() -> ResponseReturnValue:
    """The same as a file."""
    return csv_of(FILE, _matching(parse(request.args, FILTERS)), "recipients.csv")


@blueprint.get("/recipients/new")
@gate.page("accountability.edit")
def new_page() -> ResponseReturnValue:
    """The form for a recipient."""
    return _form({}, {})


@blueprint.post("/recipients/new")
@gate.act("accountability.edit")
def add() -> ResponseReturnValue:
    """Writes a recipient down."""
    given = paperwork.sent("recipient", request.form)
    try:
        made = services().recipients.add(given, actor=g.caller.account_id)
    except PiyingError as error:
        return _form(given, {error.field or "key": paperwork.wrong(error)}, status=errors.status_of(error))
    flash(_("Written down. Nothing goes there before it is active."), "good")
    return redirect(f"/recipients/{made['id']}", 303)


def _form(kept: dict[str, Any], wrong: dict[str, str], *, status: int = 200, change: str = "") -> ResponseReturnValue:
    return shell.render(
        "papers/form.html",
        status,
        items=paperwork.items("recipient", kept, wrong),
        errors=wrong,
        heading=_("Change the recipient") if change else _("New recipient"),
        parents=[("/recipients", _("Recipients")), *([(f"/recipients/{change}", _("Recipient"))] if change else [])],
        lead=_("What people were told cannot change without asking them again.") if change else "",
        button=_("Change") if change else _("Write it down"),
        version=kept.get("version"),
    )


@blueprint.get("/recipients/<recipient_id>")
@gate.page("accountability.read")
def one(recipient_id: str) -> ResponseReturnValue:
    """One recipient with its agreements and history."""
    return _one(recipient_id)


def _one(recipient_id: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    desk = services().recipients
    history = desk.history(recipient_id)
    shown = next(one for one in desk.standing() if one["id"] == recipient_id)
    agreed = [_agreement(one) for one in services().agreements.listing() if one["recipient"] == recipient_id]
    steps = {"proposed": ("active", "ended"), "active": ("suspended", "ended"), "suspended": ("active", "ended"), "ended": ()}
    return shell.render(
        "papers/recipient.html",
        status,
        one=_row(shown),
        agreements=agreed,
        wrong=wrong,
        steps=steps[shown["status"]],
        words=paperwork,
        changes=paperwork.changes(history),
    )


@blueprint.get("/recipients/<recipient_id>/change")
@gate.page("accountability.edit")
def change_page(recipient_id: str) -> ResponseReturnValue:
    """The form to change it."""
    return _form(services().recipients.one(recipient_id), {}, change=recipient_id)


@blueprint.post("/recipients/<recipient_id>/change")
@gate.act("accountability.edit")
def change(recipient_id: str) -> ResponseReturnValue:
    """Changes it."""
    given = paperwork.sent("recipient", request.form, change=True)
    try:
        services().recipients.change(recipient_id, given, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        kept = services().recipients.one(recipient_id) | given
        return _form(kept, {error.field or "name_en": paperwork.wrong(error)}, status=errors.status_of(error), change=recipient_id)
    flash(_("Saved."), "good")
    return redirect(f"/recipients/{recipient_id}", 303)


@blueprint.post("/recipients/<recipient_id>/status")
@gate.act("accountability.edit", fresh=True)
def set_status(recipient_id: str) -> ResponseReturnValue:
    """Makes it active, suspends or ends it."""
    try:
        services().recipients.set_status(
            recipient_id, request.form.get("status", ""), seen=paperwork.seen(request.form), actor=g.caller.account_id
        )
    except PiyingError as error:
        services().recipients.one(recipient_id)
        return _one(recipient_id, paperwork.wrong(error), errors.status_of(error))
    flash(_("Saved."), "good")
    return redirect(f"/recipients/{recipient_id}", 303)


# ── agreements ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/recipients/<recipient_id>/agreements/new")
@gate.page("accountability.edit")
def new_agreement(recipient_id: str) -> ResponseReturnValue:
    """The form for an agreement; what the recipient is for stands in it."""
    one = services().recipients.one(recipient_id)
    kept = {name: one[name] for name in ("purposes", "method", "categories")} | {"recipient": recipient_id}
    return _agreement_form(kept, {}, recipient_id)


@blueprint.post("/recipients/<recipient_id>/agreements/new")
@gate.act("accountability.edit")
def add_agreement(recipient_id: str) -> ResponseReturnValue:
    """Writes an agreement down."""
    given = paperwork.sent("agreement", request.form) | {"recipient": recipient_id}
    try:
        services().agreements.add(given, actor=g.caller.account_id)
    except PiyingError as error:
        return _agreement_form(given, {error.field or "starts": paperwork.wrong(error)}, recipient_id, status=errors.status_of(error))
    flash(_("Written down."), "good")
    return redirect(f"/recipients/{recipient_id}", 303)


def _agreement_form(
    kept: dict[str, Any], wrong: dict[str, str], recipient: str, *, status: int = 200, change: str = ""
) -> ResponseReturnValue:
    return shell.render(
        "papers/form.html",
        status,
        items=[one for one in paperwork.items("agreement", kept, wrong) if one["name"] != "recipient"],
        errors=wrong,
        heading=_("Change the agreement") if change else _("New agreement"),
        parents=[("/recipients", _("Recipients")), (f"/recipients/{recipient}", _("Recipient"))],
        lead="",
        button=_("Change") if change else _("Write it down"),
        version=kept.get("version"),
    )


@blueprint.get("/agreements/<agreement_id>")
@gate.page("accountability.read")
def agreement(agreement_id: str) -> ResponseReturnValue:
    """One agreement with its history."""
    return _show_agreement(agreement_id)


def _show_agreement(agreement_id: str, wrong: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    shown = services().agreements.one(agreement_id)
    return shell.render(
        "papers/agreement.html",
        status,
        one=_agreement(shown),
        errors=wrong or {},
        items=paperwork.items("certificate", {}, wrong or {}),
        words=paperwork,
        changes=paperwork.changes(services().agreements.history(agreement_id)),
    )


@blueprint.get("/agreements/<agreement_id>/change")
@gate.page("accountability.edit")
def change_agreement_page(agreement_id: str) -> ResponseReturnValue:
    """The form to change it."""
    kept = services().agreements.one(agreement_id)
    return _agreement_form(kept, {}, kept["recipient"], change=agreement_id)


@blueprint.post("/agreements/<agreement_id>/change")
@gate.act("accountability.edit")
def change_agreement(agreement_id: str) -> ResponseReturnValue:
    """A supplement, or a longer term."""
    before, given = services().agreements.one(agreement_id), paperwork.sent("agreement", request.form, change=True)
    try:
        services().agreements.change(agreement_id, given, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        told = {error.field or "starts": paperwork.wrong(error)}
        return _agreement_form(before | given, told, before["recipient"], status=errors.status_of(error), change=agreement_id)
    flash(_("Saved."), "good")
    return redirect(f"/agreements/{agreement_id}", 303)


@blueprint.post("/agreements/<agreement_id>/endings")
@gate.act("accountability.edit", fresh=True)
def end_agreement(agreement_id: str) -> ResponseReturnValue:
    """Ends it today."""
    services().agreements.end(agreement_id, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    flash(_("The agreement is over. Ask the recipient for its certificate."), "good")
    return redirect(f"/agreements/{agreement_id}", 303)


@blueprint.post("/agreements/<agreement_id>/certificates")
@gate.act("accountability.edit")
def certify(agreement_id: str) -> ResponseReturnValue:
    """Keeps the recipient's certificate."""
    given = paperwork.sent("certificate", request.form)
    try:
        services().agreements.certify(agreement_id, given, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        services().agreements.one(agreement_id)
        return _show_agreement(agreement_id, {error.field or "outcome": paperwork.wrong(error)}, errors.status_of(error))
    flash(_("The certificate is kept."), "good")
    return redirect(f"/agreements/{agreement_id}", 303)


def _matching(applied: dict[str, str]) -> list[dict[str, Any]]:
    return [one for one in services().recipients.standing() if applied.get("status") in (None, one["status"])]


def _row(one: dict[str, Any]) -> dict[str, Any]:
    lacking = [paperwork.word(kind) for kind in one["assessments_missing"]] + ([_("mechanism")] if one["mechanism_missing"] else [])
    return one | {
        "page": f"/recipients/{one['id']}",
        "name": f"{one['name_en']} · {one['name_zh']}",
        "kind_word": paperwork.word(one["kind"]),
        "status_state": f"recipient_{one['status']}",
        "agreement_state": "agreement_good" if one["agreement"] == "in_force" else "agreement_bad",
        "agreement_word": paperwork.said(one["agreement"]),
        "lacking": ", ".join(lacking),
    }


def _agreement(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"page": f"/agreements/{one['id']}", "state_word": f"agreement_{one['state']}"}
