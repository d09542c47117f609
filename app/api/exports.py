"""Exports: the only door through which a list of people leaves. Asked for, decided about by a second person, released, taken sealed."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app import exports
from app.answers.exports import STATES, BarredOut, ControlsOut, ExportOut, ExportPreviewOut, TraceOut, WholeExportOut
from app.answers.parts import page_of
from app.guard import body as raw_body
from app.guard import needs, once, services
from app.shapes import IdentifierIn, Strict

blueprint = Blueprint("exports", __name__, url_prefix="/api/exports", description="Lists of people for recipients")
_TEXT = validate.Length(1, 80)


class ExportsIn(Strict):
    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    cursor = fields.String(load_default=None, validate=validate.Regexp(r"^exp_[0-9a-f]{24}\Z"))


class ExportIn(Strict):
    segment = fields.String(required=True, validate=_TEXT)
    recipient = fields.String(required=True, validate=_TEXT)
    channel = fields.String(load_default="", validate=validate.Length(max=20))
    form = fields.String(required=True, validate=validate.Length(1, 32))
    fields_ = fields.List(
        fields.String(validate=_TEXT), required=True, data_key="fields", attribute="fields", validate=validate.Length(1, 20)
    )
    justification = fields.String(required=True, validate=validate.Length(1, 2_000))
    expires_at = fields.String(required=True, validate=validate.Length(1, 40), metadata={"format": "date-time"})
    purpose = fields.String(validate=_TEXT)
    use = fields.String(validate=validate.Length(1, 40))
    ground = fields.String(validate=validate.Length(1, 40))


class ExportRejectionIn(Strict):
    reason = fields.String(required=True, validate=validate.Length(1, 400))


class ControlsIn(Strict):
    type = fields.String(required=True, validate=validate.Length(1, 16))
    values = fields.List(fields.String(validate=validate.Length(1, 320)), required=True, validate=validate.Length(1, 10_000))
    domain = fields.Boolean(load_default=False, metadata={"description": "the values are e-mail domains whose every mailbox is ours"})


class BarIn(Strict):
    identifiers = fields.List(fields.Nested(IdentifierIn), required=True, validate=validate.Length(1, 1_000))
    channel = fields.String(required=True, validate=validate.Length(1, 20), metadata={"description": "`*` is every channel"})
    lift = fields.Boolean(load_default=False)


@blueprint.get("")
@needs("export.read")
@blueprint.arguments(ExportsIn, location="query")
@blueprint.response(200, page_of(ExportOut))
def list_exports(wanted: dict[str, Any]) -> dict[str, Any]:
    """Requests, the newest first: everybody's for an officer, one's own for a marketer."""
    return exports.page(services(), g.caller, state=wanted["state"], after=wanted["cursor"])


@blueprint.post("")
@needs("export.ask")
@blueprint.arguments(ExportIn)
@blueprint.response(201, ExportOut)
@once()
def ask(body: dict[str, Any]) -> dict[str, Any]:
    """Asks for a list; what the papers do not allow today is refused with its code."""
    return exports.ask(services(), body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/<export_id>")
@needs("export.read")
@blueprint.response(200, WholeExportOut)
def show(export_id: str) -> dict[str, Any]:
    """A request with its manifest."""
    return exports.show(services(), export_id, g.caller)


@blueprint.post("/<export_id>/previews")
@needs("export.read")
@blueprint.response(201, ExportPreviewOut)
def preview(export_id: str) -> dict[str, Any]:
    """Numbers before the release; the look is logged."""
    return exports.preview(services(), export_id, g.caller)


@blueprint.post("/<export_id>/approvals")
@needs("export.approve")
@blueprint.response(201, ExportOut)
def approve(export_id: str) -> dict[str, Any]:
    """A second person's yes; it ends after three days."""
    return exports.approve(services(), export_id, actor=g.caller.account_id)


@blueprint.post("/<export_id>/rejections")
@needs("export.approve")
@blueprint.arguments(ExportRejectionIn)
@blueprint.response(201, ExportOut)
def reject(body: dict[str, Any], export_id: str) -> dict[str, Any]:
    """A second person's no, with its reason."""
    return exports.reject(services(), export_id, body["reason"], actor=g.caller.account_id)


@blueprint.post("/<export_id>/cancellations")
@needs("export.ask")
@blueprint.response(201, ExportOut)
def cancel(export_id: str) -> dict[str, Any]:
    """Whoever asked takes it back."""
    return exports.cancel(services(), export_id, actor=g.caller.account_id)


@blueprint.post("/<export_id>/releases")
@needs("export.approve")
@blueprint.response(201, ExportOut)
def release(export_id: str) -> dict[str, Any]:
    """Releases an approved list: everybody is decided about at this moment."""
    return exports.release(services(), export_id, actor=g.caller.account_id)


@blueprint.post("/<export_id>/revocations")
@needs("export.approve")
@blueprint.response(201, ExportOut)
def revoke(export_id: str) -> dict[str, Any]:
    """Calls a released list back."""
    return exports.revoke(services(), export_id, actor=g.caller.account_id)


@blueprint.post("/<export_id>/files")
@needs("export.take")
@blueprint.response(201, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def take(export_id: str) -> Response:
    """The file, sealed for its recipient; counted, decided about once more, and 410 when its time is over."""
    name, size, pieces = exports.take(services(), export_id, actor=g.caller.account_id)
    told = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return Response(pieces, mimetype="application/octet-stream", status=201, headers=told)


@blueprint.post("/traces")
@needs("export.trace")
@blueprint.response(201, TraceOut)
def trace() -> dict[str, Any]:
    """Whose list the CSV in the body is a sample of; the sample is not kept."""
    return exports.trace(services(), raw_body(exports.LARGEST_SAMPLE), actor=g.caller.account_id)


@blueprint.post("/controls")
@needs("export.approve")
@blueprint.arguments(ControlsIn)
@blueprint.response(201, ControlsOut)
def own(body: dict[str, Any]) -> dict[str, Any]:
    """Writes down addresses of our own for control rows."""
    return exports.own(services(), body["type"], body["values"], domain=body["domain"], actor=g.caller.account_id)


@blueprint.post("/bars")
@needs("export.approve")
@blueprint.arguments(BarIn)
@blueprint.response(201, BarredOut)
def bar(body: dict[str, Any]) -> dict[str, Any]:
    """Sets people on the suppression list of a channel, or takes them off it."""
    return exports.bar(services(), body["identifiers"], body["channel"], lift=body["lift"], actor=g.caller.account_id)
