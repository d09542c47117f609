"""Traits: fields, identifiers, what is left behind, what refuses the row."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion import traits
from ingestion.commerce import Unreadable
from privacy.dictionary.catalogue import load

CATALOGUE = load()


def of(**values: Any) -> traits.Traits:
    return traits.of(values, CATALOGUE, place="traits")


def test_traits_become_fields_identifiers_and_counts() -> None:
    found = of(
        gender="女", birthday="1994-03-05", phone=13800138000, unionId="u" * 20, level="x", name="张", avatar="y", empty="", none=None
    )
    assert found.fields == {"sex": "female", "birth_date": "1994-03-05"}
    assert found.identifiers == {"phone": "13800138000", "unionid": "u" * 20}
    assert found.dropped == {"traits.level": 1}
    assert found.refuse is None


def test_the_law_comes_first() -> None:
    assert of(faceImage="x", phone="1").refuse == "forbidden_category"
    assert of(gender="m", extra={"fingerprint": "x"}).refuse == "forbidden_category"
    assert of(babyName="x").refuse == "child_field"
    assert of(baby_birthday="2024-01-01", face_id="x").refuse == "forbidden_category"


def test_a_sensitive_field_goes_on_to_where_its_consent_is_asked() -> None:
    assert of(health_condition="x").fields == {"health_condition": "x"}


@pytest.mark.parametrize("value", [["a"], {"a": 1}, True])
def test_an_identifier_is_text_or_a_number(value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        of(email=value)
    assert (caught.value.path, caught.value.rule) == ("traits.email", "wrong_type")
