"""The ring of live events: written only while somebody watches, bounded, in an order that says nothing, gone with the last watch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from app.stores import Stores
from ingestion import live
from privacy.records import CanonicalBatch, CanonicalPart, Malformed, RawBatch, SourceFacts

NOW = datetime(2026, 6, 15, 4, 30, 20, 123456, tzinfo=UTC)
SOURCE = SourceFacts("src_a", "a", "segment", False, frozenset())


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def show(part: CanonicalPart, rows: Sequence[int]) -> list[Mapping[str, str]]:
    return [{"n": str(part.fields["n"][place].as_py())} for place in rows]


def batch(numbers: Sequence[int], refuse: Sequence[str | None] = (), malformed: Sequence[Malformed] = ()) -> CanonicalBatch:
    size = len(numbers)
    fields = pa.table({"n": pa.array(numbers), "_refuse": pa.array(list(refuse) or [None] * size, pa.string())})
    times = pa.array([0] * size, pa.timestamp("us", tz="UTC"))
    phones = pa.array(["1" if number % 2 else None for number in numbers], pa.string())
    part = CanonicalPart("event", pa.array(range(size), pa.int64()), None, times, fields, {"phone": phones})
    return CanonicalBatch(SOURCE, NOW, b"b" * 16, size, (part,), tuple(malformed))


def note(stores: Stores, ring: live.Ring, made: CanonicalBatch, now: datetime = NOW) -> None:
    with stores.begin_platform() as tx:
        ring.note(tx, RawBatch(SOURCE, now, items=[{}] * made.received), made)


def watch(stores: Stores, account: str = "usr_a", now: datetime = NOW) -> None:
    with stores.begin_platform() as tx:
        live.begin(tx, "src_a", account, now)


def ring_of(stores: Stores) -> list[dict[str, Any]]:
    with stores.read_platform() as tx:
        return live.newest(tx, "src_a")


def numbers(stores: Stores) -> list[int]:
    return [int(row["columns"]["n"]) for row in ring_of(stores)]


def test_nothing_is_written_while_nobody_watches_and_the_store_is_asked_four_times_a_second(stores: Stores) -> None:
    ticks = Ticks()
    ring = live.Ring(show, os.urandom, ticks)
    asked: list[str] = []
    with stores.begin_platform() as tx:
        sa.event.listen(tx, "before_cursor_execute", lambda *given: asked.append(given[2]))
        for _number in range(100):
            ring.note(tx, RawBatch(SOURCE, NOW, items=[{}]), batch([1]))
            ticks.now += live.LOOK_EVERY / 50
    assert len(asked) == 2, "a hundred batches in half a second"
    assert all("live_watch" in one for one in asked)
    assert ring_of(stores) == []


def test_a_process_notices_a_watch_of_another_one_within_a_quarter_of_a_second(stores: Stores) -> None:
    ticks = Ticks()
    ring = live.Ring(show, os.urandom, ticks)
    note(stores, ring, batch([1]))
    watch(stores)
    note(stores, ring, batch([2]))
    assert numbers(stores) == []
    ticks.now = live.LOOK_EVERY
    note(stores, ring, batch([3]))
    assert numbers(stores) == [3]


def test_a_process_that_opened_the_watch_looks_at_once(stores: Stores) -> None:
    ring = live.Ring(show, os.urandom, Ticks())
    note(stores, ring, batch([1]))
    watch(stores)
    ring.look_again()
    note(stores, ring, batch([2]))
    assert numbers(stores) == [2]


def test_a_row_tells_a_minute_types_of_identifiers_and_the_form_and_nothing_else(stores: Stores) -> None:
    watch(stores)
    note(
        stores,
        live.Ring(show, os.urandom, Ticks()),
        batch([7], malformed=[Malformed(3, "properties.value", "wrong_type", "m-13812345678")]),
    )
    rows = sorted(ring_of(stores), key=lambda row: str(row["outcome"]))
    assert rows == [
        {"minute": NOW.replace(second=0, microsecond=0), "record": None, "outcome": "quarantined", "columns": {}, "identifiers": [],
         "path": "properties.value", "rule": "wrong_type"},
        {"minute": NOW.replace(second=0, microsecond=0), "record": "event", "outcome": "well_formed", "columns": {"n": "7"},
         "identifiers": ["phone"], "path": None, "rule": None},
    ]  # fmt: skip


def test_what_must_never_be_taken_in_is_not_told_of(stores: Stores) -> None:
    watch(stores)
    note(stores, live.Ring(show, os.urandom, Ticks()), batch([1, 2, 3], refuse=["child_field", None, "forbidden_category"]))
    assert numbers(stores) == [2]


def test_the_ring_holds_the_newest_and_no_more_than_its_size(stores: Stores) -> None:
    watch(stores)
    ring = live.Ring(show, os.urandom, Ticks())
    for first in range(0, 1_000, 50):
        note(stores, ring, batch(range(first, first + 50)))
    assert sorted(numbers(stores)) == list(range(800, 1_000))
    note(stores, ring, batch(range(100_000)))
    assert len(set(numbers(stores))) == live.KEPT
    assert min(numbers(stores)) >= 0


def test_rows_that_came_together_stand_in_an_order_of_random_bytes(stores: Stores) -> None:
    """Sorted by what was drawn, whatever they are: here the draw is a descending one, then an ascending one."""
    watch(stores)

    def falling(count: int) -> bytes:
        return b"".join(number.to_bytes(8, "little") for number in range(count // 8, 0, -1))

    ring = live.Ring(show, falling, Ticks())
    note(stores, ring, batch(range(10)))
    assert numbers(stores) == list(range(9, -1, -1)), "turned round twice, and read newest first"


def test_the_rows_go_with_the_last_watch(stores: Stores) -> None:
    watch(stores, "usr_a")
    watch(stores, "usr_b")
    note(stores, live.Ring(show, os.urandom, Ticks()), batch([1]))
    with stores.begin_platform() as tx:
        live.end(tx, "src_a", "usr_a", NOW)
        assert live.ends_at(tx, "src_a", "usr_a", NOW) is None
        assert live.ends_at(tx, "src_a", "usr_b", NOW) == NOW + live.LASTS
    assert numbers(stores) == [1]
    with stores.begin_platform() as tx:
        live.end(tx, "src_a", "usr_b", NOW)
    assert numbers(stores) == []


def test_a_watch_ends_by_itself_and_is_swept_with_its_rows(stores: Stores) -> None:
    watch(stores)
    ticks = Ticks()
    ring = live.Ring(show, os.urandom, ticks)
    note(stores, ring, batch([1]))
    later = NOW + live.LASTS + timedelta(minutes=1)
    with stores.read_platform() as tx:
        assert live.ends_at(tx, "src_a", "usr_a", later) is None
    ticks.now = 1.0
    note(stores, ring, batch([2]), later)
    assert numbers(stores) == [1]
    with stores.begin_platform() as tx:
        assert live.sweep(tx, later) == 1
        assert tx.scalar(sa.select(sa.func.count()).select_from(live.LiveWatch)) == 0
    assert numbers(stores) == []
