"""Sources: who sends, how each of them does, a new one, and what there is to know of one.

Promise: exact counts for whoever holds exact.read, of an integrator's own sources only; a write key is shown on the one page that made it.
Learns counts and declarations, no person.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from app import acts, errors, feeds, quality, senders
from app.console import gate, shell, snippets
from app.console.languages import N_, _
from app.console.lists import Column, Empty, Filter, Listing, csv_of, parse
from app.console.sign_in import told
from app.guard import services
from privacy.errors import Invalid, PiyingError
from privacy.vocabulary import SOURCE_KINDS, ConsentSignals, OnNoConsent

blueprint = Blueprint("sources_pages", __name__)

KINDS = tuple((kind, kind) for kind in SOURCE_KINDS)
STATES = {"current": N_("Up to date"), "late": N_("Late"), "silent": N_("Nothing yet"), "disabled": N_("Disabled")}
FILTERS = (
    Filter("state", N_("State"), "choice", tuple((state, STATES[state]) for state in feeds.STATES)),
    Filter("kind", N_("Kind"), "choice", KINDS, translate=False),
    Filter("q", N_("Name")),
)
DECLARED = (
    Column("name", N_("Name"), href="page"),
    Column("kind", N_("Kind"), "code"),
    Column("state", N_("State"), "badge"),
)
COUNTED = (
    Column("last_received", N_("Last received"), "instant"),
    Column("course", N_("Last 7 days"), "day"),
    Column("received", N_("Received"), "number"),
    Column("held_share", N_("Held"), "share"),
    Column("refused_share", N_("Refused"), "share"),
    Column("consent_share", N_("No consent"), "share"),
)
FILE = tuple(
    Column(name, name)
    for name in (
        *("source", "name", "kind", "public", "state", "last_received", "received", "stored"),
        *("held_share", "refused_share", "consent_share", "purposes", "on_no_consent", "disabled"),
    )
)
SIGNALS = {
    ConsentSignals.IGNORE: N_("None"),
    ConsentSignals.DENY_ONLY: N_("Refusals only"),
    ConsentSignals.ACCEPT: N_("Grants too (server key)"),
}
WITHOUT = {OnNoConsent.REFUSE: N_("Drop the row"), OnNoConsent.WAIT: N_("Keep it sealed for 24 hours")}
PURPOSES = 32
"""Purposes that one source may declare."""


# ── the list ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources")
@gate.page("source.read")
def page() -> ResponseReturnValue:
    """The sources that match."""
    applied = parse(request.args, FILTERS)
    exact = "exact.read" in g.caller.permissions
    rows = [_row(one) for one in feeds.listing(services(), applied, caller=g.caller)]
    columns = (*DECLARED, *COUNTED) if exact else DECLARED
    listing = Listing(columns, rows, _("Sources"), FILTERS, applied, len(rows), csv="/sources.csv", empty=_first())
    return shell.render("sources/sources.html", listing=listing, exact=exact)


@blueprint.get("/sources.csv")
@gate.page("source.read")
def file() -> ResponseReturnValue:
    """The same sources as a file; without counts for whoever may not see them."""
    return csv_of(FILE, feeds.listing(services(), parse(request.args, FILTERS), caller=g.caller), "sources.csv")


def _first() -> Empty:
    may = "source.edit" in g.caller.permissions
    text = _("A source is whatever sends: a web shop, a till system, a file. It gets a key of its own.")
    return Empty(_("No source yet"), text, "/sources/new" if may else "", _("New source") if may else "")


def _row(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"course": _course(one["days"]) if one.get("days") else None}


def key_kind(one: dict[str, Any]) -> str:
    """Whether anybody can read the source's key."""
    return "client_key" if one["public"] else "server_key"


def _course(days: list[int]) -> Markup:
    """The last days as seven small bars; the numbers are its words."""
    most = max(days) or 1
    bars = Markup("").join(
        Markup('<rect class="spark-bar" x="{}" y="{}" width="9" height="{}"/>').format(
            11 * place, 24 - _height(one, most), _height(one, most)
        )
        for place, one in enumerate(days)
    )
    said = escape(_("Received on each of the last 7 days: %(numbers)s", numbers=", ".join(f"{one:,}" for one in days)))
    return Markup('<svg class="spark" viewBox="0 0 77 24" width="77" height="24" role="img" aria-label="{}">{}</svg>').format(said, bars)


def _height(one: int, most: int) -> float:
    return round(max(1.5 if one else 0.6, 22 * one / most), 1)


# ── a new one ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources/new")
@gate.page("source.edit", fresh=True)
def new_page() -> ResponseReturnValue:
    """The form for a new source."""
    return _new({})


@blueprint.post("/sources")
@gate.act("source.edit", fresh=True)
def add() -> ResponseReturnValue:
    """Registers it; the key is on the answer, this once."""
    form = request.form
    kept: dict[str, Any] = {
        name: form.get(name, "")[:200] for name in ("name", "kind", "key_kind", "on_no_consent", "consent_signals", "origins")
    }
    kept["purposes"] = [one for one in form.getlist("purpose") if one][:PURPOSES]
    try:
        if not kept["purposes"]:
            raise Invalid("at least one purpose", code="source_invalid", field="purposes")
        made = acts.add_source(
            services(),
            actor=g.caller.account_id,
            name=kept["name"].strip(),
            kind=kept["kind"],
            public=kept["key_kind"] == "client_key",
            purposes=list(kept["purposes"]),
            on_no_consent=kept["on_no_consent"] or "refuse",
            consent_signals=kept["consent_signals"] or "deny_only",
            origins=lines(kept["origins"]),
        )
    except PiyingError as error:
        return _new(kept, errors.status_of(error), {error.field or "name": wrong(error)})
    return shown_once(str(made["source"]), str(made["write_key"]))


def _new(kept: dict[str, Any], status: int = 200, problems: dict[str, str] | None = None) -> ResponseReturnValue:
    return shell.render(
        "sources/new.html",
        status,
        kept=kept,
        errors=problems or {},
        kinds=KINDS,
        purposes=feeds.purposes(services()),
        signals=[(key.value, _(word)) for key, word in SIGNALS.items()],
        without=[(key.value, _(word)) for key, word in WITHOUT.items()],
    )


def shown_once(source_id: str, key: str, ends: str = "") -> ResponseReturnValue:
    """The page that shows a new key, with everything that one may do with it."""
    one = feeds.owned(services(), source_id, caller=g.caller)
    address = senders.base_address()
    return shell.render("sources/key.html", one=one, key=key, old_end=ends, snippets=snippets.of(one["kind"], address, key))


def lines(text: str) -> list[str]:
    """What stands on the lines of a field."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def wrong(error: PiyingError) -> str:
    """What a form says about a field of a source."""
    said = {
        "source_exists": N_("A source of this name exists already."),
        "purpose_unknown": N_("One of these purposes is not registered."),
        "changed_meanwhile": N_("Somebody changed this source meanwhile: the form shows how it stands now."),
        "root_paths_taken": N_("Another source has the root paths already."),
    }.get(error.code)
    rule = {
        "name": N_("A name has 1 to 64 letters, digits, spaces, points, hyphens or underscores."),
        "kind": N_("Choose a kind."),
        "purposes": N_("Choose at least one purpose."),
        "public": N_("A signed webhook comes from a server."),
        "consent_signals": N_("A client key can only lower consent."),
        "origins": N_("An origin is a scheme, a host and a port, such as https://shop.example"),
        "consent_categories": N_("A category stands for a purpose, such as: analytics = analytics.statistics"),
        "owns_root_paths": N_("Only Snowplow's clients need the root paths."),
        "requests_per_second": N_("A rate is a whole number from 1 to 100,000."),
        "overlap": N_("An overlap is from 0 to 720 hours."),
    }.get(error.field or "")
    return _(said) if said else _(rule) if rule else told(error)


# ── one source ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/sources/<source_id>")
@gate.page("source.read")
def one(source_id: str) -> ResponseReturnValue:
    """What a source declared and, for whoever may see it, how good its data is."""
    found = feeds.one(services(), source_id, caller=g.caller)
    report = quality.report(services(), source_id, caller=g.caller) if found["exact"] else None
    return shell.render(
        "sources/source.html",
        one=found,
        report=report,
        sums=_sums(report) if report else None,
        signals=SIGNALS,
        without=WITHOUT,
        key_kind=key_kind(found),
    )


def _sums(report: dict[str, Any]) -> dict[str, int]:
    """All days of the report together."""
    names = ("received", "stored", "duplicate", "quarantined", "refused")
    return {name: sum((day["items"] or {}).get(name, 0) for day in report["days"]) for name in names}


@blueprint.get("/sources/<source_id>/send")
@gate.page("source.read")
def send(source_id: str) -> ResponseReturnValue:
    """How a client is told to send here."""
    found = feeds.one(services(), source_id, caller=g.caller)
    return shell.render(
        "sources/send.html", one=found, snippets=snippets.of(found["kind"], senders.base_address()), placeholder=snippets.PLACEHOLDER
    )


@blueprint.get("/sources/<source_id>/history")
@gate.page("source.read")
def history(source_id: str) -> ResponseReturnValue:
    """What was changed of the source, out of the access log; opening it is an entry."""
    found = feeds.one(services(), source_id, caller=g.caller)
    entries = [{"at": one["at"], "who": one["who"], "what": _what(one)} for one in feeds.history(services(), source_id, caller=g.caller)]
    return shell.render("sources/history.html", one=found, entries=entries, own="log.read" not in g.caller.permissions)


ACTS = {
    "source.add": N_("Registered"),
    "source.change": N_("Settings changed"),
    "source.rotate": N_("Key rotated"),
    "source.revoke": N_("Key revoked"),
    "source.client": N_("Signing client added"),
    "source.client_end": N_("Signing client ended"),
    "source.disable": N_("Disabled"),
    "source.test": N_("Test event sent"),
    "source.secret": N_("Webhook secret shared"),
}


def _what(entry: dict[str, Any]) -> str:
    word = ACTS.get(entry["action"])
    if entry["action"] == "source.rotate":
        return _("Key rotated; the old ones work for %(hours)s hours more", hours=entry["facts"].get("hours", 0))
    return _(word) if word else str(entry["action"])
