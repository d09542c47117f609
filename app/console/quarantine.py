"""The quarantine: what failed in form, by place and rule, and its replay after a fix.

Promise: places and rules, never a value; a replay asks consent at each item's own time and now. Integrators see their own sources only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, g, redirect, request
from flask.typing import ResponseReturnValue

from app import acts, holding
from app.console import gate, shell
from app.console.languages import N_, _, ngettext
from app.console.lists import MOST_ROWS, Column, Empty, Filter, Listing, csv_of, parse
from app.guard import services
from privacy.errors import Invalid
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

blueprint = Blueprint("quarantine_pages", __name__)

COLUMNS = (
    Column("id", N_("Item"), "code"),
    Column("source", N_("Source"), "code", shown=False),
    Column("source_name", N_("Source")),
    Column("position", N_("Position"), "code"),
    Column("path", N_("Place"), "code"),
    Column("rule", N_("Rule"), "code"),
    Column("created_at", N_("Arrived"), "instant"),
    Column("expires_at", N_("Gone on"), "instant"),
)
RULES = tuple((str(rule), str(rule)) for rule in FormRule)


@blueprint.get("/quarantine")
@gate.page("quarantine.read")
def quarantine() -> ResponseReturnValue:
    """Held items that match, how many there are of each kind, and the replay."""
    names = _names()
    filters = _filters(names)
    applied = parse(request.args, filters)
    told = _page(services(), g.caller, applied, request.args.get("after"), 50)
    groups = [one | {"source_name": names.get(one["source"], one["source"])} for one in holding.counts(services(), caller=g.caller)]
    total = sum(one["number"] for one in groups if all(one[name] == applied.get(name, one[name]) for name in ("source", "rule", "path")))
    empty = Empty(
        _("Nothing is held"), _("Items whose form fails are kept sealed for seven days, so that they can be replayed after a fix.")
    )
    listing = Listing(
        COLUMNS, _named(told["items"], names), _("Items in quarantine"), filters, applied, total=total, next=told["next"],
        csv="/quarantine.csv", empty=empty,
    )  # fmt: skip
    return shell.render(
        "quarantine/quarantine.html",
        listing=listing,
        kinds=groups,
        sources=sorted({(one["source"], one["source_name"]) for one in groups}),
    )


@blueprint.get("/quarantine.csv")
@gate.page("quarantine.read")
def file() -> ResponseReturnValue:
    """The items that match, as a file."""
    names = _names()
    return csv_of(COLUMNS, _every(services(), g.caller, parse(request.args, _filters(names)), names), "quarantine.csv")


@blueprint.post("/quarantine/replays")
@gate.act("quarantine.replay")
def replay() -> ResponseReturnValue:
    """Sends held items of a source through the pipeline again."""
    names = _names()
    source = request.form.get("source", "")
    if source not in names:
        raise Invalid("the source is not one of yours", code="source_unknown", field="source")
    told = holding.replay(
        services(),
        source_name=names[source],
        mapping_path=services().parsed_mapping(request.form["mapping"]) if request.form.get("mapping", "").strip() else None,
        actor=g.caller.account_id,
        rule=request.form.get("rule") or None,
        path=request.form.get("path") or None,
        caller=g.caller,
    )
    done, stored = told["replayed"], told["stored"]
    flash(ngettext("%(num)s item replayed, %(stored)s stored.", "%(num)s items replayed, %(stored)s stored.", done, stored=stored), "info")
    return redirect("/quarantine", 303)


def _page(house: Services, caller: Caller, applied: dict[str, str], after: str | None, limit: int) -> dict[str, Any]:
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="after")
    wanted = {name: applied.get(name) for name in ("rule", "path")}
    return holding.page(house, applied.get("source"), **wanted, after=int(after or 0), limit=limit, caller=caller)


def _every(house: Services, caller: Caller, applied: dict[str, str], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    after: str | None = None
    for _number in range(MOST_ROWS // 500 + 1):
        told = _page(house, caller, applied, after, 500)
        yield from _named(told["items"], names)
        after = told["next"]
        if after is None:
            return


def _named(items: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    return [one | {"source_name": names.get(one["source"], one["source"])} for one in items]


def _names() -> dict[str, str]:
    return {str(one["source"]): str(one["name"]) for one in acts.list_sources(services())}


def _filters(names: dict[str, str]) -> tuple[Filter, ...]:
    return (
        Filter("source", N_("Source"), "choice", tuple(names.items()), translate=False),
        Filter("rule", N_("Rule"), "choice", RULES, translate=False),
        Filter("path", N_("Place")),
    )
