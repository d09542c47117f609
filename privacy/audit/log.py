"""The tamper-evident log: entries, their erasable payloads, the tree's nodes and its one head row.

Promise: an entry is appended inside the caller's own transaction, under the lock of the head row, or the caller's act does not happen.
Entries and nodes only grow; payloads can be erased and every proof stays valid. It never learns a value: facts pass the allow-list of
`privacy.audit.payload`. Positions begin at 0 and are the leaf's index; position and order are those of the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from privacy.audit import merkle
from privacy.audit.payload import KINDS, SALT_BYTES, commitment, leaf_bytes, payload_bytes
from privacy.errors import Invalid, Unavailable
from privacy.orm import BigId, Instant, PlatformBase
from privacy.records import Clock, RandomBytes
from privacy.vocabulary import LogKind

ERASE_ACTION = "log.erase"
"""Names the entries whose facts list erased positions: an erasure that no entry names is found by the verifier."""
ERASE_LIMIT = 500
"""Positions one erasing entry lists; the verifier reads them from its payload."""


class LogHead(PlatformBase):
    """Size and frontier of the tree. One row; its lock gives positions."""

    __tablename__ = "log_head"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(sa.BigInteger)
    frontier: Mapped[bytes] = mapped_column(sa.LargeBinary)


class LogEntry(PlatformBase):
    """What a witness may see of one act or batch. Append-only."""

    __tablename__ = "log_entry"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    commitment: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    leaf_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class LogPayload(PlatformBase):
    """Salt and payload behind a commitment, with copies of what is searched for. Erasing blanks all but `remains` and the act's frame."""

    __tablename__ = "log_payload"
    __table_args__ = (
        sa.Index("ix_log_payload_actor_seq", "actor", "seq"),
        sa.Index(
            "ix_log_payload_subject_seq",
            "subject",
            "seq",
            postgresql_where=sa.text("subject IS NOT NULL"),
            sqlite_where=sa.text("subject IS NOT NULL"),
        ),
        sa.Index(
            "ix_log_payload_purpose_seq",
            "purpose",
            "seq",
            postgresql_where=sa.text("purpose IS NOT NULL"),
            sqlite_where=sa.text("purpose IS NOT NULL"),
        ),
    )

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    salt: Mapped[bytes | None] = mapped_column(sa.LargeBinary(32))
    payload: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    actor: Mapped[str] = mapped_column(sa.String(80))
    action: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str | None] = mapped_column(sa.String(64))
    purpose: Mapped[str | None] = mapped_column(sa.String(64))
    result: Mapped[str | None] = mapped_column(sa.String(64))
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class LogNode(PlatformBase):
    """Complete subtrees above the leaves, so that a proof is a few reads. Append-only."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


_READ_HEAD = sa.select(LogHead.size, LogHead.frontier).where(LogHead.id == 1)
_LOCK_HEAD = _READ_HEAD.with_for_update()
_MOVE_HEAD = (
    sa.update(LogHead)
    .where(LogHead.id == 1, LogHead.size == sa.bindparam("old_size"))
    .values(size=sa.bindparam("new_size"), frontier=sa.bindparam("new_frontier"))
)
_ADD_ENTRY = sa.insert(LogEntry)
_ADD_PAYLOAD = sa.insert(LogPayload)
_ADD_NODE = sa.insert(LogNode)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act to be logged, for `append_many`."""

    kind: str
    action: str
    actor: str
    result: str = "ok"
    facts: Mapping[str, Any] | None = None


class Head(NamedTuple):
    """Size and root of the tree as stored."""

    size: int
    root: bytes


class AuditLog:
    """The one writer of the log. It is itself the `Log` of privacy.records: calling it appends."""

    def __init__(self, clock: Clock, random: RandomBytes) -> None:
        self._clock = clock
        self._random = random

    def __call__(
        self, tx: sa.Connection, kind: str, action: str, *, actor: str, result: str = "ok", facts: Mapping[str, Any] | None = None
    ) -> int:
        return self.append(tx, kind, action, actor=actor, result=result, facts=facts)

    def append(
        self, tx: sa.Connection, kind: str, action: str, *, actor: str, result: str = "ok", facts: Mapping[str, Any] | None = None
    ) -> int:
        """Append one entry in the caller's transaction and return its position. Positions are locked until the caller commits."""
        return self.append_many(tx, (Entry(kind, action, actor, result, facts),))[0]

    def append_many(self, tx: sa.Connection, entries: Sequence[Entry]) -> range:
        """Append entries in order; everything is checked and computed before the head is locked, so that the lock is short."""
        if not entries:
            return range(0)
        prepared = [self._prepare(entry) for entry in entries]
        size, frontier = _locked_head(tx)
        now = self._clock()
        rows: list[dict[str, Any]] = []
        for seq, (entry, payload) in enumerate(zip(entries, prepared, strict=True), start=size):
            payload["seq"] = seq
            committed = commitment(payload["salt"], payload["payload"])
            leaf = merkle.leaf_hash(leaf_bytes(seq, now, entry.kind, committed))
            rows.append({"seq": seq, "at": now, "kind": str(entry.kind), "commitment": committed, "leaf_hash": leaf})
        growth = merkle.grow(frontier, size, [row["leaf_hash"] for row in rows])
        moved = tx.execute(_MOVE_HEAD, {"old_size": size, "new_size": growth.size, "new_frontier": b"".join(growth.frontier)})
        if moved.rowcount != 1:
            raise Unavailable("the log's head moved under its lock", code="log_unavailable", retry_after=1)
        tx.execute(_ADD_ENTRY, rows)
        tx.execute(_ADD_PAYLOAD, prepared)
        if growth.nodes:
            tx.execute(_ADD_NODE, [{"level": node.level, "position": node.position, "hash": node.hash} for node in growth.nodes])
        return range(size, growth.size)

    def erase(self, tx: sa.Connection, seqs: Iterable[int], *, actor: str) -> int:
        """Erase salts and payloads, keeping who acted, when and what kind; one entry names the positions. Returns how many were erased.

        Entries that record an erasure are not erasable: without them an unlawful erasure could not be told from a lawful one.
        """
        wanted = sorted(set(seqs))
        erased = 0
        for start in range(0, len(wanted), ERASE_LIMIT):
            chunk = wanted[start : start + ERASE_LIMIT]
            erasable = sa.and_(LogPayload.seq.in_(chunk), LogPayload.erased_at.is_(None), LogPayload.action != ERASE_ACTION)
            found = list(tx.scalars(sa.select(LogPayload.seq).where(erasable).order_by(LogPayload.seq)))
            if not found:
                continue
            self.append(tx, LogKind.ERASURE, ERASE_ACTION, actor=actor, facts={"entries": len(found), "erased": found})
            blank = {"salt": None, "payload": None, "subject": None, "purpose": None, "result": None, "erased_at": self._clock()}
            tx.execute(sa.update(LogPayload).where(LogPayload.seq.in_(found)).values(blank))
            erased += len(found)
        return erased

    def _prepare(self, entry: Entry) -> dict[str, Any]:
        if entry.kind not in KINDS:
            raise Invalid("the log knows no such kind", code="log_kind", field="kind")
        facts = entry.facts or {}
        payload = payload_bytes(entry.action, entry.actor, entry.result, facts)
        subject, purpose = facts.get("subject"), facts.get("purpose")
        return {
            "seq": -1,
            "salt": self._random(SALT_BYTES),
            "payload": payload,
            "actor": str(entry.actor),
            "action": str(entry.action),
            "subject": subject.hex() if isinstance(subject, bytes) else subject,
            "purpose": None if purpose is None else str(purpose),
            "result": str(entry.result),
            "erased_at": None,
        }


def head(tx: sa.Connection) -> Head:
    """Size and root as stored, without a lock."""
    row = tx.execute(_READ_HEAD).one_or_none()
    return Head(0, merkle.EMPTY_ROOT) if row is None else Head(row.size, merkle.frontier_root(split_frontier(row.frontier)))


def oldest(tx: sa.Connection) -> datetime | None:
    """When the first entry was written."""
    return tx.scalar(sa.select(LogEntry.at).where(LogEntry.seq == 0))


def ready(tx: sa.Connection) -> bool:
    """Takes the head's lock as every act does, and adds nothing: whether an entry could be written now."""
    return _locked_head(tx)[0] >= 0


def split_frontier(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + merkle.HASH_BYTES] for start in range(0, len(joined), merkle.HASH_BYTES))


def _locked_head(tx: sa.Connection) -> tuple[int, tuple[bytes, ...]]:
    """The head under its lock: FOR UPDATE on PostgreSQL; on SQLite the caller's transaction is already the only writer."""
    row = tx.execute(_LOCK_HEAD).one_or_none()
    if row is None:
        insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
        tx.execute(insert(LogHead).values(id=1, size=0, frontier=b"").on_conflict_do_nothing())
        row = tx.execute(_LOCK_HEAD).one()
    return row.size, split_frontier(row.frontier)
