"""People as officers see them: masked, by handles that are made for the console."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import many, moment, real, text, whole
from app.shapes import Strict


class MaskedOut(Strict):
    type = text()
    ref = text()
    masked = text()


class FoundOut(Strict):
    handle = text(none=True)
    identifiers = many(MaskedOut)


class KinLinkOut(Strict):
    member = whole()
    type = text()
    ref = text()
    masked = text()
    since = moment()
    rule = text()
    source = text(none=True)
    batch = text(none=True)


class MergeOut(Strict):
    merge = text()
    members = many(fields.Integer(allow_none=True))
    rule = text()
    source = text(none=True)
    at = moment()
    undone_at = moment(none=True)


class RefusedLinkOut(Strict):
    type = text(none=True)
    rule = text()
    number = whole()
    last_at = moment()


class ReasonsOut(Strict):
    handle = text()
    links = many(KinLinkOut)
    merges = many(MergeOut)
    refused = many(RefusedLinkOut)


class SideOut(Strict):
    handle = text()
    identifiers = whole()


class UnmergedOut(Strict):
    people = many(SideOut)
    consents = whole()
    entry = whole()


class ProposalOut(Strict):
    proposal = text()
    handles = many(fields.String())
    weight = real()
    fields_ = fields.Dict(keys=fields.String(), values=fields.Raw(), required=True, data_key="fields", attribute="fields")
    source = text(none=True)
    at = moment()


class AcceptedOut(Strict):
    handle = text()
    members = whole()
    entry = whole()


class DismissedOut(Strict):
    dismissed = text()
    entry = whole()
