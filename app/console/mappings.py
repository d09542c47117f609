"""The middle of an import: what its columns mean, and a dry run of it before a row is stored.

Promise: of a file's values their shapes are shown and nothing else; the guess and the dry run are in the log before they look; a mapping
that somebody else changed meanwhile is not overwritten. An integrator meets own sources only.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, previews, uploads, wizard
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Filter, parse
from app.console.words import explanation
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("mappings_pages", __name__)

REASONS = {
    "day_and_month_ambiguous": N_("Day and month could be the other way round"),
    "thousands_separators": N_("Numbers with separators of thousands cannot be read"),
    "decimal_comma": N_("Numbers with a decimal comma cannot be read"),
    "forbidden_category": N_("A forbidden category: a row that carries it is refused"),
    "say_which_purpose": N_("It speaks of consent: say which purpose it means"),
    "name_says_person": N_("Its name says that it names a person"),
}
"""Why a column is taken for what it is taken for, where the machine's word alone does not say it."""


@blueprint.get("/imports/<import_id>/mapping")
@gate.page("import.run")
def mapping(import_id: str) -> ResponseReturnValue:
    """What the columns seem to be, and the mapping to begin with: the guess, a shipped one, or the one that was kept."""
    wanted = parse(request.args, _choices())
    return _mapping(import_id, wanted)


@blueprint.post("/imports/<import_id>/mapping")
@gate.act("import.run")
def keep(import_id: str) -> ResponseReturnValue:
    """Keeps the mapping and goes on to the dry run."""
    text = request.form.get("mapping", "").replace("\r\n", "\n")
    actor, seen = g.caller.account_id, request.form.get("version", "")
    try:
        uploads.set_mapping(services(), import_id, text, actor=actor, seen=seen, caller=g.caller)
    except PiyingError as error:
        if error.code not in ("mapping_invalid", "purpose_unknown"):
            raise
        return _mapping(import_id, {}, text=text, error=error)
    return redirect(f"/imports/{import_id}/check", 303)


@blueprint.get("/imports/<import_id>/check")
@gate.page("import.run")
def check(import_id: str) -> ResponseReturnValue:
    """The dry run: counts, and the first faults by row and rule."""
    found = wizard.one(services(), import_id, caller=g.caller)
    error: PiyingError | None = None
    told: dict[str, Any] | None = None
    try:
        told = previews.trial(services(), import_id, None, actor=g.caller.account_id, caller=g.caller)
    except PiyingError as caught:
        error = caught
    return shell.render(
        "imports/check.html",
        one=found,
        told=told,
        wrong=None if error is None else _why(error),
    )


@blueprint.post("/imports/<import_id>/start")
@gate.act("import.run")
def start(import_id: str) -> ResponseReturnValue:
    """Runs it, or goes on with one that failed."""
    uploads.start(services(), import_id, actor=g.caller.account_id, caller=g.caller)
    flash(_("The import is queued; this page follows it."), "info")
    return redirect(f"/imports/{import_id}", 303)


def _mapping(import_id: str, wanted: dict[str, str], *, text: str | None = None, error: PiyingError | None = None) -> Response:
    found = wizard.one(services(), import_id, caller=g.caller)
    kept, version = uploads.mapping_of(services(), import_id, g.caller)
    guess = previews.guess(services(), import_id, wanted.get("record"), actor=g.caller.account_id, caller=g.caller)
    shipped = services().shipped_mappings
    begin = shipped[wanted["shipped"]] if "shipped" in wanted else kept if kept and not wanted else guess["mapping"]
    required = wizard.records()[guess["record"]]
    return shell.render(
        "imports/mapping.html",
        200 if error is None else errors.status_of(error),
        one=found,
        guess=guess,
        reasons=REASONS,
        required=required,
        given={column["field"] for column in guess["columns"]},
        records=[(name, name) for name in wizard.records()],
        shipped=[("", "–"), *((name, name) for name in shipped)],
        chosen=wanted.get("shipped", ""),
        text=begin if text is None else text,
        version=version,
        wrong={} if error is None else {"mapping": _why(error)["title"]},
        place=error.field if error else None,
    )


def _why(error: PiyingError) -> dict[str, Any]:
    said = explanation(errors.status_of(error), error.code)
    return {"title": said.title, "text": said.text, "code": error.code, "place": error.field}


def _choices() -> tuple[Filter, ...]:
    return (
        Filter("record", N_("Records"), "choice", tuple((name, name) for name in wizard.records())),
        Filter("shipped", N_("Shipped mapping"), "choice", tuple((name, name) for name in services().shipped_mappings)),
    )
