"""How far a source was read by ourselves: positions that move in the transaction that stores the rows, and files that were taken.

Promise: a position moves from where its reader found it or not at all, so that two readers of one source can never both be believed; what
was stored and where reading goes on are one transaction. A position that may carry somebody's number stands only sealed; a file is known
by keyed digests of its name and its content. Must never learn: an address, a password, a file's name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, Invalid
from privacy.orm import Instant, PlatformBase

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.records import RawBatch

PLACE_COLUMN = "\x01place"
"""In a row of a pulled source: what it is known by where its mapping names no id. A held row keeps it, so that a replay is known, too."""

LONGEST_WORD = 4096


class PullCursor(PlatformBase):
    """Where reading goes on: a partition's next offset, a file's next row, or how often a table's sealed place moved."""

    __tablename__ = "pull_cursor"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    part: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    moved_at: Mapped[datetime] = mapped_column(Instant)


class PullFile(PlatformBase):
    """A file of a watched folder: what became of it. Name and content stand as keyed digests."""

    __tablename__ = "pull_file"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    content: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    stamp: Mapped[str] = mapped_column(sa.String(120))
    state: Mapped[str] = mapped_column(sa.String(12))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a source was left."""

    number: int
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a file."""

    name: bytes
    content: bytes | None
    stamp: str
    state: str
    code: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one look at a source gave: a batch or none, what to write with it, and what to do once that is committed."""

    settle: Callable[[sa.Connection], None]
    raw: RawBatch | None = None
    mapping: FileMapping | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    after: Callable[[], None] | None = None


class Pause(Enum):
    """A look that gave nothing."""

    WAITING = "waiting"
    CAUGHT_UP = "caught_up"


Steps = Generator["Step | Pause", None, None]
"""What a reader gives; closing it closes its connections."""


class Notes(Protocol):
    """Seals and marks under the deployment's keys what stands outside the vault; `owner` is the source."""

    def seal(self, owner: str, value: bytes) -> bytes: ...

    def open(self, owner: str, sealed: bytes) -> bytes: ...

    def mark(self, owner: str, value: bytes) -> bytes: ...


def known_by_place(mapping: FileMapping) -> FileMapping:
    """The mapping for a pulled source: rows without an id of their own are known by their place."""
    return mapping if mapping.id else replace(mapping, id=(PLACE_COLUMN,))


def checked(config: Mapping[str, object], known: Mapping[str, type], needed: Sequence[str]) -> dict[str, Any]:
    """The words of a definition by a reader's own list; raises Invalid naming the word that is unknown, missing or of the wrong type."""
    for word, value in config.items():
        if word not in known:
            raise Invalid("this does not go with the kind of the source", code="pull_invalid", field=word)
        fits = type(value) is known[word] and (not isinstance(value, str) or (0 < len(value) <= LONGEST_WORD and value.isprintable()))
        if not fits or (isinstance(value, int) and value < 0):
            raise Invalid("this is of the wrong type, empty or too long", code="pull_invalid", field=word)
    for word in needed:
        if word not in config:
            raise Invalid("this kind of pull cannot do without", code="pull_invalid", field=word)
    return dict(config)


# ── positions ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def positions(tx: sa.Connection, source_id: str) -> dict[str, Place]:
    """Every part of a source that was ever read."""
    query = sa.select(PullCursor.part, PullCursor.number, PullCursor.sealed).where(PullCursor.source_id == source_id)
    return {part: Place(number, sealed) for part, number, sealed in tx.execute(query)}


def move(
    tx: sa.Connection, source_id: str, part: str, number: int, *, expected: int | None, now: datetime, sealed: bytes | None = None
) -> None:
    """Moves a position from `expected` (None: there was none); raises Conflict where somebody else moved it meanwhile."""
    values = {"number": number, "sealed": sealed, "moved_at": now}
    if expected is None:
        insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(PullCursor)
        added = insert.values(source_id=source_id, part=part, **values).on_conflict_do_nothing().returning(PullCursor.number)
        moved = tx.execute(added).first() is not None
    else:
        held = sa.and_(PullCursor.source_id == source_id, PullCursor.part == part, PullCursor.number == expected)
        moved = tx.execute(sa.update(PullCursor).where(held).values(**values)).rowcount == 1
    if not moved:
        raise Conflict("another process read this source meanwhile", code="pull_overtaken")


def forget(tx: sa.Connection, source_id: str, parts: Sequence[str] | None = None) -> None:
    """Forgets positions: of some parts, or all of a source with what is remembered of its files."""
    query = sa.delete(PullCursor).where(PullCursor.source_id == source_id)
    tx.execute(query if parts is None else query.where(PullCursor.part.in_(parts)))
    if parts is None:
        tx.execute(sa.delete(PullFile).where(PullFile.source_id == source_id))


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def files(tx: sa.Connection, source_id: str) -> list[Known]:
    """What is remembered of a source's files, the latest first."""
    columns = (PullFile.name, PullFile.content, PullFile.stamp, PullFile.state, PullFile.code, PullFile.at)
    query = sa.select(*columns).where(PullFile.source_id == source_id).order_by(PullFile.at.desc(), PullFile.name)
    return [Known(*row) for row in tx.execute(query)]


def note_file(tx: sa.Connection, source_id: str, known: Known) -> None:
    """Remembers what became of a file, in place of what was remembered before."""
    values = {"content": known.content, "stamp": known.stamp, "state": known.state, "code": known.code, "at": known.at}
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(PullFile)
    statement = insert.values(source_id=source_id, name=known.name, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["source_id", "name"], set_=values))
