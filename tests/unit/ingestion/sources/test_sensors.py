"""Sensors Data's messages: the envelope that SDKs post, and what each type comes to."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.parse
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import canonical, strictjson
from ingestion.source import Reading, Row, payload
from ingestion.sources import sensors
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000) - 60_000
SOURCE = SourceFacts("src_a", "app", "sensors", False, frozenset({"analytics.statistics"}))
TRACK: dict[str, Any] = {
    "type": "track",
    "event": "ProductViewed",
    "time": MILLIS,
    "distinct_id": "u1",
    "properties": {"$is_login_id": True},
}
LIMIT = 100_000


def form(**fields: Any) -> bytes:
    return urllib.parse.urlencode(fields).encode()


def packed(value: Any, *, zipped: bool = True) -> str:
    raw = json.dumps(value).encode()
    return base64.b64encode(gzip.compress(raw, mtime=0) if zipped else raw).decode()


def raw_batch(*messages: Any, replayed: bool = False, now: datetime = NOW) -> RawBatch:
    parsed = strictjson.loads(json.dumps({"batch": list(messages)}).encode())
    return sensors.read(parsed, SOURCE, CATALOGUE, received_at=now, request_id="req_1", replayed=replayed)


def one(**change: Any) -> Reading:
    (reading,) = raw_batch({name: value for name, value in (TRACK | change).items() if value is not None}).items or ()
    return reading


def row(**change: Any) -> Row:
    reading = one(**change)
    assert reading.rule is None, (reading.path, reading.rule)
    return reading.rows[0]


# ── the envelope ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_way_in_which_sdks_post_comes_to_the_same_batch() -> None:
    """One message or a list, base64 with and without gzip, plain JSON, a whole body gzipped, a plus that became a blank."""
    expected = {"batch": [TRACK]}
    plain = json.dumps(TRACK).encode()
    bodies = [
        form(data=packed(TRACK), gzip=1),
        form(data_list=packed([TRACK]), gzip=1),
        form(data_list=packed([TRACK], zipped=False), gzip=0),
        form(data=packed(TRACK, zipped=False), ext=f"crc={sensors.checksum(packed(TRACK, zipped=False))}"),
        b"data=" + packed(TRACK).encode(),
        plain,
        b" [" + plain + b"] ",
        gzip.compress(plain, mtime=0),
    ]
    for body in bodies:
        assert json.loads(sensors.unpack(body, limit=LIMIT)) == expected


def test_the_check_sum_is_the_sdks() -> None:
    """As `String.hashCode` counts: signed, 32 bits."""
    assert [sensors.checksum(text) for text in ("", "a", "hello", "polygenelubricants")] == [0, 97, 99162322, -2147483648]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ABCxyz019+/=", max_size=60))
def test_the_check_sum_is_the_loop_that_it_stands_for(text: str) -> None:
    total = 0
    for character in text:
        total = (31 * total + ord(character)) & 0xFFFFFFFF
    assert sensors.checksum(text) == (total - (1 << 32) if total >= 1 << 31 else total)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"hello", "batch_missing"),
        (b"\xff\xfe", "bad_encoding"),
        (form(gzip=1), "batch_missing"),
        (form(data="***"), "bad_encoding"),
        (form(data=base64.b64encode(b"\x1f\x8bnot gzip").decode()), "bad_encoding"),
        (form(data=base64.b64encode(gzip.compress(b"[]", mtime=0)[:-4]).decode()), "bad_encoding"),
        (form(data=base64.b64encode(gzip.compress(b"[]", mtime=0) + b"x").decode()), "bad_encoding"),
        (form(data=base64.b64encode(gzip.compress(b" " * (LIMIT + 1), mtime=0)).decode()), "too_large"),
        (form(data=packed(TRACK), crc="12"), "bad_encoding"),
        (form(**{f"x{n}": n for n in range(30)}), "bad_encoding"),
    ],
)
def test_a_body_that_cannot_be_unpacked_says_why(body: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        sensors.unpack(body, limit=LIMIT)
    assert caught.value.code == code


# ── messages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("ProductViewed", "product_viewed"),
        ("$pageview", "page_viewed"),
        ("$MPViewScreen", "screen_viewed"),
        ("$AppEnd", "other"),
        ("买", "other"),
    ],
)
def test_presets_and_everybodys_names_become_the_dictionarys_words(name: str, word: str) -> None:
    assert row(event=name).fields["event"] == word


def test_properties_and_presets_become_fields_and_the_rest_is_counted() -> None:
    properties = {
        "$is_login_id": True, "$ip": "203.0.113.9", "$lib": "js", "$lib_version": "1", "$url": "https://example.cn/a", "$referrer": "r",
        "$user_agent": "ua", "$province": "上海", "product_id": "P", "price": 12.5, "currency": "CNY", "mood": "x",
    }  # fmt: skip
    reading = one(properties=properties, lib={"$lib": "js"}, strange=1)
    assert reading.rows[0].fields == {
        "event": "product_viewed", "page": "https://example.cn/a", "referrer": "r", "user_agent": "ua", "region": "上海", "product_id": "P",
        "value_minor": 1250, "currency": "CNY",
    }  # fmt: skip
    assert reading.dropped == {
        "properties.$ip": 1, "properties.$lib": 1, "properties.$lib_version": 1, "properties.mood": 1, "strange": 1,
    }  # fmt: skip


def test_a_distinct_id_is_a_customer_only_where_the_message_says_that_it_is_a_login() -> None:
    assert row().identifiers == {"customer_no": "u1"}
    assert row(properties={}).identifiers == {"cookie": "u1"}
    assert row(properties={}, login_id="u1", anonymous_id="a1").identifiers == {"customer_no": "u1", "cookie": "a1"}
    identities = {"$identity_login_id": "u1", "$identity_mobile": "13800138000", "$identity_mp_openid": "o" * 20, "$identity_alien": "x"}
    reading = one(distinct_id="$identity_mobile+13800138000", identities=identities, properties={})
    assert reading.rows[0].identifiers == {"customer_no": "u1", "phone": "13800138000", "openid": "o" * 20}
    assert reading.dropped == {"identities.$identity_alien": 1}


def test_a_signup_links_the_login_with_the_name_before_and_a_binding_all_its_names() -> None:
    signup = row(type="track_signup", event="$SignUp", original_id="a1", properties={})
    assert (signup.fields, signup.identifiers) == ({"event": "identify"}, {"customer_no": "u1", "cookie": "a1"})
    names = {"$identity_login_id": "u1", "$identity_email": "a@nobody.cn"}
    bound = row(type="track_id_bind", event="$BindID", identities=names, properties={})
    assert bound.identifiers == {"customer_no": "u1", "email": "a@nobody.cn"}


@pytest.mark.parametrize("kind", ["profile_set", "profile_set_once"])
def test_a_profile_is_a_members_details(kind: str) -> None:
    properties = {"$is_login_id": True, "gender": "男", "phone": "13800138000", "$city": "上海", "hobby": "x", "name": "张"}
    reading = one(type=kind, event=None, properties=properties)
    (member,) = reading.rows
    assert (member.record, member.fields) == ("member", {"sex": "male"})
    assert member.identifiers == {"customer_no": "u1", "phone": "13800138000"}
    assert reading.dropped == {"properties.$city": 1, "properties.hobby": 1}


@pytest.mark.parametrize("kind", sensors.SILENT)
def test_types_that_hold_nothing_for_the_lake_store_nothing(kind: str) -> None:
    assert one(type=kind, properties={"x": 1}).rows == ()


def test_times_are_milliseconds_corrected_by_when_the_sdk_sent() -> None:
    assert row().at == MILLIS * 1000
    hour = 3_600_000
    assert row(time=MILLIS - hour, _flush_time=MILLIS - hour + 60_000).at == MILLIS * 1000
    assert row(time=None).at == int(NOW.timestamp()) * 1_000_000


def test_a_held_message_is_corrected_by_its_first_receipt() -> None:
    broken = TRACK | {"event": "", "time": MILLIS - 3_600_000, "_flush_time": MILLIS - 3_540_000}
    held = json.loads(payload(raw_batch(broken), 0))
    later = datetime(2026, 6, 17, tzinfo=UTC)
    (again,) = raw_batch(held | {"event": "ProductViewed"}, replayed=True, now=later).items or ()
    assert again.rows[0].at == MILLIS * 1000


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"type": None}, "type", "missing"),
        ({"type": "hello"}, "type", "unknown_type"),
        ({"type": ["track"]}, "type", "unknown_type"),
        ({"event": None}, "event", "missing"),
        ({"event": 5}, "event", "wrong_type"),
        ({"event": "x" * 101}, "event", "too_long"),
        ({"event": "1st"}, "event", "bad_pattern"),
        ({"distinct_id": None}, "distinct_id", "missing"),
        ({"distinct_id": {"a": 1}}, "distinct_id", "wrong_type"),
        ({"time": "2026-06-15"}, "time", "bad_time"),
        ({"time": True}, "time", "bad_time"),
        ({"properties": []}, "properties", "wrong_type"),
        ({"type": "track_signup", "original_id": None}, "original_id", "missing"),
    ],
)
def test_a_message_of_the_wrong_form_is_named_by_place_and_rule(change: dict[str, Any], path: str, rule: str) -> None:
    reading = one(**change)
    assert (reading.path, reading.rule) == (path, rule)


def test_a_retry_is_the_same_message_and_another_millisecond_is_not() -> None:
    ids = [one(**change).message_id for change in ({}, {"_flush_time": MILLIS}, {"_flush_time": MILLIS + 9}, {"time": MILLIS + 1})]
    assert ids[0] == ids[1] == ids[2] != ids[3]


@pytest.mark.parametrize(
    "change", [{"properties": {"face_id": "x"}}, {"event": "", "properties": {"fingerprint": "x"}}, {"video_url": "x"}]
)
def test_a_forbidden_category_refuses_the_message_also_where_it_cannot_be_read(change: dict[str, Any]) -> None:
    assert {one_.refuse for one_ in one(**({"properties": {"$is_login_id": True}} | change)).rows} == {"forbidden_category"}


def test_a_list_of_products_names_makes_no_order_lines_and_no_fault() -> None:
    reading = one(event="OrderCompleted", properties={"$is_login_id": True, "order_id": "O1", "products": ["P1", "P2"]})
    assert [each.record for each in reading.rows] == ["event"]


def test_what_the_adapter_makes_is_what_the_dictionary_takes() -> None:
    raw = raw_batch(TRACK, TRACK | {"type": "profile_set", "properties": {"gender": "女"}}, "x")
    made = canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=30)
    assert [item.rule for item in made.malformed] == ["not_an_object"]
    assert [part.record for part in made.parts] == ["event", "member"]
    with pytest.raises(Invalid):
        sensors.read(strictjson.Parsed([]), SOURCE, CATALOGUE, received_at=NOW, request_id="")
