"""Exports: the requests, asking for a list, whose file a leaked sample is.

Promise: a marketer sees their own requests; an officer sees everybody's, with what is unusual about each. What a recipient is not registered for is
not offered, and refused where it is sent all the same. A sample that is traced is kept nowhere.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import errors, exports, leaving
from app.console import gate, shell
from app.console.export_words import CHANNELS, FIELDS, FLAGS, FORMS, HEAT, STATES, refusal, word
from app.console.languages import N_, _, current, span
from app.console.lists import Column, Empty, Filter, Listing, parse
from app.guard import services
from privacy.errors import NotFound, PiyingError

blueprint = Blueprint("exports_pages", __name__)

OWN = (
    Column("name", N_("Segment"), "verbatim", href="page"),
    Column("to", N_("Recipient"), "verbatim"),
    Column("form_word", N_("Form")),
    Column("badge", N_("State"), "badge"),
    Column("asked_at", N_("Requested at"), "instant"),
    Column("until", N_("Ends"), "instant"),
)
EVERYBODY = (
    OWN[0],
    OWN[3],
    OWN[1],
    Column("who", N_("Requested by"), "verbatim"),
    Column("heat_state", N_("Columns"), "badge"),
    Column("flag_words", N_("What is unusual"), "list"),
    Column("age", N_("Waits for")),
    *OWN[4:],
)
FILTERS = (Filter("state", N_("State"), "choice", STATES),)
DAYS = 30
KEPT = ("segment", "recipient", "channel", "form", "justification", "days")


@blueprint.get("/exports")
@gate.page("export.read")
def page() -> ResponseReturnValue:
    """The requests, the newest first."""
    applied = parse(request.args, FILTERS)
    found = leaving.queue(services(), g.caller, state=applied.get("state", ""), after=request.args.get("after"))
    exact = exports.EXACT in g.caller.permissions
    empty = Empty(_("No list asked for yet"), _("A list leaves only after a second person said yes."))
    if not exact:
        empty = Empty(empty.title, empty.text, "/exports/new", _("Ask for a list"))
    rows = [shown(one) | {"age": _age(one)} for one in found["items"]]
    listing = Listing(EVERYBODY if exact else OWN, rows, _("Lists for recipients"), FILTERS, applied, next=found["next"], empty=empty)
    return shell.render("exports/exports.html", listing=listing, waiting=found["waiting"])


def _age(one: Mapping[str, Any]) -> str:
    """How long a request has been waiting for a second person."""
    waits = one["state"] == leaving.WAITS
    return span((services().clock() - datetime.fromisoformat(one["asked_at"])).total_seconds()) if waits else ""


def shown(one: Mapping[str, Any]) -> dict[str, Any]:
    """A request in the words of its pages."""
    return {
        **one,
        "page": f"/exports/{one['id']}",
        "to": called(one["recipient_names"]) or one["recipient"],
        "form_word": word(FORMS, one["form"]),
        "channel_word": word(CHANNELS, one["channel"]),
        "field_words": [word(FIELDS, name) for name in one["fields"]],
        "heat_state": f"heat_{one['heat']}" if "heat" in one else "",
        "flag_words": [word(FLAGS, name) for name in one.get("flags", ())],
        "badge": f"export_{one['state']}",
    }


def called(names: Mapping[str, str]) -> str:
    """A recipient's name in the reader's language."""
    return names.get("zh" if current().startswith("zh") else "en", "")


# ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/exports/new")
@gate.page("export.ask")
def new_page() -> ResponseReturnValue:
    """The form for a list: first whose people and to whom, then what that recipient is registered for."""
    return _form({"segment": request.args.get("segment", ""), "recipient": request.args.get("recipient", ""), "days": DAYS}, {})


@blueprint.post("/exports/new")
@gate.act("export.ask")
def ask() -> ResponseReturnValue:
    """Asks for it; the other button only says what it would mean."""
    wish = _wish()
    if request.form.get("do") == "say":
        return _form(wish, {})
    try:
        made = exports.ask(services(), wish, actor=g.caller.account_id)
    except PiyingError as error:
        field = {"expires_at": "days", "purpose": "segment", "use": "segment"}.get(error.field or "", error.field or "segment")
        return _form(wish, {field: refusal(error)}, errors.status_of(error))
    flash(_("Asked for. A second person decides."), "good")
    return redirect(f"/exports/{made['id']}", 303)


@blueprint.post("/exports/help")
@gate.act("export.ask")
def live() -> ResponseReturnValue:
    """What a form that is being filled in would mean; nothing is kept."""
    return shell.render("exports/said.html", said=_said(_wish()))


def _wish() -> dict[str, Any]:
    kept = {name: request.form.get(name, "")[:2_000] for name in KEPT}
    days = int(kept["days"]) if kept["days"].isascii() and kept["days"].isdigit() and len(kept["days"]) < 4 else 0
    return kept | {"fields": request.form.getlist("fields")[:50], "expires_at": services().clock() + timedelta(days=days)}


def _said(wish: Mapping[str, Any]) -> dict[str, Any]:
    told = leaving.said(services(), {"channel": "", "form": "", "fields": [], **wish})
    names = {"en": told["chosen"]["name_en"], "zh": told["chosen"]["name_zh"]} if told["chosen"] else {}
    return told | {
        "to": called(names),
        "form_word": word(FORMS, wish["form"]) if wish.get("form") else "",
        "heat_word": word(HEAT, told["heat"]) if told["heat"] else "",
        "unused_words": [word(FIELDS, name) for name in told["unused"]],
        "field_words": [word(FIELDS, name) for name in wish.get("fields", ()) if name not in told["unused"]],
    }


def _form(kept: dict[str, Any], wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
    try:
        said = _said(kept)
    except NotFound:  # what was sent names nothing that is there: begin again with whose people and to whom
        said = _said({"segment": "", "recipient": ""})
        wrong = wrong or {"segment": _("Choose whose people, and to whom.")}
    offers = said["offers"] or {"channels": [], "forms": {}, "classes": {}}
    columns = [_column(name, offers) for name in sorted(offers["classes"], key=list(FIELDS).index)]
    forms = sorted(offers["forms"], key=lambda form: form not in offers["channels"])
    if said["chosen"] and "fields" not in kept:  # every form needs a column that is the only one: nothing is left to choose
        only = [one["name"] for one in columns] if len(columns) == 1 else []
        return _form({"channel": next(iter(offers["channels"]), ""), "form": next(iter(forms), ""), "fields": only} | kept, wrong, status)
    return shell.render(
        "exports/new.html",
        status,
        kept=kept,
        wrong=wrong,
        said=said,
        recipients=[
            (one["id"], f"{called({'en': one['name_en'], 'zh': one['name_zh']})} · {one['country']}") for one in said["recipients"]
        ],
        channels=[(key, word(CHANNELS, key)) for key in offers["channels"]],
        forms=[(key, word(FORMS, key)) for key in forms],
        columns=columns,
    )


def _column(name: str, offers: Mapping[str, Any]) -> dict[str, Any]:
    """A column that may be ticked, its class and the forms that use it."""
    forms = [word(FORMS, form) for form, known in offers["forms"].items() if name in known]
    return {"name": name, "word": word(FIELDS, name), "class": offers["classes"][name], "forms": forms}


# ── leaked files ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/exports/trace")
@gate.page("export.trace")
def trace_page() -> ResponseReturnValue:
    """Where a sample of a leaked file is sent."""
    return _trace({})


@blueprint.post("/exports/trace")
@gate.upload("export.trace")
def trace() -> ResponseReturnValue:
    """Whose file it is; the sample is kept nowhere."""
    try:
        raw = io.BufferedReader(g.sent).read(exports.LARGEST_SAMPLE + 1)
        return _trace({}, told=exports.trace(services(), raw, actor=g.caller.account_id))
    except PiyingError as error:
        return _trace({"file": refusal(error)}, errors.status_of(error))


def _trace(wrong: dict[str, str], status: int = 200, told: dict[str, Any] | None = None) -> ResponseReturnValue:
    names = {one["id"]: called({"en": one["name_en"], "zh": one["name_zh"]}) for one in services().recipients.listing()}
    return shell.render("exports/trace.html", status, wrong=wrong, told=told, names=names, most=exports.LARGEST_SAMPLE)
