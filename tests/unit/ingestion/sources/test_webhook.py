"""Orders that a shop pushes: what a body tells, exactly, and what it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion import canonical, strictjson
from ingestion.source import Reading, payload
from ingestion.sources import webhook
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SOURCE = SourceFacts("src_a", "shop", "webhook", False, frozenset({"analytics.statistics"}))
REFUND = {"id": 7, "created_at": "2026-06-15T12:20:00+08:00", "refund_line_items": [{"line_item_id": 12, "quantity": 1, "subtotal": 13.5}]}


def order(**more: Any) -> dict[str, Any]:
    return {
        "id": 1001,
        "created_at": "2026-06-15T12:00:00+08:00",
        "currency": "CNY",
        "source_name": "web",
        "location_id": 88,
        "email": "order@nobody.cn",
        "phone": "+8613900000001",
        "customer": {"id": 5, "email": "own@nobody.cn", "phone": None},
        "line_items": [
            {"id": 11, "sku": "A", "quantity": 3, "price": "19.99", "discount_allocations": [{"amount": "1.00"}, {"amount": "0.97"}]},
            {"id": 12, "sku": "", "product_id": 42, "quantity": 1, "price": "15.00", "total_discount": "1.50"},
        ],
    } | more


def batch(*documents: Any) -> RawBatch:
    parsed = strictjson.loads(webhook.packed(json.dumps(documents[0] if len(documents) == 1 else list(documents)).encode()))
    return webhook.read(parsed, SOURCE, CATALOGUE, received_at=NOW, request_id="req_1")


def read(*documents: Any) -> list[Reading]:
    return list(batch(*documents).items or ())


def fault(document: Any) -> tuple[str, str | None]:
    (reading,) = read(document)
    return reading.path, reading.rule


def test_an_order_is_one_sale_with_exact_amounts_and_whoever_bought() -> None:
    (sale,) = read(order())
    assert sale.message_id == "order:1001:sale"
    first, second = sale.rows
    shared = {"currency": "CNY", "channel": "web", "store_id": 88, "order_id": "1001", "kind": "sale"}
    assert first.fields == shared | {
        "product_id": "A", "line": 1, "quantity_milli": 3000, "gross_minor": 5997, "discount_minor": 197, "net_minor": 5800,
    }  # fmt: skip
    assert second.fields == shared | {
        "product_id": 42, "line": 2, "quantity_milli": 1000, "gross_minor": 1500, "discount_minor": 150, "net_minor": 1350,
    }  # fmt: skip
    assert first.identifiers == {"customer_no": "5", "email": "own@nobody.cn", "phone": "+8613900000001"}
    assert first.at == int(datetime(2026, 6, 15, 4, tzinfo=UTC).timestamp()) * 1_000_000
    assert not first.claims, "buyer_accepts_marketing is no consent"
    assert read(order(buyer_accepts_marketing=True))[0].rows[0].claims == ()


def test_what_a_body_is_stands_in_the_body_so_a_header_cannot_turn_it_into_something_else() -> None:
    acts = read(order(cancelled_at="2026-06-15T12:10:00+08:00", refunds=[REFUND]))
    assert [one.message_id for one in acts] == ["order:1001:sale", "order:1001:cancel", "refund:7"]
    assert [[row.fields["kind"] for row in one.rows] for one in acts] == [["sale", "sale"], ["cancel", "cancel"], ["return"]]
    assert acts[1].rows[0].at - acts[0].rows[0].at == 600_000_000


def test_a_refund_inside_its_order_knows_line_product_and_person() -> None:
    refund = read(order(refunds=[REFUND]))[1]
    (line,) = refund.rows
    assert line.fields["line"] == 2
    assert (line.fields["product_id"], line.fields["quantity_milli"]) == (42, 1000)
    assert (line.fields["gross_minor"], line.fields["discount_minor"], line.fields["net_minor"]) == (1500, 150, 1350)
    assert line.identifiers["customer_no"] == "5"


def test_a_refund_alone_is_read_and_names_nobody_unless_its_body_does() -> None:
    alone = REFUND | {
        "order_id": 1001,
        "refund_line_items": [{"quantity": 2, "subtotal": "10.00", "line_item": {"sku": "A", "price": "6.00"}}],
    }
    (reading,) = read(alone)
    assert reading.message_id == "refund:7"
    assert reading.rows[0].fields == {
        "order_id": "1001", "kind": "return", "product_id": "A", "line": 1, "quantity_milli": 2000, "gross_minor": 1200,
        "discount_minor": 200, "net_minor": 1000,
    }  # fmt: skip
    assert reading.rows[0].identifiers == {}
    assert read(alone | {"email": "a@nobody.cn"})[0].rows[0].identifiers == {"email": "a@nobody.cn"}


@pytest.mark.parametrize(
    ("document", "path", "rule"),
    [
        ([1][0], "", "not_an_object"),
        ({}, "line_items", "missing"),
        ({"title": "a product"}, "line_items", "missing"),
        (order(id=None), "id", "missing"),
        (order(id={"a": 1}), "id", "wrong_type"),
        (order(id="9" * 101), "id", "too_long"),
        (order(created_at=None), "created_at", "missing"),
        (order(created_at="2026-06-15T12:00:00"), "created_at", "zone_missing"),
        (order(created_at="yesterday"), "created_at", "bad_time"),
        (order(created_at=1718000000), "created_at", "bad_time"),
        (order(line_items=["x"]), "line_items[0]", "wrong_type"),
        (order(line_items=[{"quantity": 1, "price": "1.005"}]), "line_items[0].price", "wrong_type"),
        (order(line_items=[{"quantity": 1}]), "line_items[0].price", "missing"),
        (order(line_items=[{"quantity": "1", "price": "1"}]), "line_items[0].quantity", "wrong_type"),
        (order(line_items=[{"quantity": -1, "price": "1"}]), "line_items[0].quantity", "out_of_range"),
        (order(line_items=[{"quantity": 1, "price": "1", "total_discount": "2"}]), "line_items[0].total_discount", "out_of_range"),
        (order(line_items=[{"quantity": 1, "price": "1"}] * 1001), "line_items", "too_large"),
        (order(customer={"id": ["x"]}), "customer.customer_no", "wrong_type"),
    ],
)
def test_a_body_of_the_wrong_form_is_named_by_place_and_rule(document: Any, path: str, rule: str) -> None:
    assert fault(document) == (path, rule)


def test_an_act_older_than_the_days_in_which_repeats_are_known_is_refused() -> None:
    """Else a captured body, whose signature stays right for ever, would be stored once more each month."""
    old = (NOW - timedelta(days=30)).isoformat()
    (sale,) = read(order(created_at=old))
    assert {row.refuse for row in sale.rows} == {"past_window"}
    sale, refund = read(order(created_at=old, refunds=[REFUND]))
    assert sale.rows[0].refuse == "past_window"
    assert refund.rows[0].refuse is None, "a refund of today counts, whenever the order was"
    assert read(order(created_at=(NOW - timedelta(days=28)).isoformat()))[0].rows[0].refuse is None


def test_a_test_order_and_an_order_without_lines_store_nothing() -> None:
    assert read(order(test=True))[0].rows == ()
    assert read(order(line_items=[]))[0].rows == ()


def test_unknown_fields_are_counted_once_and_well_known_ones_are_left_behind() -> None:
    document = order(
        refunds=[REFUND],
        note="x",
        browser_ip="y",
        loyalty_code="z",
        line_items=[order()["line_items"][1] | {"engraving": "x", "title": "y"}],
    )
    sale, refund = read(document)
    assert sale.dropped == {"loyalty_code": 1, "line_items.engraving": 1}
    assert refund.dropped == {}


@pytest.mark.parametrize(
    "more", [{"face_id": "x"}, {"customer": {"id": 1, "fingerprint": "x"}}, {"id": None, "note_attributes": {"video_url": "x"}}]
)
def test_a_forbidden_category_refuses_every_act_also_of_a_body_that_cannot_be_read(more: dict[str, Any]) -> None:
    for reading in read(order(refunds=[REFUND], **more)):
        assert reading.rule is None
        assert [row.refuse for row in reading.rows] == ["forbidden_category"]
        assert reading.original is None, "nothing of it can be held"


def test_one_act_that_fails_is_held_alone_and_read_again_alone() -> None:
    """Its neighbours were stored; the replay must not tell them again."""
    document = order(refunds=[REFUND, {"id": 8, "created_at": "2026-06-15T12:20:00", "refund_line_items": []}])
    raw = batch(document)
    assert [one.rule for one in raw.items or ()] == [None, None, "zone_missing"]
    held = payload(raw, 2)
    parsed = strictjson.loads(b'{"batch":[' + held + b"]}")
    (again,) = webhook.read(parsed, SOURCE, CATALOGUE, received_at=NOW, request_id="").items or ()
    assert (again.path, again.rule) == ("refunds[1].created_at", "zone_missing")


@pytest.mark.parametrize("act", ["gift", "return:9", "", None, 5])
def test_an_act_that_nobody_holds_is_a_fault(act: Any) -> None:
    assert fault({"act": act, "order": order(refunds=[REFUND])})[1] == "unknown_type"


def test_several_orders_come_in_one_body_and_fail_alone() -> None:
    readings = read(order(), "x", order(id=1002))
    assert [one.message_id for one in readings] == ["order:1001:sale", None, "order:1002:sale"]
    with pytest.raises(Invalid) as caught:
        read(*[order()] * 1001)
    assert caught.value.code == "too_many_items"
    with pytest.raises(Invalid):
        webhook.read(strictjson.Parsed({}), SOURCE, CATALOGUE, received_at=NOW, request_id="")


def test_what_the_adapter_makes_is_what_the_dictionary_takes() -> None:
    made = canonical.canonicalise(batch(order(refunds=[REFUND])), None, CATALOGUE, now=NOW, retention_days=30)
    assert made.malformed == ()
    (part,) = made.parts
    assert part.record == "order_line"
    assert part.fields["store_id"].to_pylist() == ["88"] * 3
