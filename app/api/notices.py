"""Purposes and notices for programs: registered, published, previewed; and what stands for a person at this moment."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_smorest import Blueprint

from app import notices
from app.answers.notices import EndingOut, NoticeMadeOut, NoticeWholeOut, PreviewOut, PurposeMadeOut
from app.guard import needs, services
from app.shapes import EndingIn, NoticeIn, PurposeIn

blueprint = Blueprint("notices", __name__, url_prefix="/api", description="What people are told and asked")


@blueprint.post("/purposes")
@needs("purpose.edit")
@blueprint.arguments(PurposeIn)
@blueprint.response(201, PurposeMadeOut)
def add_purpose(body: dict[str, Any]) -> dict[str, Any]:
    """Registers a purpose with its ground in each jurisdiction; China knows no legitimate interest."""
    return notices.add_purpose(services(), body, actor=g.caller.account_id)


@blueprint.post("/notices")
@needs("purpose.edit")
@blueprint.arguments(NoticeIn)
@blueprint.response(201, NoticeMadeOut)
def publish(body: dict[str, Any]) -> dict[str, Any]:
    """Publishes a notice with all items of the law; a published one is never changed."""
    return notices.publish(services(), body, actor=g.caller.account_id)


@blueprint.post("/notices/previews")
@needs("purpose.edit")
@blueprint.arguments(NoticeIn)
@blueprint.response(200, PreviewOut)
def preview(body: dict[str, Any]) -> dict[str, Any]:
    """What publishing would change, and how many people it would ask again."""
    return notices.preview(services(), body, actor=g.caller.account_id, exact="exact.read" in g.caller.permissions)


@blueprint.get("/notices/<notice_id>")
@needs("purpose.read")
@blueprint.response(200, NoticeWholeOut)
def read(notice_id: str) -> dict[str, Any]:
    """One notice, item by item, with what it changed."""
    told = notices.one(services(), notice_id)
    shown = {name: told[name] for name in NoticeWholeOut().fields}
    return shown | {"published_at": told["published_at"].isoformat()}


@blueprint.get("/consents/ending")
@needs("consent.read")
@blueprint.arguments(EndingIn, location="query")
@blueprint.response(200, EndingOut)
def ending(wanted: dict[str, Any]) -> dict[str, Any]:
    """Consents that end soon, the first of them by the officers' reference."""
    told = notices.ending(services(), actor=g.caller.account_id, days=wanted["days"])
    return told | {"items": [one | {"expires": one["expires"].isoformat()} for one in told["items"]]}
