"""Batches of PostHog's server clients."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion import strictjson
from ingestion.source import Reading, payload
from ingestion.sources import posthog
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SOURCE = SourceFacts("src_a", "app", "posthog", False, frozenset({"analytics.statistics"}))
SEEN: dict[str, Any] = {
    "event": "Product Viewed",
    "distinct_id": "u1",
    "uuid": "m-1",
    "timestamp": (NOW - timedelta(seconds=10)).isoformat(),
}


def batch(message: Any, *, at: datetime = NOW, sent: Any = None, replayed: bool = False) -> RawBatch:
    body = {"api_key": "wk_x", "batch": [message], "sent_at": sent or NOW.isoformat()}
    return posthog.read(strictjson.loads(strictjson.dumps(body)), SOURCE, load(), received_at=at, request_id="r", replayed=replayed)


def one(message: Any, **more: Any) -> Reading:
    items = batch(message, **more).items
    assert items is not None
    reading: Reading = items[0]
    return reading


def test_details_come_from_identify_alone() -> None:
    about = {"email": "li.na@example.com", "gender": "女", "plan": "x"}
    reading = one({**SEEN, "event": "$identify", "properties": {"$set": about, "$anon_distinct_id": "a-1", "$ip": "203.0.113.7"}})
    (member,) = reading.rows
    assert (member.record, member.fields) == ("member", {"sex": "female"})
    assert member.identifiers == {"customer_no": "u1", "cookie": "a-1", "email": "li.na@example.com"}
    assert reading.dropped == {"$set.plan": 1}
    seen = one({**SEEN, "properties": {"$set": about, "email": "li.na@example.com", "product_id": "P1", "$session_id": "s1"}})
    assert seen.rows[0].identifiers == {"customer_no": "u1"}
    assert seen.rows[0].fields == {"event": "product_viewed", "product_id": "P1", "session_id": "s1"}
    assert seen.dropped == {"properties.email": 1}


@pytest.mark.parametrize(
    ("event", "word"),
    [("$pageview", "page_viewed"), ("$screen", "screen_viewed"), ("Order Completed", "order_completed"), ("Li Na", "other")],
)
def test_events_become_the_closed_list(event: str, word: str) -> None:
    assert one({**SEEN, "event": event}).rows[0].fields["event"] == word


def test_a_devices_own_id_is_a_cookie_and_an_alias_joins_one_to_a_customer() -> None:
    assert one({**SEEN, "properties": {"$device_id": "u1"}}).rows[0].identifiers == {"cookie": "u1"}
    assert one({**SEEN, "event": "$create_alias", "properties": {"alias": "a-1"}}).rows[0].identifiers == {
        "customer_no": "u1",
        "cookie": "a-1",
    }


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"event": None}, "event", "missing"),
        ({"event": 5}, "event", "wrong_type"),
        ({"distinct_id": None}, "distinct_id", "missing"),
        ({"uuid": []}, "uuid", "wrong_type"),
        ({"properties": []}, "properties", "wrong_type"),
        ({"timestamp": "x"}, "timestamp", "bad_time"),
        ({"event": "$identify", "properties": {"$set": 5}}, "$set", "wrong_type"),
    ],
)
def test_a_message_that_breaks_a_rule_is_named(change: dict[str, Any], path: str, rule: str) -> None:
    reading = one(SEEN | change)
    assert (reading.path, reading.rule, reading.rows) == (path, rule, ())


def test_what_is_no_batch_is_refused_and_what_is_no_object_fails_alone() -> None:
    with pytest.raises(Invalid):
        posthog.read(strictjson.Parsed({"batch": 5}), SOURCE, load(), received_at=NOW, request_id="r")
    assert one(7).rule == "not_an_object"
    assert one({**SEEN, "properties": {"a": {"face_image": "x"}}}).rows[0].refuse == "forbidden_category"


def test_a_clock_that_is_wrong_is_corrected_also_of_a_held_message() -> None:
    wrong = {**SEEN, "timestamp": (NOW + timedelta(hours=3, seconds=-10)).isoformat()}
    sent = (NOW + timedelta(hours=3)).isoformat()
    expected = int((NOW - timedelta(seconds=10)).timestamp() * 1e6)
    assert one(wrong, sent=sent).rows[0].at == expected
    held = json.loads(payload(batch(wrong, sent=sent), 0))
    again = one(held, at=NOW + timedelta(days=2), sent="2020-01-01T00:00:00Z", replayed=True)
    assert again.rows[0].at == expected
