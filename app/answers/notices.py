"""Notices and purposes as routes answer them. Words of the controller's own, and counts."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, text, whole
from app.shapes import Strict


class PurposeMadeOut(Strict):
    purpose = text()
    separate = flag()
    written = flag()


class NoticeMadeOut(Strict):
    notice = text(description="the hash of the words, which names them")
    version = text()


class ChangeOut(Strict):
    purpose = text()
    kind = text(enum=["purpose", "category", "method"])
    added = text()


class PreviewOut(Strict):
    changes = many(ChangeOut)
    people = whole(none=True, description="who would be asked again; null for whoever may not see exact numbers")


class UseOut(Strict):
    categories = many(fields.String())
    methods = many(fields.String())


class OtherOut(Strict):
    notice = text()
    version = text()


class NoticeWholeOut(Strict):
    notice = text(description="the hash of the words, which names them")
    version = text()
    published_at = moment()
    texts = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    purposes = many(fields.String())
    items = fields.Dict(keys=fields.String(), values=fields.Dict(keys=fields.String(), values=fields.String()), required=True)
    uses = fields.Dict(keys=fields.String(), values=fields.Nested(UseOut), required=True)
    anew = many(fields.String())
    altered = flag()
    changes = many(ChangeOut)
    previous = fields.Nested(OtherOut, required=True, allow_none=True)


class EndsOut(Strict):
    subject = text(description="the officers' reference of a person")
    purpose = text()
    expires = moment()


class EndingOut(Strict):
    days = whole()
    total = whole()
    items = many(EndsOut)
