"""Messages of Segment's and RudderStack's clients."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion import canonical, strictjson
from ingestion.source import Claim, Reading, Row, payload
from ingestion.sources import segment
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
STAMP = "2026-06-15T04:29:50.000Z"
CATEGORIES = {"Analytics": "analytics.statistics", "Product": "analytics.statistics", "Ads": "marketing.profiling"}
TRACK: dict[str, Any] = {"type": "track", "event": "Product Viewed", "messageId": "m1", "userId": "u1", "timestamp": STAMP}


def source(*, public: bool = False) -> SourceFacts:
    return SourceFacts("src_a", "web", "segment", public, frozenset({"analytics.statistics"}), consent_categories=CATEGORIES)


def request(body: Any, *, only: str | None = None, public: bool = False) -> list[Reading]:
    parsed = strictjson.loads(json.dumps(body).encode())
    raw = segment.read(parsed, source(public=public), CATALOGUE, received_at=NOW, request_id="req_1", only=only)
    assert raw.items is not None
    return list(raw.items)


def one(message: dict[str, Any], **envelope: Any) -> Reading:
    (reading,) = request({"batch": [message], "sentAt": NOW.isoformat()} | envelope)
    return reading


def row(message: dict[str, Any], **envelope: Any) -> Row:
    reading = one(message, **envelope)
    assert reading.rule is None, (reading.rule, reading.path)
    return reading.rows[0]


def seconds(row_: Row) -> float:
    """Seconds between the row's time and receipt."""
    return row_.at / 1e6 - NOW.timestamp()


def test_a_batch_without_items_is_fine_and_what_is_no_batch_is_not() -> None:
    assert request({"batch": []}) == []
    assert len(request(TRACK)) == 1
    bodies: list[dict[str, Any]] = [{}, {"batch": {}}, {"foo": 1}, {"batch": None, "type": "track"}]
    for body in bodies:
        with pytest.raises(Invalid) as caught:
            request(body)
        assert caught.value.code == "batch_missing"
    with pytest.raises(Invalid):
        request([TRACK])


def test_the_route_may_tell_the_type() -> None:
    (reading,) = request({"userId": "u1", "name": "Home"}, only="page")
    assert reading.rows[0].fields["event"] == "page_viewed"


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"type": "merge"}, "type", "unknown_type"),
        ({"type": None}, "type", "missing"),
        ({"type": ["track"]}, "type", "unknown_type"),
        ({"event": None}, "event", "missing"),
        ({"event": {"a": 1}}, "event", "wrong_type"),
        ({"userId": None}, "userId", "missing"),
        ({"userId": ["u1"]}, "userId", "wrong_type"),
        ({"userId": "u" * 600}, "userId", "too_long"),
        ({"messageId": {"a": 1}}, "messageId", "wrong_type"),
        ({"timestamp": "yesterday"}, "timestamp", "bad_time"),
        ({"timestamp": 5}, "timestamp", "bad_time"),
        ({"sentAt": "x"}, "sentAt", "bad_time"),
        ({"properties": [1]}, "properties", "wrong_type"),
        ({"context": "x"}, "context", "wrong_type"),
        ({"properties": {"price": "cheap"}}, "properties.price", "wrong_type"),
        ({"type": "group"}, "groupId", "missing"),
        ({"type": "alias"}, "previousId", "missing"),
        ({"event": "Segment Consent Preference Updated"}, "context.consent.categoryPreferences", "missing"),
    ],
)
def test_a_message_that_breaks_a_rule_is_named(change: dict[str, Any], path: str, rule: str) -> None:
    reading = one(TRACK | change)
    assert (reading.path, reading.rule, reading.rows) == (path, rule, ())
    assert reading.original is not None


def test_an_item_that_the_gate_found_bad_stays_bad_and_one_that_is_no_object_too() -> None:
    readings = request({"batch": [TRACK, 5]})
    assert readings[1].rule == "not_an_object"
    raw = b'{"batch":[' + json.dumps(TRACK).encode() + b',{"type":"track","a":1,"a":2}]}'
    batch = segment.read(strictjson.loads(raw), source(), CATALOGUE, received_at=NOW, request_id="r")
    assert batch.items is not None
    assert [item.rule for item in batch.items] == [None, "duplicate_key"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Order Completed", "order_completed"),
        ("order_completed", "order_completed"),
        ("Products Searched", "product_searched"),
        ("Payment Info Entered", "payment_added"),
        ("checkoutStarted", "checkout_started"),
        ("Li Na called 13800138000", "other"),
        ("x" * 5000, "other"),
    ],
)
def test_names_of_events_become_the_closed_list(name: str, word: str) -> None:
    assert row(TRACK | {"event": name}).fields["event"] == word


def test_an_order_is_an_event_and_its_lines() -> None:
    properties = {"order_id": "O1", "total": 129.5, "currency": "CNY", "products": [{"product_id": "P1", "price": 64.75, "quantity": 2}]}
    reading = one(TRACK | {"event": "Order Completed", "properties": properties})
    event, line = reading.rows
    assert event.fields == {"event": "order_completed", "currency": "CNY", "value_minor": 12950}
    assert (line.record, line.fields["net_minor"], line.fields["kind"]) == ("order_line", 12950, "sale")
    assert line.identifiers == event.identifiers == {"customer_no": "u1"}


def test_time_is_corrected_only_when_the_clocks_differ_by_more_than_a_minute() -> None:
    assert seconds(row(TRACK)) == -10
    assert seconds(row(TRACK, sentAt="2026-06-15T04:29:31Z")) == -10
    assert seconds(row(TRACK, sentAt="2026-06-15T05:29:55Z")) == pytest.approx(-10 - 3595)
    assert seconds(row(TRACK | {"timestamp": None, "originalTimestamp": STAMP})) == -10
    assert seconds(row(TRACK | {"timestamp": "2026-06-15T12:29:50+08:00"})) == -10
    assert seconds(row(TRACK | {"timestamp": "2026-06-15T04:29:50"})) == -10
    assert seconds(row(TRACK | {"timestamp": None})) == 0
    assert seconds(row(TRACK | {"sentAt": (NOW + timedelta(hours=1)).isoformat()}, sentAt=None)) == -3610


def test_strong_identifiers_come_from_identify_alone() -> None:
    people = {"email": "li.na@example.com", "phone": 13800138000, "name": "李娜"}
    assert row(TRACK | {"context": {"traits": people}, "properties": people}).identifiers == {"customer_no": "u1"}
    told = row({"type": "identify", "anonymousId": "a1", "traits": people, "context": {"traits": {"unionid": "o1"}}})
    assert told.identifiers == {"cookie": "a1", "email": "li.na@example.com", "phone": "13800138000", "unionid": "o1"}
    assert told.fields == {"event": "identify"}


def test_details_of_a_member_become_the_dictionarys() -> None:
    traits = {"gender": "女", "birthday": "1990-05-01", "address": {"state": "上海市", "street": "secret"}, "tier": "gold", "plan": "x"}
    reading = one({"type": "identify", "userId": "u1", "traits": traits})
    member = reading.rows[0]
    assert member.record == "member"
    assert member.fields == {"sex": "female", "birth_date": "1990-05-01", "region": "上海市", "tier": "gold"}
    assert reading.dropped == {"traits.plan": 1}
    assert one({"type": "identify", "userId": "u1", "traits": {"email": ["x"]}}).path == "traits.email"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"type": "identify", "userId": "u1", "traits": {"babyBirthday": "2025-01-01"}}, "child_field"),
        ({"type": "identify", "userId": "u1", "traits": {"school": "x", "tier": "gold"}}, "child_field"),
        ({"type": "identify", "userId": "u1", "traits": {"faceImage": "x"}}, "forbidden_category"),
        (TRACK | {"properties": {"door_access": 1}}, "forbidden_category"),
        (TRACK | {"properties": {"products": [{"video_url": "x"}]}}, "forbidden_category"),
        (TRACK | {"properties": {"door_access": None}}, None),
    ],
)
def test_what_must_not_be_sent_refuses_the_message(message: dict[str, Any], reason: str | None) -> None:
    assert row(message).refuse == reason


def test_categories_become_claims_about_purposes() -> None:
    consent = {"consent": {"categoryPreferences": {"Analytics": True, "Product": False, "Ads": True, "Unknown": True}}}
    told = row(TRACK | {"context": consent})
    assert told.claims == (
        Claim("analytics.statistics", granted=False, at=told.at, explicit=False),
        Claim("marketing.profiling", granted=True, at=told.at, explicit=False),
    )
    managed = {"consentManagement": {"provider": "custom", "allowedConsentIds": ["Analytics"], "deniedConsentIds": ["Ads", 7]}}
    assert [(claim.purpose, claim.granted) for claim in row(TRACK | {"context": managed}).claims] == [
        ("analytics.statistics", True),
        ("marketing.profiling", False),
    ]
    assert row(TRACK | {"context": {"consent": {"categoryPreferences": {"Analytics": "yes"}}}}).claims[0].granted is False


def test_an_explicit_act_comes_only_from_a_server_source() -> None:
    message = TRACK | {
        "event": "Segment Consent Preference Updated",
        "context": {"consent": {"categoryPreferences": {"Analytics": True}}},
    }
    for public in (False, True):
        (reading,) = request({"batch": [message]}, public=public)
        assert reading.rows[0].claims[0].explicit is not public
        assert reading.rows[0].fields == {"event": "consent_updated"}


def test_the_batchs_context_is_merged_into_each_message() -> None:
    context = {"userAgent": "UA", "page": {"path": "/a"}}
    fields = row(TRACK | {"context": {"page": {"path": "/b"}}}, context=context).fields
    assert (fields["user_agent"], fields["page"]) == ("UA", "/b")


def test_an_alias_names_two_ids_of_one_person() -> None:
    """The earlier id may be a visitor's or another customer number; from a public key, or as the message's own visitor, it is a visitor's."""
    message = {"type": "alias", "userId": "u1", "previousId": "a1"}
    assert row(message).identifiers == {"customer_no": "u1", "cookie": "a1", "alias": "a1"}
    assert row(message | {"anonymousId": "a1"}).identifiers == {"customer_no": "u1", "cookie": "a1"}
    (reading,) = request({"batch": [message]}, public=True)
    assert reading.rows[0].identifiers == {"customer_no": "u1", "cookie": "a1"}


def test_unknown_properties_are_counted_by_path_without_their_values() -> None:
    reading = one(TRACK | {"properties": {"title": "x", "li.na@example.com": 1, "13800138000": 2, "empty": None, "price": 1}})
    assert reading.dropped == {"properties.title": 1, "properties.?": 2}


def test_a_message_without_an_id_is_known_by_its_content_if_it_is_dated() -> None:
    bare = {name: value for name, value in TRACK.items() if name != "messageId"}
    assert (one(bare).message_id or "").startswith("content:")
    assert one(bare).message_id == one(bare).message_id != one(bare | {"userId": "u2"}).message_id
    assert one({name: value for name, value in bare.items() if name != "timestamp"}).message_id is None


def test_a_request_becomes_a_canonical_batch() -> None:
    messages = [
        TRACK,
        TRACK | {"messageId": "m2", "timestamp": "2036-01-01T00:00:00Z"},
        TRACK | {"messageId": "m3", "properties": {"step": "x"}},
    ]
    raw = segment.read(strictjson.loads(json.dumps({"batch": messages}).encode()), source(), CATALOGUE, received_at=NOW, request_id="req_1")
    batch = canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=365)
    assert [(one_.position, one_.path, str(one_.rule)) for one_ in batch.malformed] == [
        (1, "occurred_at", "time_future"),
        (2, "step", "wrong_type"),
    ]
    assert batch.parts[0].positions.to_pylist() == [0]


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_three_hours_off_is_corrected_and_what_it_claimed_goes_no_further(hours: int) -> None:
    """Over each way in which clients say when they sent: in the envelope, in the message, under both names of the time."""
    off = timedelta(hours=hours)
    told, sent = (NOW + off - timedelta(seconds=10)).isoformat(), (NOW + off).isoformat()
    for message in ({"timestamp": told}, {"timestamp": None, "originalTimestamp": told}, {"timestamp": told, "sentAt": sent}):
        reading = one(TRACK | message, sentAt=sent if "sentAt" not in message else "2020-01-01T00:00:00Z")
        assert seconds(reading.rows[0]) == -10
        assert told[:16] not in repr(reading.rows)
    assert seconds(row(TRACK | {"timestamp": told}, sentAt=None)) == pytest.approx(hours * 3600 - 10), "believed: nothing else is known"
    assert one(TRACK, sentAt="half past nine").rule == "bad_time"


def test_a_held_message_is_corrected_by_its_first_receipt_and_goes_without_its_key() -> None:
    off = timedelta(hours=3)
    message = TRACK | {"timestamp": (NOW + off).isoformat(), "writeKey": "wk_secret", "_metadata": {}, "event": None, "receivedAt": 5}
    body = {"batch": [message], "sentAt": (NOW + off).isoformat(), "context": {"userAgent": "UA"}, "writeKey": "wk_secret"}
    raw = segment.read(strictjson.loads(json.dumps(body).encode()), source(), CATALOGUE, received_at=NOW, request_id="r")
    held = payload(raw, 0)
    assert b"wk_secret" not in held
    later = NOW + timedelta(days=2)
    for again in (held, payload(replayed(held, later), 0)):
        repaired = json.dumps(json.loads(again) | {"event": "Product Viewed"}).encode()
        (reading,) = replayed(repaired, later).items or ()
        assert (seconds(reading.rows[0]), reading.rows[0].fields["user_agent"]) == (0, "UA")


def test_a_held_message_keeps_what_its_route_told_and_the_id_that_its_content_gave_it() -> None:
    body = {"userId": "u1", "timestamp": STAMP, "event": 5}
    raw = segment.read(strictjson.loads(json.dumps(body).encode()), source(), CATALOGUE, received_at=NOW, request_id="r", only="track")
    (again,) = replayed(payload(raw, 0), NOW).items or ()
    (first,) = request(body | {"event": "E"}, only="track")
    assert json.loads(payload(raw, 0))["type"] == "track"
    assert again.message_id.startswith("content:")
    assert again.message_id != first.message_id
    twice = segment.read(strictjson.loads(b'{"batch":[{"a":1,"a":2}]}'), source(), CATALOGUE, received_at=NOW, request_id="r")
    assert json.loads(payload(twice, 0))["a"] == 2


def replayed(held: bytes, at: datetime) -> RawBatch:
    parsed = strictjson.loads(b'{"batch":[' + held + b"]}")
    return segment.read(parsed, source(), CATALOGUE, received_at=at, request_id="", replayed=True)
