"""Reports: what is stored, what may be asked, and the form that tells a question's price and margin before anything is paid.

Promise: a reader sees releases, public facts and their own input; a price is shown before it is paid; what is stored costs nothing.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from app import published
from app.console import charts, free, gate, quotes, shell
from app.console.languages import N_, _, month
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.console.questions import body, fields
from app.figures import words
from app.guard import services

blueprint = Blueprint("reports_pages", __name__)

COLUMNS = (
    Column("title", N_("Report"), href="href"),
    Column("period", N_("Months")),
    Column("asked", N_("By and where")),
    Column("asked_by", N_("Asked by")),
    Column("answered_at", N_("Answered"), "instant"),
    Column("rho", N_("Price (ρ)")),
)
FILE = tuple(Column(name, name) for name in ("id", "kind", "months", "by", "where", "rho_nano", "clip", "sigma", "asked_by", "answered_at"))
NORMS = "norms"
"""Bought at a month's close to set the bound; stored and paid, but no report of its own."""
MOST = 10_000
"""Releases of one file."""


@blueprint.get("/reports")
@gate.page("report.read")
def reports() -> ResponseReturnValue:
    """Stored releases that match, and the kinds that may be asked."""
    known = published.kinds(services())
    filters = _filters(known)
    applied = parse(request.args, filters)
    found = published.releases(services(), applied, me=g.caller.account_id, after=request.args.get("after", ""))
    empty = Empty(_("No report was asked yet"), _("Choose a kind above: its price and its margins are shown before anything is paid."))
    listing = Listing(
        COLUMNS,
        [_row(one) for one in found["rows"]],
        _("Stored reports"),
        filters,
        applied,
        found["total"],
        found["next"],
        "/reports.csv",
        MOST,
        empty,
    )
    held = published.free(services())
    shown = free.summary(held)
    return shell.render(
        "reports/reports.html", kinds=known, listing=listing, free=shown, speech=charts.speech(), words=words, vega=charts.vega_address()
    )


@blueprint.get("/reports.csv")
@gate.page("report.read")
def file() -> ResponseReturnValue:
    """The register of the releases that match, without their numbers."""
    applied = parse(request.args, _filters(published.kinds(services())))
    found = published.releases(services(), applied, me=g.caller.account_id, limit=MOST)["rows"]
    rows = [one | {"by": list(one["by"]), "where": ["".join(part) for part in one["where"]]} for one in found]
    return csv_of(FILE, rows, "reports.csv", cap=MOST)


@blueprint.get("/reports/new/<kind>")
@gate.page("report.ask")
def new(kind: str) -> ResponseReturnValue:
    """The question's form; with what it would cost and how wide its margins would be."""
    known = published.form(services(), kind)
    return shell.render("reports/new.html", **quotes.context(services(), known, request.args, me=g.caller.account_id))


@blueprint.post("/reports/new/<kind>")
@gate.act("report.ask")
def ask(kind: str) -> ResponseReturnValue:
    """Runs the question: to its stored release at once, or to its job."""
    known = published.form(services(), kind)
    asked = body(known, request.form)
    me = g.caller.account_id
    if refusal := quotes.refusal(services(), known, asked, me=me):
        return shell.render("reports/new.html", 422, **quotes.context(services(), known, MultiDict(fields(asked)), me=me, refused=refusal))
    made = published.order(services(), asked, asked_by=me)
    if made.get("free"):
        return redirect(free.addresses(published.held_free(services(), asked))[0][1], 303)
    return redirect(f"/releases/{made['release']}" if made.get("release") else f"/jobs/{made['job']}?follow=1", 303)


def _filters(known: list[dict[str, Any]]) -> tuple[Filter, ...]:
    speech = charts.speech()
    kinds = tuple((one["kind"], words.kind(speech, one["kind"])) for one in known)
    months = tuple((str(one), month(one)) for one in published.months(services()))
    return (
        Filter("kind", N_("Kind"), "choice", kinds, translate=False),
        Filter("month", N_("Month"), "choice", months, translate=False),
        Filter("q", N_("Word of the question")),
        Filter("mine", N_("Asked by me"), "flag"),
    )


def _row(one: dict[str, Any]) -> dict[str, Any]:
    speech = charts.speech()
    asked = [words.grouping(speech, name) for name in one["by"]]
    asked += [f"{words.grouping(speech, name)} {operator} {value}" for name, operator, value in one["where"]]
    return one | {
        "title": words.kind(speech, one["kind"]),
        "href": f"/releases/{one['id']}" if one["kind"] != NORMS else "",
        "period": words.period(speech, list(one["months"])),
        "asked": speech.together(asked),
        "rho": f"{one['rho_nano'] / published.NANO:.4f}",
    }
