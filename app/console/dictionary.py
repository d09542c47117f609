"""The data dictionary: every field a source may send, what it is, what it becomes and where it is used.

Promise: names and meanings only, out of the catalogue that the program itself obeys. Learns no value.
"""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app import facts
from app.console import gate, languages, shell
from app.console.languages import N_, _
from app.console.lists import Column, Filter, Listing, csv_of, parse
from app.guard import services
from privacy.dictionary import catalogue

blueprint = Blueprint("dictionary_pages", __name__)

COLUMNS = (
    Column("record", N_("Record"), "code"),
    Column("field", N_("Field"), "code"),
    Column("meaning", N_("Meaning")),
    Column("class", N_("Class"), "badge"),
    Column("purposes", N_("Purposes"), "list"),
    Column("becomes", N_("Becomes"), "list"),
    Column("used_in", N_("Used in"), "list"),
    Column("type", N_("Type"), "code", shown=False),
    Column("unit", N_("Unit"), shown=False),
    Column("category", N_("Category"), shown=False),
)


@blueprint.get("/dictionary")
@gate.page("dictionary.read")
def dictionary() -> ResponseReturnValue:
    """All fields that match the filters."""
    filters = _filters()
    applied = parse(request.args, filters)
    rows = _rows(applied)
    listing = Listing(COLUMNS, rows, _("Fields of the data dictionary"), filters, applied, total=len(rows), csv="/dictionary.csv")
    return shell.render("dictionary/dictionary.html", listing=listing)


@blueprint.get("/dictionary.csv")
@gate.page("dictionary.read")
def file() -> ResponseReturnValue:
    """The same fields as a file."""
    return csv_of(COLUMNS, _rows(parse(request.args, _filters())), "dictionary.csv")


def _filters() -> tuple[Filter, ...]:
    fields = facts.dictionary()
    purposes = sorted({purpose for one in fields for purpose in one["purposes"]})
    return (
        Filter("record", N_("Record"), "choice", _same({one["record"] for one in fields}), translate=False),
        Filter("class", N_("Class"), "choice", tuple((name, shell.STATES[name].label) for name in catalogue.CLASSES)),
        Filter("purpose", N_("Purpose"), "choice", _same(purposes), translate=False),
        Filter("q", N_("Name or meaning")),
    )


def _same(names: object) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in sorted(names))  # type: ignore[call-overload]


def _rows(applied: dict[str, str]) -> list[dict[str, object]]:
    chinese = languages.current().startswith("zh")
    wanted = applied.get("q", "").casefold()
    return [
        {**one, "meaning": one["meaning_zh" if chinese else "meaning"]}
        for one in facts.dictionary_in_use(services(), applied.get("record"))
        if applied.get("class", one["class"]) == one["class"]
        and ("purpose" not in applied or applied["purpose"] in one["purposes"])
        and any(wanted in str(one[name]).casefold() for name in ("field", "meaning", "meaning_zh"))
    ]
