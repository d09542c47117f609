"""The management API's own description, for anybody."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from app import described
from app.guard import public

blueprint = Blueprint("api-docs", __name__)


@blueprint.get("/api/openapi.json")
@public
def openapi_json() -> Response:
    """OpenAPI 3.1; made once, from the routes that answer."""
    known = current_app.extensions
    if "piying_document" not in known:
        known["piying_document"] = described.document(current_app)
    return jsonify(known["piying_document"])
