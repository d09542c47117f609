"""People, as officers look them up: the form, one's open cases, what a case shows, and what is done there.

Promise: an identifier comes in by a form only, is never shown again but masked, and stands in no address; every look is an entry before
anything is read, and the page says so. One value is shown in clear on the answer of the one form that asked for it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import cases, errors, minors, requests
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.people_words import COLLECTIONS, PURPOSES, TYPES, told, words_of_people
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("people_pages", __name__)

TABS = {
    "timeline": N_("Timeline"),
    "identities": N_("Linked identities"),
    "held": N_("Data held"),
    "stopped": N_("What was stopped"),
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?")
STATES = {"granted": N_("Granted"), "withdrawn": N_("Withdrawn"), "denied": N_("Denied")}


def _me() -> str:
    return str(g.caller.account_id)


def _why() -> dict[str, str]:
    return {"purpose": request.form.get("purpose", ""), "reason": request.form.get("reason", ""), "actor": _me()}


def _render(template: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    return shell.render(f"people/{template}.html", status, **words_of_people(), **context)


# ── looking somebody up ────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people")
@gate.page("person.find")
def page() -> ResponseReturnValue:
    """The form, and one's own open cases."""
    return _form()


def _form(status: int = 200, wrong: dict[str, str] | None = None, **kept: str) -> ResponseReturnValue:
    """What was typed into the value and the reason is not shown again."""
    return _render("people", status, mine=cases.mine(services(), actor=_me()), wrong=wrong or {}, kept=kept)


@blueprint.post("/people")
@gate.act("person.find", limit=16_384)
def look_up() -> ResponseReturnValue:
    """Looks somebody up; the answer is a case's address, for unknown people too."""
    type_, value, namespace = (request.form.get(name, "").strip() for name in ("type", "value", "namespace"))
    why = _why()
    try:
        opened = cases.open_(services(), type_, value[:256], namespace=namespace[:64], **why)
    except PiyingError as error:
        field = {"identifier": "value"}.get(error.field or "", error.field or "value")
        kept = {"type": type_ if type_ in TYPES else "", "purpose": why["purpose"] if why["purpose"] in PURPOSES else ""}
        return _form(errors.status_of(error), {field: told(error)}, **kept)
    return redirect(f"/people/{opened['case']}", 303)


@blueprint.post("/people/<case_id>/closings")
@gate.act("person.find")
def close(case_id: str) -> ResponseReturnValue:
    """Ends a case."""
    cases.close(services(), case_id, actor=_me())
    flash(_("The case is closed. Its entries in the access log stay."), "good")
    return redirect("/people", 303)


# ── one case ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people/<case_id>")
@gate.page("person.find")
def case(case_id: str) -> ResponseReturnValue:
    """Consent as of a moment, and one of the tabs."""
    tab = request.args.get("show", "timeline")
    tab = tab if tab in TABS else "timeline"
    at = request.args.get("at", "")[:40]
    parts = ("consents", tab, "held") if request.args.get("days") == "1" else ("consents", tab)
    try:
        found, wrong = cases.look(services(), case_id, parts, actor=_me(), at=at), ""
    except PiyingError as error:
        if error.code == "minor_not_approved":
            return _minor(case_id)
        if error.field != "at":
            raise
        found, wrong = cases.look(services(), case_id, parts, actor=_me()), told(error)
    asked = requests.of_case(services(), found["handle"]) if tab == "timeline" else []
    return _render(
        "case", 422 if wrong else 200, case=found, tab=tab, TABS=TABS, asked_at=at if not wrong else "", wrong=wrong, asked=asked
    )


def _minor(case_id: str, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    """Instead of a minor's case, before somebody approved it."""
    return _render("minor", 403, case_id=case_id, asked=minors.of_case(services(), case_id, actor=_me()), wrong=wrong or {})


@blueprint.post("/people/<case_id>/approvals")
@gate.act("person.find")
def ask_approval(case_id: str) -> ResponseReturnValue:
    """Asks another officer."""
    try:
        minors.ask(services(), case_id, reason=request.form.get("reason", ""), actor=_me())
    except PiyingError as error:
        if error.field != "reason":
            raise
        return _minor(case_id, {"reason": told(error)})
    flash(_("Asked. Another officer has to approve it."), "good")
    return redirect(f"/people/{case_id}", 303)


# ── one value in clear ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people/<case_id>/reveals")
@gate.page("person.reveal", fresh=True)
def reveal_page(case_id: str) -> ResponseReturnValue:
    """Which value, what for and why."""
    return _reveal_form(case_id)


def _reveal_form(case_id: str, status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    return _render("reveal", status, case=cases.look(services(), case_id, (), actor=_me()), wrong=wrong or {})


@blueprint.post("/people/<case_id>/reveals")
@gate.act("person.reveal", fresh=True)
def reveal(case_id: str) -> ResponseReturnValue:
    """The value, this once: on this answer and nowhere else."""
    try:
        shown = cases.reveal(services(), case_id, request.form.get("ref", "")[:64], **_why())
    except PiyingError as error:
        if error.code == "case_unknown":
            raise
        return _reveal_form(case_id, errors.status_of(error), {error.field or "ref": told(error)})
    return _render("revealed", shown=shown, case_id=case_id)


# ── an act of the person ───────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people/<case_id>/decisions")
@gate.page("consent.edit")
def decision_page(case_id: str) -> ResponseReturnValue:
    """What the person said, how and when."""
    kept = {name: request.args.get(name, "")[:64] for name in ("purpose", "state")}
    return _decision_form(case_id, kept=kept)


def _kept(wish: dict[str, Any]) -> dict[str, str]:
    """Of what was typed what may be shown again: words of our own lists, and a moment that looks like one."""
    lists = {"state": STATES, "collection": COLLECTIONS, "default_state": ("unchecked", "checked")}
    kept = {name: wish[name] for name, known in lists.items() if wish.get(name) in known}
    return kept | ({"at": wish["at"]} if MOMENT.fullmatch(wish.get("at", "")) else {})


def _decision_form(
    case_id: str, status: int = 200, wrong: dict[str, str] | None = None, kept: dict[str, Any] | None = None
) -> ResponseReturnValue:
    found = cases.look(services(), case_id, ("consents",), actor=_me())
    wish = kept or {}
    shown = _kept(wish) | {"purpose": wish.get("purpose", ""), "notice": wish.get("notice", "")}  # compared with the lists, not shown
    return _render("decision", status, case=found, choices=cases.choices(services()), states=STATES, wrong=wrong or {}, kept=shown)


@blueprint.post("/people/<case_id>/decisions")
@gate.act("consent.edit")
def decide(case_id: str) -> ResponseReturnValue:
    """Records it and says what changed."""
    wish: dict[str, Any] = {
        name: request.form.get(name, "").strip()[:128] for name in ("purpose", "state", "collection", "at", "notice", "default_state")
    }
    if request.form.get("guardian_relation"):
        named = {name: request.form.get(f"guardian_{name}", "").strip()[:256] for name in ("type", "value")}
        wish["guardian"] = {"relation": request.form["guardian_relation"][:16], "identifier": named}
    if wish["collection"] not in COLLECTIONS:
        return _decision_form(case_id, 422, {"collection": _("Choose how the person said so.")}, wish)
    try:
        done = cases.decide(services(), case_id, wish, actor=_me())
    except PiyingError as error:
        if error.code == "case_unknown":
            raise
        return _decision_form(case_id, errors.status_of(error), {error.field or "purpose": told(error)}, wish)
    return _render("decided", done=done, case_id=case_id, choices=cases.choices(services()))


# ── undoing a merge ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people/<case_id>/merges/<merge_id>")
@gate.page("person.unmerge", fresh=True)
def unmerge_page(case_id: str, merge_id: str) -> ResponseReturnValue:
    """What would follow, before anything is done."""
    return _unmerge_form(case_id, merge_id)


def _unmerge_form(case_id: str, merge_id: str, status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    found = cases.consequences(services(), case_id, merge_id, actor=_me())
    return _render("unmerge", status, case=found, merge=merge_id, wrong=wrong or {})


@blueprint.post("/people/<case_id>/merges/<merge_id>")
@gate.act("person.unmerge", fresh=True)
def unmerge(case_id: str, merge_id: str) -> ResponseReturnValue:
    """Two people again."""
    try:
        done = cases.unmerge(services(), case_id, merge_id, **_why())
    except PiyingError as error:
        if error.code in ("case_unknown", "merge_unknown"):
            raise
        return _unmerge_form(case_id, merge_id, errors.status_of(error), {error.field or "reason": told(error)})
    flash(_("They are two people again, and kept apart. Entry %(entry)s of the access log.", entry=done["entry"]), "good")
    return redirect(f"/people/{case_id}?show=identities", 303)
