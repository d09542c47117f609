"""Sources that we read ourselves."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from app import pulls
from app.answers.parts import page_of
from app.answers.sources import PullOut
from app.guard import needs, services

blueprint = Blueprint("pulls", __name__, url_prefix="/api/pulls", description="What we read ourselves")


@blueprint.get("")
@needs("exact.read")
@blueprint.response(200, page_of(PullOut))
def list_pulls() -> dict[str, Any]:
    """Every pull, when it last ran, what it counted and how that ended."""
    return {"items": pulls.listing(services()), "next": None}
