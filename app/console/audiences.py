"""Stored audiences: what is kept, from which segment, how fresh it is; never how many people (dp_rules X-8), but for an officer who asks.

Promise: names, rules and times. Whoever ends an audience ends everything about its people.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import audiences, errors, segments, targeting
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.console.segment_words import KINDS, refusal
from app.guard import services
from privacy.errors import PiyingError

blueprint = Blueprint("audiences_pages", __name__)

COLUMNS = (
    Column("name", N_("Name"), "verbatim", href="page"),
    Column("segment_name", N_("Segment"), "verbatim"),
    Column("version", N_("Version"), "number"),
    Column("kind_word", N_("How it is kept")),
    Column("fresh_state", N_("State"), "badge"),
    Column("refreshed_at", N_("People found at"), "instant"),
    Column("until", N_("Kept until"), "instant"),
    Column("who", N_("Kept by"), "verbatim"),
)
FILE = tuple(
    Column(one, one) for one in ("id", "name", "segment", "version", "kind", "hours", "state", "fresh", "refreshed_at", "until", "by")
)
FILTERS = (Filter("state", N_("State"), "choice", (("active", N_("Still kept")), ("ended", N_("Over")))),)


@blueprint.get("/audiences")
@gate.page("segment.read")
def page() -> ResponseReturnValue:
    """Every stored audience."""
    applied = parse(request.args, FILTERS)
    rows = [_row(one) for one in targeting.kept(services(), state=applied.get("state", ""))]
    empty = Empty(_("No audience is kept"), _("An audience is kept of a segment: open one."), "/segments", _("Segments"))
    listing = Listing(COLUMNS, rows, _("Audiences"), FILTERS, applied, len(rows), csv="/audiences.csv", empty=empty)
    return shell.render("audiences/audiences.html", listing=listing)


@blueprint.get("/audiences.csv")
@gate.page("segment.read")
def file() -> ResponseReturnValue:
    """The same as a file."""
    return csv_of(FILE, audiences.listing(services(), state=parse(request.args, FILTERS).get("state", "")), "audiences.csv")


def _row(one: dict[str, Any]) -> dict[str, Any]:
    word = KINDS[one["kind"]]
    return one | {"page": f"/audiences/{one['id']}", "kind_word": _(word), "fresh_state": f"audience_{one['fresh']}"}


@blueprint.get("/segments/<segment_id>/audiences/new")
@gate.page("segment.edit")
def new_page(segment_id: str) -> ResponseReturnValue:
    """How an audience of a segment is to be kept."""
    return _form(segment_id, {})


@blueprint.post("/segments/<segment_id>/audiences/new")
@gate.act("segment.edit")
def keep(segment_id: str) -> ResponseReturnValue:
    """Keeps one; its people are found in a moment."""
    sent = {name: request.form.get(name, "").strip()[:200] for name in ("name", "kind", "hours", "days")}
    body = sent | {name: int(sent[name]) if sent[name].isdigit() else -1 for name in ("hours", "days")} | {"segment": segment_id}
    try:
        made = audiences.make(services(), body, actor=g.caller.account_id)
    except PiyingError as error:
        return _form(segment_id, sent, errors.status_of(error), {error.field or "name": next(iter(refusal(error).values()))})
    flash(_("Its people are found in a moment."), "good")
    return redirect(f"/audiences/{made['id']}", 303)


def _form(segment: str, kept: dict[str, str], status: int = 200, wrong: dict[str, str] | None = None) -> ResponseReturnValue:
    choices = [(key, _(word)) for key, word in KINDS.items()]
    return shell.render("audiences/new.html", status, one=segments.one(services(), segment), kept=kept, wrong=wrong or {}, kinds=choices)


@blueprint.get("/audiences/<audience_id>")
@gate.page("segment.read")
def one(audience_id: str) -> ResponseReturnValue:
    """One audience."""
    return _one(audience_id)


def _one(audience_id: str, counted: dict[str, Any] | None = None) -> ResponseReturnValue:
    shown = audiences.one(services(), audience_id)
    return shell.render("audiences/audience.html", one=_row(shown | {"who": ""}), counted=counted)


@blueprint.post("/audiences/<audience_id>/refreshes")
@gate.act("segment.edit")
def refresh(audience_id: str) -> ResponseReturnValue:
    """Finds its people now."""
    audiences.refresh_later(services(), audience_id, actor=g.caller.account_id)
    flash(_("Its people are found in a moment."), "info")
    return redirect(f"/audiences/{audience_id}", 303)


@blueprint.post("/audiences/<audience_id>/ending")
@gate.act("segment.edit")
def end(audience_id: str) -> ResponseReturnValue:
    """Ends it."""
    audiences.end(services(), audience_id, actor=g.caller.account_id)
    flash(_("It has ended. Nothing about its people is kept any more."), "good")
    return redirect(f"/audiences/{audience_id}", 303)


@blueprint.post("/audiences/<audience_id>/counts")
@gate.act("segment.exact")
def count(audience_id: str) -> ResponseReturnValue:
    """How many stand in it, for an officer; the look is an entry of the access log."""
    return _one(audience_id, audiences.count(services(), audience_id, actor=g.caller.account_id))


@blueprint.get("/people/<case_id>/segments")
@gate.page("person.find")
def of_case(case_id: str) -> ResponseReturnValue:
    """In which audiences the person of a case is or was, and why they are in a segment, or were in an audience."""
    asked = {name: request.args.get(name, "")[:80] for name in ("segment", "audience")}
    told = audiences.of_case(services(), case_id, actor=g.caller.account_id, segment=asked["segment"], audience=asked["audience"])
    return shell.render("audiences/person.html", **told, asked=asked, known=segments.listing(services()), case_id=case_id)
