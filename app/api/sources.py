"""Sources and their keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from app import acts, feeds, intake, watching
from app.answers.parts import page_of
from app.answers.sources import (
    ClientEndedOut,
    ClientMadeOut,
    CountOut,
    DisabledOut,
    KeyEndedOut,
    LiveEndedOut,
    LiveOpenedOut,
    LiveOut,
    RotatedOut,
    SourceMadeOut,
    SourceOut,
    TestedOut,
)
from app.guard import named_version, needs, once, services, tagged
from app.shapes import ClientEndIn, ClientIn, KeyIn, LiveIn, RotationIn, SourceChangeIn, SourceIn

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
@once(secret=True)
def add_source(body: dict[str, Any]) -> dict[str, Any]:
    """Registers a source; the write key is shown this once."""
    return acts.add_source(services(), actor=g.caller.account_id, also=g.also, **body)


@blueprint.get("/<source_id>")
@needs("source.read")
@blueprint.response(200, SourceOut)
def show_source(source_id: str) -> Response:
    """One source; its `ETag` is what a change must name in `If-Match`."""
    return tagged(*acts.show_source(services(), source_id))


@blueprint.patch("/<source_id>")
@needs("source.edit")
@blueprint.arguments(SourceChangeIn)
@blueprint.response(200, SourceOut)
def change_source(body: dict[str, Any], source_id: str) -> Response:
    """Changes origins, categories of consent, rate or root paths, if nobody else did since."""
    seen = named_version()
    return tagged(*acts.change_source(services(), _own(source_id), actor=g.caller.account_id, seen=seen, **body))


@blueprint.post("/<source_id>/rotations")
@needs("source.edit")
@blueprint.arguments(RotationIn)
@blueprint.response(201, RotatedOut)
@once(secret=True)
def rotate_source(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """A new write key; the old ones work for another day, or as long as is asked."""
    overlap = timedelta(hours=body["overlap_hours"])
    return acts.rotate_source(services(), _own(source_id), actor=g.caller.account_id, overlap=overlap, also=g.also)


@blueprint.post("/<source_id>/revocations")
@needs("source.edit")
@blueprint.arguments(KeyIn)
@blueprint.response(200, KeyEndedOut)
def revoke_key(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Ends one write key at once."""
    return acts.revoke_key(services(), _own(source_id), body["key"], actor=g.caller.account_id)


@blueprint.post("/<source_id>/clients")
@needs("source.edit")
@blueprint.arguments(ClientIn)
@blueprint.response(201, ClientMadeOut)
@once()
def add_client(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Registers the public key that a client of the source signs with."""
    return acts.add_client(services(), _own(source_id), body["public_key"], actor=g.caller.account_id, also=g.also)


@blueprint.post("/<source_id>/clients/endings")
@needs("source.edit")
@blueprint.arguments(ClientEndIn)
@blueprint.response(200, ClientEndedOut)
def end_client(body: dict[str, Any], source_id: str) -> dict[str, Any]:
    """Refuses what a client signs from now on."""
    return acts.end_client(services(), _own(source_id), body["client"], actor=g.caller.account_id)


@blueprint.post("/<source_id>/disablement")
@needs("source.edit")
@blueprint.response(200, DisabledOut)
def disable_source(source_id: str) -> dict[str, Any]:
    """Refuses the source's requests from now on."""
    return acts.disable_source(services(), _own(source_id), actor=g.caller.account_id)


@blueprint.get("/<source_id>/counts")
@needs("exact.read")
@blueprint.response(200, page_of(CountOut))
def counts(source_id: str) -> dict[str, Any]:
    """Exact counts of the source's items by day, verdict and reason."""
    return {"items": intake.counts(services(), source_id, caller=g.caller), "next": None}


@blueprint.post("/<source_id>/tests")
@needs("source.edit")
@blueprint.response(201, TestedOut)
def send_test(source_id: str) -> dict[str, Any]:
    """Sends a well-formed message of nobody through the source's own way in."""
    return feeds.send_test(services(), source_id, caller=g.caller)


@blueprint.post("/<source_id>/live")
@needs("source.edit")
@blueprint.response(201, LiveOpenedOut)
def open_live(source_id: str) -> dict[str, Any]:
    """Opens live events for ten minutes; opening is logged."""
    told = watching.open_(services(), source_id, caller=g.caller)
    return {"source": source_id, "ends_at": told["ends_at"].isoformat()}


@blueprint.get("/<source_id>/live")
@needs("source.edit")
@blueprint.arguments(LiveIn, location="query")
@blueprint.response(200, LiveOut)
def live(applied: dict[str, Any], source_id: str) -> dict[str, Any]:
    """The newest items in de-identified words, verdicts by form only; for whoever has opened them."""
    told = watching.rows(services(), source_id, {name: value for name, value in applied.items() if value}, caller=g.caller)
    return {"items": [watching.told(row) for row in told["items"]], "ends_at": told["ends_at"].isoformat()}


@blueprint.post("/<source_id>/live/endings")
@needs("source.edit")
@blueprint.response(200, LiveEndedOut)
def end_live(source_id: str) -> dict[str, Any]:
    """Ends one's own watch; the rows go with the last one."""
    return watching.end(services(), source_id, caller=g.caller)


def _own(source_id: str) -> str:
    """The source, if it is not another integrator's; raises NotFound otherwise, as for one that is not there."""
    feeds.check_own(services(), source_id, caller=g.caller)
    return source_id
