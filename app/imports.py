"""Imports of files: one row an import, its chunks, and what can still be taken back of it.

Promise: how far an import has come, its counts and the places of its faults are written in the transactions that store its chunks, so
that after any kill they add up and the next chunk is the right one. Places and rules, never a value; of refused rows only that they
were not processed. What stands here to undo an import is forgotten when its time for that ends.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Invalid, NotFound
from privacy.orm import BigId, Instant, PlatformBase

UNDO_WINDOW = timedelta(hours=24)
ERRORS_KEPT = timedelta(days=7)
"""As long as the quarantined rows themselves."""
UPLOAD_LIFE = timedelta(hours=48)
"""From the announcement of a file to the death of its key, whatever became of it."""
NOT_PROCESSED = "not_processed"
"""All that is said of a row that was refused (SHAPES, verdicts)."""

UPLOADING, UPLOADED, QUEUED, RUNNING = "uploading", "uploaded", "queued", "running"
DONE, FAILED, CANCELLED, EXPIRED, UNDOING, UNDONE = "done", "failed", "cancelled", "expired", "undoing", "undone"
OPEN = (UPLOADING, UPLOADED, QUEUED, RUNNING, FAILED)
"""States in which an uploaded file may still lie there."""


class FileImport(PlatformBase):
    """One import. `size` and `sha256` are those of an uploaded file; a file that a command reads has neither."""

    __tablename__ = "file_import"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    state: Mapped[str] = mapped_column(sa.String(12), index=True)
    format: Mapped[str] = mapped_column(sa.String(12))
    name: Mapped[str | None] = mapped_column(sa.String(120))
    mapping: Mapped[str | None] = mapped_column(sa.Text)
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    received_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    sealed_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    chunk_rows: Mapped[int]
    next_row: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    done: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(sa.BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    cancel: Mapped[bool] = mapped_column(default=False)
    used: Mapped[bool] = mapped_column(default=False)
    holder: Mapped[str | None] = mapped_column(sa.String(60))
    error_code: Mapped[str | None] = mapped_column(sa.String(60))
    request_key: Mapped[str | None] = mapped_column(sa.String(200), unique=True)
    created_by: Mapped[str] = mapped_column(sa.String(60))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    last_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class ImportChunk(PlatformBase):
    """One chunk that was taken in. Its instant is its source's own: no two chunks share one, so it names what the chunk stored."""

    __tablename__ = "import_chunk"
    __table_args__ = (sa.UniqueConstraint("source_id", "at"),)

    import_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    first: Mapped[int] = mapped_column("first_row", sa.BigInteger, primary_key=True, autoincrement=False)
    source_id: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime] = mapped_column(Instant)
    batch_id: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    faults: Mapped[bytes | None] = mapped_column(sa.LargeBinary)


class ImportPart(PlatformBase):
    """Which rows of the inbox are an import's: they get files of their own in the lake."""

    __tablename__ = "import_part"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    import_id: Mapped[str] = mapped_column(sa.String(40), index=True)


class ImportFile(PlatformBase):
    """A file of the lake that holds rows of one import and nothing else. Noted before the commit that names the file."""

    __tablename__ = "import_file"

    location: Mapped[str] = mapped_column(sa.String(500), primary_key=True)
    import_id: Mapped[str] = mapped_column(sa.String(40), index=True)
    table: Mapped[str] = mapped_column("lake_table", sa.String(64))
    month: Mapped[int | None] = mapped_column(sa.Integer)


@dataclass(frozen=True, slots=True)
class Facts:
    """An import as it stands."""

    id: str
    source_id: str
    state: str
    format: str
    name: str | None
    mapping: str | None
    size: int | None
    sha256: bytes | None
    received_bytes: int
    sealed_bytes: int
    chunk_rows: int
    next_row: int
    done: int
    total: int | None
    counts: dict[str, Any]
    cancel: bool
    used: bool
    holder: str | None
    error_code: str | None
    request_key: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    last_at: datetime | None
    finished_at: datetime | None

    @property
    def ended_at(self) -> datetime | None:
        """When it stopped taking rows in, as far as anybody knows."""
        return self.finished_at or self.last_at

    @property
    def content_ends_at(self) -> datetime:
        return self.created_at + UPLOAD_LIFE

    @property
    def version(self) -> str:
        """Stands for the mapping; whoever changes it names the one they saw."""
        return hashlib.sha256((self.mapping or "").encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which imports a list shows. `hidden` are sources that the reader may not see."""

    state: str | None = None
    source_id: str | None = None
    since: datetime | None = None
    hidden: Collection[str] = ()

    def narrow(self, query: Any) -> Any:
        """The query over imports, with these conditions."""
        if self.state is not None:
            query = query.where(FileImport.state == self.state)
        if self.source_id is not None:
            query = query.where(FileImport.source_id == self.source_id)
        if self.since is not None:
            query = query.where(FileImport.created_at >= self.since)
        return query.where(FileImport.source_id.not_in(sorted(self.hidden))) if self.hidden else query


EVERYTHING = Wanted()


# ── rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def create(tx: sa.Connection, source_id: str, *, state: str, chunk_rows: int, by: str, now: datetime, **values: Any) -> Facts:
    """A new import."""
    import_id = "imp_" + secrets.token_hex(12)
    row = {"id": import_id, "source_id": source_id, "state": state, "chunk_rows": chunk_rows, "created_by": by, "created_at": now}
    tx.execute(sa.insert(FileImport).values(**row, counts={}, **values))
    return get(tx, import_id)


def get(tx: sa.Connection, import_id: str, *, lock: bool = False) -> Facts:
    """One import; raises NotFound. With `lock` nobody else changes it until the transaction ends."""
    query = sa.select(FileImport.__table__).where(FileImport.id == import_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("there is no such import", code="import_unknown")
    return Facts(**row._mapping)


def by_request(tx: sa.Connection, key: str) -> Facts | None:
    """The import that a request with this key made."""
    row = tx.execute(sa.select(FileImport.__table__).where(FileImport.request_key == key)).first()
    return None if row is None else Facts(**row._mapping)


def listing(tx: sa.Connection, wanted: Wanted = EVERYTHING, *, before: tuple[datetime, str] | None, limit: int) -> list[Facts]:
    """Imports, newest first."""
    query = wanted.narrow(sa.select(FileImport.__table__)).order_by(FileImport.created_at.desc(), FileImport.id.desc()).limit(limit)
    if before is not None:
        older = sa.and_(FileImport.created_at == before[0], FileImport.id < before[1])
        query = query.where(sa.or_(FileImport.created_at < before[0], older))
    return [Facts(**row._mapping) for row in tx.execute(query)]


def number(tx: sa.Connection, wanted: Wanted) -> int:
    """How many imports there are."""
    return int(tx.execute(wanted.narrow(sa.select(sa.func.count()).select_from(FileImport))).scalar_one())


def change(tx: sa.Connection, import_id: str, states: Collection[str], **values: Any) -> bool:
    """Changes an import that is in one of these states; false, and nothing changed, if it is in another."""
    statement = sa.update(FileImport).where(FileImport.id == import_id, FileImport.state.in_(states)).values(**values)
    return tx.execute(statement).rowcount == 1


def open_uploads(tx: sa.Connection) -> int:
    """How many uploaded files may lie there."""
    query = sa.select(sa.func.count()).select_from(FileImport)
    return int(tx.execute(query.where(FileImport.size.is_not(None), FileImport.state.in_(OPEN))).scalar_one())


def undoing(tx: sa.Connection, source_id: str) -> bool:
    """Whether an import of this source is being undone: none may begin meanwhile, because its rows could still be known as duplicates."""
    query = sa.select(FileImport.id).where(FileImport.source_id == source_id, FileImport.state == UNDOING)
    return tx.execute(query.limit(1)).first() is not None


def latest_chunk(tx: sa.Connection, source_id: str) -> datetime | None:
    """The instant of the latest chunk of a source that is known."""
    return tx.execute(sa.select(ImportChunk.at).where(ImportChunk.source_id == source_id).order_by(ImportChunk.at.desc()).limit(1)).scalar()


def finish(tx: sa.Connection, import_id: str, state: str, *, now: datetime, error_code: str | None = None) -> bool:
    """Ends a run; false if it was not running."""
    return change(tx, import_id, (QUEUED, RUNNING), state=state, finished_at=now, holder=None, error_code=error_code)


# ── the places of faults ───────────────────────────────────────────────────────────────────────────────────────────────────────


def faults(tx: sa.Connection, import_id: str) -> Iterator[tuple[int, str, str]]:
    """(row, path, rule) of every row that was not stored and was no duplicate, in order."""
    query = sa.select(ImportChunk.faults).where(ImportChunk.import_id == import_id, ImportChunk.faults.is_not(None))
    for packed in tx.execute(query.order_by(ImportChunk.first)).scalars():
        yield from ((row, path, rule) for row, path, rule in json.loads(zlib.decompress(packed or b"")))


# ── what an undo needs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def owners(tx: sa.Connection, first: int, last: int) -> dict[int, str]:
    """Which import the inbox positions of a range belong to."""
    query = sa.select(ImportPart.seq, ImportPart.import_id).where(ImportPart.seq >= first, ImportPart.seq <= last)
    return {seq: import_id for seq, import_id in tx.execute(query)}  # noqa: C416 (rows are not pairs to mypy)


def note_files(tx: sa.Connection, table: str, import_id: str, locations: Sequence[str]) -> None:
    """Notes the files that are about to hold an import's rows. A file's data month stands in its path (analytics.lake)."""
    months = [re.search(r"/month=(\d{6})/", location) for location in locations]
    rows = [
        {"location": location, "import_id": import_id, "lake_table": table, "month": int(month[1]) if month else None}
        for location, month in zip(locations, months, strict=True)
    ]
    tx.execute(sa.insert(ImportFile), rows)


def files_of(tx: sa.Connection, import_id: str) -> dict[str, list[tuple[str, int | None]]]:
    """The lake's files of an import: table → (location, data month)."""
    found: dict[str, list[tuple[str, int | None]]] = {}
    query = sa.select(ImportFile.table, ImportFile.location, ImportFile.month).where(ImportFile.import_id == import_id)
    for table, location, month in tx.execute(query):
        found.setdefault(table, []).append((location, month))
    return found


def file_owners(tx: sa.Connection) -> dict[str, str]:
    """File of the lake → the import that may still be taken back."""
    return {location: whose for location, whose in tx.execute(sa.select(ImportFile.location, ImportFile.import_id))}  # noqa: C416


def move_files(tx: sa.Connection, places: Mapping[str, str]) -> None:
    """The lake's files lie elsewhere now (old location → new)."""
    for location in held_files(tx):
        if location in places:
            tx.execute(sa.update(ImportFile).where(ImportFile.location == location).values(location=places[location]))


def with_content(tx: sa.Connection) -> list[Facts]:
    """Imports whose uploaded file may still lie there."""
    rows = tx.execute(sa.select(FileImport.__table__).where(FileImport.state.in_(OPEN), FileImport.size.is_not(None)))
    return [Facts(**row._mapping) for row in rows]


def held_files(tx: sa.Connection) -> list[str]:
    """Every file of the lake whose rows may still be taken back."""
    return list(tx.execute(sa.select(ImportFile.location)).scalars())


def mark_used(tx: sa.Connection, first_month: int, last_month: int) -> int:
    """Something that stays is about to read these months: what imports brought there can no longer be undone."""
    touched = sa.select(ImportFile.import_id).where(ImportFile.month >= first_month, ImportFile.month <= last_month)
    return tx.execute(sa.update(FileImport).where(FileImport.id.in_(touched)).values(used=True)).rowcount


def chunks_of(tx: sa.Connection, import_id: str) -> list[tuple[datetime, bytes]]:
    """The instants and names of an import's chunks."""
    query = sa.select(ImportChunk.at, ImportChunk.batch_id).where(ImportChunk.import_id == import_id).order_by(ImportChunk.first)
    return [(at, bytes(batch_id)) for at, batch_id in tx.execute(query)]


def positions_of(tx: sa.Connection, import_id: str) -> list[int]:
    """The inbox positions of an import."""
    return list(tx.execute(sa.select(ImportPart.seq).where(ImportPart.import_id == import_id)).scalars())


def forget_parts(tx: sa.Connection, import_id: str) -> None:
    """An import's rows are nowhere any more, or nobody may take them back any more."""
    tx.execute(sa.delete(ImportPart).where(ImportPart.import_id == import_id))
    tx.execute(sa.delete(ImportFile).where(ImportFile.import_id == import_id))


def sweep(tx: sa.Connection, now: datetime) -> tuple[int, list[str]]:
    """Ends what is over its time: means of undoing, places of faults, uploads. Gives the number of imports and the uploads that are over."""
    ended = sa.func.coalesce(FileImport.finished_at, FileImport.last_at, FileImport.created_at)
    over = sa.select(FileImport.id).where(FileImport.state.not_in((QUEUED, RUNNING, UNDOING)), ended <= now - UNDO_WINDOW)
    lost = sa.select(FileImport.id).where(FileImport.state == RUNNING, ended <= now - ERRORS_KEPT)
    for table in (ImportPart, ImportFile):
        tx.execute(sa.delete(table).where(sa.or_(table.import_id.in_(over), table.import_id.in_(lost))))
    old = sa.select(FileImport.id).where(FileImport.state != UNDOING, ended <= now - ERRORS_KEPT)
    forgotten = tx.execute(sa.delete(ImportChunk).where(ImportChunk.import_id.in_(old))).rowcount
    tx.execute(sa.update(FileImport).where(FileImport.name.is_not(None), ended <= now - ERRORS_KEPT).values(name=None))
    gone = FileImport.created_at <= now - UPLOAD_LIFE
    late = list(tx.execute(sa.select(FileImport.id).where(FileImport.size.is_not(None), FileImport.state.in_(OPEN), gone)).scalars())
    for import_id in late:
        change(tx, import_id, (UPLOADING, UPLOADED, QUEUED), state=EXPIRED, finished_at=now)
    return forgotten, late


def checked_format(name: str) -> str:
    """One of the formats an upload may have; raises Invalid."""
    kind, _, packed = name.partition(".")
    if kind not in ("csv", "tsv", "jsonl", "parquet") or packed not in ("", "gz") or (kind == "parquet" and packed):
        raise Invalid("the format is csv, tsv, jsonl (each also with .gz) or parquet", code="file_kind_unknown", field="format")
    return name


# ── names of files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def format_of(filename: str) -> str:
    """The format that a file's name tells; raises Invalid."""
    name = filename.lower()
    packed = ".gz" if name.endswith(".gz") else ""
    _, dot, ending = name.removesuffix(".gz").rpartition(".")
    return checked_format({"ndjson": "jsonl"}.get(ending, ending) + packed if dot else "")


_IN_NAMES = re.compile(r"[^\s@]+@[^\s@]+|\d(?:[ .()+-]?\d){6,}")
_DAY = re.compile(r"(?:19|20)\d\d[ ._-]?(?:0[1-9]|1[0-2])(?:[ ._-]?(?:0[1-9]|[12]\d|3[01])(?:(?:[ ._-]?\d{2}){2,3})?)?\Z")


def spoken_name(filename: str) -> str | None:
    """What somebody called a file, without its folders and without what looks like a number or an address of a person; days stay."""
    bare = re.split(r"[/\\]", filename)[-1]
    plain = "".join(sign for sign in bare if sign.isprintable()).strip()
    masked = _IN_NAMES.sub(lambda found: found[0] if _DAY.match(found[0]) else "…", plain)
    return (masked if len(masked) <= 100 else masked[:60] + "…" + masked[-39:]) or None
