"""Orders in whole minor units that add up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import commerce
from ingestion.commerce import Unreadable
from privacy.dictionary.catalogue import load
from privacy.vocabulary import FormRule


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        (64.75, "CNY", 6475),
        (59.970000000000006, "CNY", 5997),
        ("64.75", None, 6475),
        (100, "JPY", 100),
        (1.234, "KWD", 1234),
        (-3, "CNY", -300),
        ("1.005", "CNY", FormRule.WRONG_TYPE),
        ("abc", "CNY", FormRule.WRONG_TYPE),
        ("1_0", "CNY", FormRule.WRONG_TYPE),
        ("９", "CNY", FormRule.WRONG_TYPE),
        (True, "CNY", FormRule.WRONG_TYPE),
        ([1], "CNY", FormRule.WRONG_TYPE),
        ("NaN", "CNY", FormRule.OUT_OF_RANGE),
        ("1e400", "CNY", FormRule.OUT_OF_RANGE),
        (2**62, "CNY", FormRule.OUT_OF_RANGE),
    ],
)
def test_amounts_become_whole_minor_units(value: Any, currency: str | None, minor: int | FormRule) -> None:
    if isinstance(minor, FormRule):
        with pytest.raises(Unreadable) as caught:
            commerce.minor_units(value, currency, "properties.total")
        assert (caught.value.path, caught.value.rule) == ("properties.total", minor)
    else:
        assert commerce.minor_units(value, currency, "properties.total") == minor


def test_a_line_has_the_orders_circumstances_and_its_own_product() -> None:
    order = {"order_id": "O1", "currency": "CNY", "store_id": "S1", "products": [{"sku": "P1", "price": 20, "quantity": 1.5}, {}]}
    assert commerce.order_lines("order_refunded", order) == [
        {
            "order_id": "O1",
            "kind": "return",
            "store_id": "S1",
            "currency": "CNY",
            "line": 1,
            "product_id": "P1",
            "quantity_milli": 1500,
            "gross_minor": 3000,
            "discount_minor": 0,
            "net_minor": 3000,
        },
        {"order_id": "O1", "kind": "return", "store_id": "S1", "currency": "CNY", "line": 2, "quantity_milli": 1000},
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=9), st.data())
def test_lines_add_up_to_what_was_paid(prices: list[int], data: st.DataObject) -> None:
    discount = data.draw(st.integers(0, sum(prices)))
    order = {"discount": str(discount), "currency": "JPY", "products": [{"price": price} for price in prices]}
    lines = commerce.order_lines("order_completed", order)
    assert sum(line["net_minor"] for line in lines) == sum(prices) - discount
    assert all(0 <= line["discount_minor"] <= line["gross_minor"] for line in lines)


@pytest.mark.parametrize(
    ("order", "path"),
    [
        ({"products": "P1"}, "properties.products"),
        ({"products": [{}] * 1001}, "properties.products"),
        ({"products": ["P1"]}, "properties.products[0]"),
        ({"products": [{}, {"price": "x"}]}, "properties.products[1].price"),
        ({"products": [{"quantity": []}]}, "properties.products[0].quantity"),
        ({"products": [{"price": 1}], "discount": 2}, "properties.discount"),
    ],
)
def test_a_broken_order_is_named_by_its_place(order: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        commerce.order_lines("order_completed", order)
    assert caught.value.path == path


def test_every_word_is_in_the_dictionary() -> None:
    allowed = set(load().record("event").fields["event"].input.values)
    assert set(commerce.EVENT_NAMES.values()) <= allowed
    assert set(commerce.SEX.values()) == set(load().record("member").fields["sex"].input.values)
    assert set(commerce.TRAIT_FIELDS.values()) <= set(load().record("member").fields)
    assert set(commerce.ORDER_KINDS.values()) == set(load().record("order_line").fields["kind"].input.values)
