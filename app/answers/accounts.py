"""Accounts of staff, their links and tokens. Of a token only its number; itself once, where it was made."""

from __future__ import annotations

from marshmallow import fields

from app.answers.parts import flag, many, moment, text
from app.shapes import Strict


class TokenMadeOut(Strict):
    user = text()
    token = text()


class TokenOut(Strict):
    id = text()
    name = text()
    scopes = many(fields.String())
    created_at = moment()
    expires_at = moment()
    used_at = moment(none=True)


class TokenEndedOut(Strict):
    token = text()
    revoked = flag()


class UserOut(Strict):
    user = text()
    email = text()
    role = text()
    disabled = flag()
    second_step = flag()
    signed_in_at = moment(none=True)


class LinkOut(Strict):
    user = text()
    link = text()


class UserEndedOut(Strict):
    user = text()
    disabled = flag()
    tokens = fields.Integer(required=True)
