"""Requests for an export: who asked for whom, for which purpose and recipient, who decided, and where it stands.

Promise: a state changes in one conditional statement, so of two who decide at once one is told so; nobody approves what they asked for; an
approval ends by itself. What was asked is never changed: another wish is another request. It must never learn a person: it holds names of
segments and fields, and counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Conflict, NotFound, Refused
from privacy.orm import Instant, PlatformBase
from privacy.records import RandomBytes

PREFIX: Final = "exp_"
APPROVAL_LASTS: Final = timedelta(hours=72)
"""An approval that nobody uses ends: people and agreements change."""
REQUEST_LASTS: Final = timedelta(days=14)


class State(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RELEASED = "released"
    REVOKED = "revoked"


NEXT: Final[Mapping[State, frozenset[State]]] = {
    State.REQUESTED: frozenset({State.APPROVED, State.REJECTED, State.CANCELLED, State.EXPIRED}),
    State.APPROVED: frozenset({State.RELEASED, State.REJECTED, State.CANCELLED, State.EXPIRED}),
    State.RELEASED: frozenset({State.REVOKED, State.EXPIRED}),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REVOKED: frozenset(),
}


class ExportRow(PlatformBase):
    """`definition` is the audience's digest when it was asked for; `until` is when the state that stands ends by itself."""

    __tablename__ = "export"
    __table_args__ = (sa.Index(None, "recipient", "state"), sa.Index(None, "state", "until"))

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    segment: Mapped[str] = mapped_column(sa.String(80))
    version: Mapped[int] = mapped_column(sa.Integer)
    definition: Mapped[str] = mapped_column(sa.String(64))
    purpose: Mapped[str] = mapped_column(sa.String(64))
    use: Mapped[str] = mapped_column(sa.String(40))
    ground: Mapped[str] = mapped_column(sa.String(40))
    channel: Mapped[str] = mapped_column(sa.String(20))
    recipient: Mapped[str] = mapped_column(sa.String(40))
    form: Mapped[str] = mapped_column(sa.String(32))
    fields: Mapped[list[str]] = mapped_column(sa.JSON)
    justification: Mapped[str] = mapped_column(sa.String(2_000))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(sa.String(12))
    until: Mapped[datetime] = mapped_column(Instant)
    asked_by: Mapped[str] = mapped_column(sa.String(80))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(sa.String(80))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(sa.String(400))
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    entry: Mapped[int] = mapped_column(sa.BigInteger)


_EXPORT: Any = ExportRow.__table__


@dataclass(frozen=True, slots=True)
class Export:
    """A request as it stands."""

    id: str
    segment: str
    version: int
    definition: str
    purpose: str
    use: str
    ground: str
    channel: str
    recipient: str
    form: str
    fields: tuple[str, ...]
    justification: str
    expires_at: datetime
    state: State
    until: datetime
    asked_by: str
    asked_at: datetime
    entry: int
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    released_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        """As it is shown to whoever may see requests."""
        told: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            told[name] = value.isoformat() if isinstance(value, datetime) else list(value) if isinstance(value, tuple) else value
        told["state"] = self.state.value
        return told


def new_id(random: RandomBytes) -> str:
    """An id that nobody had."""
    return PREFIX + random(12).hex()


def add(tx: sa.Connection, export: Export) -> None:
    """Writes a request down."""
    row = {name: getattr(export, name) for name in Export.__slots__}
    tx.execute(sa.insert(_EXPORT), [row | {"fields": list(export.fields), "state": export.state.value}])


def one(tx: sa.Connection, id_: str) -> Export:
    """A request; raises NotFound."""
    row = tx.execute(sa.select(_EXPORT).where(_EXPORT.c.id == id_)).first()
    if row is None:
        raise NotFound("there is no such export", code="export_unknown")
    return _export(row)


def listing(
    tx: sa.Connection, *, states: Collection[str] = (), recipient: str | None = None, asked_by: str | None = None, before: str | None = None,
    limit: int = 100,
) -> list[Export]:  # fmt: skip
    """Requests, the newest first; `before` is the id of the last one seen."""
    asked = sa.select(_EXPORT).order_by(_EXPORT.c.asked_at.desc(), _EXPORT.c.id.desc()).limit(limit)
    if states:
        asked = asked.where(_EXPORT.c.state.in_(sorted(states)))
    if recipient is not None:
        asked = asked.where(_EXPORT.c.recipient == recipient)
    if asked_by is not None:
        asked = asked.where(_EXPORT.c.asked_by == asked_by)
    if before is not None:
        last = one(tx, before)
        if asked_by is not None and last.asked_by != asked_by:
            raise NotFound("there is no such export", code="export_unknown")
        same = sa.and_(_EXPORT.c.asked_at == last.asked_at, _EXPORT.c.id < last.id)
        asked = asked.where(sa.or_(_EXPORT.c.asked_at < last.asked_at, same))
    return [_export(row) for row in tx.execute(asked)]


def move(tx: sa.Connection, before: Export, to: State, *, now: datetime, **changes: Any) -> Export:
    """Takes a request from the state in which it was seen to another one; raises Conflict if it may not, or if somebody was faster."""
    if to not in NEXT[before.state]:
        raise Conflict("an export cannot go from its state to that one", code="export_state", field="state")
    done = tx.execute(
        sa.update(_EXPORT).where(_EXPORT.c.id == before.id, _EXPORT.c.state == before.state.value).values(state=to.value, **changes)
    )
    if done.rowcount != 1:
        raise Conflict("somebody decided about it meanwhile", code="export_state", field="state")
    return one(tx, before.id)


def check_live(export: Export, now: datetime) -> None:
    """Raises Conflict where the time of a request or of an approval is over."""
    if export.state in (State.REQUESTED, State.APPROVED) and now >= min(export.until, export.expires_at):
        raise Conflict("its time is over: ask again", code="export_approval_over", field="state")


def check_second(export: Export, actor: str) -> None:
    """Raises Refused where somebody decides about their own request."""
    if actor == export.asked_by:
        raise Refused("nobody approves what they asked for", code="own_request", field="approver")


def over(tx: sa.Connection, now: datetime) -> list[Export]:
    """Requests, approvals and files whose time is over and that do not say so yet."""
    living = [State.REQUESTED.value, State.APPROVED.value, State.RELEASED.value]
    due = sa.or_(_EXPORT.c.until <= now, _EXPORT.c.expires_at <= now)
    return [_export(row) for row in tx.execute(sa.select(_EXPORT).where(_EXPORT.c.state.in_(living), due).order_by(_EXPORT.c.id))]


def released(tx: sa.Connection, *, since: datetime, apart_from: str = "") -> Sequence[Export]:
    """What recipients were given since an instant, whatever became of it, the newest first."""
    asked = sa.select(_EXPORT).where(_EXPORT.c.released_at >= since, _EXPORT.c.id != apart_from)
    return [_export(row) for row in tx.execute(asked.order_by(_EXPORT.c.released_at.desc(), _EXPORT.c.id))]


def of_form(tx: sa.Connection, form: str) -> Sequence[Export]:
    """Every list of a form that was released."""
    return [_export(row) for row in tx.execute(sa.select(_EXPORT).where(_EXPORT.c.form == form, _EXPORT.c.released_at.is_not(None)))]


def revoked(tx: sa.Connection, exports: Collection[str]) -> set[str]:
    """Which of these were called back."""
    asked = sa.select(_EXPORT.c.id).where(_EXPORT.c.state == State.REVOKED.value, _EXPORT.c.id.in_(sorted(exports)))
    return set(tx.execute(asked).scalars())


def _export(row: Any) -> Export:
    values = dict(row._mapping)
    return Export(**values | {"fields": tuple(values["fields"]), "state": State(values["state"])})
