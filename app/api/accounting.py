"""The register of processing, transfers abroad, the self-check and audit packs."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from app.accountability import controls, packs, register
from app.answers.papers import ActivityOut, AuditPackMadeOut, AuditPackOut, ControlOut, TransfersOut
from app.answers.parts import page_of
from app.guard import needs, services

blueprint = Blueprint("accounting", __name__, url_prefix="/api", description="What a controller shows to whoever asks")


@blueprint.get("/register")
@needs("accountability.read")
@blueprint.response(200, page_of(ActivityOut))
def read_register() -> dict[str, Any]:
    """Every processing activity, out of live facts."""
    return {"items": register.rows(register.of(services())), "next": None}


@blueprint.get("/transfers")
@needs("accountability.read")
@blueprint.response(200, TransfersOut)
def transfers() -> dict[str, Any]:
    """How many people's data went abroad this year, and what that needs."""
    return services().recipients.abroad()


@blueprint.get("/controls")
@needs("accountability.read")
@blueprint.response(200, page_of(ControlOut))
def read_controls() -> dict[str, Any]:
    """Every control, what is broken first."""
    return {"items": controls.run(services())["items"], "next": None}


@blueprint.get("/audit-packs")
@needs("accountability.read")
@blueprint.response(200, page_of(AuditPackOut))
def list_packs() -> dict[str, Any]:
    """The packs that somebody took, newest first."""
    return {"items": services().packs.listing(), "next": None}


@blueprint.post("/audit-packs")
@needs("accountability.edit")
@blueprint.response(201, AuditPackMadeOut)
def take_pack() -> dict[str, Any]:
    """Writes the present state down and names the pack of the log up to it."""
    return packs.take(services(), actor=g.caller.account_id)


@blueprint.get("/audit-packs/<pack_id>")
@needs("accountability.read")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def read_pack(pack_id: str) -> Response:
    """The pack of a range of the log, as a signed ZIP; handing it out is an entry of the access log."""
    raw = packs.file(services(), pack_id, actor=g.caller.account_id)
    return Response(raw, mimetype="application/zip", headers={"Content-Disposition": 'attachment; filename="audit-pack.zip"'})
