"""The inbox: de-identified rows on their way to the lake, each item once.

Promise: an item is known by its digest for at least thirty days, in the very transaction that stores its rows; a sequence number is
never given twice, and numbers are visible in their order, so that "everything through n" means everything. Counts by source and day
keep the balance received = stored + duplicate + quarantined + refused. Holds no identifier, no message id, no value that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import BigId, Instant, PlatformBase, to_micros
from privacy.records import DeidentifiedBatch

DEDUPE_WINDOW = timedelta(days=30)
"""Clients retry for hours and integrators replay for weeks; the design asks for at least thirty days."""

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


class Seen(PlatformBase):
    """Digests of items that were stored; the key of the digests is destroyed with the window.

    No index on the expiry: digests are random, so every further index would double the pages that a batch touches, while the sweep
    reads the table once a day.
    """

    __tablename__ = "seen"
    __table_args__ = {"sqlite_with_rowid": False}

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)


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
    tx: sa.Connection, batch: DeidentifiedBatch, *, now: datetime, older: Iterable[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]] = ()
) -> set[int]:
    """Store a batch's rows, but not those of items that were seen before; gives the positions of the seen ones.

    `older` has digests of the same positions under keys of earlier epochs: they are only looked up, so that the window holds across
    a change of key.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_ORDER_LOCK)))
    repeated = _repeated(tx, batch, older, now)
    for part in batch.parts:
        rows = part.rows
        if repeated and rows.num_rows:
            fresh = [position not in repeated for position in part.positions.to_pylist()]
            rows = rows.filter(pa.array(fresh, pa.bool_()))
        if rows.num_rows:
            tx.execute(
                sa.insert(Inbox).values(
                    batch_id=batch.batch_id,
                    source_id=batch.source_id,
                    table=part.table,
                    rows=rows.num_rows,
                    received_at=batch.received_at,
                    payload=_pack(rows),
                )
            )
    return repeated


def _repeated(
    tx: sa.Connection, batch: DeidentifiedBatch, older: Iterable[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]], now: datetime
) -> set[int]:
    """Positions whose digest is known, from an earlier batch or from an earlier position of this one."""
    digests = [digest for part in batch.parts if part.digests is not None for digest in part.digests.to_pylist()]
    positions = [position for part in batch.parts if part.digests is not None for position in part.positions.to_pylist()]
    first: dict[bytes, int] = dict(zip(reversed(digests), reversed(positions), strict=True))
    repeated: set[int] = set()
    if len(first) != len(digests):
        first = {}
        for digest, position in sorted(zip(digests, positions, strict=True), key=itemgetter(1)):
            if first.setdefault(digest, position) != position:
                repeated.add(position)
    for places, earlier in older:
        known = _known(tx, batch.source_id, earlier.to_pylist())
        if known:
            pairs = zip(earlier.to_pylist(), places.to_pylist(), strict=True)
            repeated.update(position for digest, position in pairs if digest in known)
    asked = [digest for digest, position in first.items() if position not in repeated] if repeated else list(first)
    if asked:
        new = _add_seen(tx, batch.source_id, asked, now)
        if len(new) != len(asked):
            repeated.update(first[digest] for digest in set(asked) - new)
    return repeated


def _add_seen(tx: sa.Connection, source_id: str, digests: Sequence[bytes], now: datetime) -> set[bytes]:
    """Remember digests; gives those that were not known. The order of the digests is the table's own, so that a page is met once."""
    ordered = sorted(digests)
    expires = to_micros(now + DEDUPE_WINDOW)
    if tx.dialect.name == "postgresql":
        found = tx.execute(_ADD_ON_POSTGRESQL, {"source": source_id, "digests": ordered, "expires": expires})
        return {bytes(digest) for (digest,) in found}
    new: set[bytes] = set()
    for length, group in _by_length(ordered).items():
        with tx.begin_nested() as attempt:
            if _add_on_sqlite(tx, source_id, group, length, expires) == len(group):
                new.update(group)
                continue
            attempt.rollback()
        known = _known(tx, source_id, group)
        fresh = [digest for digest in group if digest not in known]
        _add_on_sqlite(tx, source_id, fresh, length, expires)
        new.update(fresh)
    return new


_PIECES = (
    "WITH RECURSIVE piece(place) AS (SELECT 1 WHERE length(:all) > 0 UNION ALL"
    " SELECT place + :length FROM piece WHERE place + :length <= length(:all))"
)
_ADD_ON_SQLITE = sa.text(
    f"{_PIECES} INSERT OR IGNORE INTO seen (source_id, digest, expires_at) SELECT :source, substr(:all, place, :length), :expires FROM piece"
)
_KNOWN_ON_SQLITE = sa.text(
    f"{_PIECES} SELECT seen.digest FROM piece CROSS JOIN seen ON seen.source_id = :source AND seen.digest = substr(:all, place, :length)"
)
_ADD_ON_POSTGRESQL = sa.text(
    "INSERT INTO seen (source_id, digest, expires_at)"
    " SELECT :source, piece, :expires FROM unnest(CAST(:digests AS bytea[])) AS piece ON CONFLICT DO NOTHING RETURNING digest"
)
_KNOWN_ON_POSTGRESQL = sa.text("SELECT digest FROM seen WHERE source_id = :source AND digest = ANY(CAST(:digests AS bytea[]))")


def _add_on_sqlite(tx: sa.Connection, source_id: str, digests: Sequence[bytes], length: int, expires: int) -> int:
    """On SQLite digests travel as one value and are cut apart there: a parameter for each would cost three times as much."""
    return tx.execute(_ADD_ON_SQLITE, {"source": source_id, "all": b"".join(digests), "length": length, "expires": expires}).rowcount


def _known(tx: sa.Connection, source_id: str, digests: Sequence[bytes]) -> set[bytes]:
    """Which digests are remembered."""
    ordered = sorted(digests)
    if tx.dialect.name == "postgresql":
        return {bytes(digest) for (digest,) in tx.execute(_KNOWN_ON_POSTGRESQL, {"source": source_id, "digests": ordered})}
    known: set[bytes] = set()
    for length, group in _by_length(ordered).items():
        found = tx.execute(_KNOWN_ON_SQLITE, {"source": source_id, "all": b"".join(group), "length": length})
        known.update(digest for (digest,) in found)
    return known


def _by_length(digests: Sequence[bytes]) -> dict[int, Sequence[bytes]]:
    lengths = set(map(len, digests))
    if len(lengths) <= 1:
        return dict.fromkeys(lengths, digests)
    return {length: [digest for digest in digests if len(digest) == length] for length in lengths}


def _pack(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = _LAKE_WRITE if rows.num_rows >= WORTH_COMPRESSING else None
    with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
        writer.write_table(rows.combine_chunks())
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


# ── out ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pending(tx: sa.Connection, *, after: int = 0, limit: int = 500) -> list[Pending]:
    """What waits behind sequence number `after`, in order."""
    query = sa.select(Inbox.__table__).where(Inbox.seq > after).order_by(Inbox.seq).limit(limit)
    return [Pending(*row) for row in tx.execute(query)]


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


def sweep_seen(tx: sa.Connection, now: datetime) -> int:
    """Forget digests whose window ended."""
    return tx.execute(sa.delete(Seen).where(Seen.expires_at <= now)).rowcount


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


def _add(tx: sa.Connection, table: type[Tally] | type[DroppedField], rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(rows)
    keys = [column.name for column in table.__table__.primary_key]
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_={"number": table.number + statement.excluded.number}))
