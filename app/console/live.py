"""Live events of a source: what comes in now, in de-identified words.

Promise: opening the page is an entry in the log, in the opener's name; without a watch of one's own there is nothing here. Rows say what a
message's form was and nothing about the person it is of (decision 0023). The address carries no identifier.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import feeds, watching
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Filter, parse
from app.guard import services
from privacy.dictionary import catalogue
from privacy.errors import NotFound

blueprint = Blueprint("live_pages", __name__)

OUTCOMES = (("well_formed", N_("Well formed")), ("quarantined", N_("Quarantined")))


@blueprint.get("/sources/<source_id>/live")
@gate.page("source.edit")
def page(source_id: str) -> ResponseReturnValue:
    """Opens a watch, or goes on with the one that is open."""
    filters = _filters()
    applied = parse(request.args, filters)
    one = feeds.owned(services(), source_id, caller=g.caller)
    watching.open_(services(), source_id, caller=g.caller)
    shown = _rows(source_id, applied)
    return shell.render(
        "sources/live.html", one=one, filters=filters, applied=applied, minutes=watching.MINUTES, most=watching.MOST, **shown
    )


@blueprint.get("/sources/<source_id>/live/rows")
@gate.page("source.edit", quiet=True)
def rows(source_id: str) -> ResponseReturnValue:
    """The part of the page that changes; ends when the watch does."""
    try:
        return shell.render("sources/live_rows.html", **_rows(source_id, parse(request.args, _filters())))
    except NotFound as over:
        if over.code != "live_closed":
            raise
        watching.end(services(), source_id, caller=g.caller)
        return shell.render("sources/live_over.html", source=source_id)


@blueprint.post("/sources/<source_id>/live/endings")
@gate.act("source.edit")
def end(source_id: str) -> ResponseReturnValue:
    """Ends the watch; the rows go with the last one."""
    watching.end(services(), source_id, caller=g.caller)
    return redirect(f"/sources/{source_id}", 303)


@blueprint.post("/sources/<source_id>/tests")
@gate.act("source.edit")
def test(source_id: str) -> ResponseReturnValue:
    """Sends a test event of nobody through the source's own way in."""
    feeds.send_test(services(), source_id, caller=g.caller)
    flash(_("A test event of nobody was sent: it is counted, and dropped for want of consent."), "info")
    return redirect(gate.local(request.form.get("back") or f"/sources/{source_id}/live"), 303)


def _rows(source_id: str, applied: dict[str, str]) -> dict[str, Any]:
    found = watching.rows(services(), source_id, applied, caller=g.caller)
    return {
        "rows": [row | {"kind": watching.kind(row), "words": watching.words(row)} for row in found["items"]],
        "ends_at": found["ends_at"],
        "filtered": bool(applied),
    }


def _filters() -> tuple[Filter, ...]:
    known = catalogue.load()
    words = [*known.records["event"].fields["event"].input.values, *(name for name in known.records if name != "event")]
    return (
        Filter("type", N_("Type"), "choice", tuple((word, word) for word in words), translate=False),
        Filter("outcome", N_("Form"), "choice", OUTCOMES),
        Filter("q", N_("Word in it")),
    )
