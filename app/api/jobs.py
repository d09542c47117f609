"""Pieces of work and their progress."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import operating
from app.answers.parts import page_of
from app.answers.work import JobOut
from app.guard import needs, services
from app.shapes import JobsIn

blueprint = Blueprint("jobs", __name__, url_prefix="/api/jobs", description="Queued and finished work")


@blueprint.get("")
@needs("job.read")
@blueprint.arguments(JobsIn, location="query")
@blueprint.response(200, page_of(JobOut))
def list_jobs(wanted: dict[str, Any]) -> dict[str, Any]:
    """Jobs, newest first; marketing roles see their own."""
    return operating.job_list(services(), g.caller, **wanted)


@blueprint.post("/<job_id>/cancellation")
@needs("job.edit")
@blueprint.response(200, JobOut)
def cancel(job_id: str) -> dict[str, Any]:
    """Calls an import off, or a report that nobody has begun with."""
    return operating.cancel_job(services(), job_id, caller=g.caller)


@blueprint.get("/<job_id>")
@needs("job.read")
@blueprint.response(200, JobOut)
def read(job_id: str) -> dict[str, Any]:
    """One job; marketing roles see its steps and its release, not its rows."""
    return operating.job(services(), job_id, g.caller)
