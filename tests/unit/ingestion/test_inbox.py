"""The inbox keeps every item once, in an order that never goes back."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from app.stores import Stores
from ingestion import inbox
from privacy.records import DeidentifiedBatch, TablePart

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


def part(table: str, items: list[tuple[int, int]], *, plain: bool = False) -> TablePart:
    """(position, number of the message) for each row."""
    return TablePart(
        table=table,
        positions=pa.array([position for position, _ in items], pa.int64()),
        digests=None if plain else pa.array([digest(message) for _, message in items], pa.binary(16)),
        rows=pa.table({"virtual_id": pa.array([position for position, _ in items], pa.int64())}),
    )


def batch(*parts: TablePart, source: str = "src_a") -> DeidentifiedBatch:
    return DeidentifiedBatch(source_id=source, batch_id=b"b" * 16, received_at=NOW, parts=parts)


def put(stores: Stores, what: DeidentifiedBatch, **more: Any) -> set[int]:
    with stores.begin_platform() as tx:
        return inbox.put(tx, what, now=NOW, **more)


def stored(stores: Stores) -> list[tuple[str, list[int]]]:
    with stores.read_platform() as tx:
        return [(one.table, one.open().column("virtual_id").to_pylist()) for one in inbox.pending(tx)]


def test_rows_come_out_as_they_went_in(stores: Stores) -> None:
    assert put(stores, batch(part("events", [(0, 10), (1, 11)]), part("order_lines", [(1, 11)]))) == set()
    assert stored(stores) == [("events", [0, 1]), ("order_lines", [1])]


def test_an_item_seen_before_is_not_stored_again(stores: Stores) -> None:
    put(stores, batch(part("events", [(0, 10), (1, 11)])))
    assert put(stores, batch(part("events", [(0, 12), (1, 10), (2, 11)]))) == {1, 2}
    assert put(stores, batch(part("events", [(0, 10), (1, 11)]))) == {0, 1}
    assert stored(stores) == [("events", [0, 1]), ("events", [0])]


def test_an_item_twice_in_one_batch_is_stored_once_with_all_its_rows(stores: Stores) -> None:
    assert put(stores, batch(part("events", [(0, 10), (1, 10)]), part("order_lines", [(0, 10), (0, 10), (1, 10)]))) == {1}
    assert stored(stores) == [("events", [0]), ("order_lines", [0, 0])]


def test_two_sources_may_use_the_same_id(stores: Stores) -> None:
    put(stores, batch(part("events", [(0, 10)])))
    assert put(stores, batch(part("events", [(0, 10)]), source="src_b")) == set()


def test_an_id_under_an_earlier_key_is_known_too(stores: Stores) -> None:
    put(stores, batch(part("events", [(0, 10)])))
    older = [(pa.array([0, 1], pa.int64()), pa.array([digest(10), digest(99)], pa.binary(16)))]
    assert put(stores, batch(part("events", [(0, 20), (1, 21)])), older=older) == {0}


def test_what_rolled_back_was_never_seen(stores: Stores) -> None:
    with pytest.raises(RuntimeError), stores.begin_platform() as tx:
        inbox.put(tx, batch(part("events", [(0, 10)])), now=NOW)
        raise RuntimeError
    assert put(stores, batch(part("events", [(0, 10)]))) == set()


def test_a_number_is_never_given_twice(stores: Stores) -> None:
    """Also when the inbox was emptied: the lake remembers numbers."""
    put(stores, batch(part("events", [(0, 10)])))
    with stores.begin_platform() as tx:
        first = inbox.pending(tx)[0].seq
        assert inbox.mark_done(tx, first) == 1
    put(stores, batch(part("events", [(0, 11)])))
    with stores.read_platform() as tx:
        assert inbox.pending(tx)[0].seq > first
        assert inbox.pending(tx, after=first + 1) == []


def test_a_portion_ends_with_the_batch_that_fills_it(stores: Stores) -> None:
    for number in range(4):
        put(stores, batch(part("events", [(place, 10 * number + place) for place in range(3)])))
    with stores.read_platform() as tx:
        everything = inbox.pending(tx)
        assert [len(inbox.pending(tx, rows=rows)) for rows in (1, 3, 4, 6, 7, 100)] == [1, 1, 2, 2, 3, 4]
        assert inbox.pending(tx, after=everything[1].seq, rows=3) == everything[2:3]
        assert inbox.pending(tx, after=everything[-1].seq, rows=3) == []
        assert inbox.pending(tx, limit=2, rows=100) == everything[:2]


def test_numbers_become_visible_in_order(stores: Stores) -> None:
    """Two writers at once: whoever sees number n sees everything below it that will ever come."""
    seen: list[list[int]] = []

    def write(start: int) -> None:
        for number in range(start, start + 8):
            put(stores, batch(part("events", [(0, number)])))
            with stores.read_platform() as tx:
                seen.append([one.seq for one in inbox.pending(tx)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = max(seen, key=len)
    assert len(final) == 24
    assert all(snapshot == final[: len(snapshot)] for snapshot in seen)


def test_age_and_waiting_follow_the_oldest_batch(stores: Stores) -> None:
    with stores.read_platform() as tx:
        assert inbox.age(tx, NOW) == timedelta(0)
        assert inbox.waiting(tx) == (0, 0)
    put(stores, batch(part("events", [(0, 1), (1, 2)])))
    with stores.read_platform() as tx:
        assert inbox.age(tx, NOW + timedelta(minutes=3)) == timedelta(minutes=3)
        assert inbox.waiting(tx) == (1, 2)


def test_digests_are_forgotten_only_after_thirty_days(stores: Stores) -> None:
    put(stores, batch(part("events", [(0, 1)])))
    with stores.begin_platform() as tx:
        assert inbox.sweep_seen(tx, NOW + timedelta(days=30) - timedelta(seconds=1)) == 0
        assert inbox.sweep_seen(tx, NOW + timedelta(days=30)) == 1


def test_counts_add_up_by_day_and_reason(stores: Stores) -> None:
    day = date(2026, 6, 15)
    with stores.begin_platform() as tx:
        inbox.count(tx, "src_a", day, {("stored", ""): 5, ("refused", "minor"): 1}, {"properties.x": 2})
        inbox.count(tx, "src_a", day, {("stored", ""): 2, ("duplicate", ""): 0}, {"properties.x": 1})
        inbox.count(tx, "src_b", day + timedelta(days=1), {("stored", ""): 9})
        assert inbox.counts(tx, source_id="src_a") == [("src_a", day, "refused", "minor", 1), ("src_a", day, "stored", "", 7)]
        assert [row[0] for row in inbox.counts(tx, first=day + timedelta(days=1))] == ["src_b"]
        assert inbox.dropped_fields(tx, source_id="src_a") == {"properties.x": 3}
