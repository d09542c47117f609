"""Recipients of data and the agreements with them."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from flask_smorest import Blueprint
from marshmallow import fields, validate

from app.answers.papers import AgreementOut, RecipientOut
from app.answers.parts import page_of
from app.guard import needs, once, seen_version, services, tagged
from app.shapes import Strict

blueprint = Blueprint("recipients", __name__, url_prefix="/api", description="Who receives data, under which agreement")


def _text(most: int = 200) -> fields.String:
    return fields.String(validate=validate.Length(max=most))


def _words() -> fields.List:
    return fields.List(fields.String(validate=validate.Length(1, 200)), validate=validate.Length(max=64))


class RecipientIn(Strict):
    key = _text(32)
    name_en = _text()
    name_zh = _text()
    contact = _text()
    country = _text(2)
    kind = _text(20)
    purposes = _words()
    method = _text()
    categories = _words()
    mechanism = _text(40)
    mechanism_reference = _text()
    sealing_key = _text(4_000)
    foreign_approval = _text()


class StatusIn(Strict):
    status = fields.String(required=True, validate=validate.OneOf(["active", "suspended", "ended"]))


class AgreementIn(Strict):
    recipient = _text(40)
    starts = _text(10)
    ends = _text(10)
    purposes = _words()
    method = _text()
    categories = _words()
    measures = _text(4_000)
    sub_processors = _words()
    reference = _text()


class CertificateIn(Strict):
    outcome = _text(40)
    on = _text(10)
    statement = _text(4_000)


@blueprint.get("/recipients")
@needs("accountability.read")
@blueprint.response(200, page_of(RecipientOut))
def list_recipients() -> dict[str, Any]:
    """Every recipient as it stands."""
    return {"items": services().recipients.listing(), "next": None}


@blueprint.post("/recipients")
@needs("accountability.edit")
@blueprint.arguments(RecipientIn)
@blueprint.response(201, RecipientOut)
@once()
def add_recipient(body: dict[str, Any]) -> dict[str, Any]:
    """Writes a recipient down, with its purposes; nothing goes to it before it is active."""
    return services().recipients.add(body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/recipients/<recipient_id>")
@needs("accountability.read")
@blueprint.response(200, RecipientOut)
def show_recipient(recipient_id: str) -> Response:
    """One recipient; its `ETag` is its version."""
    return _tagged(services().recipients.one(recipient_id))


@blueprint.patch("/recipients/<recipient_id>")
@needs("accountability.edit")
@blueprint.arguments(RecipientIn)
@blueprint.response(200, RecipientOut)
def change_recipient(body: dict[str, Any], recipient_id: str) -> Response:
    """Changes what is given. What people were told of it cannot change without asking them again."""
    return _tagged(services().recipients.change(recipient_id, body, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/recipients/<recipient_id>/status")
@needs("accountability.edit")
@blueprint.arguments(StatusIn)
@blueprint.response(200, RecipientOut)
def set_status(body: dict[str, Any], recipient_id: str) -> Response:
    """Makes it active, suspends or ends it; what is missing for `active` is a refusal with its code."""
    return _tagged(services().recipients.set_status(recipient_id, body["status"], seen=seen_version(), actor=g.caller.account_id))


@blueprint.get("/agreements")
@needs("accountability.read")
@blueprint.response(200, page_of(AgreementOut))
def list_agreements() -> dict[str, Any]:
    """Every agreement as it stands."""
    return {"items": services().agreements.listing(), "next": None}


@blueprint.post("/agreements")
@needs("accountability.edit")
@blueprint.arguments(AgreementIn)
@blueprint.response(201, AgreementOut)
@once()
def add_agreement(body: dict[str, Any]) -> dict[str, Any]:
    """Writes an agreement down."""
    return services().agreements.add(body, actor=g.caller.account_id, also=g.also)


@blueprint.get("/agreements/<agreement_id>")
@needs("accountability.read")
@blueprint.response(200, AgreementOut)
def show_agreement(agreement_id: str) -> Response:
    """One agreement."""
    return _tagged(services().agreements.one(agreement_id))


@blueprint.patch("/agreements/<agreement_id>")
@needs("accountability.edit")
@blueprint.arguments(AgreementIn)
@blueprint.response(200, AgreementOut)
def change_agreement(body: dict[str, Any], agreement_id: str) -> Response:
    """A supplement, or a longer term."""
    return _tagged(services().agreements.change(agreement_id, body, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/agreements/<agreement_id>/endings")
@needs("accountability.edit")
@blueprint.response(200, AgreementOut)
def end_agreement(agreement_id: str) -> Response:
    """Ends it today."""
    return _tagged(services().agreements.end(agreement_id, seen=seen_version(), actor=g.caller.account_id))


@blueprint.post("/agreements/<agreement_id>/certificates")
@needs("accountability.edit")
@blueprint.arguments(CertificateIn)
@blueprint.response(200, AgreementOut)
def certify(body: dict[str, Any], agreement_id: str) -> Response:
    """Keeps the certificate that everything was returned or deleted; only for one that is over."""
    return _tagged(services().agreements.certify(agreement_id, body, seen=seen_version(), actor=g.caller.account_id))


def _tagged(paper: dict[str, Any]) -> Response:
    return tagged(paper, str(paper["version"]))
