"""Pieces of work and their progress."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import facts
from app.guard import needs, services

blueprint = Blueprint("jobs", __name__, url_prefix="/api/jobs", description="Queued and finished work")


@blueprint.get("/<job_id>")
@needs("job.read")
@blueprint.response(200)
def read(job_id: str) -> dict[str, Any]:
    """One job; marketing roles see its state and its release, not its rows."""
    return facts.job(services(), job_id, exact="exact.read" in g.caller.permissions)
