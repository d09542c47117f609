"""What has left: the board of recipients, the parts on their way and the dead letters, the removals and how long they took.

Promise: counts, states, codes and ids; nobody who was given away or is taken out stands here. A removal that somebody carries by hand leaves
sealed for its recipient, and only for whoever proved again who they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import deliveries
from app.console import gate, shell
from app.console.languages import N_, _, current, span
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services

blueprint = Blueprint("deliveries_pages", __name__)

STATES = (
    ("queued", N_("Queued")), ("sending", N_("On its way")), ("waiting", N_("Waits to be tried or taken")), ("acknowledged", N_("Acknowledged")),
    ("dead", N_("Dead letter")),
)  # fmt: skip
ACTIONS = (("add", N_("Adds people")), ("remove", N_("Removes people")))
WAYS = {"push": N_("Pushed"), "folder": N_("Laid into a folder"), "download": N_("Fetched")}
COLUMNS = (
    Column("queued", N_("Since"), "instant"),
    Column("id", N_("Part"), "code", href="page"),
    Column("recipient_name", N_("Recipient"), "verbatim"),
    Column("action_word", N_("What it does")),
    Column("batch", N_("Export or removal"), "code", href="batch_page"),
    Column("state_word", N_("State"), "badge"),
    Column("attempts", N_("Attempts"), "number"),
    Column("code", N_("Last answer"), "code"),
)
FILE = tuple(
    Column(name, name)
    for name in (
        *(
            "id",
            "recipient",
            "batch",
            "part",
            "action",
            "state",
            "attempts",
            "code",
            "rows",
            "queued_at",
            "first_sent_at",
            "acknowledged_at",
        ),
        *("retry_at", "sha256"),
    )
)
FILTERS = (
    Filter("state", N_("State"), "choice", STATES),
    Filter("action", N_("What it does"), "choice", ACTIONS),
    Filter("batch", N_("Export or removal")),
)
MOST_LINES = 5_000


@blueprint.get("/deliveries")
@gate.page("delivery.read")
def page() -> ResponseReturnValue:
    """The board, and the parts, newest first."""
    applied = parse(request.args, FILTERS)
    told = deliveries.overview(services(), cursor=request.args.get("after"), **applied)
    board = [_line(one) for one in told["board"]]
    names = {one["recipient"]: one["name"] for one in board}
    rows = [_shown(one, names) for one in told["items"]]
    empty = Empty(_("Nothing has left yet"), _("A list that is released appears here with its parts; so does every removal after it."))
    listing = Listing(
        COLUMNS, rows, _("Parts"), FILTERS, applied, next=told["next"], csv="/deliveries.csv", csv_cap=MOST_LINES, empty=empty
    )  # fmt: skip
    removals = [
        one | {"name": names.get(one["recipient"], one["recipient"]), "longest": span(one["longest_seconds"])} for one in told["removals"]
    ]
    return shell.render("deliveries/deliveries.html", listing=listing, board=board, removals=removals, hours=told["hours"])


@blueprint.get("/deliveries.csv")
@gate.page("delivery.read")
def file() -> ResponseReturnValue:
    """The same parts as a file."""
    return csv_of(FILE, list(_every(parse(request.args, FILTERS))), "deliveries.csv", cap=MOST_LINES)


@blueprint.get("/deliveries/<delivery_id>")
@gate.page("delivery.read")
def one(delivery_id: str) -> ResponseReturnValue:
    """One part."""
    found = deliveries.shown(services(), delivery_id)
    return shell.render("deliveries/delivery.html", one=_shown(found, {found["recipient"]: _name(found) or found["recipient"]}))


@blueprint.post("/deliveries/replays")
@gate.act("delivery.edit")
def replay() -> ResponseReturnValue:
    """Queues dead parts again."""
    told = deliveries.replay(
        services(), actor=g.caller.account_id, recipient=request.form.get("recipient", ""), delivery=request.form.get("delivery", "")
    )
    flash(_("%(n)s parts are queued again under their old keys.", n=told["replayed"]), "good" if told["replayed"] else "info")
    return redirect("/deliveries", 303)


@blueprint.post("/deliveries/<delivery_id>/acknowledgement")
@gate.act("delivery.edit")
def acknowledge(delivery_id: str) -> ResponseReturnValue:
    """Notes that the recipient has a part."""
    deliveries.acknowledge(services(), delivery_id, actor=g.caller.account_id)
    flash(_("Noted: the recipient has it."), "good")
    return redirect(f"/deliveries/{delivery_id}", 303)


@blueprint.post("/deliveries/<delivery_id>/file")
@gate.act("delivery.edit", fresh=True)
def fetch(delivery_id: str) -> ResponseReturnValue:
    """A part of a removal, sealed for its recipient."""
    name, raw, signature = deliveries.fetch(services(), delivery_id, actor=g.caller.account_id)
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Piying-Signature": signature}
    return Response(raw, mimetype="application/octet-stream", headers=told)


def _every(applied: dict[str, str]) -> Iterator[dict[str, Any]]:
    cursor, told = None, 0
    while told < MOST_LINES:
        found = deliveries.listing(services(), cursor=cursor, limit=200, **applied)
        yield from found["items"]
        cursor, told = found["next"], told + len(found["items"])
        if cursor is None:
            return


def _name(told: dict[str, Any]) -> str:
    return str(told["name_zh"] if current().startswith("zh") else told["name_en"])


def _line(one: dict[str, Any]) -> dict[str, Any]:
    """A recipient's line in the words of the page."""
    waits = sum(one["parts"][state] for state in ("queued", "sending", "waiting"))
    state = "delivery_blocked" if one["blocked"] else "delivery_paused" if one["pause"] else "delivery_open"
    since, way = one["removals"]["oldest"], WAYS.get(one["way"], "")
    return one | {
        "name": _name(one) or one["recipient"],
        "way_word": _(way) if way else "",
        "waits": waits,
        "dead": one["parts"]["dead"],
        "longest": span(one["removals"]["latency_longest"]),
        "mean": span(one["removals"]["latency_mean"]),
        "state_word": state,
        "oldest": datetime.fromisoformat(since) if since else None,
        "until": datetime.fromisoformat(one["pause"]["until"]) if one["pause"] else None,
    }


def _shown(one: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A part in the words of its page."""
    times = {name: datetime.fromisoformat(one[f"{name}_at"]) if one[f"{name}_at"] else None for name in ("queued", "acknowledged", "retry")}
    action = dict(ACTIONS)[one["action"]]
    fetched = one["action"] == "remove" and one["code"] == "waits_to_be_fetched"
    return one | times | {
        "page": f"/deliveries/{one['id']}",
        "batch_page": f"/exports/{one['batch']}" if one["action"] == "add" else "",
        "recipient_name": names.get(one["recipient"], one["recipient"]),
        "action_word": _(action),
        "state_word": f"delivery_{one['state']}",
        "fetched": fetched,
        "may_acknowledge": one["first_sent_at"] is not None and one["state"] != "acknowledged",
    }  # fmt: skip
