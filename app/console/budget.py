"""The privacy budget: what may still be published about each month, in reports like the usual one, and every charge that was made.

Promise: prices, months and names of staff; the ledger can be added up by whoever reads it. No number about people.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from app import published, teams
from app.console import charts, gate, shell
from app.console.languages import N_, _, month
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.figures import specs, words
from app.guard import services
from privacy.errors import Invalid, NotFound

blueprint = Blueprint("budget_pages", __name__)

COLUMNS = (
    Column("at", N_("Time"), "instant"),
    Column("month_name", N_("Data month")),
    Column("title", N_("Report"), href="href"),
    Column("asked_by", N_("Asked by")),
    Column("rho", N_("Price (ρ)")),
    Column("left", N_("Left after it (ρ)")),
)
FILE = tuple(
    Column(name, name) for name in ("seq", "at", "month", "release", "kind", "state", "asked_by", "rho_nano", "left_nano", "cap_nano")
)
MOST = 100_000


@blueprint.get("/budget")
@gate.page("budget.read")
def budget() -> ResponseReturnValue:
    """The gauge of every month, the burn-down of one, the ledger."""
    known = published.gauge(services())
    filters = _filters(known)
    applied = parse(request.args, filters)
    found = published.ledger(services(), applied, before=_cursor(request.args.get("after", "")))
    empty = Empty(_("Nothing was charged yet"), _("A question that has a stored answer costs nothing; any other is listed here."))
    listing = Listing(
        COLUMNS,
        [_row(one) for one in found["rows"]],
        _("Ledger"),
        filters,
        applied,
        found["total"],
        found["next"],
        "/budget.csv",
        MOST,
        empty,
    )
    shown = int(applied.get("month", 0)) or next((one["month"] for one in known["items"] if one["spent_nano"]), 0)
    return shell.render(
        "reports/budget.html",
        known=known,
        listing=listing,
        shown=shown,
        teams=teams.page(services()),
        speech=charts.speech(),
        words=words,
        vega=charts.vega_address(),
    )


@blueprint.post("/budget/teams")
@gate.act("budget.edit", fresh=True)
def propose() -> ResponseReturnValue:
    """Writes a team's share down for another officer to confirm."""
    teams.propose(services(), request.form.get("team", ""), request.form.get("share", ""), actor=g.caller.account_id)
    flash(_("Proposed: another officer has to confirm it."), "good")
    return redirect("/budget#teams-title", 303)


@blueprint.post("/budget/teams/confirmations")
@gate.act("budget.edit", fresh=True)
def confirm() -> ResponseReturnValue:
    """Puts another officer's proposal in force."""
    teams.confirm(services(), request.form.get("proposal", ""), actor=g.caller.account_id)
    flash(_("The share is in force."), "good")
    return redirect("/budget#teams-title", 303)


@blueprint.post("/budget/teams/members")
@gate.act("budget.edit", fresh=True)
def assign() -> ResponseReturnValue:
    """Puts a member of staff into a team, or out of every one."""
    teams.assign(services(), request.form.get("account", ""), request.form.get("team", ""), actor=g.caller.account_id)
    flash(_("Saved."), "good")
    return redirect("/budget#teams-title", 303)


@blueprint.get("/budget.csv")
@gate.page("budget.read")
def file() -> ResponseReturnValue:
    """The charges that match, as a file."""
    applied = parse(request.args, _filters(published.gauge(services())))
    return csv_of(FILE, published.ledger(services(), applied, limit=MOST)["rows"], "budget.csv", cap=MOST)


@blueprint.get("/budget/<month_id>/figure.svg")
@gate.page("budget.read")
def figure(month_id: str) -> ResponseReturnValue:
    """A month's burn-down as a picture; drawn anew after each charge."""
    points, speech = _points(month_id), charts.speech()
    return charts.picture(
        f"budget/{month_id}/{len(points)}",
        lambda: specs.balance(points, speech, charts.look()),
        title=_("What is left of the month after each charge"),
        description=_("Left of %(month)s: %(left)s", month=month(month_id), left=points[-1]["shown"]),
    )


@blueprint.get("/budget/<month_id>/figure.json")
@gate.page("budget.read")
def specification(month_id: str) -> ResponseReturnValue:
    """The same as a specification."""
    return jsonify(specs.balance(_points(month_id), charts.speech(), charts.look()))


def _points(month_id: str) -> list[dict[str, Any]]:
    """What was left at first and after each charge, in per cent of the cap."""
    if not (month_id.isascii() and month_id.isdigit() and len(month_id) == 6):
        raise NotFound("there is no such month", code="month_unknown")
    speech = charts.speech()
    charged = published.spending(services(), int(month_id))
    if not charged:
        raise NotFound("nothing was charged to this month", code="month_unknown")
    cap = charged[-1]["cap_nano"] or 1
    points = [{"order": 0, "left": 100.0, "name": _("at first"), "shown": speech.share(1)}]
    for place, one in enumerate(charged, start=1):
        left = one["left_nano"] / cap
        points.append({"order": place, "left": round(left * 100, 2), "name": words.kind(speech, one["kind"]), "shown": speech.share(left)})
    return points


def _filters(known: dict[str, Any]) -> tuple[Filter, ...]:
    months = tuple((str(one["month"]), month(one["month"])) for one in known["items"])
    return (Filter("month", N_("Data month"), "choice", months, translate=False),)


def _cursor(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="after")
    return int(text or 0)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    return one | {
        "month_name": month(one["month"]),
        "title": words.kind(charts.speech(), one["kind"]),
        "href": f"/releases/{one['release']}" if one["state"] == "answered" and one["kind"] != "norms" else "",
        "rho": f"{one['rho_nano'] / published.NANO:.4f}",
        "left": f"{one['left_nano'] / published.NANO:.4f}",
    }
