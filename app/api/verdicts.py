"""What became of each item of a request, for the integrator who sent it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app import intake
from app.guard import needs, services

blueprint = Blueprint("verdicts", __name__)


@blueprint.get("/v1/verdicts/<request_id>")
@needs("verdict.read")
def read(request_id: str) -> Response:
    """Reasons of form by item; everything about the person is `not_processed`. Kept seven days."""
    return jsonify(items=intake.verdicts_of(services(), request_id))
