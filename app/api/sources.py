"""Sources and their keys."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import acts, intake
from app.guard import needs, services
from app.shapes import SourceIn

blueprint = Blueprint("sources", __name__, url_prefix="/api/sources", description="Who may send")


@blueprint.get("")
@needs("source.read")
@blueprint.response(200)
def list_sources() -> dict[str, Any]:
    """Every source with what it declared."""
    return {"items": acts.list_sources(services()), "next": None}


@blueprint.post("")
@needs("source.edit")
@blueprint.arguments(SourceIn)
@blueprint.response(201)
def add_source(body: dict[str, Any]) -> dict[str, Any]:
    """Registers a source; the write key is shown this once."""
    return acts.add_source(services(), actor=g.caller.account_id, **body)


@blueprint.post("/<source_id>/rotations")
@needs("source.edit")
@blueprint.response(201)
def rotate_source(source_id: str) -> dict[str, Any]:
    """A new write key; the old one works for another day."""
    return acts.rotate_source(services(), source_id, actor=g.caller.account_id)


@blueprint.post("/<source_id>/disablement")
@needs("source.edit")
@blueprint.response(200)
def disable_source(source_id: str) -> dict[str, Any]:
    """Refuses the source's requests from now on."""
    return acts.disable_source(services(), source_id, actor=g.caller.account_id)


@blueprint.get("/<source_id>/counts")
@needs("exact.read")
@blueprint.response(200)
def counts(source_id: str) -> dict[str, Any]:
    """Exact counts of the source's items by day, verdict and reason."""
    return {"items": intake.counts(services(), source_id), "next": None}
