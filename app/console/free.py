"""What is free: the months' plans have bought tables, and any of them may be looked at again and again.

Promise: every number comes from stored releases; nothing on these pages can charge anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app import published
from app.console import charts, gate, paper, shell
from app.console.languages import _, month
from app.console.lists import Column, csv_of, identifier_like
from app.figures import cells, findings, follows, meaning, specs, tables, words
from app.guard import services
from privacy.errors import Invalid

blueprint = Blueprint("free_pages", __name__)

MOST_DRAWN = 150
"""Cells of one figure: a longer table is shown as a table alone."""


@blueprint.get("/reports/free")
@gate.page("report.read")
def page() -> ResponseReturnValue:
    """One table of what was bought already: its finding, its figure, its numbers."""
    speech = charts.speech()
    held = published.free(services())
    shown: dict[str, Any] | None = _table() if held["tables"] else None
    told = findings.findings(shown, speech) if shown else []
    chosen = {name: request.args.get(name, "") for name in ("measure", "table", "from", "to")} | {"where": _where()}
    return shell.render(
        "reports/free.html",
        held=held,
        choices=_choices(held),
        months=[(str(one), month(one)) for one in reversed(held["months"])],
        chosen=chosen,
        document=shown,
        findings=told,
        figures=charts.figures(shown, told, "/reports/free/figure", _query()) if shown and len(shown["rows"]) <= MOST_DRAWN else [],
        lines=tables.lines(shown, speech) if shown else [],
        follows=follows.follows(shown, speech) if shown else [],
        filters=_without(shown) if shown else [],
        cells=cells,
        speech=speech,
        words=words,
        meaning=meaning,
        tables=tables,
        csv_address="/reports/free.csv?" + _query().rstrip("&") if shown else "",
        paper_address="/reports/free.pdf?" + _query().rstrip("&") if shown else "",
        on_paper=paper.offered(),
        vega=charts.vega_address(),
    )


@blueprint.get("/reports/free.csv")
@gate.page("report.read")
def file() -> ResponseReturnValue:
    """The same table as a file."""
    found = _table()
    columns = tuple(Column(name, name) for name in tables.columns(found))
    return csv_of(columns, tables.records(found), f"{_asked()[0]}.csv")


@blueprint.get("/reports/free.pdf")
@gate.page("report.read")
def on_paper() -> ResponseReturnValue:
    """The same table on paper."""
    found = _table()
    return paper.answer(lambda: _paper(found), f"{_asked()[0]}.pdf")


def _paper(found: dict[str, Any]) -> paper.Paper:
    speech = charts.speech()
    conditions = [cells.condition(speech, *one) for one in found["question"]["where"]]
    return paper.Paper(
        title=specs.title(found, _asked()[0], speech),
        lead=" · ".join([words.period(speech, found["months"]), *conditions]),
        parts=[paper.part(found, "free/" + "/".join(found["releases"]) + _query())],
        meaning=[
            _("Every closed month bought these tables once. Looking at them takes nothing from the budget."),
            _("Tables of one month were made consistent with each other; margins are of the noise that is left."),
        ],
        origin=[(_("Stored releases"), " ".join(found["releases"])), (_("Hidden by the bound"), _hidden(found))],
    )


def _hidden(document: Mapping[str, Any]) -> str:
    """Up to which share the bound hides, in words."""
    hidden = document["hidden_share"]
    return _("not known") if hidden is None else _("up to %(share)s", share=charts.speech().share(hidden))


@blueprint.get("/reports/free/figure.svg")
@gate.page("report.read")
def figure() -> ResponseReturnValue:
    """The table's figure as a picture."""
    found, speech = _table(), charts.speech()
    measure = _asked()[0]
    return charts.picture(
        "free/" + "/".join(found["releases"]) + _query(),
        lambda: specs.spec(found, measure, speech, charts.look()),
        title=specs.title(found, measure, speech),
        description=" ".join(findings.findings(found, speech)),
        filename=f"{measure}.svg",
    )


@blueprint.get("/reports/free/figure.json")
@gate.page("report.read")
def specification() -> ResponseReturnValue:
    """The same as a specification."""
    return jsonify(specs.spec(_table(), _asked()[0], charts.speech(), charts.look()))


def _asked() -> tuple[str, tuple[str, ...], int, int]:
    """Measure, groupings and months out of the address; without months the newest one, by month the newest twelve."""
    arguments = request.args
    measure, table = arguments.get("measure") or "orders", arguments.get("table", "month")
    by = tuple(name for name in table.split(",") if name)
    known = published.bought(services())
    if not known:
        raise Invalid("no month has been closed yet", code="no_cubes", field="from")
    last = _month(arguments.get("to", ""), known[-1])
    earliest = known[-published.MONTHS_SHOWN :][0] if "month" in by else last
    return measure, by, min(_month(arguments.get("from", ""), earliest), last), last


def _where() -> tuple[str, ...]:
    """Filters out of the address, each as a question writes it: channel=pos|delivery."""
    found = tuple(dict.fromkeys(text for text in request.args.getlist("where") if text))
    if any(identifier_like(word) for text in found for word in text.partition("=")[2].split("|")):
        raise Invalid("an address carries no identifier", code="identifier_in_address", field="where")
    return found


def _without(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each filter in words, and the address of the table without it."""
    speech, where = charts.speech(), _where()
    measure, by, first, last = _asked()
    found = []
    for name, operator, value in document["question"]["where"]:
        others = [text for text in where if text.partition("=")[0].rstrip("! ") != name]
        asked = {"measure": measure, "table": ",".join(by), "from": first, "to": last, "where": others}
        found.append((cells.condition(speech, name, operator, value), "/reports/free?" + urlencode(asked, doseq=True)))
    return found


def _month(text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) == 6 and 1 <= int(text[4:]) <= 12):
        raise Invalid("a month is one of the list", code="bad_month", field="from")
    return int(text)


def _table() -> dict[str, Any]:
    return published.free_table(services(), *_asked(), _where())


def addresses(held: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Each measure of a question that the cubes answer, and the page that shows it."""
    if held is None:
        return []
    asked = {"table": ",".join(held["by"]), "from": min(held["months"]), "to": max(held["months"]), "where": held["where"]}
    return [(one, "/reports/free?" + urlencode({"measure": one, **asked}, doseq=True)) for one in held["cubes"]]


def _query() -> str:
    """The address of the same table, ending in &."""
    measure, by, first, last = _asked()
    asked = {"measure": measure, "table": ",".join(by), "from": first, "to": last, "where": _where()}
    return urlencode(asked, doseq=True) + "&"


def _choices(held: dict[str, Any]) -> list[dict[str, Any]]:
    """For each measure the tables that were bought, and the run of months."""
    speech = charts.speech()
    found: dict[str, list[tuple[str, str]]] = {}
    for measure, by in held["tables"]:
        names = speech.together([words.grouping(speech, name) for name in by]) or _("altogether")
        found.setdefault(measure, []).append((",".join(by), names))
    return [
        {"measure": measure, "name": words.measure(speech, measure), "tables": [("month", words.grouping(speech, "month")), *tables_]}
        for measure, tables_ in found.items()
    ]


def summary(held: dict[str, Any]) -> dict[str, Any]:
    """What stands above the list of reports: the facts with their intervals, and the months' course."""
    if not held["tables"]:
        return {"facts": [], "figures": []}
    speech = charts.speech()
    first, last = held["months"][-published.MONTHS_SHOWN :][0], held["months"][-1]
    figures = []
    for measure in ("orders", "people"):
        if any(name == measure for name, _by in held["tables"]):
            document = published.free_table(services(), measure, ("month",), first, last)
            query = f"measure={measure}&table=month&from={first}&to={last}&"
            figures += charts.figures(document, findings.findings(document, speech), "/reports/free/figure", query)
    return {"facts": [_fact(one) for one in held["facts"]], "figures": figures}


def _fact(one: dict[str, Any]) -> dict[str, str]:
    """A fact as a tile: its name, its value, its interval."""
    speech = charts.speech()
    names = {
        "women_20_30": _("Women of 20 to 29 among all customers"),
        "students": _("Students among all customers"),
        "student_order": _("A student's order against an office worker's"),
        "midweek": _("Wednesday and Thursday against the weekend"),
        "afternoon_delivery": _("Delivery in the afternoon against the rest of the day"),
        "low_sugar": _("Low-sugar enquiries, month over month"),
        "low_sugar_share": _("Low-sugar drinks among all drinks"),
    }

    def written(value: float) -> str:
        return speech.share(value) if one["unit"] == "share" else _("× %(ratio)s", ratio=f"{value:.2f}")

    return {
        "name": names.get(one["fact"], words.plain(one["fact"])),
        "value": written(one["value"]),
        "between": _("%(low)s to %(high)s", low=written(one["low"]), high=written(one["high"])),
    }
