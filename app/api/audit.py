"""The tamper-evident access log: entries and its verification."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import facts
from app.answers.parts import page_of
from app.answers.work import EntryOut, VerifiedOut
from app.guard import needs, services
from app.shapes import PageIn

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
