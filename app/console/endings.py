"""What time ends: the earliest end first, people whose last purpose ended with the proof that their rows are gone, and erasures.

Promise: people stand under the officers' reference, which leads nowhere; opening the page is an entry of the access log. Learns counts and dates.
"""

from __future__ import annotations

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from app import erasing, lapsing, retaining
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services

blueprint = Blueprint("endings_pages", __name__)

MOST = 10_000
COLUMNS = (
    Column("subject", N_("Person"), "code"),
    Column("state", N_("State"), "badge"),
    Column("noticed_at", N_("Last purpose ended"), "instant"),
    Column("due_at", N_("Rows go by"), "instant"),
    Column("erased_at", N_("Rows went"), "instant"),
    Column("rows", N_("Rows"), "number"),
    Column("entry", N_("Entry of the access log"), "number"),
)
FILTERS = (Filter("state", N_("State"), "choice", (("pending", N_("Pending")), ("erased", N_("Erased")))),)


@blueprint.get("/endings")
@gate.page("consent.read")
def endings() -> ResponseReturnValue:
    """What ends next, and whose rows."""
    applied = parse(request.args, FILTERS)
    told = lapsing.queue(services(), actor=g.caller.account_id, state=str(applied.get("state") or ""))
    empty = Empty(
        _("Nobody's last purpose ended"),
        _("Whoever withdraws the last analytic consent stands here, until the rows are gone and afterwards as proof."),
        "/consents",
        _("See the consent log"),
    )
    total = told["waiting"] + told["erased"] if not applied else None
    listing = Listing(COLUMNS, told["items"], _("Last purposes that ended"), FILTERS, applied, total=total, csv="/endings.csv", empty=empty)
    erasures = erasing.listing(services(), limit=20)
    return shell.render("endings/endings.html", listing=listing, told=told, due=retaining.due(services()), erasures=erasures)


@blueprint.get("/endings.csv")
@gate.page("consent.read")
def endings_file() -> ResponseReturnValue:
    """The lapses that match, as a file."""
    applied = parse(request.args, FILTERS)
    told = lapsing.queue(services(), actor=g.caller.account_id, state=str(applied.get("state") or ""), limit=MOST)
    return csv_of(COLUMNS, iter(told["items"]), "endings.csv", cap=MOST)
