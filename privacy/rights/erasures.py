"""Erasures and their steps: what has been done of each, so that any worker goes on where another one died.

Promise: a step that stands here was done, with its counts; steps are only added, in one order; an erasure is over when its certificate
stands beside it. It must never learn who is erased: the person is on the vault's slip, and here is a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import NotFound
from privacy.orm import Instant, PlatformBase
from privacy.records import RandomBytes

PREFIX = "era_"
RUNNING, DONE = "running", "done"
PAGE = 100


class ErasureRow(PlatformBase):
    """One erasure. `request` is the register's number, or the name of what else set it off; `replay` says that an old copy was cleared."""

    __tablename__ = "erasure"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    request: Mapped[str | None] = mapped_column(sa.String(60), unique=True)
    state: Mapped[str] = mapped_column(sa.String(8), index=True)
    begun_by: Mapped[str] = mapped_column(sa.String(80))
    approved_by: Mapped[str] = mapped_column(sa.String(80))
    begun_at: Mapped[datetime] = mapped_column(Instant, index=True)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    error: Mapped[str | None] = mapped_column(sa.String(60))
    replay: Mapped[bool] = mapped_column(sa.Boolean)
    certificate: Mapped[str | None] = mapped_column(sa.Text)


class ErasureStepRow(PlatformBase):
    """A step that was done, and how much it found."""

    __tablename__ = "erasure_step"

    erasure: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    step: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    counts: Mapped[dict[str, int]] = mapped_column(sa.JSON)


_ERASURE: Any = ErasureRow.__table__
_STEP: Any = ErasureStepRow.__table__


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it stands; `steps` maps each step that was done to its time and counts."""

    id: str
    request: str | None
    state: str
    begun_by: str
    approved_by: str
    begun_at: datetime
    done_at: datetime | None
    error: str | None
    replay: bool
    certificate: str | None
    steps: Mapping[str, tuple[datetime, Mapping[str, int]]]

    def document(self, order: Sequence[str]) -> dict[str, Any]:
        """What is shown of it; `order` names all steps."""
        done = [step for step in order if step in self.steps]
        return {
            "erasure": self.id,
            "request": self.request,
            "state": self.state,
            "step": next((step for step in order if step not in self.steps), None) if self.state == RUNNING else None,
            "steps": [{"step": step, "at": self.steps[step][0].isoformat(), "counts": dict(self.steps[step][1])} for step in done],
            "total": len(order),
            "error": self.error,
            "begun_by": self.begun_by,
            "approved_by": self.approved_by,
            "begun_at": self.begun_at.isoformat(),
            "done_at": None if self.done_at is None else self.done_at.isoformat(),
            "replay": self.replay,
        }


def new_id(random: RandomBytes) -> str:
    return PREFIX + random(12).hex()


def begin(tx: sa.Connection, erasure: str, *, request: str | None, by: str, approved_by: str, now: datetime, replay: bool = False) -> None:
    """Writes an erasure down; a replay of one that stands takes its steps anew."""
    row = {"request": request, "state": RUNNING, "begun_by": by, "approved_by": approved_by, "begun_at": now, "replay": replay}
    if tx.execute(sa.select(_ERASURE.c.id).where(_ERASURE.c.id == erasure)).first() is None:
        tx.execute(sa.insert(_ERASURE), [{"id": erasure} | row])
    elif replay:
        tx.execute(sa.delete(_STEP).where(_STEP.c.erasure == erasure))
        tx.execute(sa.update(_ERASURE).where(_ERASURE.c.id == erasure).values(state=RUNNING, replay=True, done_at=None, error=None))


def one(tx: sa.Connection, erasure: str) -> Erasure:
    """An erasure by its id; raises NotFound."""
    row = tx.execute(sa.select(_ERASURE).where(_ERASURE.c.id == erasure)).first()
    if row is None:
        raise NotFound("there is no such erasure", code="erasure_unknown", field="erasure")
    return _erasures(tx, [row])[0]


def by_request(tx: sa.Connection, request: str) -> str | None:
    """The erasure that a request set off."""
    return tx.execute(sa.select(_ERASURE.c.id).where(_ERASURE.c.request == request)).scalar_one_or_none()


def running(tx: sa.Connection, *, limit: int | None = None) -> list[Erasure]:
    """Those that are not over, oldest first."""
    asked = sa.select(_ERASURE).where(_ERASURE.c.state == RUNNING).order_by(_ERASURE.c.begun_at, _ERASURE.c.id)
    return _erasures(tx, tx.execute(asked if limit is None else asked.limit(limit)).all())


def listing(tx: sa.Connection, *, before: tuple[datetime, str] | None = None, limit: int = PAGE) -> list[Erasure]:
    """All of them, newest first."""
    asked = sa.select(_ERASURE).order_by(_ERASURE.c.begun_at.desc(), _ERASURE.c.id.desc()).limit(limit)
    if before is not None:
        at, last = before
        asked = asked.where(sa.or_(_ERASURE.c.begun_at < at, sa.and_(_ERASURE.c.begun_at == at, _ERASURE.c.id < last)))
    return _erasures(tx, tx.execute(asked).all())


def ids(tx: sa.Connection) -> set[str]:
    """Every erasure that this store knows of, with whether it is over left aside."""
    return set(tx.execute(sa.select(_ERASURE.c.id)).scalars())


def note(tx: sa.Connection, erasure: str, step: str, counts: Mapping[str, int], now: datetime) -> None:
    """Notes that a step was done; one that was noted keeps its first counts."""
    known = sa.select(_STEP.c.step).where(_STEP.c.erasure == erasure, _STEP.c.step == step)
    if tx.execute(known).first() is None:
        tx.execute(sa.insert(_STEP), [{"erasure": erasure, "step": step, "at": now, "counts": dict(counts)}])
    tx.execute(sa.update(_ERASURE).where(_ERASURE.c.id == erasure).values(error=None))


def fail(tx: sa.Connection, erasure: str, code: str) -> None:
    """Notes why an erasure does not go on; it stays to be tried again."""
    tx.execute(sa.update(_ERASURE).where(_ERASURE.c.id == erasure, _ERASURE.c.state == RUNNING).values(error=code))


def finish(tx: sa.Connection, erasure: str, certificate: str, now: datetime) -> None:
    """Ends an erasure with its certificate."""
    done = sa.update(_ERASURE).where(_ERASURE.c.id == erasure, _ERASURE.c.state == RUNNING)
    tx.execute(done.values(state=DONE, done_at=now, certificate=certificate, error=None))


def _erasures(tx: sa.Connection, rows: Sequence[Any]) -> list[Erasure]:
    told: dict[str, dict[str, tuple[datetime, Mapping[str, int]]]] = {row.id: {} for row in rows}
    for step in tx.execute(sa.select(_STEP).where(_STEP.c.erasure.in_(told)).order_by(_STEP.c.at)):
        told[step.erasure][step.step] = (step.at, step.counts)
    return [Erasure(**row._mapping, steps=told[row.id]) for row in rows]
