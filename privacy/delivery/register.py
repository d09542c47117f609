"""The register of deliveries: each part of an export, and each part of a removal, from its queue to its acknowledgement.

States: queued → sending → acknowledged; sending → waiting (until `retry_at`: it failed, or lies there and was not taken yet) → sending; sending →
dead (refused, or given up) → queued by hand, with its old key. A part that was being sent when its worker died is sent again under the same
key when the lease is over: sent twice is possible, taken twice is the recipient's key to prevent.
Promise: one worker holds a part; a recipient that fails is left alone until its pause is over, parts of others are not touched by it; a removal
goes before additions. Keeps no content, and no address: ids, counts, digests and codes. Must never learn who is in a part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.carriage import Sent
from privacy.delivery import pauses
from privacy.errors import Conflict, NotFound
from privacy.orm import Instant, PlatformBase
from privacy.records import RandomBytes

QUEUED, SENDING, WAITING, ACKNOWLEDGED, DEAD = "queued", "sending", "waiting", "acknowledged", "dead"
STATES: Final = (QUEUED, SENDING, WAITING, ACKNOWLEDGED, DEAD)
ADD, REMOVE = "add", "remove"
TAKEN, OFFERED, AGAIN, REFUSED = "acknowledged", "offered", "again", "refused"
"""Outcomes of an attempt (`records.Sent`)."""
REVOKED: Final = "revoked"
EXPIRED: Final = "expired"
LEASE: Final = timedelta(minutes=5)
"""Longer than any attempt may take."""


class DeliveryRow(PlatformBase):
    """One part of an export, or of a removal; `batch` is the export's id or the removal's."""

    __tablename__ = "export_delivery"
    __table_args__ = (
        sa.UniqueConstraint("batch", "lane", "part"),
        sa.CheckConstraint("state IN ('queued', 'sending', 'waiting', 'acknowledged', 'dead')", name="state"),
        sa.CheckConstraint("action IN ('add', 'remove')", name="action"),
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(sa.String(40), index=True)
    batch: Mapped[str] = mapped_column(sa.String(40))
    lane: Mapped[str] = mapped_column(sa.String(32))
    part: Mapped[int] = mapped_column(sa.Integer)
    action: Mapped[str] = mapped_column(sa.String(8))
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    state: Mapped[str] = mapped_column(sa.String(16), index=True)
    attempt: Mapped[int] = mapped_column(sa.Integer)
    attempts: Mapped[int] = mapped_column(sa.Integer)
    retry_at: Mapped[datetime | None] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    queued_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    first_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    code: Mapped[str] = mapped_column(sa.String(60))
    rows: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None] = mapped_column(sa.String(64))


class RecipientPauseRow(PlatformBase):
    """How long a recipient is left alone, and how often it failed in a row."""

    __tablename__ = "export_pause"

    recipient: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    until: Mapped[datetime] = mapped_column(Instant)
    failures: Mapped[int] = mapped_column(sa.Integer)
    code: Mapped[str] = mapped_column(sa.String(60))


_DELIVERY: Any = DeliveryRow.__table__
_PAUSE: Any = RecipientPauseRow.__table__
SHOWN: Final = (
    "id", "recipient", "batch", "part", "action", "state", "attempts", "retry_at", "queued_at", "first_sent_at", "acknowledged_at", "code", "rows",
    "sha256",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """A part as whoever sends it knows it."""

    id: str
    recipient: str
    batch: str
    lane: str
    part: int
    action: str
    key: str
    attempt: int
    attempts: int
    """All attempts ever: what a worker that lost its lease is known by."""
    first_sent_at: datetime | None
    sent_at: datetime | None

    @property
    def first(self) -> bool:
        """Whether nothing of this part can have reached the recipient before this attempt."""
        return self.first_sent_at == self.sent_at


def queue(
    tx: sa.Connection,
    *,
    recipient: str,
    batch: str,
    lane: str,
    action: str,
    parts: int,
    now: datetime,
    random: RandomBytes,
    expires_at: datetime | None = None,
) -> list[str]:
    """Queues the parts of one lane of a batch, each under a key of its own, in the caller's transaction."""
    rows = [
        {
            "id": "dlv_" + random(12).hex(), "recipient": recipient, "batch": batch, "lane": lane, "part": part, "action": action,
            "key": random(24).hex(), "state": QUEUED, "attempt": 0, "attempts": 0, "queued_at": now, "expires_at": expires_at, "code": "",
        }
        for part in range(parts)
    ]  # fmt: skip
    if rows:
        tx.execute(sa.insert(_DELIVERY), rows)
    return [str(row["id"]) for row in rows]


def waiting_recipients(tx: sa.Connection, now: datetime) -> list[str]:
    """Who has something due and is not left alone, the longest waiting first."""
    paused = sa.select(_PAUSE.c.recipient).where(_PAUSE.c.until > now)
    asked = sa.select(_DELIVERY.c.recipient).where(_due(now), _DELIVERY.c.recipient.not_in(paused))
    return list(tx.execute(asked.group_by(_DELIVERY.c.recipient).order_by(sa.func.min(_DELIVERY.c.queued_at))).scalars())


def claim(tx: sa.Connection, recipient: str, *, now: datetime, additions: bool = True) -> Delivery | None:
    """Takes the recipient's next part in one statement; None while it is left alone. Without `additions` only removals go."""
    if tx.execute(sa.select(_PAUSE.c.recipient).where(_PAUSE.c.recipient == recipient, _PAUSE.c.until > now)).first():
        return None
    late = sa.and_(_DELIVERY.c.expires_at.is_not(None), _DELIVERY.c.expires_at <= now)
    over = sa.update(_DELIVERY).where(_DELIVERY.c.recipient == recipient, _DELIVERY.c.action == ADD, _due(now), late)
    tx.execute(over.values(state=DEAD, code=EXPIRED, retry_at=None, lease_until=None))
    chosen = sa.select(_DELIVERY.c.id).where(_DELIVERY.c.recipient == recipient, _due(now))
    if not additions:
        chosen = chosen.where(_DELIVERY.c.action == REMOVE)
    chosen = chosen.order_by(_DELIVERY.c.action.desc(), _DELIVERY.c.queued_at, _DELIVERY.c.lane, _DELIVERY.c.part).limit(1)
    if tx.dialect.name == "postgresql":
        chosen = chosen.with_for_update(skip_locked=True)
    first = sa.func.coalesce(_DELIVERY.c.first_sent_at, sa.literal(now, Instant))
    taken = (
        sa.update(_DELIVERY)
        .where(_DELIVERY.c.id == chosen.scalar_subquery())
        .values(
            state=SENDING, attempt=_DELIVERY.c.attempt + 1, attempts=_DELIVERY.c.attempts + 1, lease_until=now + LEASE, retry_at=None,
            sent_at=now, first_sent_at=first,
        )
        .returning(*(_DELIVERY.c[name] for name in Delivery.__dataclass_fields__))
    )  # fmt: skip
    row = tx.execute(taken).first()
    return None if row is None else Delivery(**row._mapping)


def assembled(tx: sa.Connection, one: Delivery, *, rows: int, sha256: str) -> None:
    """Writes down what is about to be sent."""
    tx.execute(sa.update(_DELIVERY).where(_held(one)).values(rows=rows, sha256=sha256))


def not_reached(tx: sa.Connection, one: Delivery) -> None:
    """Nothing of this attempt left. If it was the first, nobody is there of whom the recipient would have to be told."""
    first = sa.and_(_DELIVERY.c.id == one.id, _DELIVERY.c.attempts == one.attempts, _DELIVERY.c.first_sent_at == _DELIVERY.c.sent_at)
    tx.execute(sa.update(_DELIVERY).where(first).values(first_sent_at=None))


def ended(tx: sa.Connection, one: Delivery, sent: Sent, *, now: datetime, jitter: int = 0) -> str:
    """Writes down how an attempt ended and returns the part's state. Whoever lost the lease meanwhile changes nothing and gets ''."""
    code, retry_at, acknowledged = sent.code[:60], None, None
    wait = pauses.pause(one.attempt, retry_after=sent.retry_after, jitter=jitter)
    match sent.outcome:
        case "acknowledged":
            state, acknowledged = ACKNOWLEDGED, now
        case "offered":
            state, retry_at = WAITING, now + pauses.LOOK
        case "again" if not pauses.given_up(one.attempt, removes=one.action == REMOVE):
            state, retry_at = WAITING, now + wait
        case _:
            state = DEAD
    values: dict[str, Any] = {"state": state, "code": code, "retry_at": retry_at, "lease_until": None, "acknowledged_at": acknowledged}
    if sent.outcome == OFFERED:
        values["attempt"] = 0
    if tx.execute(sa.update(_DELIVERY).where(_held(one)).values(**values)).rowcount == 0:
        return ""
    _pause(tx, one.recipient, now + wait if sent.outcome == AGAIN else None, code)
    return state


def acknowledge(tx: sa.Connection, delivery: str, *, now: datetime) -> None:
    """The recipient said by another way that it has a part; raises Conflict for one that was never sent, or is over."""
    known = tx.execute(sa.select(_DELIVERY.c.first_sent_at, _DELIVERY.c.state).where(_DELIVERY.c.id == delivery)).first()
    if known is None:
        raise NotFound("there is no such delivery", code="delivery_unknown", field="delivery")
    if known.first_sent_at is None or known.state == ACKNOWLEDGED:
        raise Conflict("this part was not sent, or is acknowledged", code="delivery_step", field="delivery")
    values = {"state": ACKNOWLEDGED, "acknowledged_at": now, "retry_at": None, "lease_until": None, "code": "by_hand"}
    tx.execute(sa.update(_DELIVERY).where(_DELIVERY.c.id == delivery).values(**values))


def replay(tx: sa.Connection, *, recipient: str | None = None, delivery: str | None = None, now: datetime) -> int:
    """Queues dead parts again under their old keys and ends their recipients' pauses; what was revoked or is over stays dead."""
    which = [_DELIVERY.c.state == DEAD, _DELIVERY.c.code.not_in((REVOKED, EXPIRED))]
    if recipient is not None:
        which.append(_DELIVERY.c.recipient == recipient)
    if delivery is not None:
        which.append(_DELIVERY.c.id == delivery)
    who = set(tx.execute(sa.select(_DELIVERY.c.recipient).where(*which)).scalars())
    count = tx.execute(sa.update(_DELIVERY).where(*which).values(state=QUEUED, attempt=0, code="", retry_at=None)).rowcount
    tx.execute(sa.delete(_PAUSE).where(_PAUSE.c.recipient.in_(who)))
    return int(count)


def stop(tx: sa.Connection, batch: str) -> int:
    """Ends every part of an export that is not acknowledged: dead for good, code `revoked`. A part on its way loses its lease."""
    open_ = sa.update(_DELIVERY).where(_DELIVERY.c.batch == batch, _DELIVERY.c.state.in_((QUEUED, SENDING, WAITING, DEAD)))
    return int(tx.execute(open_.values(state=DEAD, code=REVOKED, retry_at=None, lease_until=None)).rowcount)


def one(tx: sa.Connection, delivery: str) -> dict[str, Any]:
    """A part as it is shown; raises NotFound."""
    row = tx.execute(sa.select(_DELIVERY).where(_DELIVERY.c.id == delivery)).first()
    if row is None:
        raise NotFound("there is no such delivery", code="delivery_unknown", field="delivery")
    return _shown(row)


def part(tx: sa.Connection, delivery: str) -> tuple[Delivery, str]:
    """A part as whoever assembles it knows it, and its state; raises NotFound."""
    row = tx.execute(sa.select(_DELIVERY).where(_DELIVERY.c.id == delivery)).first()
    if row is None:
        raise NotFound("there is no such delivery", code="delivery_unknown", field="delivery")
    return Delivery(**{name: row._mapping[name] for name in Delivery.__dataclass_fields__}), str(row.state)


def handed(tx: sa.Connection, delivery: str, *, now: datetime) -> None:
    """Somebody fetched a part to carry it: from now on it can be acknowledged."""
    first = sa.func.coalesce(_DELIVERY.c.first_sent_at, sa.literal(now, Instant))
    tx.execute(sa.update(_DELIVERY).where(_DELIVERY.c.id == delivery).values(first_sent_at=first, sent_at=now))


def listing(
    tx: sa.Connection, *, recipient: str = "", state: str = "", action: str = "", batch: str = "", before: tuple[datetime, str] | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:  # fmt: skip
    """Parts as they are shown, newest first, from behind a place in the list."""
    given = ((_DELIVERY.c.recipient, recipient), (_DELIVERY.c.state, state), (_DELIVERY.c.action, action), (_DELIVERY.c.batch, batch))
    asked = sa.select(_DELIVERY).where(*(column == value for column, value in given if value))
    if before is not None:
        asked = asked.where(
            sa.tuple_(_DELIVERY.c.queued_at, _DELIVERY.c.id) < sa.tuple_(sa.literal(before[0], Instant), sa.literal(before[1]))
        )
    return [_shown(row) for row in tx.execute(asked.order_by(_DELIVERY.c.queued_at.desc(), _DELIVERY.c.id.desc()).limit(limit))]


def counts(tx: sa.Connection) -> dict[str, dict[str, int]]:
    """How many parts stand in which state, by recipient."""
    found: dict[str, dict[str, int]] = {}
    asked = sa.select(_DELIVERY.c.recipient, _DELIVERY.c.state, sa.func.count()).group_by(_DELIVERY.c.recipient, _DELIVERY.c.state)
    for recipient, state, number in tx.execute(asked):
        found.setdefault(recipient, dict.fromkeys(STATES, 0))[state] = int(number)
    return found


def pauses_of(tx: sa.Connection, now: datetime) -> dict[str, Mapping[str, Any]]:
    """Who is left alone, until when, and why."""
    rows = tx.execute(sa.select(_PAUSE).where(_PAUSE.c.until > now))
    return {row.recipient: {"until": row.until.isoformat(), "failures": row.failures, "code": row.code} for row in rows}


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        _DELIVERY.c.state == QUEUED,
        sa.and_(_DELIVERY.c.state == WAITING, _DELIVERY.c.retry_at <= now),
        sa.and_(_DELIVERY.c.state == SENDING, _DELIVERY.c.lease_until <= now),
    )


def _held(one: Delivery) -> sa.ColumnElement[bool]:
    return sa.and_(_DELIVERY.c.id == one.id, _DELIVERY.c.state == SENDING, _DELIVERY.c.attempts == one.attempts)


def _pause(tx: sa.Connection, recipient: str, until: datetime | None, code: str) -> None:
    failures = tx.execute(sa.select(_PAUSE.c.failures).where(_PAUSE.c.recipient == recipient)).scalar() or 0
    tx.execute(sa.delete(_PAUSE).where(_PAUSE.c.recipient == recipient))
    if until is not None:
        tx.execute(sa.insert(_PAUSE).values(recipient=recipient, until=until, failures=failures + 1, code=code))


def _shown(row: Any) -> dict[str, Any]:
    values: Sequence[tuple[str, Any]] = [(name, getattr(row, name)) for name in SHOWN]
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values}
