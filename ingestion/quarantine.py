"""Items whose form failed: where, which rule, until when.

Promise: this table holds places and rules, never a value; the payload lies sealed in a box that this module only has references to.
Only failures of form come here (law_rules L-2): whatever was refused because of a person or the law was dropped before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import BigId, Instant, PlatformBase
from privacy.vocabulary import FormRule


class QuarantineItem(PlatformBase):
    __tablename__ = "quarantine_item"
    __table_args__ = (sa.Index("ix_quarantine_item_source_id_id", "source_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(sa.String(40))
    batch_id: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    position: Mapped[int] = mapped_column(sa.BigInteger)
    path: Mapped[str] = mapped_column(sa.String(400))
    rule: Mapped[str] = mapped_column(sa.String(40))
    reference: Mapped[str | None] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True, slots=True)
class Held:
    """One item as an integrator sees it. `reference` opens the sealed payload for replay and is not shown."""

    id: int
    source_id: str
    batch_id: bytes
    position: int
    path: str
    rule: str
    reference: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """What to keep of one item."""

    position: int
    path: str
    rule: FormRule | str
    reference: str | None


def put(tx: sa.Connection, source_id: str, batch_id: bytes, failures: Sequence[Failure], *, now: datetime, expires_at: datetime) -> None:
    """Keep the places and rules of a batch's failures until `expires_at`."""
    if failures:
        tx.execute(
            sa.insert(QuarantineItem),
            [
                {
                    "source_id": source_id,
                    "batch_id": batch_id,
                    "position": failure.position,
                    "path": failure.path[:400],
                    "rule": str(failure.rule),
                    "reference": failure.reference,
                    "created_at": now,
                    "expires_at": expires_at,
                }
                for failure in failures
            ],
        )


@dataclass(frozen=True, slots=True)
class Sum:
    """Items that broke one rule at one place of one source."""

    source_id: str
    path: str
    rule: str
    number: int
    first_ends: datetime


def listing(
    tx: sa.Connection,
    *,
    source_id: str | None = None,
    rule: str | None = None,
    path: str | None = None,
    after: int = 0,
    limit: int = 100,
    hidden: Collection[str] = (),
) -> tuple[list[Held], int | None]:
    """A page in order of arrival, and where the next one begins. Sources in `hidden` are left out."""
    query = sa.select(QuarantineItem.__table__).where(QuarantineItem.id > after, *_chosen(source_id, rule, path))
    if hidden:
        query = query.where(QuarantineItem.source_id.not_in(sorted(hidden)))
    rows = [Held(**row._mapping) for row in tx.execute(query.order_by(QuarantineItem.id).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def newest(tx: sa.Connection, source_id: str, *, rule: str | None = None, path: str | None = None) -> tuple[int, int]:
    """The last item's number (0 for none), and how many there are: what a replay that begins now will look at."""
    query = sa.select(sa.func.coalesce(sa.func.max(QuarantineItem.id), 0), sa.func.count()).where(
        QuarantineItem.reference.is_not(None), *_chosen(source_id, rule, path)
    )
    last, number = tx.execute(query).one()
    return int(last), int(number)


def waiting(
    tx: sa.Connection,
    source_id: str,
    *,
    rule: str | None = None,
    path: str | None = None,
    after: int,
    until: int,
    now: datetime,
    limit: int,
) -> list[Held]:
    """Items that may be replayed, behind one number and up to another."""
    query = sa.select(QuarantineItem.__table__).where(
        QuarantineItem.id > after,
        QuarantineItem.id <= until,
        QuarantineItem.expires_at > now,
        QuarantineItem.reference.is_not(None),
        *_chosen(source_id, rule, path),
    )
    return [Held(**row._mapping) for row in tx.execute(query.order_by(QuarantineItem.id).limit(limit))]


def _chosen(source_id: str | None, rule: str | None, path: str | None) -> list[sa.ColumnElement[bool]]:
    wanted = ((QuarantineItem.source_id, source_id), (QuarantineItem.rule, rule), (QuarantineItem.path, path))
    return [column == value for column, value in wanted if value is not None]


def expire(tx: sa.Connection, now: datetime, *, limit: int = 10_000) -> list[Held]:
    """Remove what is over its time; the caller destroys the sealed payloads of the references."""
    query = sa.select(QuarantineItem.__table__).where(QuarantineItem.expires_at <= now).order_by(QuarantineItem.id).limit(limit)
    rows = [Held(**row._mapping) for row in tx.execute(query)]
    remove(tx, [row.id for row in rows])
    return rows


def of_batches(tx: sa.Connection, source_id: str, batch_ids: Sequence[bytes]) -> list[Held]:
    """What is held of some batches of a source."""
    found: list[Held] = []
    for begin in range(0, len(batch_ids), 500):
        query = sa.select(QuarantineItem.__table__).where(
            QuarantineItem.source_id == source_id, QuarantineItem.batch_id.in_(batch_ids[begin : begin + 500])
        )
        found += [Held(**row._mapping) for row in tx.execute(query)]
    return found


def count(tx: sa.Connection) -> dict[tuple[str, str], int]:
    """How many items are held, by source and rule."""
    query = sa.select(QuarantineItem.source_id, QuarantineItem.rule, sa.func.count()).group_by(
        QuarantineItem.source_id, QuarantineItem.rule
    )
    return {(source_id, rule): int(number) for source_id, rule, number in tx.execute(query)}


def summary(tx: sa.Connection) -> list[Sum]:
    """How many items are held by source, path and rule, and when the first of them ends."""
    places = (QuarantineItem.source_id, QuarantineItem.path, QuarantineItem.rule)
    query = sa.select(*places, sa.func.count(), sa.func.min(QuarantineItem.expires_at, type_=Instant)).group_by(*places).order_by(*places)
    return [Sum(source_id, path, rule, int(number), ends) for source_id, path, rule, number, ends in tx.execute(query)]


def remove(tx: sa.Connection, ids: Sequence[int]) -> int:
    """Remove items by their ids; returns how many were still there."""
    return sum(
        tx.execute(sa.delete(QuarantineItem).where(QuarantineItem.id.in_(ids[begin : begin + 1000]))).rowcount
        for begin in range(0, len(ids), 1000)
    )


def forget(tx: sa.Connection, references: Sequence[str]) -> int:
    """Remove the items whose payloads these references name; returns how many."""
    return sum(
        tx.execute(sa.delete(QuarantineItem).where(QuarantineItem.reference.in_(references[begin : begin + 1000]))).rowcount
        for begin in range(0, len(references), 1000)
    )
