"""Pieces of work: the list of them, and one with how far it is, followed with or without a script.

Promise: who may not see exact numbers sees own jobs, their steps and their release (dp_rules X-3); progress in rows is for whoever may see
rows. Arguments of a job are never shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import jobs, operating
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services

blueprint = Blueprint("jobs_pages", __name__)

ENDED = ("done", "failed", "cancelled")
KINDS = {
    "report": N_("Report"),
    "segment_reach": N_("Size of a segment"),
    "audience": N_("People of an audience"),
    "audiences": N_("Keep the audiences"),
    "import": N_("Import"),
    "undo": N_("Undo of an import"),
    "flush": N_("Move rows into the lake"),
    "pull": N_("Read pulled sources"),
    "checkpoint": N_("Sign the access log"),
    "waiting": N_("Try what waits for a consent"),
    "close": N_("Close the month"),
    "upkeep": N_("Tidy the lake, renew keys"),
    "retention": N_("End what is over its time"),
    "deliver": N_("Carry lists and removals"),
    "deliver_look": N_("Look whether everybody given away still allows it"),
}
COLUMNS = (
    Column("id", N_("Job"), "code", href="page"),
    Column("name", N_("Kind")),
    Column("kind", N_("Kind"), "code", shown=False),
    Column("state", N_("State"), "badge"),
    Column("created_at", N_("Asked for"), "instant"),
    Column("finished_at", N_("Ended"), "instant"),
    Column("took", N_("Took")),
    Column("who", N_("Started by")),
    Column("created_by", N_("Started by"), "code", shown=False),
    Column("attempt", N_("Attempts"), "number"),
    Column("error_code", N_("Error code"), "code"),
)
STATES = {"queued": N_("Queued"), "running": N_("Running"), "done": N_("Done"), "failed": N_("Failed"), "cancelled": N_("Cancelled")}
FILTERS = (
    Filter("state", N_("State"), "choice", tuple((state, STATES[state]) for state in jobs.STATES)),
    Filter("kind", N_("Kind"), "choice", tuple(KINDS.items())),
)
MOST_LINES = 5_000


@blueprint.get("/jobs")
@gate.page("job.read")
def page() -> ResponseReturnValue:
    """Jobs, newest first."""
    applied = parse(request.args, FILTERS)
    found = operating.job_list(services(), g.caller, cursor=request.args.get("after"), kind=applied.get("kind"), state=applied.get("state"))
    empty = Empty(_("No job yet"), _("Imports, reports and what the schedule does appear here."))
    rows = [_told(one) for one in found["items"]]
    listing = Listing(COLUMNS, rows, _("Jobs"), FILTERS, applied, next=found["next"], csv="/jobs.csv", csv_cap=MOST_LINES, empty=empty)
    return shell.render("jobs/jobs.html", listing=listing)


@blueprint.get("/jobs.csv")
@gate.page("job.read")
def file() -> ResponseReturnValue:
    """The same jobs as a file."""
    return csv_of(COLUMNS, [_told(one) for one in _every(parse(request.args, FILTERS))], "jobs.csv", cap=MOST_LINES)


@blueprint.get("/jobs/<job_id>")
@gate.page("job.read")
def job(job_id: str) -> ResponseReturnValue:
    """One job; whoever came here by asking goes on to the answer when it is there."""
    shown = _told(operating.job(services(), job_id, g.caller))
    if request.args.get("follow") and shown["release"]:
        return redirect(f"/releases/{shown['release']}", 303)
    return shell.render("jobs/job.html", job=shown, refresh=None if shown["ended"] else 3)


@blueprint.get("/jobs/<job_id>/progress")
@gate.page("job.read", quiet=True)
def progress(job_id: str) -> ResponseReturnValue:
    """The part of the page that changes."""
    return shell.render("jobs/progress.html", job=_told(operating.job(services(), job_id, g.caller)))


@blueprint.post("/jobs/<job_id>/cancellation")
@gate.act("job.edit")
def cancel(job_id: str) -> ResponseReturnValue:
    """Calls an import off, or a report that nobody has begun with."""
    operating.cancel_job(services(), job_id, caller=g.caller)
    flash(_("The job is called off. One that runs stops after the step at hand."), "info")
    return redirect(f"/jobs/{job_id}", 303)


def _every(applied: dict[str, str]) -> Iterator[dict[str, Any]]:
    cursor, told = None, 0
    while told < MOST_LINES:
        found = operating.job_list(services(), g.caller, cursor=cursor, limit=200, kind=applied.get("kind"), state=applied.get("state"))
        yield from found["items"]
        cursor, told = found["next"], told + len(found["items"])
        if cursor is None:
            return


def _told(found: dict[str, Any]) -> dict[str, Any]:
    """A job in the words of its page."""
    kind = KINDS.get(found["kind"])
    began, ended = (datetime.fromisoformat(found[name]) if found[name] else None for name in ("created_at", "finished_at"))
    return found | {
        "page": f"/jobs/{found['id']}",
        "name": _(kind) if kind else found["kind"],
        "created_at": began,
        "finished_at": ended,
        "took": _took(ended - began) if began and ended else None,
        "who": _who(found["created_by"]),
        "ended": found["state"] in ENDED,
        "exact": found["done"] is not None,
        "numbers": {name: number for name, number in (found["counts"] or {}).items() if isinstance(number, int)},
    }


def _took(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    if seconds < 90:
        return _("%(seconds)s s", seconds=seconds)
    return _("%(minutes)s min", minutes=round(seconds / 60)) if seconds < 5400 else _("%(hours)s h", hours=round(seconds / 3600, 1))


def _who(actor: str) -> str:
    if actor == g.caller.account_id:
        return _("You")
    return {"schedule": _("The schedule"), "cli": _("A command")}.get(actor, actor)
