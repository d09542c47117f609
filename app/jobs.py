"""One table of work and one loop that does it; handlers are registered by the wiring under a job's kind.

Promise: a job row is written in its caller's transaction, is claimed by exactly one worker at a time through a lease, and is tried at
most five times with growing pauses. Arguments and counts carry no personal value. Handlers are idempotent.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app import logs
from privacy.errors import NotFound, PiyingError, Raced, Unavailable
from privacy.orm import Begin, Instant, PlatformBase

LEASE = timedelta(minutes=5)
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 600
STATES = ("queued", "running", "done", "failed", "cancelled")
SHOWN = (
    "id", "kind", "state", "done", "total", "counts", "error_code", "attempt", "created_by", "created_at", "finished_at",
)  # fmt: skip
"""What a job's page may show of it; its arguments are between those who queued it and its handler."""


class Job(PlatformBase):
    """A piece of work and its progress, as three kinds of pages show it."""

    __tablename__ = "job"
    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[str] = mapped_column(sa.String(12), index=True)
    arguments: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    done: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(sa.BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    error_code: Mapped[str | None] = mapped_column(sa.String(60))
    attempt: Mapped[int] = mapped_column(sa.Integer, default=0)
    run_after: Mapped[datetime] = mapped_column(Instant, index=True)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    lease_holder: Mapped[str | None] = mapped_column(sa.String(60))
    cancel: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    created_by: Mapped[str] = mapped_column(sa.String(60))
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    key: Mapped[str | None] = mapped_column(sa.String(120), unique=True)


class Schedule(PlatformBase):
    """A kind of job that comes again; `next_at` moves on in the transaction that queues it."""

    __tablename__ = "schedule"
    kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    every_seconds: Mapped[int] = mapped_column(sa.Integer)
    next_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker holds for the length of its lease."""

    id: str
    kind: str
    arguments: Mapping[str, Any]
    attempt: int
    created_by: str
    holder: str = ""


class Stopped(Exception):
    """A handler ended early because somebody cancelled what it did; its counts say how far it came."""

    def __init__(self, counts: Mapping[str, Any]) -> None:
        super().__init__("cancelled")
        self.counts = counts


Handler = Callable[[Claimed], Mapping[str, Any]]
"""Does the work of a claimed job and returns its counts (no personal values). Raises PiyingError; Unavailable and Raced are retried."""


def enqueue(
    tx: sa.Connection,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
    key: str | None = None,
    after: datetime | None = None,
) -> str:
    """Queues a job in the caller's transaction and returns its id; with `key`, a job that already has it is returned instead."""
    if key is not None:
        known = tx.execute(sa.select(Job.id).where(Job.key == key)).scalar()
        if known:
            return str(known)
    job_id = "job_" + secrets.token_hex(12)
    tx.execute(
        sa.insert(Job).values(
            id=job_id,
            kind=kind,
            state="queued",
            arguments=dict(arguments),
            counts={},
            run_after=after or now,
            created_by=by,
            created_at=now,
            key=key,
        )
    )
    return job_id


def claim(tx: sa.Connection, holder: str, *, now: datetime, job_id: str | None = None) -> Claimed | None:
    """Takes the oldest job that is due, or whose holder's lease ran out; one statement, so that two workers never hold the same.

    A job that took its last holder down with it ends here: dying counts as an attempt.
    """
    lost = sa.and_(Job.state == "running", Job.lease_until < now, Job.attempt >= ATTEMPTS)
    tx.execute(
        sa.update(Job).where(lost).values(state="failed", error_code="worker_lost", finished_at=now, lease_until=None, lease_holder=None)
    )
    due = sa.or_(
        sa.and_(Job.state == "queued", Job.run_after <= now),
        sa.and_(Job.state == "running", Job.lease_until < now),
    )
    oldest = sa.select(Job.id).where(due).order_by(Job.run_after, Job.created_at).limit(1)
    if job_id is not None:
        oldest = oldest.where(Job.id == job_id)
    if tx.dialect.name == "postgresql":
        oldest = oldest.with_for_update(skip_locked=True)
    row = tx.execute(
        sa.update(Job)
        .where(Job.id == oldest.scalar_subquery())
        .values(state="running", lease_holder=holder, lease_until=now + LEASE, attempt=Job.attempt + 1)
        .returning(Job.id, Job.kind, Job.arguments, Job.attempt, Job.created_by)
    ).first()
    return None if row is None else Claimed(row.id, row.kind, row.arguments, row.attempt, row.created_by, holder)


def free_lost(tx: sa.Connection, gone: Callable[[str], bool], *, now: datetime) -> int:
    """Ends the leases of holders that certainly run no more, so that a killed worker's job need not wait; returns how many."""
    held = tx.execute(sa.select(Job.id, Job.lease_holder).where(Job.state == "running", Job.lease_until >= now)).all()
    lost = [(job, holder) for job, holder in held if holder is not None and gone(holder)]
    for job, holder in lost:
        over = sa.update(Job).where(Job.id == job, Job.lease_holder == holder).values(lease_until=now - timedelta(microseconds=1))
        tx.execute(over)
    return len(lost)


def progress(tx: sa.Connection, job: Claimed, *, done: int, total: int | None, now: datetime) -> bool:
    """Reports progress and renews the lease; returns whether to stop: somebody asked to cancel, or another worker has the job now."""
    row = tx.execute(sa.update(Job).where(_held(job)).values(done=done, total=total, lease_until=now + LEASE).returning(Job.cancel)).first()
    return row is None or bool(row.cancel)


def finish(tx: sa.Connection, job: Claimed, counts: Mapping[str, Any], *, now: datetime, state: str = "done") -> None:
    """Ends a job well, or as cancelled."""
    _end(tx, job, state, now, counts=dict(counts), error_code=None)


def fail(tx: sa.Connection, job: Claimed, code: str, *, again: bool, now: datetime) -> None:
    """Ends a job badly, or queues it again after 2, 4, 8 … seconds (ten minutes at most) while attempts are left."""
    if again and job.attempt < ATTEMPTS:
        pause = min(2**job.attempt, LONGEST_PAUSE_SECONDS)
        tx.execute(
            sa.update(Job)
            .where(_held(job))
            .values(state="queued", run_after=now + timedelta(seconds=pause), error_code=code, lease_until=None, lease_holder=None)
        )
    else:
        _end(tx, job, "failed", now, error_code=code)


def cancel(tx: sa.Connection, job_id: str, *, now: datetime) -> str:
    """Cancels a job that waits, asks one that runs to stop; returns the state that it was in, or nothing if it is over."""
    waits = sa.update(Job).where(Job.id == job_id, Job.state == "queued")
    if tx.execute(waits.values(state="cancelled", finished_at=now)).rowcount:
        return "queued"
    runs = sa.update(Job).where(Job.id == job_id, Job.state == "running")
    return "running" if tx.execute(runs.values(cancel=True)).rowcount else ""


def task(tx: sa.Connection, job_id: str) -> tuple[str, str, Mapping[str, Any]]:
    """Kind, state and arguments of a job, for whoever changes what it does; raises NotFound."""
    row = tx.execute(sa.select(Job.kind, Job.state, Job.arguments).where(Job.id == job_id)).first()
    if row is None:
        raise NotFound("no such job", code="job_unknown")
    return row.kind, row.state, row.arguments


def _end(tx: sa.Connection, job: Claimed, state: str, now: datetime, **values: Any) -> None:
    tx.execute(sa.update(Job).where(_held(job)).values(state=state, finished_at=now, lease_until=None, lease_holder=None, **values))


def _held(job: Claimed) -> sa.ColumnElement[bool]:
    """The job's row, as long as this holder has it: whoever lost the lease changes nothing any more."""
    return sa.and_(Job.id == job.id, Job.state == "running", Job.lease_holder == job.holder)


def find(tx: sa.Connection, job_id: str) -> dict[str, Any]:
    """A job as its page shows it; raises NotFound."""
    row = tx.execute(sa.select(Job).where(Job.id == job_id)).mappings().first()
    if row is None:
        raise NotFound("no such job", code="job_unknown")
    return {name: row[name] for name in SHOWN}


def listing(
    tx: sa.Connection,
    *,
    before: tuple[datetime, str] | None = None,
    kind: str | None = None,
    state: str | None = None,
    created_by: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Jobs as their page shows them, newest first, from behind a place in the list."""
    query = sa.select(*(getattr(Job, name) for name in SHOWN)).order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)
    if before is not None:
        at, job_id = before
        query = query.where(sa.or_(Job.created_at < at, sa.and_(Job.created_at == at, Job.id < job_id)))
    wanted = ((Job.kind, kind), (Job.state, state), (Job.created_by, created_by))
    query = query.where(*(column == value for column, value in wanted if value is not None))
    return [dict(row) for row in tx.execute(query).mappings()]


def schedule(tx: sa.Connection) -> list[Any]:
    """Kinds that come again, how often, and when next."""
    return list(tx.execute(sa.select(Schedule.kind, Schedule.every_seconds, Schedule.next_at).order_by(Schedule.kind)))


def standing(tx: sa.Connection) -> tuple[dict[tuple[str, str], float], dict[str, datetime]]:
    """How many jobs are kept by (kind, state), and when a job of each kind last ended well."""
    counted = sa.select(Job.kind, Job.state, sa.func.count()).group_by(Job.kind, Job.state)
    ended = sa.select(Job.kind, sa.func.max(Job.finished_at)).where(Job.state == "done").group_by(Job.kind)
    return {(kind, state): number for kind, state, number in tx.execute(counted)}, {kind: at for kind, at in tx.execute(ended) if at}


def plan(tx: sa.Connection, kind: str, every_seconds: int, *, now: datetime) -> None:
    """Puts a kind on the schedule, or changes how often it comes."""
    if tx.execute(sa.update(Schedule).where(Schedule.kind == kind).values(every_seconds=every_seconds)).rowcount == 0:
        tx.execute(sa.insert(Schedule).values(kind=kind, every_seconds=every_seconds, next_at=now))


def queue_due(tx: sa.Connection, *, now: datetime) -> int:
    """Queues every scheduled kind whose time has come; a kind that still waits or runs is not queued twice."""
    queued = 0
    for row in tx.execute(sa.select(Schedule).where(Schedule.next_at <= now)).all():
        later = now + timedelta(seconds=row.every_seconds)
        moved = tx.execute(sa.update(Schedule).where(Schedule.kind == row.kind, Schedule.next_at == row.next_at).values(next_at=later))
        busy = tx.execute(sa.select(Job.id).where(Job.kind == row.kind, Job.state.in_(("queued", "running")))).first()
        if moved.rowcount == 1 and busy is None:
            enqueue(tx, row.kind, {}, by="schedule", now=now)
            queued += 1
    return queued


def forget_finished(tx: sa.Connection, *, before: datetime) -> int:
    """Deletes finished scheduled jobs older than `before`; jobs that somebody asked for stay."""
    return tx.execute(sa.delete(Job).where(Job.state == "done", Job.finished_at < before, Job.created_by == "schedule")).rowcount


def run_one(
    begin: Begin, handlers: Mapping[str, Handler], holder: str, *, clock: Callable[[], datetime], job_id: str | None = None
) -> bool:
    """Claims one job, does it and records how it ended; returns whether there was one. Unknown errors end the job with code `internal`."""
    with begin() as tx:
        job = claim(tx, holder, now=clock(), job_id=job_id)
    if job is None:
        return False
    ended = "done"
    try:
        counts = handlers[job.kind](job)
    except Stopped as stopped:
        counts, ended = stopped.counts, "cancelled"
    except (Unavailable, Raced) as error:
        return _failed(begin, job, error.code, again=True, clock=clock)
    except PiyingError as error:
        return _failed(begin, job, error.code, again=False, clock=clock)
    except Exception:  # a handler's defect must not stop the loop; the code says where to look, the message could carry a value
        return _failed(begin, job, "internal", again=True, clock=clock)
    with begin() as tx:
        finish(tx, job, counts, now=clock(), state=ended)
    logs.JOBS.labels(job.kind, ended).inc()
    return True


def _failed(begin: Begin, job: Claimed, code: str, *, again: bool, clock: Callable[[], datetime]) -> bool:
    with begin() as tx:
        fail(tx, job, code, again=again, now=clock())
    logs.JOBS.labels(job.kind, "failed").inc()
    logs.event("job_failed", job=job.id, kind=job.kind, code=code, attempt=job.attempt)
    return True
