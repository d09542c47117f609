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


def test_what_may_be_replayed_has_a_payload_and_time_and_was_there_when_the_replay_began(stores: Stores) -> None:
    fill(stores)
    with stores.begin_platform() as tx:
        until, number = quarantine.newest(tx, "src_a")
        assert number == 3
        quarantine.put(tx, "src_a", b"d" * 16, [Failure(9, "late", FormRule.WRONG_TYPE, "box_9")], now=NOW, expires_at=WEEK)
        page = quarantine.waiting(tx, "src_a", after=0, until=until, now=NOW, limit=2)
        rest = quarantine.waiting(tx, "src_a", after=page[-1].id, until=until, now=NOW, limit=2)
        assert [one.reference for one in page + rest] == ["box_0", "box_1", "box_2"]
        assert [one.position for one in quarantine.waiting(tx, "src_a", path="properties.p1", after=0, until=until, now=NOW, limit=9)] == [
            1
        ]
        assert quarantine.waiting(tx, "src_a", after=0, until=until, now=WEEK, limit=9) == []
        assert quarantine.newest(tx, "src_b") == (0, 0), "without a sealed payload there is nothing to replay"
        assert quarantine.waiting(tx, "src_b", after=0, until=99, now=NOW, limit=9) == []
        ids = [one.id for one in page]
        assert quarantine.remove(tx, ids) == 2
        assert quarantine.remove(tx, ids) == 0, "who comes second takes nothing"


def test_items_are_counted_by_place_and_rule_and_hidden_sources_stay_out(stores: Stores) -> None:
    fill(stores)
    with stores.begin_platform() as tx:
        assert [(one.source_id, one.path, one.rule, one.number) for one in quarantine.summary(tx)] == [
            *(("src_a", f"properties.p{number}", "wrong_type", 1) for number in range(3)),
            ("src_b", "", "bad_time", 1),
        ]
        assert quarantine.summary(tx)[-1].first_ends == NOW + timedelta(hours=24)
        assert {one.source_id for one in quarantine.listing(tx, hidden={"src_a"})[0]} == {"src_b"}
        assert [one.position for one in quarantine.listing(tx, path="properties.p2")[0]] == [2]
        assert quarantine.forget(tx, ["box_0", "box_2", "unknown"]) == 2
        assert quarantine.count(tx) == {("src_a", "wrong_type"): 1, ("src_b", "bad_time"): 1}


def test_what_is_over_its_time_is_removed_and_named_for_the_box(stores: Stores) -> None:
    fill(stores)
    with stores.begin_platform() as tx:
        assert [item.reference for item in quarantine.expire(tx, NOW + timedelta(hours=25))] == [None]
        assert len(quarantine.expire(tx, WEEK)) == 3
        assert quarantine.count(tx) == {}
