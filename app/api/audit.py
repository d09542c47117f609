"""The tamper-evident access log: entries and its verification."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask_smorest import Blueprint

from app import facts
from app.guard import needs, services

blueprint = Blueprint("audit", __name__, url_prefix="/api/audit", description="The access log")


@blueprint.get("/entries")
@needs("log.read")
@blueprint.response(200)
def entries() -> dict[str, Any]:
    """Entries, newest first; reading them is itself an entry."""
    return facts.log_entries(services(), cursor=request.args.get("cursor"), actor=g.caller.account_id)


@blueprint.post("/verifications")
@needs("log.verify")
@blueprint.response(200)
def verify() -> dict[str, Any]:
    """Recomputes the tree from the entries."""
    return services().oversight.verify(actor=g.caller.account_id)
