"""Taking an import back: its rows in the inbox and in the lake, its digests, its quarantined items.

Promise: within a day, and only while nothing that stays has read the rows: no charged question, no closed month. Every step may be
repeated, so a killed undo is finished by whoever begins it again. Acts of consent stay: they are evidence, and never deleted; so do
people and links, because a link that later rows bore out again is written nowhere twice. What was counted as received stays counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app import imported, imports, jobs
from ingestion import inbox, quarantine
from privacy.errors import Conflict
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from app.access import Caller
    from app.wiring import Services

UNDO = "undo"
"""The job's kind."""
LONGEST = timedelta(hours=48)
"""From its beginning: longer nobody knows which batch brought which digests (ingestion.seen)."""
ROWS_A_STEP = 20_000
"""Digests that one transaction forgets, about: the stores stay open to others in between."""


def ask(services: Services, import_id: str, *, actor: str, caller: Caller | None = None) -> dict[str, Any]:
    """Decides, and queues the work; raises Conflict if the import may not be undone."""
    imported.find(services, import_id, caller)
    begin(services, import_id, actor=actor)
    with services.begin_console() as tx:
        job = jobs.enqueue(tx, UNDO, {"import": import_id}, by=actor, now=services.clock(), key=f"{UNDO}:{import_id}")
    return {"import": import_id, "state": imports.UNDOING, "job": job}


def undo(services: Services, import_id: str, *, actor: str) -> dict[str, Any]:
    """Decides and does it."""
    begin(services, import_id, actor=actor)
    return finish(services, import_id, actor=actor)


def do(services: Services, job: jobs.Claimed) -> Mapping[str, Any]:
    """The job."""
    return finish(services, str(job.arguments["import"]), actor=job.created_by)


def begin(services: Services, import_id: str, *, actor: str) -> None:
    """Marks the import as being undone, so that no other import of its source runs meanwhile."""
    now = services.clock()
    with services.begin_intake() as tx:
        facts = imports.get(tx, import_id, lock=True)
        if facts.state in (imports.UNDOING, imports.UNDONE):
            return
        _check(services, facts, now)
        _check_unread(services, facts, _months(tx, import_id))
        ended = (imports.DONE, imports.FAILED, imports.CANCELLED, imports.RUNNING)
        imports.change(tx, import_id, ended, state=imports.UNDOING, finished_at=facts.ended_at)
        told = {"import": import_id, "source": facts.source_id, "stored": int(facts.counts.get("stored", 0))}
        services.log(tx, LogKind.INGEST, "import.undo", actor=actor, facts=told)


def _check(services: Services, facts: imports.Facts, now: datetime) -> None:
    stopped = facts.state in (imports.DONE, imports.FAILED, imports.CANCELLED)
    killed = facts.state == imports.RUNNING and facts.holder is not None and services.gone(facts.holder)
    if facts.ended_at is None or not (stopped or killed):
        raise Conflict("the import has not stopped, or it never began", code="import_not_ready")
    if now - facts.ended_at > imports.UNDO_WINDOW or now - (facts.started_at or facts.ended_at) > LONGEST:
        raise Conflict("an import can be undone for 24 hours after its end", code="too_late_to_undo")


def _check_unread(services: Services, facts: imports.Facts, months: set[int]) -> None:
    if facts.used or services.charged_since(months, facts.started_at or facts.created_at):
        raise Conflict("a closed month or a published number has read rows of this import", code="import_in_use")


def _months(tx: sa.Connection, import_id: str) -> set[int]:
    return {month for files in imports.files_of(tx, import_id).values() for _, month in files if month is not None}


def prospect(services: Services, import_id: str, *, caller: Caller | None = None) -> dict[str, Any]:
    """Whether an import could be undone now (`code` says why not), until when, and what would go and what would stay."""
    facts, code = imported.find(services, import_id, caller), None
    with services.read_intake() as tx:
        months = _months(tx, import_id)
        held = quarantine.of_batches(tx, facts.source_id, [batch_id for _, batch_id in imports.chunks_of(tx, import_id)])
    try:
        _check(services, facts, services.clock())
        _check_unread(services, facts, months)
    except Conflict as error:
        code = error.code
    return {
        "code": code,
        "until": None if facts.ended_at is None else facts.ended_at + imports.UNDO_WINDOW,
        "stored": int(facts.counts.get("stored", 0)),
        "duplicate": int(facts.counts.get("duplicate", 0)),
        "quarantined": len(held),
        "months": sorted(months),
        "consents_kept": keeps_consents(services, facts),
    }


def finish(services: Services, import_id: str, *, actor: str) -> dict[str, Any]:
    """Does what is left of an undo; once it is done, nothing."""
    with services.read_intake() as tx:
        facts = imports.get(tx, import_id)
        chunks = imports.chunks_of(tx, import_id)
    if facts.state != imports.UNDOING:
        return {"import": import_id, "state": facts.state}
    with services.lake_lease():
        with services.begin_jobs() as tx:
            inbox.withdraw(tx, imports.positions_of(tx, import_id))
            files = imports.files_of(tx, import_id)
        withdrawn = sum(
            services.maintenance.withdraw(table, [location for location, _ in found]).files_deleted for table, found in files.items()
        )
    forgotten = 0
    for digests in _ranges(int(facts.counts.get("stored", 0))):
        with services.begin_intake() as tx:
            forgotten += inbox.forget_seen(tx, facts.source_id, [at for at, _ in chunks], digests=digests)
    with services.begin_intake() as tx:
        held = quarantine.of_batches(tx, facts.source_id, [batch_id for _, batch_id in chunks])
        quarantine.remove(tx, [one.id for one in held])
        imports.forget_parts(tx, import_id)
        imports.change(tx, import_id, (imports.UNDOING,), state=imports.UNDONE)
        counts = {"files": withdrawn, "items": forgotten, "quarantined": len(held)}
        services.log(tx, LogKind.INGEST, "import.undone", actor=actor, facts={"import": import_id, **counts})
    services.box.destroy([one.reference for one in held if one.reference])
    return {"import": import_id, "state": imports.UNDONE, **counts, "consents_kept": keeps_consents(services, facts)}


def keeps_consents(services: Services, facts: imports.Facts) -> bool:
    """Whether the import brought acts of consent, which stay."""
    if facts.mapping is None:
        return False
    mapping = services.parsed_mapping(facts.mapping)
    return bool(mapping.consents) or mapping.record == "consent"


def _ranges(stored: int) -> Iterator[tuple[bytes, bytes | None]]:
    """The whole range of digests in steps by their first byte; digests are evenly spread, being MACs."""
    steps = min(256, max(1, stored // ROWS_A_STEP))
    bounds = [bytes([number * 256 // steps]) for number in range(steps)]
    for number, low in enumerate(bounds):
        yield (low if number else b""), (bounds[number + 1] if number + 1 < steps else None)
