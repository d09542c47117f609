"""Requests of people: the queue, one request with its steps, clock and tasks, and what is done about it.

Promise: an address carries a request's number and nothing of a person; every look is an entry before anything is read. What carries a decision
out asks for the password again; a deletion needs a second person, whom the server asks for. Values are typed into one form and not shown again.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import cases, errors, requestacts, requests
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.console.people_words import TYPES
from app.console.request_words import KIN, REGIMES, RIGHTS, STEPS, told, words_of_requests
from app.guard import services
from privacy.errors import Invalid, PiyingError

blueprint = Blueprint("requests_pages", __name__)

TABS = {"mine": N_("Mine"), "unassigned": N_("Unassigned"), "all": N_("All open"), "closed": N_("Closed ones")}
COLUMNS = (
    Column("number", N_("Number"), "code", href="page"),
    Column("subject", N_("Person"), "code"),
    Column("right_word", N_("Right")),
    Column("regime_word", N_("Law"), "verbatim"),
    Column("step_state", N_("Step"), "badge"),
    Column("proven_state", N_("Identity"), "badge"),
    Column("assignee_name", N_("Assigned to"), "verbatim"),
    Column("received_on", N_("Received on"), "day"),
    Column("due", N_("Due (ours)"), "day"),
    Column("due_by_law", N_("Due (law)"), "day"),
    Column("days_left", N_("Days left"), "number"),
    Column("clock_state", N_("Clock"), "badge"),
)
FILTERS = (
    Filter("kind", N_("Right"), "choice", tuple(RIGHTS.items())),
    Filter("step", N_("Step"), "choice", tuple(STEPS.items())),
    Filter("regime", N_("Law"), "choice", tuple(REGIMES.items()), translate=False),
    Filter("proven", N_("Identity"), "choice", (("yes", N_("Proven")), ("no", N_("Not proven")))),
    Filter("since", N_("Received from"), "date"),
    Filter("until", N_("Received until"), "date"),
)


def _me() -> str:
    return str(g.caller.account_id)


def _render(template: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    return shell.render(f"requests/{template}.html", status, TYPES=TYPES, **words_of_requests(), **context)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    return one | {
        "page": f"/requests/{one['number']}",
        "right_word": _(RIGHTS[one["right"]]),
        "regime_word": REGIMES[one["regime"]],
        "step_state": f"step_{one['step']}",
        "proven_state": "identity_proven" if one["proven_at"] else "identity_open",
        "clock_state": f"clock_{one['clock']}",
        "days_left": None if one["clock"] == "stopped" else one["days_left"],
    }


# ── the queue ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tab() -> str:
    return request.args["tab"] if request.args.get("tab") in TABS else "all"


@blueprint.get("/requests")
@gate.page("request.read")
def queue() -> ResponseReturnValue:
    """A tab of the queue, with counts by step."""
    applied = parse(request.args, FILTERS)
    found = requests.page(services(), applied, tab=_tab(), actor=_me(), after=request.args.get("after", "")[:40])
    empty = Empty(
        _("No request here"), _("Requests come by the public page, by programs, by command and from a look-up."), "/people", _("Look somebody up")
    )  # fmt: skip
    rows = [_row(one) for one in found.rows]
    listing = Listing(
        COLUMNS, rows, _("Requests"), FILTERS, applied, total=found.total, next=found.next, csv="/requests.csv", csv_cap=requests.MOST,
        empty=empty,
    )  # fmt: skip
    return _render("queue", listing=listing, tab=_tab(), TABS=TABS, by_step=found.by_step)


@blueprint.get("/requests.csv")
@gate.page("request.read")
def queue_file() -> ResponseReturnValue:
    """The requests that match, as a file; logged as an export."""
    rows = requests.every(services(), parse(request.args, FILTERS), tab=_tab(), actor=_me())
    columns = [
        *COLUMNS,
        *(Column(name, name, shown=False) for name in ("right", "regime", "step", "outcome", "reason", "closing", "clock")),
    ]
    return csv_of(columns, (_row(one) for one in rows), "requests.csv", cap=requests.MOST)


# ── opening ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/requests/new")
@gate.page("request.edit")
def new_page() -> ResponseReturnValue:
    """The form for a request of a case's person."""
    return _new_form(request.args.get("case", "")[:40])


def _new_form(case: str, status: int = 200, wrong: dict[str, str] | None = None, kept: dict[str, str] | None = None) -> ResponseReturnValue:
    found = cases.look(services(), case, (), actor=_me())
    standing = {"regime": requests.regime_of(services()), "language": "zh", "received_on": services().rights.today().isoformat()}
    return _render("new", status, case=found, wrong=wrong or {}, kept=standing | (kept or {}), choices=cases.choices(services()))


@blueprint.post("/requests/new")
@gate.act("request.edit")
def open_() -> ResponseReturnValue:
    """Opens it; a case about nobody opens one about nobody."""
    said = {name: request.form.get(name, "")[:64] for name in ("case", "right", "regime", "language", "channel", "received_on")}
    asked: dict[str, Any] = dict(said) | {
        "purposes": request.form.getlist("purposes")[:32],
        "deceased": request.form.get("deceased") == "1",
    }
    try:
        asked["received_on"] = _day(said["received_on"])
        made = requests.open_from_case(services(), said["case"], asked, actor=_me())
    except PiyingError as error:
        if error.code == "case_unknown":
            raise
        kept = {name: said[name] for name, known in (("right", RIGHTS), ("regime", REGIMES)) if said[name] in known}
        return _new_form(said["case"], errors.status_of(error), {error.field or "right": told(error)}, kept)
    flash(_("The request has the number %(number)s.", number=made["number"]), "good")
    return redirect(f"/requests/{made['number']}", 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("a day is written YYYY-MM-DD", code="bad_day", field="received_on") from None


# ── one request ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/requests/<number>")
@gate.page("request.read")
def page(number: str) -> ResponseReturnValue:
    """Steps, clock, tasks, letters, packages, timeline."""
    return _request_page(number)


def _request_page(number: str, status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    one = requests.show(services(), number, actor=_me())
    return _render(
        "request", status, one=_row(one), wrong=wrong or {}, me=_me(), officers=requests.staff(services(), officers=True),
        letters=requests.letters(services(), one),
    )  # fmt: skip


@blueprint.post("/requests/<number>/acts")
@gate.act("request.edit")
def act(number: str) -> ResponseReturnValue:
    """One act that changes no data of the person."""
    return _done(number, _said(("act", "account", "method", "ground", "outcome", "reason", "words")))


def _said(names: tuple[str, ...]) -> dict[str, Any]:
    said: dict[str, Any] = {name: request.form.get(name, "").strip()[:2000] for name in names}
    kin = {name: request.form.get(name, "")[:24] for name in KIN}
    return said | {"passed": request.form.get("passed") == "yes", "parts": request.form.getlist("parts")[:100], "kin": kin}


def _done(number: str, said: dict[str, Any]) -> ResponseReturnValue:
    try:
        if said["act"] in requestacts.FRESH:
            raise Invalid("this act has a page of its own", code="act_unknown", field="act")
        requestacts.act(services(), number, said, actor=_me())
    except PiyingError as error:
        if error.code == "request_unknown":
            raise
        return _request_page(number, errors.status_of(error), {error.field or "act": told(error)})
    flash(_("Noted."), "good")
    return redirect(f"/requests/{number}", 303)


@blueprint.get("/requests/<number>/decision")
@gate.page("request.edit")
def decision_page(number: str) -> ResponseReturnValue:
    """What a decision would do: for a deletion a dry run."""
    one = requests.show(services(), number, actor=_me())
    plan = requests.plan(services(), number, actor=_me()) if one["right"] == "deletion" else None
    return _render("decision", one=_row(one), plan=plan, me=_me(), wrong={})


# ── what asks for the password again ───────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/requests/<number>/delivery")
@gate.page("request.edit", fresh=True)
def delivery_page(number: str) -> ResponseReturnValue:
    """The second person's word, a correction, and carrying out what was decided."""
    return _delivery(number)


def _delivery(number: str, status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    one = requests.show(services(), number, actor=_me())
    plan = requests.plan(services(), number, actor=_me()) if one["right"] == "deletion" and not one["erasure"] else None
    return _render("delivery", status, one=_row(one), plan=plan, me=_me(), wrong=wrong or {})


@blueprint.post("/requests/<number>/delivery")
@gate.act("request.edit", fresh=True)
def deliver(number: str) -> ResponseReturnValue:
    """Does it, once the number was typed."""
    said = _said(("act", "type", "ref", "value", "namespace")) | {"clear": request.form.get("clear") == "1"}
    try:
        if said["act"] != "correct" and request.form.get("confirmation", "").strip().upper() != number:
            raise Invalid("the number of the request confirms it", code="confirmation", field="confirmation")
        if said["act"] not in requestacts.FRESH:
            raise Invalid("this act has a page of its own", code="act_unknown", field="act")
        requestacts.act(services(), number, said, actor=_me())
    except PiyingError as error:
        if error.code == "request_unknown":
            raise
        return _delivery(number, errors.status_of(error), {error.field or "act": told(error)})
    flash(_("Noted."), "good")
    return redirect(f"/requests/{number}" + ("/delivery" if said["act"] == "correct" else ""), 303)


@blueprint.post("/requests/<number>/package")
@gate.act("request.edit", fresh=True)
def package(number: str) -> ResponseReturnValue:
    """The package as a file; counted and logged before it is opened."""
    answer = Response(requests.take(services(), number, actor=_me()), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{number}.zip"'
    return answer


@blueprint.post("/requests/<number>/cases")
@gate.act("person.find")
def open_case(number: str) -> ResponseReturnValue:
    """A case about the request's person."""
    case = requests.case_of(services(), number, actor=_me(), reason=_("Works on a request of the person"))
    return redirect(f"/people/{case}", 303)


@blueprint.get("/requests/<number>/certificate.json")
@gate.page("request.read")
def certificate(number: str) -> ResponseReturnValue:
    """The certificate of the erasure, signed."""
    text = json.dumps(requests.certificate(services(), number, actor=_me()), ensure_ascii=False, indent=1, default=str)
    answer = Response(text, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{number}-certificate.json"'
    return answer


@blueprint.get("/requests/<number>/letters/<letter>")
@gate.page("request.edit")
def letter_page(number: str, letter: str) -> ResponseReturnValue:
    """A letter, to be printed; that it was handed out is noted."""
    language = "en" if request.args.get("language") == "en" else "zh"
    paragraphs = requests.letter(services(), number, letter, language, actor=_me())
    return _render("letter", number=number, letter=letter, paragraphs=paragraphs, spoken=language)
