"""The quality of one source's data."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import quality
from app.answers.sources import QualityOut
from app.guard import needs, services
from app.shapes import DaysIn

blueprint = Blueprint("quality", __name__, url_prefix="/api/sources", description="How good a source's data is")


@blueprint.get("/<source_id>/quality")
@needs("exact.read")
@blueprint.arguments(DaysIn, location="query")
@blueprint.response(200, QualityOut)
def show(days: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Exact counts by day and field, before and after the rules; an integrator's own sources only."""
    return quality.report(services(), source_id, first=days["from_"], last=days["to"], caller=g.caller)
