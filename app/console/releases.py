"""One stored release: what it found, its figures with their margins, its table, what the noise means, and where it came from.

Promise: everything on the page is the release, a function of it, or its register entry; reading it again costs nothing.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app import asking, published
from app.console import charts, gate, paper, questions, shell
from app.console.languages import _, instant, month
from app.console.lists import Column, csv_of
from app.figures import cells, findings, follows, meaning, specs, tables, words
from app.guard import services
from privacy.errors import NotFound

blueprint = Blueprint("releases_pages", __name__)

MOST_DRAWN = 150
"""Cells of one figure."""


@blueprint.get("/releases/<release_id>")
@gate.page("report.read")
def release(release_id: str) -> ResponseReturnValue:
    """The release's page."""
    found = published.release(services(), release_id)
    document = found["document"]
    return shell.render(
        "reports/release.html",
        **found,
        speech=charts.speech(),
        words=words,
        cells=cells,
        meaning=meaning,
        tables=tables,
        parts=[_shown(part, place) for place, part in enumerate(tables.parts(document))],
        doors=_doors(document),
        on_paper=paper.offered(),
        vega=charts.vega_address(),
    )


def _shown(part: dict[str, Any], place: int) -> dict[str, Any]:
    """One table of the release with what it found, its figures and its sums. A very long table has no figure: nobody could read it."""
    speech = charts.speech()
    told = findings.findings(part, speech)
    address = f"/releases/{part['release']}/figures/%s"
    drawn = len(part["rows"]) <= MOST_DRAWN * max(1, len(specs.measures(part)))
    return {
        "document": part,
        "heading": speech.together([words.grouping(speech, name) for name in part["question"]["by"]]),
        "findings": told,
        "figures": charts.figures(part, told, address, f"part={place}&" if place else "") if drawn else [],
        "lines": tables.lines(part, speech),
        "parents": tables.rolled_up(part, speech),
        "follows": follows.follows(part, speech),
    }


@blueprint.get("/releases/<release_id>/rows.csv")
@gate.page("report.read")
def file(release_id: str) -> ResponseReturnValue:
    """The release's rows as a file."""
    document = asking.show_release(services(), release_id)
    parts = tables.parts(document)
    names = dict.fromkeys(name for part in parts for name in part["question"]["by"])
    columns = tuple(Column(name, name) for name in (*names, *tables.COLUMNS))
    return csv_of(columns, (record for part in parts for record in tables.records(part)), f"{document['kind']}-{release_id[:12]}.csv")


@blueprint.get("/releases/<release_id>.pdf")
@gate.page("report.read")
def on_paper(release_id: str) -> ResponseReturnValue:
    """The release on paper."""
    found = published.release(services(), release_id)
    return paper.answer(lambda: _paper(found), f"{found['document']['kind']}-{release_id[:12]}.pdf")


def _paper(found: dict[str, Any]) -> paper.Paper:
    """What stands on the page, without who asked: a sheet leaves the house, and the number leads to the register."""
    document, speech = found["document"], charts.speech()
    parts = tables.parts(document)
    conditions = [cells.condition(speech, *one) for one in document["question"]["where"]]
    headings = [
        speech.together([words.grouping(speech, name) for name in one["question"]["by"]]) if len(parts) > 1 else "" for one in parts
    ]
    return paper.Paper(
        title=words.kind(speech, document["kind"]),
        lead=" · ".join([words.period(speech, document["months"]), *conditions]),
        parts=[paper.part(one, f"{document['release']}/{place}", headings[place]) for place, one in enumerate(parts)],
        meaning=meaning.meaning(document, speech),
        origin=_origin(found),
    )


def _origin(found: dict[str, Any]) -> list[tuple[str, str]]:
    document, entry, paid, speech = found["document"], found["entry"], found["paid"], charts.speech()
    hidden = document["hidden_share"]
    return [
        (_("Release no."), document["release"]),
        (_("Answered"), instant(entry["answered_at"])),
        (_("Months charged"), speech.together([month(one) for one in document["months"]])),
        (_("Price"), meaning.price(speech, paid["rho_nano"], paid["epsilon"])),
        ("δ", str(paid["delta"])),
        (_("Mechanism"), _("discrete Gaussian, σ %(sigma)s in thousandths of a unit", sigma=speech.number(entry["sigma"]))),
        (
            _("Sensitivity"),
            _("one person moves the whole answer by at most %(clip)s, in the units of the plan", clip=speech.number(entry["clip"])),
        ),
        (_("Hidden by the bound"), _("not known") if hidden is None else _("up to %(share)s", share=speech.share(hidden))),
        (_("Purpose"), document["question"]["purpose"]),
        (_("Plan"), f"{document['kind']}-{document['question']['version']}"),
    ]


@blueprint.get("/releases/<release_id>/release.json")
@gate.page("report.read")
def document(release_id: str) -> ResponseReturnValue:
    """The release's document, as the API gives it."""
    answer = jsonify(asking.show_release(services(), release_id))
    answer.headers["Content-Disposition"] = f'attachment; filename="{release_id}.json"'
    return answer


@blueprint.get("/releases/<release_id>/figures/<measure>.svg")
@gate.page("report.read")
def figure(release_id: str, measure: str) -> ResponseReturnValue:
    """One measure as a picture."""
    found, speech = _measured(release_id, measure), charts.speech()
    return charts.picture(
        f"{release_id}/{request.args.get('part', '')}/{measure}",
        lambda: specs.spec(found, measure, speech, charts.look()),
        title=specs.title(found, measure, speech),
        description=" ".join(findings.findings(found, speech)),
        filename=f"{found['kind']}-{measure}.svg",
    )


@blueprint.get("/releases/<release_id>/figures/<measure>.json")
@gate.page("report.read")
def specification(release_id: str, measure: str) -> ResponseReturnValue:
    """The same figure as the specification that a browser draws."""
    return jsonify(specs.spec(_measured(release_id, measure), measure, charts.speech(), charts.look()))


def _measured(release_id: str, measure: str) -> dict[str, Any]:
    parts, place = tables.parts(asking.show_release(services(), release_id)), request.args.get("part", "0")
    found = parts[int(place)] if place.isascii() and place.isdigit() and int(place) < len(parts) else parts[0]
    if measure not in specs.measures(found):
        raise NotFound("the release has no such measure", code="measure_unknown")
    return found


def _doors(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Near questions that would say more: a quarter, a coarser grouping, a higher price. None for kinds that nobody asks by hand."""
    known = next((one for one in published.kinds(services()) if one["kind"] == document["kind"]), None)
    if known is None:
        return []
    first = _months_before(min(document["months"]), 2)
    chosen = {"measures": [one["name"] for one in document["question"]["measures"]]} if known["choices"] else {}
    doors = []
    if not known["one_month"] and first in published.months(services()):
        doors.append((_("The same over three months"), questions.again(document, **chosen, from_=f"{first // 100}-{first % 100:02d}")))
    coarser = [name for name in document["question"]["by"] if name not in known["own"]]
    if len(document["question"]["by"]) > 1 and coarser:
        doors.append(
            (
                _("The same with one grouping less"),
                questions.again(document, **chosen, by=[one for one in document["question"]["by"] if one != coarser[-1]]),
            )
        )
    doors.append((_("The same at a higher price, with narrower margins"), questions.again(document, **chosen, price=known["prices"][-2])))
    return [(label, f"/reports/new/{document['kind']}?" + _query(asked)) for label, asked in doors]


def _query(asked: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    return urlencode(questions.fields(asked))


def _months_before(month: int, count: int) -> int:
    number = month // 100 * 12 + month % 100 - 1 - count
    return number // 12 * 100 + number % 12 + 1
