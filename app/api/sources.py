"""Sources and their keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, g, jsonify, request
from flask_smorest import Blueprint

from app import acts, intake
from app.answers.parts import page_of
from app.answers.sources import (
    ClientEndedOut,
    ClientMadeOut,
    CountOut,
    DisabledOut,
    KeyEndedOut,
    RotatedOut,
    SourceMadeOut,
    SourceOut,
)
from app.guard import needs, services
from app.shapes import ClientEndIn, ClientIn, KeyIn, RotationIn, SourceChangeIn, SourceIn
from privacy.errors import Invalid

blueprint = Blueprint("sources", __name__, url_prefix="/api/sources", description="Who may send")


@blueprint.get("")
@needs("source.read")
@blueprint.response(200, page_of(SourceOut))
def list_sources() -> dict[str, Any]:
    """Every source with what it declared."""
    return {"items": acts.list_sources(services()), "next": None}


@blueprint.post("")
@needs("source.edit")
@blueprint.arguments(SourceIn)
@blueprint.response(201, SourceMadeOut)
def add_source(body: dict[str, Any]) -> dict[str, Any]:
    """Registers a source; the write key is shown this once."""
    return acts.add_source(services(), actor=g.caller.account_id, **body)


@blueprint.get("/<source_id>")
@needs("source.read")
@blueprint.response(200, SourceOut)
def show_source(source_id: str) -> Response:
    """One source; its `ETag` is what a change must name in `If-Match`."""
    return _tagged(*acts.show_source(services(), source_id))


@blueprint.patch("/<source_id>")
@needs("source.edit")
@blueprint.arguments(SourceChangeIn)
@blueprint.response(200, SourceOut)
def change_source(body: dict[str, Any], source_id: str) -> Response:
    """Changes origins, categories of consent, rate or root paths, if nobody else did since."""
    seen = (request.headers.get("If-Match") or "").strip().removeprefix("W/").strip('"')
    if not seen:
        raise Invalid("a change names in If-Match the ETag that it was made from", code="precondition_missing", field="If-Match")
    return _tagged(*acts.change_source(services(), source_id, actor=g.caller.account_id, seen=seen, **body))


def _tagged(told: dict[str, Any], version: str) -> Response:
    answer = jsonify(told)
    answer.set_etag(version)
    return answer


@blueprint.post("/<source_id>/rotations")
@needs("source.edit")
@blueprint.arguments(RotationIn)
@blueprint.response(201, RotatedOut)
def rotate_source(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """A new write key; the old ones work for another day, or as long as is asked."""
    overlap = timedelta(hours=body["overlap_hours"])
    return acts.rotate_source(services(), source_id, actor=g.caller.account_id, overlap=overlap)


@blueprint.post("/<source_id>/revocations")
@needs("source.edit")
@blueprint.arguments(KeyIn)
@blueprint.response(200, KeyEndedOut)
def revoke_key(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Ends one write key at once."""
    return acts.revoke_key(services(), source_id, body["key"], actor=g.caller.account_id)


@blueprint.post("/<source_id>/clients")
@needs("source.edit")
@blueprint.arguments(ClientIn)
@blueprint.response(201, ClientMadeOut)
def add_client(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Registers the public key that a client of the source signs with."""
    return acts.add_client(services(), source_id, body["public_key"], actor=g.caller.account_id)


@blueprint.post("/<source_id>/clients/endings")
@needs("source.edit")
@blueprint.arguments(ClientEndIn)
@blueprint.response(200, ClientEndedOut)
def end_client(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Refuses what a client signs from now on."""
    return acts.end_client(services(), source_id, body["client"], actor=g.caller.account_id)


@blueprint.post("/<source_id>/disablement")
@needs("source.edit")
@blueprint.response(200, DisabledOut)
def disable_source(source_id: str) -> dict[str, Any]:
    """Refuses the source's requests from now on."""
    return acts.disable_source(services(), source_id, actor=g.caller.account_id)


@blueprint.get("/<source_id>/counts")
@needs("exact.read")
@blueprint.response(200, page_of(CountOut))
def counts(source_id: str) -> dict[str, Any]:
    """Exact counts of the source's items by day, verdict and reason."""
    return {"items": intake.counts(services(), source_id, caller=g.caller), "next": None}
