"""Items whose form failed: where, which rule, until when.

Promise: this table holds places and rules, never a value; the payload lies sealed in a box that this module only has references to.
Only failures of form come here (law_rules L-2): whatever was refused because of a person or the law was dropped before.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def listing(
    tx: sa.Connection, *, source_id: str | None = None, rule: str | None = None, after: int = 0, limit: int = 100
) -> tuple[list[Held], int | None]:
    """A page in order of arrival, and where the next one begins."""
    query = sa.select(QuarantineItem.__table__).where(QuarantineItem.id > after).order_by(QuarantineItem.id).limit(limit + 1)
    if source_id is not None:
        query = query.where(QuarantineItem.source_id == source_id)
    if rule is not None:
        query = query.where(QuarantineItem.rule == rule)
    rows = [Held(**row._mapping) for row in tx.execute(query)]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def take(tx: sa.Connection, source_id: str, *, rule: str | None = None, now: datetime, limit: int = 1000) -> list[Held]:
    """Remove and give items for replay, oldest first. They go in the caller's transaction: what fails again is put back anew."""
    query = sa.select(QuarantineItem.__table__).where(
        QuarantineItem.source_id == source_id, QuarantineItem.expires_at > now, QuarantineItem.reference.is_not(None)
    )
    if rule is not None:
        query = query.where(QuarantineItem.rule == rule)
    rows = [Held(**row._mapping) for row in tx.execute(query.order_by(QuarantineItem.id).limit(limit))]
    remove(tx, [row.id for row in rows])
    return rows


def expire(tx: sa.Connection, now: datetime, *, limit: int = 10_000) -> list[Held]:
    """Remove what is over its time; the caller destroys the sealed payloads of the references."""
    query = sa.select(QuarantineItem.__table__).where(QuarantineItem.expires_at <= now).order_by(QuarantineItem.id).limit(limit)
    rows = [Held(**row._mapping) for row in tx.execute(query)]
    remove(tx, [row.id for row in rows])
    return rows


def count(tx: sa.Connection) -> dict[tuple[str, str], int]:
    """How many items are held, by source and rule."""
    query = sa.select(QuarantineItem.source_id, QuarantineItem.rule, sa.func.count()).group_by(
        QuarantineItem.source_id, QuarantineItem.rule
    )
    return {(source_id, rule): int(number) for source_id, rule, number in tx.execute(query)}


def remove(tx: sa.Connection, ids: Sequence[int]) -> None:
    """Remove items by their ids."""
    for begin in range(0, len(ids), 1000):
        tx.execute(sa.delete(QuarantineItem).where(QuarantineItem.id.in_(ids[begin : begin + 1000])))
