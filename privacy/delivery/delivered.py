"""The exports that were handed over: how each travels, what everybody in it allowed, who was left out of it before anybody took it.

Promise: a row stands in the transaction that releases its export. `lane` is the same for exports that end in the same list of a recipient.
Whoever is absent stands here only until the vault has forgotten their row. Must never learn an identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import NotFound
from privacy.orm import Instant, PlatformBase

DOWNLOAD, FOLDER, PUSH = "download", "folder", "push"
WAYS: Final = (DOWNLOAD, FOLDER, PUSH)
"""The gate's sealed file is fetched by the recipient's own people, or laid into a folder; or parts are pushed to an interface."""
_CHUNK: Final = 500


class DeliveredExportRow(PlatformBase):
    """An export that was handed to delivery: its recipient, way and form, and what everybody in it allowed."""

    __tablename__ = "delivered_export"
    __table_args__ = (sa.CheckConstraint("way IN ('download', 'folder', 'push')", name="way"),)

    export: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(sa.String(40), index=True)
    way: Mapped[str] = mapped_column(sa.String(8))
    lane: Mapped[str] = mapped_column(sa.String(32))
    family: Mapped[str] = mapped_column(sa.String(40))
    columns: Mapped[list[str]] = mapped_column(sa.JSON)
    purposes: Mapped[list[str]] = mapped_column(sa.JSON)
    target: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    people: Mapped[int] = mapped_column(sa.BigInteger)
    queued_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class AbsentRow(PlatformBase):
    """Somebody whom the gate left out of a list that nobody had taken; `person` is the consent handle."""

    __tablename__ = "export_absent"

    export: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16), primary_key=True)


_EXPORT: Any = DeliveredExportRow.__table__
_ABSENT: Any = AbsentRow.__table__


@dataclass(frozen=True, slots=True)
class Route:
    """How a recipient gets what it is given; `target` names the list in its own interface."""

    way: str = DOWNLOAD
    target: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """An export as delivery knows it."""

    export: str
    recipient: str
    way: str
    lane: str
    family: str
    columns: Sequence[str]
    purposes: Sequence[str]
    target: Mapping[str, Any]
    people: int
    queued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        """Whether it is neither called back nor over."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


def note(tx: sa.Connection, one: Export) -> None:
    """Writes an export down."""
    row = {name: getattr(one, name) for name in Export.__dataclass_fields__}
    tx.execute(sa.insert(_EXPORT), [row | {name: list(row[name]) for name in ("columns", "purposes")} | {"target": dict(one.target)}])


def every(tx: sa.Connection, recipient: str | None = None) -> dict[str, Export]:
    """Every export that was handed over, or those of one recipient, the oldest first."""
    asked = sa.select(_EXPORT) if recipient is None else sa.select(_EXPORT).where(_EXPORT.c.recipient == recipient)
    return {row.export: Export(**row._mapping) for row in tx.execute(asked.order_by(_EXPORT.c.queued_at, _EXPORT.c.export))}


def one(tx: sa.Connection, name: str) -> Export:
    """One export; raises NotFound."""
    row = tx.execute(sa.select(_EXPORT).where(_EXPORT.c.export == name)).first()
    if row is None:
        raise NotFound("there is no such export", code="export_unknown", field="export")
    return Export(**row._mapping)


def mark_revoked(tx: sa.Connection, name: str, now: datetime) -> bool:
    """Writes down that an export was taken back; false if it was already."""
    told = sa.update(_EXPORT).where(_EXPORT.c.export == name, _EXPORT.c.revoked_at.is_(None))
    return bool(tx.execute(told.values(revoked_at=now)).rowcount)


# ── who was left out ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def leave_out(tx: sa.Connection, export: str, people: Collection[bytes]) -> None:
    """Notes whom nobody got; again is no error."""
    known = {person for _, person in absent(tx, [export])}
    rows = [{"export": export, "person": one} for one in sorted(set(people) - known)]
    if rows:
        tx.execute(sa.insert(_ABSENT), rows)


def absent(tx: sa.Connection, exports: Collection[str] | None = None) -> set[tuple[str, bytes]]:
    """(export, person) of whoever was left out and stands in the vault still, of some exports or of all."""
    asked = sa.select(_ABSENT.c.export, _ABSENT.c.person)
    if exports is not None:
        asked = asked.where(_ABSENT.c.export.in_(sorted(exports)))
    return {(export, bytes(person)) for export, person in tx.execute(asked)}


def settled(tx: sa.Connection, export: str, people: Collection[bytes]) -> None:
    """The vault has forgotten these."""
    ordered = sorted(people)
    for start in range(0, len(ordered), _CHUNK):
        tx.execute(sa.delete(_ABSENT).where(_ABSENT.c.export == export, _ABSENT.c.person.in_(ordered[start : start + _CHUNK])))
