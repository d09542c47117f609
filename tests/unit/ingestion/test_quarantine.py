"""Places and rules of what failed in form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.stores import Stores
from ingestion import quarantine
from ingestion.quarantine import Failure
from privacy.vocabulary import FormRule

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
WEEK = NOW + timedelta(days=7)


def fill(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        failures = [Failure(number, f"properties.p{number}", FormRule.WRONG_TYPE, f"box_{number}") for number in range(3)]
        quarantine.put(tx, "src_a", b"b" * 16, failures, now=NOW, expires_at=WEEK)
        quarantine.put(tx, "src_b", b"c" * 16, [Failure(0, "", FormRule.BAD_TIME, None)], now=NOW, expires_at=NOW + timedelta(hours=24))
        quarantine.put(tx, "src_b", b"c" * 16, [], now=NOW, expires_at=WEEK)


def test_items_are_listed_by_page_source_and_rule(stores: Stores) -> None:
    fill(stores)
    with stores.read_platform() as tx:
        page, after = quarantine.listing(tx, source_id="src_a", limit=2)
        rest, end = quarantine.listing(tx, source_id="src_a", after=after or 0, limit=2)
        assert [item.position for item in page + rest] == [0, 1, 2]
        assert end is None
        assert [item.source_id for item in quarantine.listing(tx, rule="bad_time")[0]] == ["src_b"]
        assert page[0].path == "properties.p0"
        assert page[0].expires_at == WEEK
        assert quarantine.count(tx) == {("src_a", "wrong_type"): 3, ("src_b", "bad_time"): 1}


def test_what_is_taken_for_replay_is_gone(stores: Stores) -> None:
    """Without a sealed payload there is nothing to replay, so the item stays."""
    fill(stores)
    with stores.begin_platform() as tx:
        assert [item.reference for item in quarantine.take(tx, "src_a", now=NOW, limit=2)] == ["box_0", "box_1"]
        assert quarantine.take(tx, "src_a", now=WEEK) == []
        assert quarantine.take(tx, "src_b", now=NOW) == []
        assert quarantine.count(tx) == {("src_a", "wrong_type"): 1, ("src_b", "bad_time"): 1}


def test_what_is_over_its_time_is_removed_and_named_for_the_box(stores: Stores) -> None:
    fill(stores)
    with stores.begin_platform() as tx:
        assert [item.reference for item in quarantine.expire(tx, NOW + timedelta(hours=25))] == [None]
        assert len(quarantine.expire(tx, WEEK)) == 3
        assert quarantine.count(tx) == {}
