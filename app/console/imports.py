"""Imports: the list, a file out of a form, one import with its progress, its result, its error file and its undo.

Promise: a file's name is its sender's words and is shown as such; numbers of rows are for whoever may see exact numbers; of rows that failed
place and rule are shown, never a value. An integrator meets own sources only. Mapping and check stand in `mappings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, imported, imports, undoing, uploads, wizard
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.console.words import STATES, explanation
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("imports_pages", __name__)

COLUMNS = (
    Column("import", N_("Import"), "code", href="page"),
    Column("name", N_("File"), "verbatim"),
    Column("source", N_("Source"), "code", shown=False),
    Column("source_name", N_("Source"), "verbatim"),
    Column("record", N_("Records"), "code"),
    Column("state", N_("State"), "badge"),
    Column("received", N_("Read"), "number"),
    Column("stored", N_("Stored"), "number"),
    Column("duplicate", N_("Duplicate"), "number"),
    Column("quarantined", N_("Quarantined"), "number"),
    Column("refused", N_("Refused"), "number"),
    Column("who", N_("Started by")),
    Column("created_at", N_("Announced"), "instant"),
    Column("finished_at", N_("Ended"), "instant"),
    Column("error_code", N_("Error code"), "code"),
)
FAULTS = (Column("row", N_("Row"), "number"), Column("path", N_("Place"), "code"), Column("rule", N_("Rule"), "code"))
MOVING = (imports.QUEUED, imports.RUNNING, imports.UPLOADING, imports.UNDOING)
WAITS = (imports.UPLOADED, imports.QUEUED, imports.RUNNING, imports.UPLOADING, imports.FAILED)
ACTS = {
    "import.announce": N_("File announced"),
    "import.mapping": N_("Mapping set"),
    "import.guess": N_("Columns looked at"),
    "import.trial": N_("Dry run"),
    "import.queue": N_("Import asked for"),
    "import.start": N_("Import begun by a command"),
    "import.finish": N_("Import ended"),
    "import.cancel": N_("Called off"),
    "import.undo": N_("Undo asked for"),
    "import.undone": N_("Undone"),
}


@blueprint.get("/imports")
@gate.page("import.read")
def page() -> ResponseReturnValue:
    """Imports, newest first."""
    filters = _filters()
    applied = parse(request.args, filters)
    found = wizard.page(services(), applied, request.args.get("after"), caller=g.caller)
    may = "import.run" in g.caller.permissions
    empty = Empty(
        _("No import yet"),
        _("A file becomes rows of the lake in five steps: send it, say what its columns mean, try it, run it, look at what came of it."),
        "/imports/new" if may else "",
        _("Import a file") if may else "",
    )
    rows = [_told(one) for one in found["items"]]
    listing = Listing(
        _columns(), rows, _("Imports"), filters, applied, total=found["total"], next=found["next"],
        csv="/imports.csv", csv_cap=wizard.MOST, empty=empty,
    )  # fmt: skip
    return shell.render("imports/imports.html", listing=listing)


@blueprint.get("/imports.csv")
@gate.page("import.read")
def file() -> ResponseReturnValue:
    """The imports that match, as a file."""
    found: Iterator[Mapping[str, Any]] = wizard.every(services(), parse(request.args, _filters()), caller=g.caller)
    return csv_of(COLUMNS, [_told(one) for one in found], "imports.csv", cap=wizard.MOST)


# ── a new one ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/imports/new")
@gate.page("import.run")
def new_page() -> ResponseReturnValue:
    """The form for a file."""
    return _new(chosen=request.args.get("source", ""))


@blueprint.post("/imports/new")
@gate.upload("import.run")
def add() -> ResponseReturnValue:
    """Takes a file in; it waits for its mapping."""
    own, sent = wizard.sources(services(), g.caller), g.sent
    name = own.get(sent.fields.get("source", ""), "")
    try:
        made = wizard.take(services(), name, sent.filename, sent, services().settings.limits.form_bytes, caller=g.caller)
    except PiyingError as error:
        return _new(errors.status_of(error), chosen=sent.fields.get("source", ""), error=error)
    return redirect(f"/imports/{made}/mapping", 303)


@blueprint.get("/imports/template.csv")
@gate.page("import.run")
def template() -> ResponseReturnValue:
    """The header of a file of one kind of records."""
    record = request.args.get("record", "")
    kind = parse(request.args, (Filter("record", N_("Records"), "choice", tuple((one, one) for one in wizard.records())),))
    answer = Response(wizard.template(kind.get("record", "order_line")), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{kind.get("record", record) or "order_line"}.csv"'
    return answer


def _new(status: int = 200, *, chosen: str = "", error: PiyingError | None = None) -> Response:
    limits = services().settings.limits
    wrong = {} if error is None else {"source" if error.field == "source" else "file": explanation(status, error.code).title}
    return shell.render(
        "imports/new.html",
        status,
        sources=list(wizard.sources(services(), g.caller).items()),
        chosen=chosen,
        wrong=wrong,
        most=limits.form_bytes,
        most_by_parts=limits.upload_bytes,
        records=list(wizard.records()),
    )


# ── one ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/imports/<import_id>")
@gate.page("import.read")
def one(import_id: str) -> ResponseReturnValue:
    """One import: how far it is, or what came of it."""
    shown = _told(wizard.one(services(), import_id, caller=g.caller))
    moving = shown["state"] in MOVING
    return shell.render(
        "imports/import.html",
        one=shown,
        refresh=3 if moving else None,
        undo=None if moving or not shown["undo_until"] else undoing.prospect(services(), import_id, caller=g.caller),
        entries=[] if moving else _history(import_id),
    )


@blueprint.get("/imports/<import_id>/progress")
@gate.page("import.read", quiet=True)
def progress(import_id: str) -> ResponseReturnValue:
    """The part of the page that changes."""
    return shell.render("imports/progress.html", one=_told(wizard.one(services(), import_id, caller=g.caller)))


@blueprint.get("/imports/<import_id>/errors.csv")
@gate.page("exact.read")
def error_file(import_id: str) -> ResponseReturnValue:
    """The rows that were not stored and are no duplicates: row, place, rule."""
    return csv_of(FAULTS, imported.faults(services(), import_id, caller=g.caller), f"{import_id}-errors.csv")


@blueprint.post("/imports/<import_id>/cancellation")
@gate.act("import.run")
def cancel(import_id: str) -> ResponseReturnValue:
    """Calls it off."""
    uploads.cancel(services(), import_id, actor=g.caller.account_id, caller=g.caller)
    flash(_("The import is called off. What is stored stays until you undo it."), "info")
    return redirect(f"/imports/{import_id}", 303)


@blueprint.get("/imports/<import_id>/undo")
@gate.page("import.run")
def undo_page(import_id: str) -> ResponseReturnValue:
    """What an undo would take back, and what would stay."""
    shown = _told(wizard.one(services(), import_id, caller=g.caller))
    return shell.render("imports/undo.html", one=shown, undo=undoing.prospect(services(), import_id, caller=g.caller))


@blueprint.post("/imports/<import_id>/undo")
@gate.act("import.run", fresh=True)
def undo(import_id: str) -> ResponseReturnValue:
    """Takes the rows back."""
    undoing.ask(services(), import_id, actor=g.caller.account_id, caller=g.caller)
    flash(_("The undo is on its way; this page follows it."), "info")
    return redirect(f"/imports/{import_id}", 303)


def _history(import_id: str) -> list[dict[str, Any]]:
    found = wizard.history(services(), import_id, caller=g.caller)
    return [{"at": line["at"], "who": _who(line["who"]), "what": _what(line)} for line in reversed(found)]


def _what(line: Mapping[str, Any]) -> str:
    act = ACTS.get(line["action"])
    return _(act) if act else str(line["action"])


def _who(actor: str) -> str:
    return {g.caller.account_id: _("You"), "cli": _("A command"), "schedule": _("The schedule")}.get(actor, actor)


def _told(found: Mapping[str, Any]) -> dict[str, Any]:
    """An import in the words of its page."""
    began, ended, undo_until = (found[name] and datetime.fromisoformat(found[name]) for name in ("created_at", "finished_at", "undo_until"))
    return {**found} | {
        "page": f"/imports/{found['import']}",
        "created_at": began,
        "finished_at": ended,
        "undo_until": undo_until,
        "who": _who(found["created_by"]),
        "moving": found["state"] in MOVING,
        "waits": found["state"] in WAITS,
        "exact": found["counts"] is not None,
        "why": explanation(409, found["error_code"]).title if found["error_code"] else "",
    }


def _columns() -> tuple[Column, ...]:
    """Without the right to exact numbers no column of them."""
    exact = "exact.read" in g.caller.permissions
    return tuple(column for column in COLUMNS if exact or column.key not in wizard.COUNTS)


def _filters() -> tuple[Filter, ...]:
    return (
        Filter("state", N_("State"), "choice", tuple((state, STATES[state].label) for state in wizard.STATES)),
        Filter("source", N_("Source"), "choice", tuple(wizard.names(services(), g.caller).items()), translate=False),
        Filter("since", N_("Since"), "date"),
    )
