"""The tamper-evident access log: entries, its verification, its signed heads for witnesses, packs of evidence."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from app import evidence, facts
from app.answers.evidence import CosignedOut, GrowthOut, PackMadeOut, PackOut
from app.answers.parts import page_of
from app.answers.work import EntryOut, VerifiedOut
from app.guard import needs, once, services
from app.shapes import CosignatureIn, GrowthIn, PackIn, PageIn

blueprint = Blueprint("audit", __name__, url_prefix="/api/audit", description="The access log")


@blueprint.get("/entries")
@needs("log.read")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(EntryOut))
def entries(wanted: dict[str, Any]) -> dict[str, Any]:
    """Entries, newest first; reading them is itself an entry."""
    return facts.log_entries(services(), cursor=wanted["cursor"], actor=g.caller.account_id)


@blueprint.post("/verifications")
@needs("log.verify")
@blueprint.response(200, VerifiedOut)
def verify() -> dict[str, Any]:
    """Recomputes the tree from the entries."""
    return services().oversight.verify(actor=g.caller.account_id)


@blueprint.get("/checkpoints/latest")
@needs("log.witness")
@blueprint.arguments(GrowthIn, location="query")
@blueprint.response(200, GrowthOut)
def growth(wanted: dict[str, Any]) -> dict[str, Any]:
    """The newest signed head, with the proof that it grew out of a smaller one; what a witness asks for."""
    return services().evidence.growth(wanted["old"])


@blueprint.post("/cosignatures")
@needs("log.witness")
@blueprint.arguments(CosignatureIn)
@blueprint.response(200, CosignedOut)
def cosign(body: dict[str, Any]) -> dict[str, Any]:
    """Keeps what a witness of `log.witnesses` cosigned; the same again changes nothing."""
    return services().evidence.take_in(body["note"], actor=g.caller.account_id)


@blueprint.get("/packs")
@needs("log.bundle")
@blueprint.response(200, page_of(PackOut))
def list_packs() -> dict[str, Any]:
    """The newest packs of evidence."""
    return {"items": evidence.packs(services()), "next": None}


@blueprint.post("/packs")
@needs("log.bundle")
@blueprint.arguments(PackIn)
@blueprint.response(202, PackMadeOut)
@once()
def ask_pack(body: dict[str, Any]) -> dict[str, Any]:
    """Queues a pack of evidence. A subject is named by a case of the caller's own."""
    asked = evidence.Asked(**{**body, "contents": frozenset(body["contents"])})
    return {"pack": evidence.ask(services(), asked, caller=g.caller, also=g.also)}


@blueprint.get("/packs/<pack_id>")
@needs("log.bundle")
@blueprint.response(200, PackOut)
def show_pack(pack_id: str) -> dict[str, Any]:
    """One pack: its state, digest, signer, expiry and downloads."""
    return evidence.one(services(), pack_id)


@blueprint.get("/packs/<pack_id>/content")
@needs("log.bundle")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def download(pack_id: str) -> Response:
    """The pack as a ZIP; every download is an entry and counted."""
    answer = Response(evidence.download(services(), pack_id, caller=g.caller), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{pack_id}.zip"'
    return answer
