"""Sources that we read ourselves: what is to be pulled, when it is due, and one bounded slice of the work.

Promise: a definition holds names and times, never an address or a password. A slice takes what it can in its seconds and stops between two
transactions; whatever stops it, the next one goes on behind the last stored row. One process at a time reads a source, and where two
believe they do, the position lets only one of them store. A failure is kept as its code. Must never learn: a row's value.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app import housekeeping, intake, logs
from ingestion import cursors, pipeline, registry
from privacy.errors import Conflict, Invalid, NotFound, PiyingError, Refused, Unavailable
from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import SourceFacts

KINDS = {"database": "database", "stream": "stream", "file": "folder"}
"""What is pulled, by the kind of the source."""
SLICE_SECONDS = 20.0
"""So long a slice keeps the one worker from its other work, and one batch more."""
LONGEST_PAUSE = 3600
WORRYING = 3
"""Failures in a row that the doctor calls a fault."""
LEAST_SECONDS = 5


class Pull(PlatformBase):
    """One source's pull. `config` names what to read: table or topic or folder, mapping, and under which name the address is found."""

    __tablename__ = "pull"

    source_id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    config: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    every_seconds: Mapped[int] = mapped_column(sa.Integer)
    next_at: Mapped[datetime] = mapped_column(Instant)
    paused: Mapped[bool] = mapped_column(sa.Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime | None] = mapped_column(Instant)
    last_counts: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    failures: Mapped[int] = mapped_column(sa.Integer)
    error_code: Mapped[str | None] = mapped_column(sa.String(60))


@dataclass(slots=True)
class _Slice:
    """What a slice did."""

    receipt: pipeline.Receipt
    others: Counter[str]
    more: bool = False

    def counts(self) -> dict[str, Any]:
        verdicts = ("received", "stored", "duplicate", "quarantined", "refused")
        return {name: getattr(self.receipt, name) for name in verdicts} | dict(sorted(self.others.items()))


# ── definitions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def add(services: Services, source_name: str, config: Mapping[str, Any], *, every: int, actor: str) -> dict[str, Any]:
    """Defines a source's pull; the wiring has checked the words of `config` for the source's kind."""
    if not LEAST_SECONDS <= every <= 86_400:
        raise Invalid(f"a pull comes every {LEAST_SECONDS} to 86400 seconds", code="pull_invalid", field="every")
    with services.read_console() as tx:
        source = registry.by_name(tx, source_name).facts
        known = services.purposes(tx)
    checked = services.check_pull(source, config, known)
    now = services.clock()
    with services.begin_console() as tx:
        if tx.scalar(sa.select(sa.exists().where(Pull.source_id == source.id))):
            raise Conflict("this source has a pull; a second table or topic is a second source", code="pull_exists", field="source")
        tx.execute(
            sa.insert(Pull).values(
                source_id=source.id, config=checked, every_seconds=every, next_at=now, paused=False, created_at=now, last_at=None,
                last_counts={}, failures=0, error_code=None,
            )
        )  # fmt: skip
        services.log(tx, LogKind.CONFIG, "pull.add", actor=actor, facts={"source": source.id, "source_kind": source.kind})
    return {"source": source.id, "kind": KINDS[source.kind], "every": every}


def listing(services: Services) -> list[dict[str, Any]]:
    """Every pull: what it reads, when it last ran and how that ended; files by their short names."""
    with services.read_console() as tx:
        names = {one.facts.id: one.facts for one in registry.listing(tx)}
        rows = tx.execute(sa.select(Pull.__table__).order_by(Pull.created_at, Pull.source_id)).all()
        files = {row.source_id: cursors.files(tx, row.source_id) for row in rows}
    return [
        {
            "source": row.source_id,
            "name": names[row.source_id].name,
            "kind": KINDS[names[row.source_id].kind],
            "every": row.every_seconds,
            "paused": bool(row.paused),
            "next_at": row.next_at.isoformat(),
            "last_at": None if row.last_at is None else row.last_at.isoformat(),
            "counts": row.last_counts,
            "failures": row.failures,
            "error_code": row.error_code,
            "files_failed": [
                {"file": services.file_name(one.name), "code": one.code} for one in files[row.source_id] if one.state == "failed"
            ],
        }
        for row in rows
    ]


def pause(services: Services, source_name: str, *, paused: bool, actor: str) -> dict[str, Any]:
    """Stops a pull from coming by itself, or lets it come again at once."""
    with services.begin_console() as tx:
        source_id = _row(tx, source_name).source_id
        tx.execute(sa.update(Pull).where(Pull.source_id == source_id).values(paused=paused, next_at=services.clock()))
        services.log(tx, LogKind.CONFIG, "pull.pause" if paused else "pull.resume", actor=actor, facts={"source": source_id})
    return {"source": source_id, "paused": paused}


def remove(services: Services, source_name: str, *, actor: str) -> dict[str, Any]:
    """Ends a pull with its position; what was stored stays, and so does the source."""
    with services.begin_console() as tx:
        source_id = _row(tx, source_name).source_id
        tx.execute(sa.delete(Pull).where(Pull.source_id == source_id))
        cursors.forget(tx, source_id)
        services.log(tx, LogKind.CONFIG, "pull.remove", actor=actor, facts={"source": source_id})
    return {"source": source_id, "removed": True}


def config_of(tx: sa.Connection, source_id: str) -> Mapping[str, Any] | None:
    """What a source's pull reads, if it has one."""
    found: Mapping[str, Any] | None = tx.scalar(sa.select(Pull.config).where(Pull.source_id == source_id))
    return found


def failing(tx: sa.Connection) -> dict[str, str]:
    """Error codes of pulls that failed several times in a row, by source."""
    query = sa.select(Pull.source_id, Pull.error_code).where(Pull.failures >= WORRYING, Pull.paused.is_(False))
    return {source_id: code or "" for source_id, code in tx.execute(query)}


# ── running ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_due(services: Services) -> dict[str, Any]:
    """One slice of every pull whose time has come. A pull that fails keeps its code and lets the others go on."""
    with services.read_jobs() as tx:
        due = tx.execute(sa.select(Pull.source_id).where(Pull.paused.is_(False), Pull.next_at <= services.clock())).scalars().all()
    total: Counter[str] = Counter(pulls=0, failed=0)
    for source_id in due:
        try:
            total.update(_run(services, source_id, SLICE_SECONDS, _never, follow=False).counts())
            total["pulls"] += 1
        except PiyingError as error:
            total["failed"] += 1
            logs.event("pull_failed", source=source_id, code=error.code)
    return dict(total)


def run(
    services: Services, source_name: str, *, seconds: float | None, stopped: Callable[[], bool], follow: bool = False, again: bool = False
) -> dict[str, Any]:
    """Reads a source now: to its end, or for so many seconds; with `follow` until `stopped` says so. `again` retries failed files."""
    with services.read_console() as tx:
        source_id = _row(tx, source_name).source_id
    whole = _Slice(pipeline.Receipt(), Counter())
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        left = SLICE_SECONDS if until is None else min(SLICE_SECONDS, until - time.monotonic())
        done = _run(services, source_id, left, stopped, follow=follow, again=again)
        whole.receipt = whole.receipt.plus(done.receipt)
        whole.others.update(done.others)
        whole.more, again = done.more, False
        if stopped() or not (done.more or follow) or (until is not None and time.monotonic() >= until):
            return {"source": source_id, **whole.counts(), "more": whole.more}


def _never() -> bool:
    return False


def _run(services: Services, source_id: str, seconds: float, stopped: Callable[[], bool], *, follow: bool, again: bool = False) -> _Slice:
    """One slice under the source's lease; how it ended is kept with the pull."""
    with _alone(services, source_id):
        done = _Slice(pipeline.Receipt(), Counter())
        try:
            _read(services, source_id, done, seconds, stopped, follow=follow, again=again)
        except Exception as error:  # whatever a reader or a driver raises, the pull ends with a code and its position is kept
            code = error.code if isinstance(error, PiyingError) else "pull_broken"
            _ended(services, source_id, done, code)
            if isinstance(error, PiyingError):
                raise
            raise Unavailable("the pull failed where nobody foresaw it", code="pull_broken") from None
        _ended(services, source_id, done, None)
    return done


def _read(
    services: Services, source_id: str, done: _Slice, seconds: float, stopped: Callable[[], bool], *, follow: bool, again: bool
) -> None:
    with services.read_intake() as tx:
        listed = registry.get(tx, source_id)
        places = cursors.positions(tx, source_id)
        files = [one for one in cursors.files(tx, source_id) if not (again and one.state == "failed")]
    if listed.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    with services.read_jobs() as tx:
        config = config_of(tx, source_id)
    if config is None:
        raise NotFound("this source has no pull", code="pull_unknown", field="source")
    reader = services.pulled(listed.facts, config, places, files)
    until = time.monotonic() + seconds
    try:
        step = next(reader, _END)
        while step is not _END:
            if step is cursors.Pause.CAUGHT_UP and not follow:
                return
            step = _taken(services, listed.facts, reader, step, done) if isinstance(step, cursors.Step) else None
            if step is None and (stopped() or time.monotonic() >= until):
                done.more = True
                return
            step = next(reader, _END) if step is None else step
    finally:
        reader.close()


_END: Any = object()


def _taken(services: Services, source: SourceFacts, reader: cursors.Steps, step: cursors.Step, done: _Slice) -> Any:
    """Stores a step. What our own reading refuses is handed back to the reader, which may know how to go on: its next step, else None."""
    try:
        if step.raw is None:
            with services.begin_intake() as tx:
                step.settle(tx)
        else:
            receipt = pipeline.ingest(step.raw, step.mapping, services.intake, also=step.settle)
            intake.measure(source.id, receipt)
            done.receipt = done.receipt.plus(receipt)
    except (Invalid, NotFound) as error:
        try:
            return reader.throw(error)
        except StopIteration:
            return _END
    done.others.update(step.counts)
    if step.after is not None:
        step.after()
    return None


@contextmanager
def _alone(services: Services, source_id: str) -> Iterator[None]:
    """One reader of a source at a time, in any process; raises Unavailable while another reads."""
    name, holder = f"pull:{source_id}", services.process
    with services.begin_jobs() as tx:
        if not housekeeping.take_lease(tx, name, holder, now=services.clock(), gone=services.gone):
            raise Unavailable("another process is reading this source", code="pull_busy", retry_after=30)
    try:
        yield
    finally:
        with services.begin_jobs() as tx:
            housekeeping.give_lease_back(tx, name, holder)


def _ended(services: Services, source_id: str, done: _Slice, code: str | None) -> None:
    """Keeps how a slice ended, and when the next one comes: at once if there is more, later and later if it fails."""
    now = services.clock()
    with services.begin_jobs() as tx:
        row = tx.execute(sa.select(Pull.every_seconds, Pull.failures).where(Pull.source_id == source_id)).first()
        if row is None:
            return
        failures = 0 if code is None else row.failures + 1
        pause = (
            row.every_seconds if code is None else min(row.every_seconds * 2 ** min(failures, 12), max(LONGEST_PAUSE, row.every_seconds))
        )
        values = {
            "next_at": now if done.more and code is None else now + timedelta(seconds=pause),
            "last_at": now,
            "last_counts": done.counts(),
            "failures": failures,
            "error_code": code,
        }
        tx.execute(sa.update(Pull).where(Pull.source_id == source_id).values(**values))


def _row(tx: sa.Connection, source_name: str) -> sa.Row[Any]:
    source_id = registry.by_name(tx, source_name).facts.id
    row = tx.execute(sa.select(Pull.__table__).where(Pull.source_id == source_id)).first()
    if row is None:
        raise NotFound("this source has no pull", code="pull_unknown", field="source")
    return row
