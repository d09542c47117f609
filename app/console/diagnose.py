"""What stands out, told without being asked: the findings of the last twelve months, each with its figure, its numbers and its releases.

Promise: every number comes from stored releases; opening the page charges nothing and reads nobody's rows.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app import cubes
from app.console import charts, gate, shell
from app.console.lists import Column, csv_of
from app.figures import diagnosis, words
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
        vega=charts.vega_address(),
    )


@blueprint.get("/reports/diagnose.csv")
@gate.page("report.read")
def file() -> ResponseReturnValue:
    """The findings as a file."""
    return csv_of(COLUMNS, [diagnosis.record(row) for row in cubes.diagnosis(services())["rows"]], "diagnosis.csv")


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
