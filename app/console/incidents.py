"""Incidents: what happened, which clocks run, who was affected, what to write to them.

Promise: a list of identifiers is read from the form, counted and forgotten; the page shows counts and nobody. Every step is an entry of the log.
"""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors
from app.accountability import affected, letters
from app.console import gate, paperwork, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Listing
from app.guard import services
from privacy.errors import Invalid, PiyingError
from privacy.vocabulary import IdentifierType

blueprint = Blueprint("incidents_pages", __name__)

COLUMNS = (
    Column("title", N_("Title"), "verbatim", href="page"),
    Column("discovered", N_("Discovered"), "instant"),
    Column("level_word", N_("Level")),
    Column("state_word", N_("State"), "badge"),
    Column("clock_state", N_("Clocks"), "badge"),
)
WHOM = {"authority": N_("The authority"), "people": N_("The people concerned"), "cac": N_("The cyberspace administration")}
WAYS = {
    "identifiers": N_("A list of identifiers"),
    "hashes": N_("Hashes of an export"),
    "column": N_("A column"),
    "time": N_("A stretch of time"),
}


@blueprint.get("/incidents")
@gate.page("accountability.read")
def page() -> ResponseReturnValue:
    """Every incident, the newest first."""
    rows = [_row(one) for one in reversed(services().incidents.listing())]
    empty = Empty(_("No incident yet"), _("Open one as soon as something may have happened: the clocks run from the discovery."))
    return shell.render("papers/incidents.html", listing=Listing(COLUMNS, rows, _("Incidents"), total=len(rows), empty=empty))


@blueprint.get("/incidents/new")
@gate.page("accountability.edit")
def new_page() -> ResponseReturnValue:
    """The form for an incident."""
    return _form({"discovered_at": services().clock().isoformat(), "regimes": [services().settings.jurisdiction]}, {})


@blueprint.post("/incidents/new")
@gate.act("accountability.edit")
def add() -> ResponseReturnValue:
    """Opens an incident."""
    given = paperwork.sent("incident", request.form)
    try:
        made = services().incidents.add(given, actor=g.caller.account_id)
    except PiyingError as error:
        return _form(_retyped(given), {error.field or "title": paperwork.wrong(error)}, status=errors.status_of(error))
    flash(_("Opened: the clocks run."), "good")
    return redirect(f"/incidents/{made['id']}", 303)


def _retyped(given: dict[str, Any]) -> dict[str, Any]:
    """What was typed, without moments that are none."""
    return {name: value for name, value in given.items() if not name.endswith("_at") or _is_moment(value)}


def _is_moment(value: Any) -> bool:
    try:
        return bool(datetime.fromisoformat(value).tzinfo)
    except (TypeError, ValueError):
        return False


def _form(kept: dict[str, Any], wrong: dict[str, str], *, status: int = 200, change: str = "") -> ResponseReturnValue:
    return shell.render(
        "papers/form.html",
        status,
        items=paperwork.items("incident", kept, wrong),
        errors=wrong,
        heading=_("Change the incident") if change else _("New incident"),
        parents=[("/incidents", _("Incidents"))],
        lead=_("Say what happened without naming a customer."),
        button=_("Change") if change else _("Open it"),
        version=kept.get("version"),
    )


@blueprint.get("/incidents/<incident_id>")
@gate.page("accountability.read")
def one(incident_id: str) -> ResponseReturnValue:
    """One incident: clocks, who was affected, letters, history."""
    return _one(incident_id)


def _one(incident_id: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    desk = services().incidents
    shown = _row(desk.one(incident_id))
    written = letters.of(services(), incident_id)
    return shell.render(
        "papers/incident.html",
        status,
        one=shown,
        wrong=wrong,
        words=paperwork,
        types=[(one.value, one.value) for one in IdentifierType],
        letter=written,
        now=paperwork.local_now(),
        changes=paperwork.changes(desk.history(incident_id)),
    )


@blueprint.get("/incidents/<incident_id>/change")
@gate.page("accountability.edit")
def change_page(incident_id: str) -> ResponseReturnValue:
    """The form to change it."""
    return _form(services().incidents.one(incident_id), {}, change=incident_id)


@blueprint.post("/incidents/<incident_id>/change")
@gate.act("accountability.edit")
def change(incident_id: str) -> ResponseReturnValue:
    """Changes it; clocks follow."""
    given = paperwork.sent("incident", request.form, change=True)
    try:
        services().incidents.change(incident_id, given, seen=paperwork.seen(request.form), actor=g.caller.account_id)
    except PiyingError as error:
        kept = services().incidents.one(incident_id) | _retyped(given)
        return _form(kept, {error.field or "title": paperwork.wrong(error)}, status=errors.status_of(error), change=incident_id)
    flash(_("Saved."), "good")
    return redirect(f"/incidents/{incident_id}", 303)


@blueprint.post("/incidents/<incident_id>/notifications")
@gate.act("accountability.edit")
def notify(incident_id: str) -> ResponseReturnValue:
    """Writes down that somebody was told."""

    def told() -> None:
        at = paperwork.moment(request.form.get("at", ""))
        services().incidents.notify(
            incident_id, request.form.get("clock", ""), at, seen=paperwork.seen(request.form), actor=g.caller.account_id
        )

    return _did(incident_id, told, _("Written down: the clock stands still."))


@blueprint.post("/incidents/<incident_id>/states")
@gate.act("accountability.edit")
def move(incident_id: str) -> ResponseReturnValue:
    """Contained, or closed."""
    form = request.form
    return _did(
        incident_id,
        lambda: services().incidents.move(
            incident_id, form.get("state", ""), reason=form.get("reason", ""), seen=paperwork.seen(form), actor=g.caller.account_id
        ),
        _("Saved."),
    )


@blueprint.post("/incidents/<incident_id>/affected")
@gate.act("accountability.edit")
def ask(incident_id: str) -> ResponseReturnValue:
    """Counts who was affected, by a column or a stretch of time."""
    return _did(incident_id, lambda: affected.ask(services(), incident_id, request.form, actor=g.caller.account_id), _("Counted."))


@blueprint.post("/incidents/<incident_id>/lists")
@gate.upload("accountability.edit")
def ask_by_list(incident_id: str) -> ResponseReturnValue:
    """Counts who was affected, by a file."""
    asked = dict(g.sent.fields) | {"by": "list", "list": _list()}
    return _did(
        incident_id,
        lambda: affected.ask(services(), incident_id, asked, actor=g.caller.account_id),
        _("Counted. The list was not kept."),
    )


def _list() -> str:
    """The file's identifiers, one a line; of a CSV the first column."""
    raw = io.BufferedReader(g.sent).read().decode("utf-8-sig", "replace")
    return "\n".join(line.partition(",")[0].strip().strip('"') for line in raw.splitlines())


def _did(incident_id: str, act: Any, said: str) -> ResponseReturnValue:
    try:
        act()
    except PiyingError as error:
        services().incidents.one(incident_id)
        return _one(incident_id, paperwork.wrong(error), errors.status_of(error))
    flash(said, "good")
    return redirect(f"/incidents/{incident_id}", 303)


@blueprint.get("/incidents/<incident_id>/letter.txt")
@gate.page("accountability.read")
def letter(incident_id: str) -> ResponseReturnValue:
    """The notice to the people concerned, as a file in both languages."""
    written = letters.of(services(), incident_id)
    if not written:
        raise Invalid("there is no letter", code="dossier_unknown", field="id")
    return Response(
        f"{written['zh']}\n{'-' * 40}\n\n{written['en']}",
        mimetype="text/plain",
        headers={"Content-Disposition": 'attachment; filename="letter.txt"'},
    )


def _row(one: dict[str, Any]) -> dict[str, Any]:
    states = [clock["state"] for clock in one["clocks"]]
    worst = "late" if "late" in states else "running" if "running" in states else "done"
    return one | {
        "page": f"/incidents/{one['id']}",
        "discovered": datetime.fromisoformat(one["discovered_at"]),
        "level_word": paperwork.word(one["level"]),
        "state_word": f"incident_{one['state']}",
        "clock_state": f"telling_{worst}",
        "clocks": [
            clock | {"whom_word": _whom(clock), "state_word": f"telling_{clock['state']}", "due": datetime.fromisoformat(clock["due"])}
            for clock in one["clocks"]
        ],
        "affected": [found | {"way": _way(found), "when": datetime.fromisoformat(found["at"])} for found in reversed(one["affected"])],
    }


def _whom(clock: dict[str, Any]) -> str:
    word = WHOM[clock["whom"]]
    return _(word)


def _way(found: dict[str, Any]) -> str:
    word = WAYS[found["by"]]
    return _(word)
