"""Files: announced, sent in parts that may break off anywhere, looked at, imported, followed, taken back."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, g, jsonify, request
from flask_smorest import Blueprint

from app import imported, previews, undoing, uploads
from app.answers.files import GuessOut, ImportOut, MappingOut, TrialOut, UndoOut
from app.answers.parts import page_of
from app.errors import problem
from app.guard import named_version, needs, services, tagged
from app.shapes import GuessIn, ImportIn, MappingIn, PageIn, TrialIn
from privacy.errors import Invalid

blueprint = Blueprint("imports", __name__, url_prefix="/api/imports", description="Imports of files")


@blueprint.get("")
@needs("import.read")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(ImportOut))
def list_imports(wanted: dict[str, Any]) -> dict[str, Any]:
    """Imports, newest first."""
    return imported.listing(services(), wanted["cursor"], exact=_exact(), caller=g.caller)


@blueprint.post("")
@needs("import.run")
@blueprint.arguments(ImportIn)
@blueprint.response(201, ImportOut)
def announce(body: dict[str, Any]) -> dict[str, Any]:
    """Announces a file with its size and SHA-256; its content follows in parts."""
    return uploads.create(services(), body, actor=g.caller.account_id, caller=g.caller, key=request.headers.get("Idempotency-Key"))


@blueprint.get("/<import_id>")
@needs("import.read")
@blueprint.response(200, ImportOut)
def read(import_id: str) -> dict[str, Any]:
    """State, progress and counts; `offset` says where an upload goes on."""
    return imported.state(services(), import_id, exact=_exact(), caller=g.caller)


@blueprint.put("/<import_id>/content")
@needs("import.run")
@blueprint.response(200, ImportOut)
def content(import_id: str) -> Any:
    """A part of the file's bytes, from `Upload-Offset` (or `Content-Range`) on; 409 with the right offset if it leaves a gap."""
    part = uploads.receive(services(), import_id, _offset(), request.stream, actor=g.caller.account_id, caller=g.caller)
    if not part.accepted:
        right = {"Upload-Offset": str(part.offset)}
        return problem(409, "wrong_offset", f"the file goes on at byte {part.offset}", field="Upload-Offset", headers=right)
    answer = jsonify(part.state)
    answer.headers["Upload-Offset"] = str(part.offset)
    return answer


@blueprint.get("/<import_id>/mapping")
@needs("import.read")
@blueprint.response(200, MappingOut)
def show_mapping(import_id: str) -> Response:
    """The mapping, or null; its `ETag` is what a change must name in `If-Match`."""
    text, version = uploads.mapping_of(services(), import_id, g.caller)
    return tagged({"mapping": text}, version)


@blueprint.put("/<import_id>/mapping")
@needs("import.run")
@blueprint.arguments(MappingIn)
@blueprint.response(200, ImportOut)
def set_mapping(body: dict[str, Any], import_id: str) -> Response:
    """Gives an import its mapping, before it begins, if nobody else did since it was read."""
    seen, actor = named_version(), g.caller.account_id
    return tagged(*uploads.set_mapping(services(), import_id, body["mapping"], actor=actor, seen=seen, caller=g.caller))


@blueprint.post("/<import_id>/guesses")
@needs("import.run")
@blueprint.arguments(GuessIn)
@blueprint.response(200, GuessOut)
def guess(body: dict[str, Any], import_id: str) -> dict[str, Any]:
    """What the columns seem to be, and a proposed mapping; of values only their shapes."""
    return previews.guess(services(), import_id, body["record"], actor=g.caller.account_id, caller=g.caller)


@blueprint.post("/<import_id>/trials")
@needs("import.run")
@blueprint.arguments(TrialIn)
@blueprint.response(200, TrialOut)
def trial(body: dict[str, Any], import_id: str) -> dict[str, Any]:
    """A dry run: counts and the first faults by row; nothing is stored."""
    return previews.trial(services(), import_id, body["mapping"], actor=g.caller.account_id, caller=g.caller)


@blueprint.post("/<import_id>/start")
@needs("import.run")
@blueprint.response(202, ImportOut)
def start(import_id: str) -> dict[str, Any]:
    """Queues the import, or goes on with one that failed."""
    return uploads.start(services(), import_id, actor=g.caller.account_id, caller=g.caller)


@blueprint.post("/<import_id>/cancellation")
@needs("import.run")
@blueprint.response(200, ImportOut)
def cancel(import_id: str) -> dict[str, Any]:
    """Calls it off; what is stored stays until it is undone."""
    return uploads.cancel(services(), import_id, actor=g.caller.account_id, caller=g.caller)


@blueprint.get("/<import_id>/errors")
@needs("exact.read")
@blueprint.response(200, {"type": "string"}, content_type="text/csv")
def errors(import_id: str) -> Response:
    """The error file, for seven days: row, path and rule; of refused rows only that they were not processed."""
    answer = Response(imported.error_lines(services(), import_id, caller=g.caller), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="errors.csv"'
    return answer


@blueprint.post("/<import_id>/undo")
@needs("import.run")
@blueprint.response(202, UndoOut)
def undo(import_id: str) -> dict[str, Any]:
    """Takes the import's rows back, within 24 hours and where nothing that stays has read them."""
    return undoing.ask(services(), import_id, actor=g.caller.account_id, caller=g.caller)


def _exact() -> bool:
    return "exact.read" in g.caller.permissions


def _offset() -> int:
    told = request.headers.get("Upload-Offset")
    if told is None and (ranged := re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)", request.headers.get("Content-Range", ""))):
        told = ranged[1]
    if told is None or not re.fullmatch(r"\d{1,18}", told):
        raise Invalid("say with Upload-Offset or Content-Range where the part begins", code="offset_missing", field="Upload-Offset")
    return int(told)
