"""The consent log, its receipts and the notices beside it; and, for anybody, the keys that verify a receipt."""

from __future__ import annotations

import json
from typing import Any

import flask
from flask import Response, g, jsonify
from flask_smorest import Blueprint

from app import consents, facts
from app.answers.evidence import ConsentOut, NoticeOut, ReceiptCheckOut, ReceiptOut
from app.answers.parts import page_of
from app.guard import needs, public, services
from app.shapes import ConsentLogIn

blueprint = Blueprint("evidence", __name__, url_prefix="/api", description="What people decided, and the proof of it")
open_blueprint = flask.Blueprint("evidence-keys", __name__)


@blueprint.get("/consents")
@needs("consent.read")
@blueprint.arguments(ConsentLogIn, location="query")
@blueprint.response(200, page_of(ConsentOut))
def list_consents(wanted: dict[str, Any]) -> dict[str, Any]:
    """Acts of consent, newest first; reading them is an entry of the access log."""
    cursor, limit = wanted.pop("cursor"), wanted.pop("limit")
    applied = {name: str(value) for name, value in wanted.items() if value is not None and value is not False}
    if wanted["conflicts"]:
        applied["conflicts"] = "1"
    found = consents.page(services(), applied, actor=g.caller.account_id, after=cursor, limit=limit)
    return {"items": [_told(row) for row in found.rows], "next": found.next}


@blueprint.get("/consents/<receipt_id>")
@needs("consent.read")
@blueprint.response(200, ReceiptOut)
def read_receipt(receipt_id: str) -> dict[str, Any]:
    """A signed receipt, as it is downloaded; handing it out is an export in the access log."""
    made: dict[str, Any] = json.loads(consents.file(services(), receipt_id, actor=g.caller.account_id))
    return {"notice": None, **made}


@blueprint.post("/consents/<receipt_id>/verifications")
@needs("consent.read")
@blueprint.response(200, page_of(ReceiptCheckOut))
def verify_receipt(receipt_id: str) -> dict[str, Any]:
    """Looks again at everything that a receipt rests on."""
    return {"items": consents.verify(services(), receipt_id, actor=g.caller.account_id), "next": None}


@blueprint.get("/notices")
@needs("purpose.read")
@blueprint.response(200, page_of(NoticeOut))
def notices() -> dict[str, Any]:
    """Every notice with its words, by the hash that names it."""
    return {"items": facts.notices(services()), "next": None}


@open_blueprint.get("/.well-known/jwks.json")
@public
def keys() -> Response:
    """The public keys that verify receipts of consent (RFC 7517), of every version."""
    answer = jsonify(consents.public_keys(services()))
    answer.mimetype = "application/jwk-set+json"
    return answer


def _told(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in ConsentOut().fields}
    for name in ("recorded_at", "decided_at", "valid_until"):
        shown[name] = None if row[name] is None else row[name].isoformat()
    return shown
