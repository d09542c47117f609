"""What a mapping says about a field is checked whole, and what is wrong is named by its place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ingestion import fieldrules
from ingestion.fieldrules import Case, Condition, FieldRule
from privacy.errors import Invalid

WHEN = {"if": "no", "begins": ["C"]}


def test_a_column_alone_is_a_rule() -> None:
    assert fieldrules.parse("store_id", "shop", "string") == FieldRule("shop")


def test_arithmetic_names_its_columns() -> None:
    told = {"from": "paid", "plus": ["off"], "minus": ["tax"], "times_column": "pieces", "times": 100, "decimals": 2}
    rule = fieldrules.parse("gross_minor", told, "minor")
    assert rule == FieldRule("paid", times=Decimal(100), plus=("off",), minus=("tax",), times_column="pieces", decimals=2)
    assert list(rule.columns) == ["paid", "off", "tax", "pieces"]


def test_cases_are_tests_with_rules_of_their_own() -> None:
    told = {
        "const": "sale",
        "cases": [
            {"if": "no", "begins": ["C", "X"], "const": "cancel"},
            {"if": "pieces", "below": 0, "from": "word", "values": {"r": "return"}},
            {"if": "sku", "in": ["POST"], "absent": True},
            {"if": "sku", "above": "1.5", "const": "sale"},
            {"if": "sku", "empty": True, "const": "sale"},
        ],
    }
    rule = fieldrules.parse("kind", told, "string")
    assert rule.const == "sale"
    assert rule.cases == (
        Case(Condition("no", begins=("C", "X")), FieldRule(None, const="cancel")),
        Case(Condition("pieces", below=Decimal(0)), FieldRule("word", values={"r": "return"})),
        Case(Condition("sku", words=("POST",)), FieldRule(None)),
        Case(Condition("sku", above=Decimal("1.5")), FieldRule(None, const="sale")),
        Case(Condition("sku", empty=True), FieldRule(None, const="sale")),
    )
    assert list(rule.columns) == ["no", "pieces", "word", "sku", "sku", "sku"]


@pytest.mark.parametrize(
    ("kind", "told", "place"),
    [
        ("string", {"from": "a", "plus": ["b"]}, ".plus"),
        ("minor", {"const": 1, "minus": ["b"]}, ".minus"),
        ("minor", {"from": "a", "plus": "b"}, ".plus"),
        ("minor", {"from": "a", "times_column": ""}, ".times_column"),
        ("minor", {"from": "a", "values": {"x": "1"}, "decimals": 2}, ".decimals"),
        ("minor", {"from": "a", "decimals": 10}, ".decimals"),
        ("minor", {"from": "a", "decimals": True}, ".decimals"),
        ("minor", {"from": "a", "times": "many"}, ".times"),
        ("string", {"from": "a", "format": ""}, ".format"),
        ("string", {"const": "a", "cases": []}, ".cases"),
        ("string", {"const": "a", "cases": {}}, ".cases"),
        ("string", {"cases": [{**WHEN, "const": "b"}]}, ""),
        ("string", {"const": "a", "cases": ["b"]}, ".cases[0]"),
        ("string", {"const": "a", "cases": [WHEN]}, ".cases[0]"),
        ("string", {"const": "a", "cases": [{**WHEN, "const": "b", "cases": []}]}, ".cases[0].cases"),
        ("string", {"const": "a", "cases": [{**WHEN, "absent": True, "const": "b"}]}, ".cases[0].absent"),
        ("string", {"const": "a", "cases": [{**WHEN, "absent": False}]}, ".cases[0].absent"),
        ("string", {"const": "a", "cases": [{**WHEN, "const": "b", "plus": ["c"]}]}, ".cases[0].plus"),
        ("string", {"const": "a", "cases": [{"if": "c", "const": "b"}]}, ".cases[0]"),
        ("string", {"const": "a", "cases": [{**WHEN, "below": 1, "const": "b"}]}, ".cases[0]"),
        ("string", {"const": "a", "cases": [{"begins": ["C"], "const": "b"}]}, ".cases[0].if"),
        ("string", {"const": "a", "cases": [{"if": "c", "in": [], "const": "b"}]}, ".cases[0].in"),
        ("string", {"const": "a", "cases": [{"if": "c", "begins": "C", "const": "b"}]}, ".cases[0].begins"),
        ("string", {"const": "a", "cases": [{"if": "c", "below": "few", "const": "b"}]}, ".cases[0].below"),
        ("string", {"const": "a", "cases": [{"if": "c", "above": True, "const": "b"}]}, ".cases[0].above"),
        ("string", {"const": "a", "cases": [{"if": "c", "empty": 1, "const": "b"}]}, ".cases[0].empty"),
    ],
)
def test_what_is_wrong_in_a_rule_is_named_by_its_place(kind: str, told: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        fieldrules.parse("net_minor", told, kind)
    assert caught.value.code == "mapping_invalid"
    assert caught.value.field == f"fields.net_minor{place}"


def test_a_test_is_a_table() -> None:
    with pytest.raises(Invalid) as caught:
        fieldrules.parse_condition("a", "skip[0]")
    assert caught.value.field == "skip[0]"
