"""Protected reports: what one would cost, asking for it, and its stored answer."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import asking, cubes
from app.answers.parts import page_of
from app.answers.work import AskedOut, CubeOut, CubesOut, DiagnosisOut, FactsOut, QuoteOut, ReleaseLineOut, ReleaseOut
from app.guard import needs, once, services
from app.shapes import CubeIn, ReleasesIn, ReportIn

blueprint = Blueprint("reports", __name__, url_prefix="/api", description="Differentially private reports")


@blueprint.post("/reports/quotes")
@needs("report.ask")
@blueprint.arguments(ReportIn)
@blueprint.response(200, QuoteOut)
def quote(body: dict[str, Any]) -> dict[str, Any]:
    """Cost, margins and what the months have left; free."""
    return asking.quote(services(), body, asked_by=g.caller.account_id)


@blueprint.post("/reports")
@needs("report.ask")
@blueprint.arguments(ReportIn)
@blueprint.response(202, AskedOut)
@once()
def ask(body: dict[str, Any]) -> dict[str, Any]:
    """Queues the question; the job names the release when it is answered."""
    return asking.ask_later(services(), body, asked_by=g.caller.account_id, also=g.also)


@blueprint.get("/reports/diagnose")
@needs("report.read")
@blueprint.response(200, DiagnosisOut)
def diagnose() -> dict[str, Any]:
    """What stands out in the last twelve closed months, ranked, with margins that hold together; it costs nothing."""
    return cubes.diagnosis(services())


@blueprint.get("/releases")
@needs("report.read")
@blueprint.arguments(ReleasesIn, location="query")
@blueprint.response(200, page_of(ReleaseLineOut))
def releases(wanted: dict[str, Any]) -> dict[str, Any]:
    """Everything that was released, newest first, with its price and without its numbers."""
    return cubes.releases(services(), wanted["cursor"], wanted["limit"])


@blueprint.get("/releases/<release_id>")
@needs("report.read")
@blueprint.response(200, ReleaseOut)
def release(release_id: str) -> dict[str, Any]:
    """A stored answer with its margins; reading it costs nothing."""
    return asking.show_release(services(), release_id)


@blueprint.get("/cubes")
@needs("report.read")
@blueprint.response(200, CubesOut)
def held() -> dict[str, Any]:
    """Which tables of closed months may be had for nothing."""
    return cubes.catalogue(services())


@blueprint.get("/cubes/table")
@needs("report.read")
@blueprint.arguments(CubeIn, location="query")
@blueprint.response(200, CubeOut)
def cube(wanted: dict[str, Any]) -> dict[str, Any]:
    """One table out of stored releases, with margins; it costs nothing."""
    return cubes.table(services(), wanted["measure"], wanted["by"], wanted["from_"], wanted["to"], where=wanted["where"])


@blueprint.get("/cubes/facts")
@needs("report.read")
@blueprint.response(200, FactsOut)
def facts() -> dict[str, Any]:
    """Seven facts about the last twelve closed months, with margins; they cost nothing."""
    return cubes.facts(services())
