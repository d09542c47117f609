"""A paper's fields come out in one spelling, or are refused by name and never by what stood in them."""

from __future__ import annotations

from typing import Any

import pytest

from privacy.accountability.fields import Field, shaped
from privacy.errors import Invalid

FIELDS = (
    Field("key", pattern=r"[a-z]+", fixed=True),
    Field("kind", "choice", choices=("a", "b")),
    Field("many", "many", required=False, choices=("x", "y")),
    Field("words", "words", required=False, pattern=r"[a-z]+"),
    Field("on", "day", required=False),
    Field("at", "instant", required=False),
    Field("yes", "flag", required=False),
)
GOOD: dict[str, Any] = {
    "key": " abc ",
    "kind": "a",
    "words": ["b", "a", "b"],
    "on": "2026-06-15",
    "at": "2026-06-15T12:00:00+08:00",
    "yes": True,
}


def test_what_is_well_formed_comes_out_in_one_spelling() -> None:
    made = shaped(FIELDS, GOOD)
    assert made == {
        "key": "abc", "kind": "a", "many": [], "words": ["a", "b"], "on": "2026-06-15", "at": "2026-06-15T04:00:00+00:00", "yes": True,
    }  # fmt: skip
    assert shaped(FIELDS, {"kind": "b"}, made) == made | {"kind": "b"}


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"kind": ""}, "dossier_field_missing", "kind"),
        ({"kind": "c"}, "dossier_invalid", "kind"),
        ({"key": "138 0013 8000"}, "dossier_invalid", "key"),
        ({"key": 5}, "dossier_invalid", "key"),
        ({"words": ["ok", "138"]}, "dossier_invalid", "words"),
        ({"words": "ok"}, "dossier_invalid", "words"),
        ({"many": ["z"]}, "dossier_invalid", "many"),
        ({"on": "15.6.2026"}, "dossier_invalid", "on"),
        ({"on": "2026-06-15T00:00"}, "dossier_invalid", "on"),
        ({"at": "2026-06-15T12:00:00"}, "dossier_invalid", "at"),
        ({"yes": "true"}, "dossier_invalid", "yes"),
        ({"unknown": 1}, "dossier_invalid", "unknown"),
        ({"13800138000": 1}, "dossier_invalid", "?"),
    ],
)
def test_anything_else_is_refused_and_no_value_is_repeated(given: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        shaped(FIELDS, GOOD | given)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert "138" not in refused.value.message


def test_a_fixed_field_stays() -> None:
    before = shaped(FIELDS, GOOD)
    assert shaped(FIELDS, {"key": "abc"}, before) == before
    with pytest.raises(Invalid) as refused:
        shaped(FIELDS, {"key": "other"}, before)
    assert refused.value.code == "dossier_fixed"
