"""Answers about exports. What an officer alone sees is null for everybody else."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, real, text, whole
from app.shapes import Strict

STATES = ("requested", "approved", "released", "rejected", "cancelled", "expired", "revoked")


class ExportOut(Strict):
    id = text()
    segment = text()
    version = whole(description="of the segment")
    definition = text(description="the SHA-256 of its rule")
    purpose = text()
    use = text()
    ground = text()
    channel = text()
    recipient = text()
    form = text()
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")
    justification = text()
    expires_at = moment()
    state = text(enum=list(STATES))
    until = moment()
    asked_by = text()
    asked_at = moment()
    decided_by = text(none=True)
    decided_at = moment(none=True)
    reason = text(none=True)
    released_at = moment(none=True)
    entry = whole(description="of the access log")


class WholeExportOut(ExportOut):
    manifest = fields.Dict(
        required=True, allow_none=True, metadata={"description": "the recipient's part; no number of rows for marketers"}
    )
    signature = text(none=True, description="Ed25519 over the canonical JSON of the manifest; for officers")
    officers = fields.Dict(required=True, allow_none=True, metadata={"description": "the officer's part: who was kept back, by reason"})
    downloads = whole()
    lies_here = flag()


class ExportNoisyOut(Strict):
    value = whole()
    sigma = real()
    passes = flag()


class ExportProtectedOut(Strict):
    size = fields.Nested(ExportNoisyOut, required=True)
    difference = fields.Nested(
        ExportNoisyOut, required=True, allow_none=True, metadata={"description": "from the nearest other list of the recipient"}
    )


class ExportExactOut(Strict):
    people = whole()
    exclusions = numbers()


class ExportPreviewOut(Strict):
    exact = fields.Nested(ExportExactOut, required=True, allow_none=True, metadata={"description": "for officers"})
    protected = fields.Nested(ExportProtectedOut, required=True, allow_none=True, metadata={"description": "the day's stored counts"})


class TracedOut(Strict):
    recipient = text(description="of whom marks were found")
    key = text()
    marks = whole()


class TraceOut(Strict):
    recipient = text(none=True, description="the one recipient whose file it is; null: none, or several")
    found = many(TracedOut)


class ControlsOut(Strict):
    added = whole()


class BarredOut(Strict):
    accepted = whole(description="identifiers in the request, whether anybody is known by them or not")
