"""Counts by source, day and field, and a balance by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from app.stores import Stores
from ingestion import quality
from privacy.records import CanonicalBatch, CanonicalPart, Malformed, RawBatch, SourceFacts
from privacy.vocabulary import Verdict

NOW = datetime(2026, 6, 15, 4, 30, 20, tzinfo=UTC)
DAY = date(2026, 6, 15)
ZONE = "Asia/Shanghai"
SOURCE = SourceFacts("src_a", "a", "file", False, frozenset())
CAME = {("store", ""): (4, 4), ("store", "city"): (3, 2), ("store", "identifiers.phone"): (4, 4)}


def batch(now: datetime, **more: Any) -> CanonicalBatch:
    ages = [30, 300, 90_000, 10**7]
    times = pa.array([int((now - timedelta(seconds=age)).timestamp() * 1e6) for age in ages], pa.timestamp("us", tz="UTC"))
    fields = pa.table({"city": pa.array(["x", None, "y", None])})
    part = CanonicalPart("store", pa.array([0, 1, 2, 3]), None, times, fields, {"phone": pa.array(["1", "2", "3", "4"])})
    return CanonicalBatch(SOURCE, now, b"b" * 16, 4, (part,), census=CAME, **more)


def put(stores: Stores, now: datetime = NOW, outcome: dict[int, Verdict] | None = None, received: int = 4, bad: int = 0) -> None:
    outcome = outcome or dict.fromkeys(range(4), Verdict.STORED)
    verdicts = {verdict.value: list(outcome.values()).count(verdict) for verdict in Verdict}
    malformed = {n: Malformed(n, "identifiers.phone", "bad_identifier") for n in range(bad)}
    raw = RawBatch(SOURCE, now, items=[{}] * received)
    with stores.begin_platform() as tx:
        quality.put(tx, raw, batch(now), outcome, malformed, verdicts, now.astimezone(UTC).date())


def grid(stores: Stores) -> dict[str, tuple[int, int, int]]:
    with stores.read_platform() as tx:
        return {one.field: (one.present, one.valid, one.kept) for one in quality.grid(tx, "src_a", first=DAY, last=DAY)}


def test_fields_are_counted_as_they_came_and_as_they_stayed_and_batches_add_up(stores: Stores) -> None:
    put(stores)
    assert grid(stores) == {"": (4, 4, 4), "city": (3, 2, 2), "identifiers.phone": (4, 4, 4)}
    put(stores, outcome={0: Verdict.STORED, 1: Verdict.REFUSED, 2: Verdict.DUPLICATE, 3: Verdict.QUARANTINED}, bad=1)
    assert grid(stores) == {"": (8, 8, 5), "city": (6, 4, 3), "identifiers.phone": (8, 7, 5)}


def test_lateness_falls_into_public_buckets_and_the_last_event_is_told_to_the_minute(stores: Stores) -> None:
    put(stores)
    with stores.read_platform() as tx:
        (one,) = quality.arrivals(tx, source_id="src_a", first=DAY, last=DAY, zone=ZONE).values()
    assert {name: number for name, number in one.lags.items() if number} == {"minute": 1, "ten_minutes": 1, "week": 1, "more": 1}
    assert one.last_event_at == datetime(2026, 6, 15, 4, 29, tzinfo=UTC)
    assert one.last_received_at == NOW
    assert (one.received, one.verdicts["stored"]) == (4, 4)


def test_a_minute_whose_items_are_not_all_accounted_for_is_found(stores: Stores) -> None:
    put(stores)
    with stores.read_platform() as tx:
        assert quality.unbalanced(tx) == []
    put(stores, now=NOW + timedelta(minutes=1), received=5)
    with stores.read_platform() as tx:
        assert quality.unbalanced(tx) == [("src_a", "minute", datetime(2026, 6, 15, 4, 31, tzinfo=UTC))]


def test_minutes_become_days_after_two_days_and_no_number_changes(stores: Stores) -> None:
    for minutes in (0, 1, 60, 24 * 60):
        put(stores, now=NOW + timedelta(minutes=minutes))
    with stores.begin_platform() as tx:
        span = {"first": DAY, "last": DAY + timedelta(days=5), "zone": ZONE}
        before = quality.arrivals(tx, **span)
        assert quality.roll(tx, now=NOW + timedelta(hours=40), zone=ZONE) == 0
        assert quality.roll(tx, now=NOW + timedelta(days=3), zone=ZONE) == 3
        assert quality.roll(tx, now=NOW + timedelta(days=3), zone=ZONE) == 0
        assert quality.arrivals(tx, **span) == before
        grains = tx.execute(sa.select(quality.Delivery.grain, sa.func.count()).group_by(quality.Delivery.grain)).all()
        assert dict(map(tuple, grains)) == {"day": 1, "minute": 1}
        assert quality.unbalanced(tx) == []


def test_a_batch_in_which_nothing_could_be_read_is_a_minute_too(stores: Stores) -> None:
    empty = CanonicalBatch(SOURCE, NOW, b"b" * 16, 2, ())
    with stores.begin_platform() as tx:
        quality.put(tx, RawBatch(SOURCE, NOW, items=[1, 2]), empty, {}, {}, {"quarantined": 2}, DAY)
        (one,) = quality.arrivals(tx, first=DAY, last=DAY, zone=ZONE).values()
    assert (one.received, one.verdicts["quarantined"], one.last_event_at) == (2, 2, None)
    assert grid(stores) == {}
