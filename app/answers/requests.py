"""Requests of people as programs read them: codes, days, counts; the person masked."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, numbers, text, whole
from app.answers.people import MaskedOut
from app.shapes import Strict


class RequestOut(Strict):
    number = text(description="SR-…: what the person was told")
    right = text()
    regime = text()
    language = text()
    channel = text()
    purposes = many(fields.String())
    subject = text(description="a reference that is the same for one person's requests")
    step = text(description="received, identity, collect, review, decide, deliver, closed")
    version = whole()
    received_on = text(format="date")
    due = text(format="date", description="by the house's own rule")
    due_by_law = text(format="date")
    days_left = whole()
    clock = text(description="running, near, paused, late, stopped")
    basis = text()
    may_lengthen = flag()
    opened_at = moment()
    opened_by = text()
    assignee = text(none=True)
    asked_at = moment(none=True)
    proven_at = moment(none=True)
    lengthened_at = moment(none=True)
    decided_by = text(none=True)
    approved_by = text(none=True)
    outcome = text(none=True)
    reason = text(none=True)
    delivered_at = moment(none=True)
    closed_at = moment(none=True)
    closing = text(none=True)
    erasure = text(none=True)
    deceased = flag()


class OpenedRequestOut(RequestOut):
    case = text(description="cas_…: the case of eight hours that the look-up opened")


class RequestEventOut(Strict):
    at = moment()
    actor = text()
    act = text()
    facts = fields.Dict(required=True)
    words = text(none=True)
    entry = whole()


class PackageOut(Strict):
    package = text()
    made_at = moment()
    made_by = text()
    expires_at = moment()
    size = whole()
    sha256 = text()
    stores = numbers()
    downloads = whole()
    opens = flag()


class FlagOut(Strict):
    flag = text()
    since = moment()
    request = text()


class RedactedOut(Strict):
    parts = many(fields.String())
    ground = text(none=True)


class WholeRequestOut(RequestOut):
    """A request with everything that was done for it."""

    found = text(description="known, unknown, erased")
    identifiers = many(MaskedOut)
    kin = fields.Dict(required=True, allow_none=True)
    minor = text(none=True, description="under_14, under_18: then identifiers are shown with another officer's approval only")
    events = many(RequestEventOut)
    packages = many(PackageOut)
    others = many(RequestOut)
    duplicate = many(fields.String())
    flags = many(FlagOut)
    redacted = fields.Nested(RedactedOut, required=True)


class PlanOut(Strict):
    """What an erasure would find, store by store, and what it would keep and why."""

    stores = many(fields.Dict())
    kept = many(fields.Dict())
    steps = many(fields.String())


class LetterOut(Strict):
    paragraphs = many(fields.String())
