"""Protected reports: what one would cost, asking for it, and its stored answer."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import asking
from app.guard import needs, services
from app.shapes import ReportIn

blueprint = Blueprint("reports", __name__, url_prefix="/api", description="Differentially private reports")


@blueprint.post("/reports/quotes")
@needs("report.ask")
@blueprint.arguments(ReportIn)
@blueprint.response(200)
def quote(body: dict[str, Any]) -> dict[str, Any]:
    """Cost, margins and what the months have left; free."""
    return asking.quote(services(), body)


@blueprint.post("/reports")
@needs("report.ask")
@blueprint.arguments(ReportIn)
@blueprint.response(202)
def ask(body: dict[str, Any]) -> dict[str, Any]:
    """Queues the question; the job names the release when it is answered."""
    return asking.ask_later(services(), body, asked_by=g.caller.account_id)


@blueprint.get("/releases/<release_id>")
@needs("report.read")
@blueprint.response(200)
def release(release_id: str) -> dict[str, Any]:
    """A stored answer with its margins; reading it costs nothing."""
    return asking.show_release(services(), release_id)
