"""Rules on rows: exact arithmetic, the first case that holds, and faults that stay with their rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import fieldrules, formulas
from ingestion.columns import Typed
from privacy.dictionary.catalogue import load
from privacy.vocabulary import FormRule

LINE = load().record("order_line")


def typed(name: str, told: Any, **cells: list[str | None]) -> Typed:
    columns = {column: pa.array(values, pa.string()) for column, values in cells.items()}
    rule = fieldrules.parse(name, told, LINE.fields[name].type)
    return formulas.typed(rule, LINE.fields[name], formulas.Sheet(columns, len(next(iter(cells.values()))), "UTC", "UTC"))


def test_words_are_exchanged_and_unknown_words_are_faults() -> None:
    found = typed("channel", {"from": "c", "values": {"till": "pos", "mini": "mini_program"}}, c=["till", "mini", None, "smoke"])
    assert found.values.to_pylist() == ["pos", "mini_program", None, None]
    assert found.faults == [(3, FormRule.NOT_ALLOWED)]


def test_a_price_times_pieces_is_exact() -> None:
    told = {"from": "price", "times_column": "pieces", "times": 100}
    found = typed("net_minor", told, price=["2.55", "0.001", "0.001", "19.99", None, "1"], pieces=["6", "1", "10", "-3", "1", None])
    assert found.values.to_pylist()[0] == 1530
    assert found.values.to_pylist()[2:] == [1, -5997, None, None]
    assert found.faults == [(1, FormRule.WRONG_TYPE)]


def test_columns_are_added_and_an_empty_one_adds_nothing() -> None:
    told = {"from": "paid", "plus": ["off", "match"], "minus": ["tax"], "times": 100}
    found = typed("gross_minor", told, paid=["1.10", "0", None], off=["0.20", None, "1"], match=["0.03", "5", "1"], tax=["1", None, "1"])
    assert found.values.to_pylist() == [33, 500, None]
    assert found.faults == []


def test_a_number_of_unusual_size_or_form_costs_only_its_own_row() -> None:
    told = {"from": "a", "plus": ["b"], "times": 100}
    found = typed(
        "gross_minor", told, a=["1e3", "x", "1e30", "0.00000001", "0.12345", "2"], b=["1", "1", "1", "0.00999999", "0.00655", "1e-99"]
    )
    assert [found.values[index].as_py() for index in (0, 3, 4)] == [100_100, 1, 13]
    assert found.faults == [(1, FormRule.WRONG_TYPE), (2, FormRule.OUT_OF_RANGE), (5, FormRule.WRONG_TYPE)]


def test_the_dictionarys_limits_hold_for_what_was_calculated() -> None:
    found = typed("gross_minor", {"from": "a", "times_column": "b"}, a=["1000000", "7"], b=["100000", "6"])
    assert found.values.to_pylist()[1] == 42
    assert found.faults == [(0, FormRule.OUT_OF_RANGE)]


def test_binary_fractions_are_the_decimals_that_they_stand_for_and_others_are_faults() -> None:
    told = {"from": "a", "times": 100, "decimals": 2}
    found = typed("gross_minor", told, a=["0.30000000000000004", "1.776357e-15", "1.38778e-16", "2.5", "2.505", "", "x", "1e300"])
    assert found.values.to_pylist()[:4] == [30, 0, 0, 250]
    assert {row for row, _ in found.faults} == {4, 5, 6, 7}
    assert typed("quantity_milli", {"from": "a", "decimals": 0}, a=["2.9999999999999996", "3"]).values.to_pylist() == [3, 3]


def test_the_first_case_that_holds_decides() -> None:
    told = {
        "const": "sale",
        "cases": [{"if": "no", "begins": ["C", "X"], "const": "cancel"}, {"if": "pieces", "below": 0, "const": "return"}],
    }
    found = typed("kind", told, no=["C1", "2", "X3", "4", None, "5"], pieces=["-1", "-1", "1", "1", "-1", "few"])
    assert found.values.to_pylist() == ["cancel", "return", "cancel", "sale", "return", "sale"]
    assert found.faults == []


def test_a_fault_counts_only_where_its_rule_decides() -> None:
    told = {"from": "n", "times": 1000, "cases": [{"if": "sku", "in": ["FUEL"], "absent": True}, {"if": "n", "above": 99, "from": "odd"}]}
    found = typed(
        "quantity_milli", told, n=["1.23456", "1", "0.5", "100", "x"], odd=["7", "y", "y", "z", "y"], sku=["FUEL", "A", "A", None, "A"]
    )
    assert found.values.to_pylist()[:3] == [None, 1000, 500]
    assert found.faults == [(4, FormRule.WRONG_TYPE), (3, FormRule.WRONG_TYPE)]


@pytest.mark.parametrize(
    ("told", "rows"),
    [
        ({"empty": True}, [False, False, True, False]),
        ({"empty": False}, [True, True, False, True]),
        ({"in": ["5", "a"]}, [True, True, False, False]),
        ({"begins": ["-"]}, [False, False, False, True]),
        ({"below": 5}, [False, False, False, True]),
        ({"above": 4.5}, [True, False, False, False]),
    ],
)
def test_tests_look_at_one_column(told: dict[str, Any], rows: list[bool]) -> None:
    test = fieldrules.parse_condition({"if": "c", **told}, "skip[0]")
    assert formulas.holds(test, {"c": pa.array(["5", "a", None, "-7.5"])}).tolist() == rows


NUMBERS = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=3) | st.decimals(-100, 100, places=2)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(-(10**6), 10**6)), min_size=1, max_size=6), st.sampled_from(["100", "0.5", "1000"]))
def test_arithmetic_equals_that_of_decimals(rows: list[tuple[Decimal, Decimal, int]], times: str) -> None:
    told = {"from": "a", "minus": ["b"], "times_column": "n", "times": times}
    rule = fieldrules.parse("gross_minor", told, "minor")
    columns = {name: pa.array([f"{row[place]:f}" for row in rows]) for place, name in enumerate("abn")}
    found = formulas.computed(rule, columns)
    broken = {row for row, _ in found.faults}
    for index, (a, b, n) in enumerate(rows):
        exact = (a - b) * n * Decimal(times)
        whole = exact == exact.to_integral_value() and -(2**63) <= exact < 2**63
        assert (index not in broken) is whole
        assert not whole or found.values[index].as_py() == int(exact)
