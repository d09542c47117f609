"""The access log: who looked at or changed what, for which purpose, and that nobody has altered a line of it.

Promise: opening it, or one entry of it, is an entry itself, and the page says so. Officers read everything, others their own acts. A person
is asked for by a case, never by an identifier. Learns handles only.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import reading
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services
from privacy.vocabulary import LogKind

blueprint = Blueprint("log_pages", __name__)

COLUMNS = (
    Column("seq", N_("No."), "number", href="page"),
    Column("at", N_("Time"), "instant"),
    Column("kind", N_("Kind"), "code"),
    Column("action", N_("Act"), "code"),
    Column("actor", N_("Who")),
    Column("subject", N_("Whose data"), "code"),
    Column("purpose", N_("Purpose"), "code"),
    Column("reason", N_("Reason")),
    Column("result", N_("Outcome"), "code"),
    Column("unusual", N_("Unusual"), "badge"),
    Column("facts", N_("Details"), "list"),
)
LINKED = tuple(column for column in COLUMNS if column.key in ("seq", "at", "action", "actor", "purpose", "result"))
KINDS = tuple((str(kind), str(kind)) for kind in LogKind)


@blueprint.get("/access-log")
@gate.page("log.own")
def log() -> ResponseReturnValue:
    """The entries that match the filters, the strip that says how far the log is proven, and who was busy when."""
    filters = _filters()
    applied = parse(request.args, filters)
    told = reading.page(services(), applied, caller=g.caller, after=request.args.get("after"))
    empty = Empty(_("No entry yet"), _("Every look at a person's data and every change leaves a line here."))
    listing = Listing(
        _columns(), told.rows, _("Entries of the access log"), filters, applied,
        total=told.total, next=told.next, csv="/access-log.csv", csv_cap=reading.MOST, empty=empty,
    )  # fmt: skip
    return shell.render("log/log.html", listing=listing, told=told, most=max((max(one["counts"]) for one in told.hours), default=0))


@blueprint.get("/access-log.csv")
@gate.page("log.own")
def file() -> ResponseReturnValue:
    """The entries that match, as a file; the log notes the export."""
    applied = parse(request.args, _filters())
    columns = tuple(column for column in _columns() if column.key != "unusual")
    return csv_of(columns, reading.every(services(), applied, caller=g.caller), "access-log.csv", cap=reading.MOST)


@blueprint.get("/access-log/<entry_id>")
@gate.page("log.read")
def entry(entry_id: str) -> ResponseReturnValue:
    """One entry: what it says, what it changed, what belongs to it, and its place in the tree."""
    told = reading.one(services(), entry_id, caller=g.caller)
    linked = Listing(LINKED, told["linked"], _("Entries that belong to it"))
    return shell.render("log/entry.html", told=told, row=told["row"], linked=linked)


@blueprint.post("/access-log/verifications")
@gate.act("log.verify")
def verify() -> ResponseReturnValue:
    """Recomputes the tree from the entries and says what came out."""
    told = reading.verify(services(), caller=g.caller)
    if told["ok"]:
        flash(_("Verified: all %(size)s entries are as they were written.", size=f"{told['size']:,}"), "good")
    else:
        flash(_("The log does not verify. Keep a copy and call for help: piying audit verify names the first bad entry."), "bad")
    return redirect("/access-log", 303)


def _columns() -> tuple[Column, ...]:
    hidden = () if reading.numbered(g.caller) else ("seq",)
    return tuple(column for column in COLUMNS if column.key not in hidden)


def _filters() -> tuple[Filter, ...]:
    shown = [
        Filter("kind", N_("Kind"), "choice", KINDS, translate=False),
        Filter("actor", N_("Who"), "choice", reading.actors(services(), g.caller), translate=False),
        Filter("group", N_("Group of acts"), "choice", tuple((one, one) for one in reading.GROUPS), translate=False),
        Filter("action", N_("Act")),
        Filter("case", N_("Case")),
        Filter("purpose", N_("Purpose")),
        Filter("result", N_("Outcome"), "choice", tuple((one, one) for one in reading.OUTCOMES), translate=False),
        Filter("since", N_("From"), "date"),
        Filter("until", N_("Until"), "date"),
        Filter("unusual", N_("Only what is unusual"), "flag"),
    ]
    officers = ("actor", "case")
    return tuple(one for one in shown if one.name not in officers or "log.read" in g.caller.permissions)
