"""Items whose form failed: paths and rules, and replay after a fix."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import intake
from app.guard import needs, services
from app.shapes import ReplayIn

blueprint = Blueprint("quarantine", __name__, url_prefix="/api/quarantine", description="Items whose form failed")


@blueprint.get("")
@needs("quarantine.read")
@blueprint.response(200)
def list_items() -> dict[str, Any]:
    """Paths and rules of held items, never a value."""
    return {"items": intake.list_quarantine(services()), "next": None}


@blueprint.post("/replays")
@needs("quarantine.replay")
@blueprint.arguments(ReplayIn)
@blueprint.response(200)
def replay(body: dict[str, Any]) -> dict[str, Any]:
    """Sends held items through the pipeline again; consent is asked at their time and now."""
    return intake.replay(services(), source_name=body["source"], mapping_path=None, actor=g.caller.account_id)
