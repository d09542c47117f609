"""What a paper of accountability says: named fields, each with its kind, its limits and whether it may be left out.

Promise: pure; what is not declared is refused, and what comes out is plain JSON in one spelling. Messages name the field, never what stood in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from privacy.errors import Invalid

Kind = Literal["text", "long", "choice", "many", "words", "day", "instant", "flag"]
MOST_WORDS = 64


@dataclass(frozen=True, slots=True)
class Field:
    """`words` is a list of short texts, `many` a choice of several. `fixed` fields are given once and stay."""

    name: str
    kind: Kind = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    pattern: str = ""
    most: int = 200
    fixed: bool = False


def shaped(fields: Sequence[Field], given: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields as they are kept; with `before` a change, in which what is absent stays. Raises Invalid."""
    known = {one.name: one for one in fields}
    for name in given:
        if name not in known:
            raise Invalid("there is no such field", code="dossier_invalid", field=name if re.fullmatch(r"[a-z_]{1,40}", name) else "?")
    made = {}
    for one in fields:
        if before is not None and one.name not in given:
            made[one.name] = before.get(one.name, _nothing(one))
            continue
        value = _value(one, given.get(one.name))
        if before is not None and one.fixed and value != before.get(one.name):
            raise Invalid("this field is given once and stays", code="dossier_fixed", field=one.name)
        if one.required and value in ("", None, []):
            raise Invalid("this field is needed", code="dossier_field_missing", field=one.name)
        made[one.name] = value
    return made


def _nothing(one: Field) -> Any:
    return {"many": [], "words": [], "day": None, "instant": None, "flag": False}.get(one.kind, "")


def _value(one: Field, value: Any) -> Any:
    if value is None or value == "":
        return _nothing(one)
    if one.kind in ("many", "words"):
        return _several(one, value)
    if one.kind == "flag":
        if not isinstance(value, bool):
            raise _wrong(one, "this is true or false")
        return value
    if not isinstance(value, str):
        raise _wrong(one, "this is a text")
    text = value.strip()
    if one.kind in ("day", "instant"):
        return _time(one, text)
    if one.kind == "choice" and text not in one.choices:
        raise _wrong(one, "this is one of: " + ", ".join(one.choices))
    if len(text) > one.most or (one.pattern and text and not re.fullmatch(one.pattern, text)):
        raise _wrong(one, "this breaks the field's form")
    return text


def _several(one: Field, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MOST_WORDS or not all(isinstance(word, str) for word in value):
        raise _wrong(one, "this is a list of texts")
    words = sorted({word.strip() for word in value} - {""})
    if one.choices and not set(words) <= set(one.choices):
        raise _wrong(one, "each of these is one of: " + ", ".join(one.choices))
    if any(len(word) > one.most or (one.pattern and not re.fullmatch(one.pattern, word)) for word in words):
        raise _wrong(one, "a word of the list breaks its form")
    return words


def _time(one: Field, text: str) -> str:
    try:
        if one.kind == "day":
            return date.fromisoformat(text).isoformat() if len(text) == 10 else _not_a_time(one)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _not_a_time(one)
    return moment.astimezone(UTC).isoformat() if moment.tzinfo else _not_a_time(one)


def _not_a_time(one: Field) -> str:
    raise _wrong(one, "a day is written YYYY-MM-DD, an instant in ISO 8601 with its zone")


def _wrong(one: Field, rule: str) -> Invalid:
    return Invalid(rule, code="dossier_invalid", field=one.name)
