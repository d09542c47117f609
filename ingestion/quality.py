"""How good each source's data is, and that none of it is lost: counts on the fixed grid source × day × field, and a balance by minute.

Promise: counts only, written in the transaction that acknowledges the batch, so that they are exact or the batch was not there. The grid
is the one of dp_rules X-4: no filter, no person, no value; whoever shows it asks for `exact.read`. A minute's balance says
received = stored + duplicate + quarantined + refused, where `received` is counted from what came and the others from what became of it.
Minutes are kept for two days and then joined into days.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import Instant, PlatformBase, from_micros, to_micros
from privacy.outcomes import Verdicts
from privacy.vocabulary import Verdict

if TYPE_CHECKING:
    from privacy.records import CanonicalBatch, Malformed, RawBatch

KEEP_MINUTES = timedelta(hours=48)
MINUTE, DAY = "minute", "day"
LAGS = ("minute", "ten_minutes", "hour", "six_hours", "day", "week", "month", "more")
"""How late a row came after its event, up to and including: the buckets are public and the same for everybody."""
_EDGES = np.array([60, 600, 3_600, 21_600, 86_400, 604_800, 2_678_400], np.int64) * 1_000_000


class Quality(PlatformBase):
    """One field of one record on one day: how often it came, was well formed, and is in rows that were stored. Field "" is the rows."""

    __tablename__ = "quality"
    __table_args__ = {"sqlite_with_rowid": False}

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    record: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    field: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    present: Mapped[int] = mapped_column(sa.BigInteger)
    valid: Mapped[int] = mapped_column(sa.BigInteger)
    kept: Mapped[int] = mapped_column(sa.BigInteger)


class Delivery(PlatformBase):
    """The items of a source's minute (later: day) by what became of them, and how late its rows came."""

    __tablename__ = "delivery"
    __table_args__ = {"sqlite_with_rowid": False}

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    grain: Mapped[str] = mapped_column(sa.String(6), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    received: Mapped[int] = mapped_column(sa.BigInteger)
    stored: Mapped[int] = mapped_column(sa.BigInteger)
    duplicate: Mapped[int] = mapped_column(sa.BigInteger)
    quarantined: Mapped[int] = mapped_column(sa.BigInteger)
    refused: Mapped[int] = mapped_column(sa.BigInteger)
    lag_minute: Mapped[int] = mapped_column(sa.BigInteger)
    lag_ten_minutes: Mapped[int] = mapped_column(sa.BigInteger)
    lag_hour: Mapped[int] = mapped_column(sa.BigInteger)
    lag_six_hours: Mapped[int] = mapped_column(sa.BigInteger)
    lag_day: Mapped[int] = mapped_column(sa.BigInteger)
    lag_week: Mapped[int] = mapped_column(sa.BigInteger)
    lag_month: Mapped[int] = mapped_column(sa.BigInteger)
    lag_more: Mapped[int] = mapped_column(sa.BigInteger)
    last_event_at: Mapped[datetime] = mapped_column(Instant)
    last_received_at: Mapped[datetime] = mapped_column(Instant)


_COUNTS = ("received", *(verdict.value for verdict in Verdict), *(f"lag_{name}" for name in LAGS))
_LASTS = ("last_event_at", "last_received_at")


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the grid. Field "" is the rows: how many came, came well formed, were stored."""

    day: date
    record: str
    field: str
    present: int
    valid: int
    kept: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A day's items by verdict, and how late its rows came."""

    day: date
    received: int
    verdicts: Mapping[str, int]
    lags: Mapping[str, int]
    last_event_at: datetime | None
    last_received_at: datetime


# ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def put(
    tx: sa.Connection,
    raw: RawBatch,
    batch: CanonicalBatch,
    outcome: Mapping[int, Verdict],
    malformed: Mapping[int, Malformed],
    verdicts: Mapping[str, int],
    day: date,
) -> None:
    """Adds one batch to its source's day and minute: two statements, whatever the batch holds."""
    lines = [[record, name[:80], *numbers] for (record, name), numbers in sorted(_grid(batch, outcome, malformed).items())]
    if lines:
        told = {"source": raw.source.id, "day": day.isoformat(), "lines": json.dumps(lines)}
        tx.execute(_ADD_ON_POSTGRESQL if tx.dialect.name == "postgresql" else _ADD_ON_SQLITE, told)
    received = to_micros(raw.received_at)
    late, last = _lateness(batch, received)
    numbers = {
        "received": raw.table.num_rows if raw.table is not None else len(raw.items or ()),
        **{verdict.value: verdicts.get(verdict.value, 0) for verdict in Verdict},
        **{f"lag_{name}": number for name, number in zip(LAGS, late, strict=True)},
    }
    place = {"source_id": raw.source.id, "grain": MINUTE, "at": received - received % 60_000_000}
    tx.execute(_DELIVER, {**place, **numbers, "last_event_at": last, "last_received_at": received})


def _grid(
    batch: CanonicalBatch, outcome: Mapping[int, Verdict], malformed: Mapping[int, Malformed]
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(record, field) → present, valid, kept."""
    grid = {key: (present, valid, 0) for key, (present, valid) in batch.census.items()}
    told = Verdicts.of(outcome)
    stored = told.tally().get(Verdict.STORED, 0) == len(told)
    for part in batch.parts:
        columns = dict(zip(part.fields.column_names, part.fields.columns, strict=True))
        columns |= {f"identifiers.{kind}": column for kind, column in part.identifiers.items()}
        mask = None if stored else pa.array(told.among(part.positions.to_numpy(), Verdict.STORED))
        rows = len(part.positions) if mask is None else int(pc.sum(mask).as_py() or 0)
        for name in (name for record, name in batch.census if record == part.record):
            column = columns.get(name)
            if column is None:
                kept = rows
            elif mask is None:
                kept = rows - column.null_count
            else:
                kept = rows and int(pc.sum(pc.and_(mask, pc.is_valid(column))).as_py() or 0)
            present, valid, before = grid[part.record, name]
            grid[part.record, name] = (present, valid, before + kept)
    for path, number in Counter(item.path for item in malformed.values() if item.path.startswith("identifiers.")).items():
        for record in {part.record for part in batch.parts}:
            if (record, path) in grid:
                present, valid, kept = grid[record, path]
                grid[record, path] = (present, max(kept, valid - number), kept)
    return grid


def _lateness(batch: CanonicalBatch, received: int) -> tuple[list[int], int]:
    """Rows by bucket of lateness, and the last event to the minute (0 where there is none)."""
    times = [part.times.drop_null().view(pa.int64()).to_numpy() for part in batch.parts]
    events = times[0] if len(times) == 1 else np.concatenate(times or [np.empty(0, np.int64)])
    if not len(events):
        return [0] * len(LAGS), 0
    buckets = np.bincount(np.searchsorted(_EDGES, received - events), minlength=len(LAGS))
    last = int(events.max())
    return buckets.tolist(), last - last % 60_000_000


_PLUS = "present = quality.present + excluded.present, valid = quality.valid + excluded.valid, kept = quality.kept + excluded.kept"
_INTO = "INSERT INTO quality (source_id, day, record, field, present, valid, kept)"
_ADD_ON_SQLITE = sa.text(
    f"{_INTO} SELECT :source, :day, line.value ->> 0, line.value ->> 1, line.value ->> 2, line.value ->> 3, line.value ->> 4"
    f" FROM json_each(:lines) AS line WHERE true ON CONFLICT (source_id, day, record, field) DO UPDATE SET {_PLUS}"
)
_ADD_ON_POSTGRESQL = sa.text(
    f"{_INTO} SELECT :source, CAST(:day AS date), line ->> 0, line ->> 1, CAST(line ->> 2 AS bigint), CAST(line ->> 3 AS bigint),"
    " CAST(line ->> 4 AS bigint) FROM json_array_elements(CAST(:lines AS json)) AS line"
    f" ON CONFLICT (source_id, day, record, field) DO UPDATE SET {_PLUS}"
)
_COLUMNS = ("source_id", "grain", "at", *_COUNTS, *_LASTS)
_DELIVER = sa.text(
    f"INSERT INTO delivery ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
    " ON CONFLICT (source_id, grain, at) DO UPDATE SET "
    + ", ".join(f"{name} = delivery.{name} + excluded.{name}" for name in _COUNTS)
    + "".join(f", {name} = CASE WHEN excluded.{name} > delivery.{name} THEN excluded.{name} ELSE delivery.{name} END" for name in _LASTS)
)


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def grid(tx: sa.Connection, source_id: str, *, first: date, last: date) -> list[Line]:
    """The grid of a source between two days."""
    query = (
        sa.select(Quality.day, Quality.record, Quality.field, Quality.present, Quality.valid, Quality.kept)
        .where(Quality.source_id == source_id, Quality.day >= first, Quality.day <= last)
        .order_by(Quality.day, Quality.record, Quality.field)
    )
    return [Line(*row) for row in tx.execute(query)]


def anything(tx: sa.Connection) -> bool:
    """Whether any item ever came."""
    return tx.execute(sa.select(Delivery.source_id).limit(1)).first() is not None


def arrivals(tx: sa.Connection, *, source_id: str | None = None, first: date, last: date, zone: str) -> dict[tuple[str, date], Arrivals]:
    """Days of sources between two days of the controller's calendar: minutes and joined days together."""
    start, end = _start(first, zone), _start(last + timedelta(days=1), zone)
    query = sa.select(Delivery.__table__).where(Delivery.at >= start, Delivery.at < end)
    if source_id is not None:
        query = query.where(Delivery.source_id == source_id)
    found: dict[tuple[str, date], Arrivals] = {}
    for (source, day), row in _by_day(tx.execute(query).mappings().all(), zone).items():
        found[source, day] = Arrivals(
            day=day,
            received=row["received"],
            verdicts={verdict.value: row[verdict.value] for verdict in Verdict},
            lags={name: row[f"lag_{name}"] for name in LAGS},
            last_event_at=from_micros(row["last_event_at"]) if row["last_event_at"] else None,
            last_received_at=from_micros(row["last_received_at"]),
        )
    return found


def unbalanced(tx: sa.Connection) -> list[tuple[str, str, datetime]]:
    """Minutes and days whose items are not all accounted for, as (source, grain, at); none, or something is very wrong."""
    accounted = Delivery.stored + Delivery.duplicate + Delivery.quarantined + Delivery.refused
    query = sa.select(Delivery.source_id, Delivery.grain, Delivery.at).where(Delivery.received != accounted).order_by(Delivery.at)
    return [(source, grain, at) for source, grain, at in tx.execute(query)]


def roll(tx: sa.Connection, *, now: datetime, zone: str) -> int:
    """Joins minutes of days that ended longer ago than `KEEP_MINUTES` into those days; returns how many minutes."""
    before = _start((now - KEEP_MINUTES).astimezone(ZoneInfo(zone)).date(), zone)
    ended = sa.and_(Delivery.grain == MINUTE, Delivery.at < before)
    rows = tx.execute(sa.select(Delivery.__table__).where(ended)).mappings().all()
    for (source, day), numbers in _by_day(rows, zone).items():
        tx.execute(_DELIVER, {"source_id": source, "grain": DAY, "at": to_micros(_start(day, zone)), **numbers})
    return tx.execute(sa.delete(Delivery).where(ended)).rowcount


def _by_day(rows: Sequence[sa.RowMapping], zone: str) -> dict[tuple[str, date], dict[str, int]]:
    """Sums by source and local day; instants as microseconds."""
    days: dict[tuple[str, date], dict[str, int]] = {}
    for row in rows:
        day = row["at"].astimezone(ZoneInfo(zone)).date()
        sums = days.setdefault((row["source_id"], day), dict.fromkeys((*_COUNTS, *_LASTS), 0))
        for name in _COUNTS:
            sums[name] += int(row[name])
        for name in _LASTS:
            sums[name] = max(sums[name], to_micros(row[name]))
    return days


def _start(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
