"""The inbox: de-identified rows on their way to the lake, each item once.

Promise: an item is known by its digest for at least thirty days, in the very transaction that stores its rows; a sequence number is
never given twice, and numbers are visible in their order, so that "everything through n" means everything. Counts by source and day
keep the balance received = stored + duplicate + quarantined + refused. Holds no identifier, no message id, no value that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from ingestion import seen
from privacy import lookup
from privacy.orm import BigId, Instant, PlatformBase
from privacy.records import DeidentifiedBatch

_ORDER_LOCK = 0x70697969_6E67
"""PostgreSQL: one writer at a time between taking a sequence number and its commit, or a later number could show before an earlier one."""
WORTH_COMPRESSING = 1_000
"""Rows below which compressing each column costs more time than its bytes are worth until the next flush."""
_LAKE_WRITE = pa.ipc.IpcWriteOptions(compression="zstd")


class Inbox(PlatformBase):
    __tablename__ = "inbox"
    __table_args__ = {"sqlite_autoincrement": True}

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    batch_id: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    source_id: Mapped[str] = mapped_column(sa.String(40))
    table: Mapped[str] = mapped_column("lake_table", sa.String(64))
    rows: Mapped[int] = mapped_column("row_count", sa.BigInteger)
    received_at: Mapped[datetime] = mapped_column(Instant)
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary)


class Tally(PlatformBase):
    """Items by source, day, verdict and reason; of refused items nothing else remains."""

    __tablename__ = "tally"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    verdict: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)


class DroppedField(PlatformBase):
    """Unknown fields by path, for the integrator who wonders where they went."""

    __tablename__ = "dropped_field"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    path: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)


_ADD = sa.insert(Inbox)


@dataclass(frozen=True, slots=True)
class Pending:
    """Rows for one lake table, waiting. `open()` gives them back as they were put."""

    seq: int
    batch_id: bytes
    source_id: str
    table: str
    rows: int
    received_at: datetime
    payload: bytes

    def open(self) -> pa.Table:
        """The rows."""
        return pa.ipc.open_stream(self.payload).read_all()


# ── in ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def put(
    tx: sa.Connection,
    batch: DeidentifiedBatch,
    *,
    now: datetime,
    older: Iterable[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]] = (),
    memory: seen.Memory | None = None,
) -> set[int]:
    """Store a batch's rows, but not those of items that were seen before; gives the positions of the seen ones.

    `older` has digests of the same positions under keys of earlier epochs: they are only looked up, so that the window holds across
    a change of key. `memory` is what the process remembers of earlier batches.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_ORDER_LOCK)))
    repeated = _repeated(tx, batch, older, now, memory or seen.Memory())
    again = np.fromiter(repeated, np.int64, len(repeated))
    for part in batch.parts:
        rows = part.rows
        if repeated and rows.num_rows:
            rows = rows.filter(pa.array(~np.isin(part.positions.to_numpy(), again)))
        if rows.num_rows:
            tx.execute(
                _ADD,
                {
                    "batch_id": batch.batch_id,
                    "source_id": batch.source_id,
                    "lake_table": part.table,
                    "row_count": rows.num_rows,
                    "received_at": batch.received_at,
                    "payload": _pack(rows),
                },
            )
    return repeated


def _repeated(
    tx: sa.Connection,
    batch: DeidentifiedBatch,
    older: Iterable[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]],
    now: datetime,
    memory: seen.Memory,
) -> set[int]:
    """Positions whose digest is known, from an earlier batch or from an earlier position of this one; the other digests are remembered."""
    parts = [part for part in batch.parts if part.digests is not None and len(part.positions)]
    if not parts:
        return set()
    keys = np.concatenate([_keys(batch.source_id, part.digests) for part in parts])
    positions = np.concatenate([part.positions.to_numpy() for part in parts])
    order = np.lexsort((positions, keys[:, 1], keys[:, 0])) if len(parts) > 1 else lookup.ordered(keys)
    keys, positions = keys[order], positions[order]
    same = (keys[1:] == keys[:-1]).all(axis=1)
    repeated: set[int] = set()
    if same.any():
        if len(parts) == 1:
            order = np.lexsort((positions, keys[:, 1], keys[:, 0]))
            keys, positions = keys[order], positions[order]
        starts = np.flatnonzero(np.concatenate([[True], ~same]))
        first = np.repeat(positions[starts], np.diff(np.append(starts, len(keys))))
        repeated.update(positions[positions != first].tolist())
        keys, positions = keys[starts], positions[starts]
    for places, earlier in older:
        known = memory.known(tx, _keys(batch.source_id, earlier))
        repeated.update(places.to_numpy()[known].tolist())
    if repeated:
        asked = ~np.isin(positions, np.fromiter(repeated, np.int64, len(repeated)))
        keys, positions = keys[asked], positions[asked]
    known = memory.known(tx, keys)
    if known.any():
        repeated.update(positions[known].tolist())
        keys = keys[~known]
    if len(keys):
        seen.add(tx, batch.source_id, keys, memory, now=now)
    return repeated


def _keys(source_id: str, digests: pa.FixedSizeBinaryArray | None) -> lookup.Words:
    """Digests as numbers, of a column that has no null."""
    assert digests is not None
    data = digests.buffers()[1]
    start = digests.offset * digests.type.byte_width
    return seen.keys_of(source_id, memoryview(data)[start : start + len(digests) * 16])


def _pack(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = _LAKE_WRITE if rows.num_rows >= WORTH_COMPRESSING else None
    with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
        writer.write_table(rows.combine_chunks())
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pending(tx: sa.Connection, *, after: int = 0, limit: int = 500, rows: int | None = None) -> list[Pending]:
    """What waits behind sequence number `after`, in order: at most `limit` batches, and no further batch once `rows` rows are there."""
    query = sa.select(Inbox.__table__).where(Inbox.seq > after).order_by(Inbox.seq).limit(limit)
    if rows is not None:
        sizes = tx.execute(sa.select(Inbox.seq, Inbox.rows).where(Inbox.seq > after).order_by(Inbox.seq).limit(limit)).all()
        before = accumulate((size for _, size in sizes), initial=0)
        last = max((seq for (seq, _), held in zip(sizes, before, strict=False) if held < rows), default=after)
        query = query.where(Inbox.seq <= last)
    return [Pending(*row) for row in tx.execute(query)]


def of_people(tx: sa.Connection, virtual_ids: Iterable[int]) -> dict[str, list[dict[str, object]]]:
    """The waiting rows under these virtual IDs, by table and without them: for the copy of whoever they are."""
    wanted, after = pa.array(sorted(set(virtual_ids)), pa.int64()), 0
    found: dict[str, list[dict[str, object]]] = {}
    while page := pending(tx, after=after):
        for one in page:
            rows = one.open()
            if "virtual_id" in rows.column_names:
                mine = rows.filter(pc.is_in(rows["virtual_id"], value_set=wanted)).drop_columns(["virtual_id"])
                found.setdefault(one.table, []).extend(mine.to_pylist())
        after = page[-1].seq
    return {table: rows for table, rows in found.items() if rows}


def mark_done(tx: sa.Connection, through: int) -> int:
    """Rows through this number are in a committed snapshot of the lake: they leave the inbox."""
    return tx.execute(sa.delete(Inbox).where(Inbox.seq <= through)).rowcount


def age(tx: sa.Connection, now: datetime) -> timedelta:
    """How long the oldest batch has waited; zero when nothing waits."""
    oldest = tx.scalar(sa.select(Inbox.received_at).order_by(Inbox.seq).limit(1))
    return timedelta(0) if oldest is None else max(timedelta(0), now - oldest)


def waiting(tx: sa.Connection) -> tuple[int, int]:
    """How many batches and rows wait."""
    batches, rows = tx.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Inbox.rows), 0))).one()
    return int(batches), int(rows)


def positions_of(tx: sa.Connection, batch_id: bytes, *, after: int = 0) -> list[int]:
    """The sequence numbers of a batch that still waits, behind `after`."""
    return list(tx.execute(sa.select(Inbox.seq).where(Inbox.seq > after, Inbox.batch_id == batch_id).order_by(Inbox.seq)).scalars())


def withdraw(tx: sa.Connection, positions: Sequence[int]) -> int:
    """Takes rows back that wait for the lake; returns how many batches of rows there were. The caller keeps the lake's writer away."""
    taken = 0
    for begin in range(0, len(positions), 500):
        taken += tx.execute(sa.delete(Inbox).where(Inbox.seq.in_(positions[begin : begin + 500]))).rowcount
    return taken


def forget_seen(tx: sa.Connection, source_id: str, received: Sequence[datetime], *, digests: tuple[bytes, bytes | None]) -> int:
    """Forgets the items that batches of these very instants stored, so that they may come again; returns how many.

    `digests` is the range that one call looks through (from, up to before).
    """
    return seen.take_back(tx, source_id, received, low=digests[0], high=digests[1])


def sweep_seen(tx: sa.Connection, now: datetime) -> int:
    """Forget digests whose window ended."""
    return seen.sweep(tx, now)


# ── counts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def count(
    tx: sa.Connection, source_id: str, day: date, verdicts: Mapping[tuple[str, str], int], dropped: Mapping[str, int] | None = None
) -> None:
    """Add to the counts of a source's day: by (verdict, reason), and dropped fields by path."""
    keyed = [
        {"source_id": source_id, "day": day, "verdict": str(verdict), "reason": str(reason), "number": number}
        for (verdict, reason), number in sorted(verdicts.items())
        if number
    ]
    _add(tx, Tally, keyed)
    paths = [{"source_id": source_id, "day": day, "path": path[:200], "number": number} for path, number in sorted((dropped or {}).items())]
    _add(tx, DroppedField, paths)


def counts(
    tx: sa.Connection, *, source_id: str | None = None, first: date | None = None, last: date | None = None
) -> list[tuple[str, date, str, str, int]]:
    """Counts as (source, day, verdict, reason, number)."""
    query = sa.select(Tally.source_id, Tally.day, Tally.verdict, Tally.reason, Tally.number).order_by(
        Tally.source_id, Tally.day, Tally.verdict, Tally.reason
    )
    if source_id is not None:
        query = query.where(Tally.source_id == source_id)
    if first is not None:
        query = query.where(Tally.day >= first)
    if last is not None:
        query = query.where(Tally.day <= last)
    return [(source, day, verdict, reason, number) for source, day, verdict, reason, number in tx.execute(query)]


def dropped_fields(tx: sa.Connection, *, source_id: str, first: date | None = None) -> dict[str, int]:
    """Unknown fields of a source by path, since a day."""
    query = sa.select(DroppedField.path, sa.func.sum(DroppedField.number)).where(DroppedField.source_id == source_id)
    if first is not None:
        query = query.where(DroppedField.day >= first)
    return {path: int(number) for path, number in tx.execute(query.group_by(DroppedField.path).order_by(DroppedField.path))}


def dropped_by_day(tx: sa.Connection, source_id: str, *, first: date, last: date) -> dict[date, dict[str, int]]:
    """Unknown fields of a source by day and path."""
    query = sa.select(DroppedField.day, DroppedField.path, DroppedField.number).where(
        DroppedField.source_id == source_id, DroppedField.day >= first, DroppedField.day <= last
    )
    days: dict[date, dict[str, int]] = {}
    for day, path, number in tx.execute(query.order_by(DroppedField.day, DroppedField.path)):
        days.setdefault(day, {})[path] = int(number)
    return days


def _add(tx: sa.Connection, table: type[Tally] | type[DroppedField], rows: list[dict[str, object]]) -> None:
    if rows:
        tx.execute(_adding(table, tx.dialect.name), rows)


@cache
def _adding(table: type[Tally] | type[DroppedField], database: str) -> sa.Insert:
    """The statement that adds to a count or begins it; made once, so that the compiler knows it again."""
    statement = (postgresql if database == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.__table__.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_={"number": table.number + statement.excluded.number})
