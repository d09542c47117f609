"""Kinds of fields in answers: what is declared is there, or null where that is said."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from app.answers import parts
from app.shapes import Strict


class ThingOut(Strict):
    name = parts.text()
    at = parts.moment(none=True)
    counts = parts.numbers()


def test_a_declared_field_is_there_or_null_where_that_is_said() -> None:
    assert ThingOut().load({"name": "a", "at": None, "counts": {"b": 1}}) == {"name": "a", "at": None, "counts": {"b": 1}}
    with pytest.raises(ValidationError) as raised:
        ThingOut().load({"name": None, "counts": {"b": "x"}})
    assert set(raised.value.messages) == {"name", "at", "counts"}


def test_a_page_holds_items_of_its_kind_and_a_cursor_or_none() -> None:
    shape = parts.page_of(ThingOut)
    item = {"name": "a", "at": "2026-06-15T04:30:00+00:00", "counts": {}}
    assert shape.load({"items": [item], "next": None}) == {"items": [item], "next": None}
    with pytest.raises(ValidationError):
        shape.load({"items": [item]})


def test_a_problem_has_code_and_message_and_perhaps_a_field() -> None:
    told = {"type": "about:blank", "title": "t", "status": 422, "detail": "d", "code": "c", "message": "m", "request_id": None}
    assert parts.ProblemOut().load(told) == told
    assert parts.ProblemOut().load(told | {"field": "x"})["field"] == "x"
