"""What stands out, told without being asked: the findings of the last twelve months, each with its figure, its numbers and its releases.

Promise: every number comes from stored releases; opening the page charges nothing and reads nobody's rows.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app import cubes
from app.console import charts, gate, paper, shell
from app.console.languages import _, ngettext, number
from app.console.lists import Column, csv_of
from app.figures import diagnosis, specs, words
from app.guard import services
from privacy.errors import NotFound

blueprint = Blueprint("diagnose_pages", __name__)

COLUMNS = tuple(Column(name, name) for name in diagnosis.COLUMNS)
DRAWN = 20
"""Findings with a figure; the others stand in the table."""


@blueprint.get("/reports/diagnose")
@gate.page("report.read")
def page() -> ResponseReturnValue:
    """Sentences, figures, the table, and where the numbers come from."""
    document, speech = cubes.diagnosis(services()), charts.speech()
    told = [row | {"sentence": diagnosis.sentence(row, speech), "figure": _figure(row)} for row in document["rows"]]
    return shell.render(
        "reports/diagnose.html",
        document=document,
        told=told,
        drawn=DRAWN,
        diagnosis=diagnosis,
        speech=speech,
        words=words,
        on_paper=paper.offered(),
        vega=charts.vega_address(),
    )


@blueprint.get("/reports/diagnose.csv")
@gate.page("report.read")
def file() -> ResponseReturnValue:
    """The findings as a file."""
    return csv_of(COLUMNS, [diagnosis.record(row) for row in cubes.diagnosis(services())["rows"]], "diagnosis.csv")


@blueprint.get("/reports/diagnose.pdf")
@gate.page("report.read")
def on_paper() -> ResponseReturnValue:
    """The findings on paper: ranked sentences, the figures of the first ones, the table."""
    document = cubes.diagnosis(services())
    return paper.answer(lambda: _paper(document), "diagnosis.pdf")


def _paper(document: dict[str, Any]) -> paper.Paper:
    speech, rows = charts.speech(), document["rows"]
    heads = (_("Finding"), _("Group"), _("Compared with"), _("Released"), _("between (95 of 100)"))
    columns = (diagnosis.name, diagnosis.group, diagnosis.against, diagnosis.shown, diagnosis.between)
    numbers = [tuple(say(row, speech) for say in columns) for row in rows]
    compared = ngettext(
        "%(number)s comparison was made over %(period)s; all margins hold together in 95 of 100 cases.",
        "%(number)s comparisons were made over %(period)s; all margins hold together in 95 of 100 cases.",
        document["compared"],
        number=number(document["compared"]),
        period=words.period(speech, document["months"]),
    )
    told = [diagnosis.sentence(row, speech) for row in rows] or [_("Nothing stands out")]
    table = paper.Table(_("Released numbers with their margins"), heads, numbers, 3)
    return paper.Paper(
        title=_("What stands out"),
        lead=words.period(speech, document["months"]),
        parts=[paper.Part("", told, [_drawn(row) for row in rows[:DRAWN]], [table] if rows else [])],
        meaning=[compared],
        origin=[(_("Stored releases"), " ".join(document["releases"]))],
    )


def _drawn(row: dict[str, Any]) -> tuple[str, Any]:
    speech = charts.speech()
    title, key = diagnosis.heading(row, speech), f"diagnose/{row['value']}/{row['low']}/" + "/".join(row["releases"])
    look = specs.Look()
    return title, charts.drawn(key, lambda: diagnosis.spec(row, speech, look), title=title, description=diagnosis.sentence(row, speech))


@blueprint.get("/reports/diagnose/figure.svg")
@gate.page("report.read")
def figure() -> ResponseReturnValue:
    """One finding as a picture."""
    row, speech = _row(), charts.speech()
    return charts.picture(
        f"diagnose/{row['value']}/{row['low']}/" + "/".join(row["releases"]),
        lambda: diagnosis.spec(row, speech, charts.look()),
        title=diagnosis.heading(row, speech),
        description=diagnosis.sentence(row, speech),
        filename=f"finding-{row['rank']}.svg",
    )


@blueprint.get("/reports/diagnose/figure.json")
@gate.page("report.read")
def specification() -> ResponseReturnValue:
    """The same as a specification."""
    return jsonify(diagnosis.spec(_row(), charts.speech(), charts.look()))


def _row() -> dict[str, Any]:
    """The finding that the address names by its rank."""
    rank = request.args.get("rank", "1")
    found = next((row for row in cubes.diagnosis(services())["rows"] if str(row["rank"]) == rank), None)
    if found is None:
        raise NotFound("there is no such finding", code="finding_unknown")
    return dict(found)


def _figure(row: dict[str, Any]) -> dict[str, str]:
    speech = charts.speech()
    address, query = "/reports/diagnose/figure", f"rank={row['rank']}&"
    return {"address": address, "query": query, "title": diagnosis.heading(row, speech), "finding": diagnosis.sentence(row, speech)}
