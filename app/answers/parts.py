"""The words in which answers are written down: kinds of fields, pages of lists, the problem document.

Promise: a field that is declared is there always, or null where that is said.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from app.shapes import Strict


def text(*, none: bool = False, **metadata: Any) -> fields.String:
    """A text that is always there, or null."""
    return fields.String(required=True, allow_none=none, metadata=metadata)


def whole(*, none: bool = False, **metadata: Any) -> fields.Integer:
    """A whole number."""
    return fields.Integer(required=True, allow_none=none, metadata=metadata)


def real(*, none: bool = False, **metadata: Any) -> fields.Float:
    """A number."""
    return fields.Float(required=True, allow_none=none, metadata=metadata)


def flag() -> fields.Boolean:
    """True or false."""
    return fields.Boolean(required=True)


def moment(*, none: bool = False) -> fields.String:
    """An instant in ISO 8601 with its zone."""
    return text(none=none, format="date-time")


def many(one: type[Schema] | fields.Field[Any], *, none: bool = False) -> fields.List:
    """A list that is always there."""
    return fields.List(fields.Nested(one) if isinstance(one, type) else one, required=True, allow_none=none)


def numbers(*, none: bool = False, **metadata: Any) -> fields.Dict:
    """Whole numbers by name."""
    return fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, allow_none=none, metadata=metadata)


def texts() -> fields.Dict:
    """Texts by name."""
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True)


def page_of(one: type[Schema]) -> Schema:
    """A page of a list: its items, and the cursor of the next one."""
    name = one.__name__.removesuffix("Out")
    shape = Strict.from_dict({"items": many(one), "next": text(none=True, description="the cursor of the next page")}, name=f"{name}Page")
    return shape()


class ProblemOut(Strict):
    """RFC 9457, and `code` and `message` at the top for clients that look there."""

    type = text(format="uri")
    title = text()
    status = whole()
    detail = text()
    code = text(description="lasting; messages may change")
    message = text()
    request_id = text(none=True)
    field = fields.String(metadata={"description": "the path of the field that broke a rule"})
    created = fields.String(metadata={"description": "what an earlier request under the same Idempotency-Key made"})
