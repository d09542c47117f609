"""What clients' messages have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import messages
from ingestion.commerce import Unreadable
from ingestion.source import Claim
from privacy.dictionary.catalogue import load
from privacy.records import SourceFacts

MINUTE = 60_000_000
DECADES = st.integers(0, 4_000_000_000_000_000)


@settings(max_examples=200, deadline=None)
@given(real=DECADES, ago=st.integers(0, 86_400_000_000), off=st.integers(-40 * 86_400_000_000, 40 * 86_400_000_000))
def test_a_clock_that_is_off_by_however_much_is_corrected_and_one_that_is_right_is_believed(real: int, ago: int, off: int) -> None:
    """The sender tells and sends by the same clock: what comes out is the real time, within a minute where the clock is nearly right."""
    found = messages.corrected(real - ago + off, real + off, real)
    assert found == (real - ago if abs(off) > MINUTE else real - ago + off)


@settings(max_examples=100, deadline=None)
@given(told=st.integers(-(10**20), 10**20), sent=st.none() | st.integers(-(10**20), 10**20), received=DECADES)
def test_whatever_is_told_stays_an_instant_that_columns_can_hold(told: int, sent: int | None, received: int) -> None:
    assert abs(messages.corrected(told, sent, received)) < 2**63


def test_without_a_time_of_its_own_a_message_happened_when_it_came() -> None:
    assert messages.corrected(None, 5, 7) == 7
    assert messages.corrected(5, None, 10**12) == 5


@pytest.mark.parametrize("value", ["yesterday", 5, "2026-06-15T04:29:50" + " " * 40, [], "0001-01-01T00:00:00+23:59x"])
def test_what_is_no_instant_is_named(value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        messages.instant(value, "sentAt")
    assert (caught.value.path, caught.value.rule) == ("sentAt", "bad_time")


def test_instants_are_read_in_any_zone_and_in_milliseconds() -> None:
    noon = messages.micros(datetime(2026, 6, 15, 12, tzinfo=UTC))
    assert messages.instant("2026-06-15T20:00:00+08:00", "x") == messages.instant("2026-06-15T12:00:00", "x") == noon
    assert messages.milliseconds(str(noon // 1000), "x") == messages.milliseconds(noon // 1000, "x") == noon
    assert messages.instant("", "x") is messages.milliseconds(None, "x") is None
    for value in ("1.5", 1.5, True, "-1", "１２", "9" * 18):
        with pytest.raises(Unreadable):
            messages.milliseconds(value, "x")


def test_a_purpose_is_allowed_only_if_all_of_its_categories_are() -> None:
    known = {"a": "analytics.statistics", "b": "analytics.statistics", "c": "marketing.profiling"}
    source = SourceFacts("s", "n", "segment", False, frozenset(), consent_categories=known)
    assert messages.claims({"a": True, "b": False, "c": True, "d": False}, source, 7) == (
        Claim("analytics.statistics", granted=False, at=7, explicit=False),
        Claim("marketing.profiling", granted=True, at=7, explicit=False),
    )
    assert messages.claims({"d": True}, source, 7) == ()


def test_unknown_properties_are_counted_by_path_and_forbidden_ones_refuse_the_row() -> None:
    rows, dropped = messages.event_rows(
        "product_viewed",
        7,
        {"product_id": "P1", "x": 1, "13800138000": 1, "y": None},
        {"page": "/a"},
        {"cookie": "c"},
        (),
        load().forbidden,
    )
    assert rows[0].fields == {"event": "product_viewed", "product_id": "P1", "page": "/a"}
    assert dropped == {"properties.x": 1, "properties.?": 1}
    rows, _ = messages.event_rows("other", 7, {"door_access": 1}, {}, {"cookie": "c"}, (), load().forbidden)
    assert rows[0].refuse == "forbidden_category"


def test_what_somebody_tells_of_themself_is_a_members_row_or_an_event() -> None:
    (member,), _ = messages.member_rows({"gender": "f", "phone": "1"}, 7, {"cookie": "c"}, (), load())
    assert (member.record, member.identifiers) == ("member", {"cookie": "c", "phone": "1"})
    (event,), dropped = messages.member_rows({"email": "a@example.com", "plan": "x"}, 7, {}, (), load(), "$set")
    assert (event.record, event.fields, dropped) == ("event", {"event": "identify"}, {"$set.plan": 1})
    (member,), _ = messages.member_rows({"address": {"state": "上海市", "street": "x"}}, 7, {}, (), load())
    assert member.fields == {"region": "上海市"}


@pytest.mark.parametrize("value", [True, [], {}, 1.5])
def test_an_identifier_is_a_name_or_a_number(value: Any) -> None:
    with pytest.raises(Unreadable):
        messages.identifier({"userId": value}, "userId")
    assert messages.identifier({"userId": 12345}, "userId") == "12345"
    assert messages.identifier({"userId": ""}, "userId") is None
