"""Events of Snowplow's trackers."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingestion import strictjson
from ingestion.source import Claim, Reading, Row, payload
from ingestion.sources import snowplow
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)
CATEGORIES = {"stats": "analytics.statistics", "ads": "marketing.profiling"}
SOURCE = SourceFacts("src_a", "site", "snowplow", True, frozenset({"analytics.statistics"}), consent_categories=CATEGORIES)
VIEW: dict[str, Any] = {"e": "pv", "eid": "e-1", "url": "https://shop.example/p/1", "uid": "u1", "dtm": str(MS - 10_000), "stm": str(MS)}


def batch(events: Any, *, at: datetime = NOW, replayed: bool = False) -> RawBatch:
    parsed = strictjson.loads(strictjson.dumps({"schema": "iglu:x", "data": events}), items="data")
    return snowplow.read(parsed, SOURCE, CATALOGUE, received_at=at, request_id="req_1", replayed=replayed)


def one(event: Any) -> Reading:
    items = batch([event]).items
    assert items is not None
    reading: Reading = items[0]
    return reading


def row(event: dict[str, Any]) -> Row:
    reading = one(event)
    assert reading.rule is None, (reading.rule, reading.path)
    return reading.rows[0]


def described(schema: str, data: Any) -> str:
    inner = {"schema": f"iglu:{schema}/jsonschema/1-0-0", "data": data}
    return json.dumps({"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": inner})


def contexts(*pairs: tuple[str, Any]) -> str:
    return json.dumps({"schema": "iglu:c", "data": [{"schema": f"iglu:{name}/jsonschema/1-0-0", "data": data} for name, data in pairs]})


def test_a_page_view_is_an_event_of_its_visitor_and_leaves_address_and_network_behind() -> None:
    reading = one(VIEW | {"duid": "d-1", "tnuid": "n-1", "ip": "203.0.113.7", "refr": "https://s.example/", "ua": "UA", "strange": 1})
    assert reading.message_id == "e-1"
    (seen,) = reading.rows
    assert seen.identifiers == {"customer_no": "u1", "cookie": "d-1"}
    assert seen.fields == {
        "event": "page_viewed",
        "page": "https://shop.example/p/1",
        "referrer": "https://s.example/",
        "user_agent": "UA",
    }
    assert reading.dropped == {"strange": 1}
    assert row(VIEW | {"uid": None, "tnuid": "n-1"}).identifiers == {"cookie": "n-1"}


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"e": "pp"}, "other"),
        ({"e": "se", "se_ca": "shop", "se_ac": "add-to-basket", "se_la": "Li Na", "se_pr": "pcs", "se_va": "2"}, "product_added"),
        ({"e": "se", "se_ac": "Order Completed"}, "order_completed"),
        ({"e": "se", "se_ac": "called Li Na"}, "other"),
        ({"e": "tr", "tr_id": "O-1", "tr_tt": "129.5", "tr_cu": "CNY"}, "order_completed"),
        ({"e": "ue", "ue_pr": described("com.snowplowanalytics.mobile/screen_view", {"name": "Cart"})}, "screen_viewed"),
        ({"e": "ue", "ue_pr": described("com.acme/order_completed", {"order_id": "O-1", "total": 129.5})}, "order_completed"),
        ({"e": "ue", "ue_pr": described("com.acme/order", None)}, "other"),
        ({"e": "ue", "ue_pr": described("x.y/snowplow_ecommerce_action", {"type": "product_view"})}, "product_viewed"),
    ],
)
def test_events_become_the_closed_list_and_their_texts_stay_behind(event: dict[str, Any], word: str) -> None:
    seen = row(VIEW | event)
    assert seen.fields["event"] == word
    assert "Li Na" not in repr(seen)
    if "129.5" in repr(event):
        assert seen.fields["value_minor"] == 12950


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
def test_json_comes_as_text_or_as_base64_of_either_alphabet_with_or_without_padding(alphabet: Any, padded: bool) -> None:
    for data in ({"order_id": "O-1", "total": 5, "coupon": "?>~ÿ" * width} for width in range(1, 5)):
        text = alphabet(described("com.acme/order_completed", data).encode()).decode()
        assert row(VIEW | {"e": "ue", "ue_px": text if padded else text.rstrip("=")}).fields["value_minor"] == 500


def test_a_session_is_taken_from_its_context_and_other_contexts_are_counted() -> None:
    attached = contexts(("com.snowplowanalytics.snowplow/client_session", {"sessionId": "s-1"}), ("com.acme/customer", {"tier": "gold"}))
    reading = one(VIEW | {"co": attached})
    assert reading.rows[0].fields["session_id"] == "s-1"
    assert reading.dropped == {"contexts.customer": 1}
    assert row(VIEW | {"sid": "s-2"}).fields["session_id"] == "s-2"
    assert row(VIEW | {"co": contexts(("com.acme/gate", {"face_image": "x"}))}).refuse == "forbidden_category"
    assert row(VIEW | {"e": "ue", "ue_pr": described("com.acme/a", {"door_access": 1})}).refuse == "forbidden_category"


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"e": "xx"}, "e", "unknown_type"),
        ({"e": None}, "e", "missing"),
        ({"e": ["pv"]}, "e", "unknown_type"),
        ({"uid": None}, "uid", "missing"),
        ({"uid": "u" * 600}, "uid", "too_long"),
        ({"eid": {}}, "eid", "wrong_type"),
        ({"dtm": "yesterday"}, "dtm", "bad_time"),
        ({"dtm": "9" * 20}, "dtm", "bad_time"),
        ({"dtm": True}, "dtm", "bad_time"),
        ({"stm": "-5"}, "stm", "bad_time"),
        ({"ttm": "x"}, "ttm", "bad_time"),
        ({"e": "ue"}, "ue_pr", "missing"),
        ({"e": "ue", "ue_pr": 5}, "ue_pr", "wrong_type"),
        ({"e": "ue", "ue_pr": "{"}, "ue_pr", "not_an_object"),
        ({"e": "ue", "ue_pr": "[1]"}, "ue_pr", "not_an_object"),
        ({"e": "ue", "ue_pr": '{"data":{"data":[]}}'}, "ue_pr", "wrong_type"),
        ({"e": "ue", "ue_pr": '{"data":5}'}, "ue_pr", "wrong_type"),
        ({"e": "ue", "ue_pr": '{"a":1,"a":2}'}, "ue_pr", "duplicate_key"),
        ({"e": "ue", "ue_px": "!!!"}, "ue_px", "not_an_object"),
        ({"e": "ue", "ue_px": base64.b64encode(b"\xff\xfe").decode()}, "ue_px", "not_an_object"),
        ({"e": "ue", "ue_pr": "[" * 5000}, "ue_pr", "not_an_object"),
        ({"co": "{}x"}, "co", "not_an_object"),
        ({"co": '{"data":{}}'}, "co", "wrong_type"),
        ({"co": '{"data":[5]}'}, "co", "wrong_type"),
        ({"e": "se", "se_ac": 5}, "se_ac", "wrong_type"),
        ({"e": "tr", "tr_tt": "much"}, "properties.total", "wrong_type"),
    ],
)
def test_an_event_that_breaks_a_rule_is_named(change: dict[str, Any], path: str, rule: str) -> None:
    reading = one(VIEW | change)
    assert (reading.path, reading.rule, reading.rows) == (path, rule, ())


def test_what_is_no_payload_is_refused_as_a_whole_and_a_faulty_event_alone() -> None:
    for body in ({}, {"data": {}}, {"data": None}):
        with pytest.raises(Invalid):
            snowplow.read(strictjson.Parsed(body), SOURCE, CATALOGUE, received_at=NOW, request_id="r")
    parsed = strictjson.loads(b'{"data":[' + json.dumps(VIEW).encode() + b',{"e":"pv","e":"pv"},7]}', items="data")
    items = snowplow.read(parsed, SOURCE, CATALOGUE, received_at=NOW, request_id="r").items
    assert items is not None
    assert [item.rule for item in items] == [None, "duplicate_key", "not_an_object"]


@pytest.mark.parametrize("hours", [-3, 0, 3])
def test_a_devices_clock_is_corrected_by_its_sending_and_a_true_time_is_not(hours: int) -> None:
    off = hours * 3_600_000
    told = VIEW | {"dtm": str(MS - 10_000 + off), "stm": str(MS - 2_000 + off)}
    expected = -8_000 if hours else -10_000
    assert row(told).at == (MS + expected) * 1000
    assert row(told | {"stm": None}).at == (MS - 10_000 + off) * 1000, "without the time of sending the device is believed"
    assert row(told | {"ttm": MS - 60_000}).at == (MS - 60_000) * 1000
    assert row(VIEW | {"dtm": None}).at == MS * 1000


def test_a_held_event_is_corrected_by_its_first_receipt_however_late_it_is_read_again() -> None:
    off = 3 * 3_600_000
    held = payload(batch([VIEW | {"dtm": str(MS - 10_000 + off), "stm": str(MS + off)}]), 0)
    later = datetime(2026, 6, 17, tzinfo=UTC)
    again = batch([json.loads(held)], at=later, replayed=True)
    assert again.items is not None
    assert again.items[0].rows[0].at == (MS - 10_000) * 1000
    assert json.loads(payload(again, 0)) == json.loads(held)
    claimed = batch([VIEW | {"receivedAt": 5}]).items
    assert claimed is not None
    assert claimed[0].rows[0].at == (MS - 10_000) * 1000, "a sender cannot say when we received"


@pytest.mark.parametrize(
    ("schema", "data", "said"),
    [
        ("consent_preferences", {"event_type": "allow_all"}, {"analytics.statistics": True, "marketing.profiling": True}),
        ("consent_preferences", {"event_type": "deny_all"}, {"analytics.statistics": False, "marketing.profiling": False}),
        (
            "consent_preferences",
            {"event_type": "allow_selected", "consent_scopes": ["stats", 5]},
            {"analytics.statistics": True, "marketing.profiling": False},
        ),
        ("consent_preferences", {"event_type": "pending"}, {}),
        ("consent_withdrawn", {"all": True}, {"analytics.statistics": False, "marketing.profiling": False}),
        ("consent_withdrawn", {"all": False}, {}),
    ],
)
def test_preferences_are_assertions_of_the_source_and_never_the_persons_own_act(schema: str, data: Any, said: dict[str, bool]) -> None:
    seen = row(VIEW | {"e": "ue", "ue_pr": described(f"com.snowplowanalytics.snowplow/{schema}", data)})
    assert seen.fields["event"] == "consent_updated"
    assert seen.claims == tuple(Claim(purpose, granted, seen.at, explicit=False) for purpose, granted in said.items())
