"""The consent log: who decided what, when, how and under which notice; each line leads to its signed receipt.

Promise: opening it is an entry of the access log, a file of it is an export there. People stand under a reference of the officers' own, which
leads nowhere: whose acts they are is asked under People, with a purpose. Learns acts, never an identifier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from app import consents
from app.console import gate, shell
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services
from privacy.oversight.consents import METHODS

blueprint = Blueprint("consents_pages", __name__)

METHOD_WORDS = {
    "api": N_("API"),
    "app": N_("App"),
    "console": N_("Console"),
    "file": N_("File"),
    "form": N_("Web form"),
    "mini_program": N_("Mini-program"),
    "paper": N_("Paper"),
    "phone": N_("Telephone"),
    "public_page": N_("Public page"),
    "signal": N_("A source's signal"),
    "source": N_("Brought by a source"),
    "staff": N_("Undone merge"),
}
STATES = ("granted", "withdrawn", "denied")
DAYS = {"1": N_("Today"), "7": N_("Last 7 days"), "30": N_("Last 30 days")}
COLUMNS = (
    Column("recorded_at", N_("Recorded"), "instant", href="page"),
    Column("subject", N_("Person"), "code"),
    Column("purpose", N_("Purpose"), "code"),
    Column("state", N_("State"), "badge"),
    Column("method_word", N_("Method")),
    Column("source_name", N_("Source"), "code"),
    Column("notice_version", N_("Notice"), "code"),
    Column("evidence_state", N_("Evidence"), "badge"),
    Column("receipt", N_("Receipt"), "code", href="page"),
    Column("by_name", N_("Recorded by"), "code"),
)
FILE = (
    *(Column(key, key) for key in ("receipt", "recorded_at", "decided_at", "subject", "purpose", "state", "kind", "method", "source")),
    *(Column(key, key) for key in ("source_name", "notice", "notice_version", "default_state", "language", "valid_until", "by", "entry")),
)
"""What a file holds: no more than the page may show."""

EFFECTS = {
    "events_stopped": N_("Items of this person that were turned away"),
    "exports_excluded": N_("Later exports without this person"),
    "suppressions_sent": N_("Recipients that were told to stop"),
    "suppressions_confirmed": N_("Recipients that confirmed it"),
}
CHECKS = {
    "signature": (N_("Signature"), N_("The statement is signed with a published key.")),
    "notice": (N_("Notice"), N_("The stored words of the notice have the hash that is signed.")),
    "entry": (N_("Log entry"), N_("The entry of the access log says what it said when it was written.")),
    "acts": (N_("Acts"), N_("The stored acts of this entry are those that it names.")),
    "tree": (N_("Tree"), N_("The entry stands in the log's tree.")),
    "checkpoint": (N_("Signed head"), N_("The tree grew out of its newest signed head, which covers the entry.")),
}


@blueprint.get("/consents")
@gate.page("consent.read")
def log() -> ResponseReturnValue:
    """The acts that match the filters, with how many there are of each kind."""
    filters = _filters()
    applied = parse(request.args, filters)
    told = consents.page(services(), applied, actor=g.caller.account_id, after=request.args.get("after"))
    empty = Empty(
        _("No consent recorded yet"), _("Consent arrives with events of a source, by the interface for programs, or in a file."),
        "/sources", _("See the sources"),
    )  # fmt: skip
    listing = Listing(
        COLUMNS, [_shown(row) for row in told.rows], _("Acts of consent"), filters, applied, total=told.entries, next=told.next,
        csv="/consents.csv", csv_cap=consents.MOST, empty=empty,
    )  # fmt: skip
    return shell.render("consents/log.html", listing=listing, told=told)


@blueprint.get("/consents.csv")
@gate.page("consent.read")
def table() -> ResponseReturnValue:
    """The acts that match, as a file for spreadsheets; the access log notes the export."""
    rows = consents.every(services(), parse(request.args, _filters()), actor=g.caller.account_id, form="csv")
    return csv_of(FILE, rows, "consents.csv", cap=consents.MOST)


@blueprint.get("/consents.jsonl")
@gate.page("consent.read")
def lines() -> ResponseReturnValue:
    """The acts that match, one JSON object a line; the access log notes the export."""
    rows = consents.every(services(), parse(request.args, _filters()), actor=g.caller.account_id, form="jsonl")
    return _download(_json_lines(rows), "application/x-ndjson", "consents.jsonl")


@blueprint.get("/consents/<receipt_id>")
@gate.page("consent.read")
def receipt(receipt_id: str) -> ResponseReturnValue:
    """One receipt, ready to print."""
    return _receipt(receipt_id, None)


@blueprint.post("/consents/<receipt_id>/verifications")
@gate.act("consent.read")
def verify(receipt_id: str) -> ResponseReturnValue:
    """Looks again at everything that the receipt rests on; nothing is changed, so the answer is the page itself."""
    return _receipt(receipt_id, consents.verify(services(), receipt_id, actor=g.caller.account_id))


@blueprint.get("/consents/<receipt_id>/receipt.json")
@gate.page("consent.read")
def file(receipt_id: str) -> ResponseReturnValue:
    """The signed receipt as a file."""
    return _download(consents.file(services(), receipt_id, actor=g.caller.account_id), "application/json", f"{receipt_id}.json")


@blueprint.post("/consents/<receipt_id>/copies")
@gate.act("consent.read", fresh=True)
def copy(receipt_id: str) -> ResponseReturnValue:
    """The person's own copy, with what opens the commitment."""
    text = consents.file(services(), receipt_id, actor=g.caller.account_id, opened=True)
    return _download(text, "application/json", f"{receipt_id}-own.json")


def _receipt(number: str, checks: list[dict[str, Any]] | None) -> ResponseReturnValue:
    told = consents.receipt(services(), number, actor=g.caller.account_id)
    return shell.render(
        "consents/receipt.html", told=told, row=_shown(told["row"]), checks=checks, CHECKS=CHECKS, EFFECTS=EFFECTS, METHODS=METHOD_WORDS,
        qr=consents.drawn(told["jws"]), good=checks is not None and all(one["state"] != "bad" for one in checks),
    )  # fmt: skip


def _filters() -> tuple[Filter, ...]:
    called = consents.names(services())
    versions = sorted(set(called.notices.values()))
    return (
        Filter("purpose", N_("Purpose"), "choice", tuple((key, key) for key in consents.purposes(services())), translate=False),
        Filter("state", N_("State"), "choice", tuple((state, shell.STATES[state].label) for state in STATES)),
        Filter("method", N_("Method"), "choice", tuple((method, METHOD_WORDS[method]) for method in METHODS)),
        Filter("source", N_("Source"), "choice", tuple(sorted(called.sources.items(), key=lambda one: one[1])), translate=False),
        Filter("notice", N_("Notice"), "choice", tuple((version, version) for version in versions), translate=False),
        Filter("days", N_("Period"), "choice", tuple(DAYS.items())),
        Filter("since", N_("From"), "date"),
        Filter("until", N_("Until"), "date"),
        Filter("case", N_("Case")),
        Filter("conflicts", N_("Conflicts only"), "flag"),
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in the words of the page."""
    word = METHOD_WORDS[row["method"]]
    return {
        **row,
        "subject": row["subject"] or _("erased"),
        "method_word": _(word),
        "evidence_state": "evidence_kept" if row["evidence"] else "evidence_none",
        "page": f"/consents/{row['receipt']}",
    }


def _json_lines(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps({column.key: _plain(row[column.key]) for column in FILE}, ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _download(content: Any, kind: str, name: str) -> Response:
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
