"""Items whose form failed: paths and rules, and replay after a fix."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import holding
from app.answers.files import HeldCountOut, HeldOut, ReplayOut
from app.answers.parts import page_of
from app.guard import needs, services
from app.shapes import HeldIn, ReplayIn

blueprint = Blueprint("quarantine", __name__, url_prefix="/api/quarantine", description="Items whose form failed")


@blueprint.get("")
@needs("quarantine.read")
@blueprint.arguments(HeldIn, location="query")
@blueprint.response(200, page_of(HeldOut))
def list_items(wanted: dict[str, Any]) -> dict[str, Any]:
    """Paths and rules of held items, never a value; by source, rule and path."""
    return holding.page(
        services(),
        wanted["source"],
        rule=wanted["rule"],
        path=wanted["path"],
        after=wanted["cursor"],
        limit=wanted["limit"],
        caller=g.caller,
    )


@blueprint.get("/counts")
@needs("quarantine.read")
@blueprint.response(200, page_of(HeldCountOut))
def count_items() -> dict[str, Any]:
    """How many items are held by source, path and rule."""
    return {"items": holding.counts(services(), caller=g.caller), "next": None}


@blueprint.post("/replays")
@needs("quarantine.replay")
@blueprint.arguments(ReplayIn)
@blueprint.response(200, ReplayOut)
def replay(body: dict[str, Any]) -> dict[str, Any]:
    """Sends held items through the pipeline again; consent is asked at their time and now."""
    return holding.replay(
        services(),
        source_name=body["source"],
        mapping_path=None if body["mapping"] is None else services().parsed_mapping(body["mapping"]),
        actor=g.caller.account_id,
        rule=body["rule"],
        path=body["path"],
        caller=g.caller,
    )
