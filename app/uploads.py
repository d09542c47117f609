"""Files that come over HTTP: announced, sent in parts, tried out, imported by a job, followed and called off.

Promise: a part is acknowledged when it is on the disk, sealed, and counted; a sender who lost the answer hears where to go on. A file is
checked whole against its announced size and digest before a row of it is read. When an import ends, is called off or is over its time,
the file and its key go. Errors and states tell rules and numbers, never a value.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from werkzeug.exceptions import ClientDisconnected

from app import imported, importing, imports, jobs, ownership, parcels
from ingestion import registry
from privacy.errors import Conflict, Invalid, NotFound, PiyingError, Raced, Refused, Unavailable
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services
    from privacy.records import SourceFacts

IMPORT = "import"
"""The job's kind."""
OPEN_UPLOADS = 50
"""Announced files that may lie there at once: with `limits.upload_bytes` it bounds the disk that uploads can take."""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a part: whether its place was right, and where the file goes on."""

    accepted: bool
    offset: int
    state: dict[str, Any]


# ── announcing and sending ─────────────────────────────────────────────────────────────────────────────────────────────────────


def create(services: Services, asked: Mapping[str, Any], *, actor: str, key: str | None, caller: Caller | None = None) -> dict[str, Any]:
    """Announces a file; with the key of an earlier request the import that it made."""
    size, limits = asked["size"], services.settings.limits
    if size > limits.upload_bytes:
        raise Invalid("the file is larger than an upload may be", code="too_large", field="size")
    kind, digest = imports.checked_format(asked["format"]), bytes.fromhex(asked["sha256"])
    source = own_source(services, asked["source"], caller)
    if asked["mapping"] is not None:
        check_mapping(services, asked["mapping"])
    request_key = None if key is None else hashlib.sha256(f"{actor}\x1f{key}".encode()).hexdigest()
    now = services.clock()
    with services.begin_intake() as tx:
        known = None if request_key is None else imports.by_request(tx, request_key)
        if known is not None:
            if (known.source_id, known.size, known.sha256, known.format) != (source.id, size, digest, kind):
                raise Conflict("this Idempotency-Key was used for another file", code="idempotency_mismatch")
            return imported.shown(services, known, exact=True)
        if imports.open_uploads(tx) >= OPEN_UPLOADS:
            raise Conflict("too many uploads are open: finish or cancel one", code="too_many_uploads")
        facts = imports.create(
            tx,
            source.id,
            state=imports.UPLOADING,
            chunk_rows=limits.import_rows,
            by=actor,
            now=now,
            format=kind,
            name=imports.spoken_name(asked.get("name") or ""),
            mapping=asked["mapping"],
            size=size,
            sha256=digest,
            request_key=request_key,
        )
        services.log(tx, LogKind.INGEST, "import.announce", actor=actor, facts={"import": facts.id, "source": source.id, "bytes": size})
    services.parcel_seal.open_parcel(facts.id, facts.content_ends_at)
    return imported.shown(services, facts, exact=True)


def receive(services: Services, import_id: str, offset: int, stream: IO[bytes], *, actor: str, caller: Caller | None = None) -> Part:
    """Takes a part in. What is there already is passed over, so a part may be sent again; a part that leaves a gap is not taken."""
    _uploading(services, import_id, caller)
    with parcels.writing(services.uploads_path, import_id, services.parcel_seal) as writer:
        facts = _uploading(services, import_id, None)
        assert facts.size is not None
        if offset > facts.received_bytes:
            return Part(accepted=False, offset=facts.received_bytes, state=imported.shown(services, facts, exact=True))
        writer.cut(facts.sealed_bytes)
        _skip(stream, facts.received_bytes - offset)
        at = facts.received_bytes
        while block := block_of(stream, min(parcels.BLOCK, facts.size + 1 - at)):
            if at + len(block) > facts.size:
                raise Invalid("the part goes on behind the announced end of the file", code="upload_too_long", field="size")
            sealed = writer.add(at, block)
            at += len(block)
            acknowledge(services, import_id, at, sealed)
        if at == facts.size:
            _complete(services, import_id, actor)
    return Part(accepted=True, offset=at, state=imported.state(services, import_id, exact=True))


def acknowledge(services: Services, import_id: str, received: int, sealed: int) -> None:
    """Writes down that a block is on the disk."""
    with services.begin_intake() as tx:
        if not imports.change(tx, import_id, (imports.UPLOADING,), received_bytes=received, sealed_bytes=sealed):
            raise Conflict("the upload was called off", code="import_not_ready")


def _complete(services: Services, import_id: str, actor: str) -> None:
    """The file is whole: checked against its digest, then it waits, or its import is queued if it has a mapping."""
    facts = imported.find(services, import_id)
    digest = hashlib.sha256()
    with content_of(services, facts)() as plain:
        while block := plain.read(parcels.BLOCK):
            digest.update(block)
    if not hmac.compare_digest(digest.digest(), facts.sha256 or b""):
        with services.begin_intake() as tx:
            imports.change(
                tx, import_id, (imports.UPLOADING,), state=imports.CANCELLED, error_code="upload_damaged", finished_at=services.clock()
            )
            services.log(tx, LogKind.INGEST, "import.cancel", actor=actor, result="upload_damaged", facts={"import": import_id})
        discard(services, import_id)
        raise Invalid("what arrived has another digest than what was announced", code="upload_damaged", field="sha256")
    with services.begin_intake() as tx:
        imports.change(tx, import_id, (imports.UPLOADING,), state=imports.UPLOADED)
    if facts.mapping is not None:
        start(services, import_id, actor=actor)


def block_of(stream: IO[bytes], length: int) -> bytes:
    """Up to `length` bytes: as many as there are before the stream ends or breaks off; what broke off is raised by the next call."""
    parts, missing = [], length
    while missing:
        try:
            part = stream.read(missing)
        except (OSError, ValueError, ClientDisconnected):
            break
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _skip(stream: IO[bytes], count: int) -> None:
    while count > 0 and (block := block_of(stream, min(parcels.BLOCK, count))):
        count -= len(block)


# ── mapping, start, end ────────────────────────────────────────────────────────────────────────────────────────────────────────


def mapping_of(services: Services, import_id: str, caller: Caller | None = None) -> tuple[str | None, str]:
    """An import's mapping, and the version that a change of it must name."""
    facts = imported.find(services, import_id, caller)
    return facts.mapping, facts.version


def set_mapping(
    services: Services, import_id: str, text: str, *, actor: str, seen: str | None = None, caller: Caller | None = None
) -> tuple[dict[str, Any], str]:
    """Gives an import that has not begun its mapping; `seen` is the version that the caller looked at. Gives the new version, too."""
    check_mapping(services, text)
    imported.find(services, import_id, caller)
    with services.begin_intake() as tx:
        facts = imports.get(tx, import_id, lock=True)
        if seen is not None and seen != facts.version:
            raise Conflict("the mapping changed since it was read", code="changed_meanwhile")
        if not imports.change(tx, import_id, (imports.UPLOADING, imports.UPLOADED), mapping=text):
            raise Conflict("the import has begun: its mapping stays", code="import_not_ready")
        services.log(tx, LogKind.INGEST, "import.mapping", actor=actor, facts={"import": import_id})
    return imported.state(services, import_id, exact=True), mapping_of(services, import_id)[1]


def start(services: Services, import_id: str, *, actor: str, caller: Caller | None = None) -> dict[str, Any]:
    """Queues the import; one that failed goes on where it stopped."""
    facts = imported.find(services, import_id, caller)
    if facts.mapping is None:
        raise Invalid("the import has no mapping yet", code="mapping_missing", field="mapping")
    now = services.clock()
    lost = facts.size is not None and facts.state == imports.RUNNING and facts.holder is not None and services.gone(facts.holder)
    with services.begin_intake() as tx:
        stuck = (imports.UPLOADED, imports.FAILED, *((imports.RUNNING,) if lost else ()))
        if not imports.change(tx, import_id, stuck, state=imports.QUEUED, finished_at=None, error_code=None):
            raise Conflict("the import is not waiting to be started", code="import_not_ready")
        services.log(tx, LogKind.INGEST, "import.queue", actor=actor, facts={"import": import_id})
    with services.begin_console() as tx:
        jobs.enqueue(tx, IMPORT, {"import": import_id}, by=actor, now=now)
    return imported.state(services, import_id, exact=True)


def cancel(services: Services, import_id: str, *, actor: str, caller: Caller | None = None, idle: bool = False) -> dict[str, Any]:
    """Calls an import off. What was stored stays until it is undone; a running one stops after its chunk, unless its job is `idle`."""
    imported.find(services, import_id, caller)
    with services.begin_intake() as tx:
        waiting = (imports.UPLOADING, imports.UPLOADED, imports.QUEUED, imports.FAILED, *((imports.RUNNING,) if idle else ()))
        over = imports.change(tx, import_id, waiting, state=imports.CANCELLED, finished_at=services.clock())
        if not over and not imports.change(tx, import_id, (imports.RUNNING,), cancel=True):
            raise Conflict("the import is over", code="import_not_ready")
        services.log(tx, LogKind.INGEST, "import.cancel", actor=actor, facts={"import": import_id})
    if over:
        discard(services, import_id)
    return imported.state(services, import_id, exact=True)


def discard(services: Services, import_id: str) -> None:
    """The key first, then the file."""
    services.parcel_seal.destroy(import_id)
    parcels.remove(services.uploads_path, import_id)


def expire(services: Services) -> dict[str, int]:
    """Ends what is over its time (the retention schedule): uploads nobody finished, places of faults, means of undoing."""
    with services.begin_intake() as tx:
        forgotten, late = imports.sweep(tx, services.clock())
        services.log(tx, LogKind.SYSTEM, "retention.imports", actor="schedule", facts={"chunks": forgotten, "uploads": len(late)})
    for import_id in late:
        discard(services, import_id)
    return {"uploads": len(late)}


# ── the job ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(services: Services, job: jobs.Claimed, *, measure: importing.Measure) -> Mapping[str, Any]:
    """Does an import, or goes on with it after its last committed chunk."""
    import_id = str(job.arguments["import"])
    facts = imported.find(services, import_id)
    if facts.state == imports.CANCELLED:
        raise jobs.Stopped(facts.counts)
    if facts.state not in (imports.QUEUED, imports.RUNNING):
        return facts.counts
    try:
        with services.read_intake() as tx:
            source = registry.get(tx, facts.source_id)
        if source.disabled_at is not None:
            raise Refused("the source is disabled", code="source_disabled")
        whole = services.parsed_mapping(facts.mapping or "")
        counts = importing.run(
            services,
            import_id,
            services.chunks(services.content(facts), source.facts, whole, facts.chunk_rows),
            whole,
            holder=job.holder[:60],
            measure=measure,
            progress=Reporting(services, job),
        )
    except Exception as error:  # whatever it is, an import that is not tried again must end with its reason beside it
        again = not isinstance(error, PiyingError) or isinstance(error, Unavailable | Raced)
        if not again or job.attempt >= jobs.ATTEMPTS:  # otherwise the job is tried again, and the import goes on
            code = error.code if isinstance(error, PiyingError) else "internal"
            with services.begin_intake() as tx:
                imports.finish(tx, import_id, imports.FAILED, now=services.clock(), error_code=code)
                services.log(tx, LogKind.INGEST, "import.finish", actor=job.created_by, result=code, facts={"import": import_id})
        raise
    discard(services, import_id)
    if imported.find(services, import_id).state == imports.CANCELLED:
        raise jobs.Stopped(counts)
    return counts


class Reporting:
    """Tells the job how far its import is, at most once a second."""

    def __init__(self, services: Services, job: jobs.Claimed) -> None:
        self._services, self._job = services, job
        self._told: datetime | None = None

    def __call__(self, done: int, total: int) -> bool:
        """Whether to stop: somebody cancelled the job, or another worker has it."""
        now = self._services.clock()
        if self._told is not None and (now - self._told).total_seconds() < 1:
            return False
        self._told = now
        with self._services.begin_jobs() as tx:
            return jobs.progress(tx, self._job, done=done, total=total, now=now)


# ── small parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def content_of(services: Services, facts: imports.Facts) -> Callable[[], IO[bytes]]:
    """Opens the plain bytes of an upload."""
    return parcels.opener(services.uploads_path, facts.id, services.parcel_seal, facts.sealed_bytes)


def _uploading(services: Services, import_id: str, caller: Caller | None) -> imports.Facts:
    facts = imported.find(services, import_id, caller)
    if facts.state != imports.UPLOADING:
        raise Conflict("the import takes no (more) content", code="import_not_ready")
    return facts


def own_source(services: Services, name: str, caller: Caller | None) -> SourceFacts:
    """The facts of a source that takes files and is the caller's; raises NotFound, Refused or Invalid."""
    source = importing.source_of_files(services, name)
    if source.id in ownership.hidden_from(services, caller):
        raise NotFound("there is no such source", code="source_not_found")
    return source


def check_mapping(services: Services, text: str) -> None:
    """Raises Invalid for a mapping that could not be run."""
    mapping = services.parsed_mapping(text)
    with services.read_intake() as tx:
        known = set(services.purposes(tx))
    if {rule.purpose for rule in mapping.consents} - known:
        raise Invalid("the mapping names a purpose that is not registered", code="purpose_unknown", field="consent")
