"""The ways in, as routes, commands and jobs use them: messages, files, replays, the flush into the lake.

Promise: what is acknowledged is committed; a file is imported in chunks that each are all or nothing, and starts again where it stopped.
Nothing here looks at a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import importing, imports, logs, ownership
from ingestion import inbox, oauth, pipeline, registry, signals, together, verdicts
from ingestion.strictjson import Fault, Parsed, dumps, loads
from privacy.errors import Invalid, Locked, NotFound, PiyingError, Refused, Unavailable
from privacy.vocabulary import FormRule, LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services
    from privacy.records import RawBatch, SourceFacts

FLUSH_BATCHES = 1_000
"""Batches that one commit into the lake takes at most, however few their rows are; `limits.flush_rows` bounds its memory."""


Header = Callable[[str], str]
"""A header of the request by its name; empty where it has none."""


TOGETHER = 2_000
"""Items of requests that are taken in together; a request with more goes alone."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request's receipt and the name under which its verdicts are kept."""

    request_id: str
    receipt: pipeline.Receipt


def sender_of(services: Services, key: str) -> registry.Listed:
    """The source of a write key, within its rate; raises Refused: unknown (401), disabled (403) or too fast (429)."""
    with services.read_intake() as tx:
        found = registry.by_key(tx, key, now=services.clock())
    if found is None:
        raise Refused("the write key is unknown", code="key_unknown")
    return _within_rate(services, found)


def source_of(services: Services, key: str) -> SourceFacts:
    """What the source of a write key declared; raises as `sender_of` does."""
    return sender_of(services, key).facts


def root_sender(services: Services) -> registry.Listed:
    """The source that owns the root paths, where clients send without any key; raises Refused if there is none."""
    with services.read_intake() as tx:
        found = registry.root_paths_owner(tx)
    if found is None:
        raise Refused("no source owns the root paths; name its key as /c/<key>/ before the path", code="key_missing")
    return _within_rate(services, found)


def _within_rate(services: Services, sender: registry.Listed) -> registry.Listed:
    wait = services.limiter.allow(sender.facts.id, sender.requests_per_second or services.settings.limits.requests_per_second)
    if wait:
        logs.RATE_LIMITED.labels(sender.facts.id).inc()
        raise Refused("this source sends more requests than it may", code="rate_limited", retry_after=wait)
    return sender


def allowed_origins(services: Services) -> frozenset[str] | None:
    """Every origin that some source allows; None where one allows any."""
    with services.read_intake() as tx:
        return registry.all_origins(tx)


def exchange(services: Services, assertion: str, audiences: Collection[str]) -> oauth.Exchanged:
    """A short-lived write key for a source's signed assertion; raises Refused."""
    with services.begin_console() as tx:
        made = oauth.exchange(tx, assertion, audiences=audiences, signed=services.signed, random=secrets.token_bytes, now=services.clock())
        services.log(
            tx, LogKind.ACCOUNT, "source.exchange", actor=made.source_id, facts={"source": made.source_id, "client": made.client_id}
        )
    return made


def receive(
    services: Services, source: SourceFacts, kind: str, parsed: Parsed, *, item_bytes: int | None = None, gpc: str | None = None
) -> Received:
    """Takes the messages of one request in; `item_bytes` is how large one may be where that is not the setting's word. `gpc` is the header
    by which a browser objects for whoever uses it."""
    request_id = "req_" + secrets.token_hex(12)
    raw = services.messages(source, kind, _bounded(parsed, item_bytes or services.settings.limits.item_bytes), request_id)
    raw = _with_signals(services, raw, parsed, objects=signals.objects(gpc))
    return Received(request_id, services.requests.take(_terms(source), raw, len(raw.items or ())))


def _with_signals(services: Services, raw: RawBatch, parsed: Parsed, *, objects: bool) -> RawBatch:
    """The batch with what its browser says of consent; asks the register only where one says anything."""
    messages = _entries(parsed)
    items = raw.items or ()
    told = messages if len(messages) == len(items) else [None] * len(items)
    if not objects and not any(map(signals.speaks, told)):
        return raw
    with services.read_intake() as tx:
        shares = [key for key in services.purposes(tx) if key.startswith("share.")]
    return signals.add(raw, told, shares, gpc=objects, european=services.settings.jurisdiction == "EU")


def _terms(source: SourceFacts) -> tuple[Hashable, ...]:
    """What must be the same for requests to be taken in together: the source as it was declared when each of them came."""
    declared = (source.id, source.name, source.kind, source.public, source.purposes, source.on_no_consent, source.consent_signals)
    return (*declared, source.namespace, tuple(sorted(source.consent_categories.items())))


def ingest_requests(services: Services, raws: Sequence[RawBatch]) -> Sequence[pipeline.Receipt | Exception]:
    """Takes in requests of one source that came at the same time, in one transaction; where that fails for another reason than a store or
    a key that is away, each by itself, so that none spoils it for its neighbours."""
    try:
        receipt, receipts = together.ingest(raws, services.intake)
    except (Unavailable, Locked):
        raise
    except Exception as error:  # whatever one request sets off is that request's answer: the others must still get theirs
        return [error] if len(raws) == 1 else [_alone(services, raw) for raw in raws]
    measure(raws[0].source.id, receipt)
    return receipts


def _alone(services: Services, raw: RawBatch) -> pipeline.Receipt | Exception:
    try:
        receipt = pipeline.ingest(raw, None, services.intake)
    except Exception as error:  # handed back, not hidden: it is raised again in the request that it belongs to
        return error
    measure(raw.source.id, receipt)
    return receipt


def receive_packed(services: Services, source: SourceFacts, kind: str, header: Header, body: bytes) -> Received:
    """Takes in a request to an endpoint of one kind of source. A shop's body is looked at only after its signature was."""
    limits = services.settings.limits
    if source.kind == "webhook":
        services.check_signature(source.id, header, body)
    parsed = loads(services.unpacked(kind, body), max_depth=limits.json_depth)
    if len(parsed.value["batch"]) > limits.request_items:
        raise Invalid("the batch has more items than this endpoint takes", code="too_many_items")
    return receive(services, source, kind, parsed, item_bytes=limits.request_bytes if kind == "orders" else None)


def _bounded(parsed: Parsed, limit: int) -> Parsed:
    """The messages with those marked that are larger than a message may be; they fail alone."""
    entries = _entries(parsed)
    known = {fault.index for fault in parsed.faults}
    large = [Fault(index, "", FormRule.TOO_LARGE) for index, one in enumerate(entries) if index not in known and len(dumps(one)) > limit]
    return Parsed(parsed.value, (*parsed.faults, *large)) if large else parsed


def _entries(parsed: Parsed) -> list[Any]:
    """The messages of a request."""
    messages = parsed.value.get("batch", parsed.value.get("data")) if isinstance(parsed.value, dict) else None
    return messages if isinstance(messages, list) else [parsed.value]


def measure(source_id: str, receipt: pipeline.Receipt) -> None:
    """Counts a receipt in the metrics."""
    logs.RECEIVED.labels(source_id).inc(receipt.received)
    for verdict in ("stored", "duplicate", "quarantined", "refused"):
        if number := getattr(receipt, verdict):
            logs.ITEMS.labels(source_id, verdict).inc(number)
    for reason, number in receipt.reasons.items():
        logs.REFUSALS.labels(source_id, reason).inc(number)


def verdicts_of(services: Services, request_id: str) -> list[dict[str, Any]]:
    """The verdicts of a request's items; raises NotFound after seven days."""
    with services.read_intake() as tx:
        found = verdicts.get(tx, request_id, now=services.clock())
    if found is None:
        raise NotFound("there are no verdicts for this request (any more)", code="verdicts_unknown")
    return found[1]


def import_file(
    services: Services, path: Path, *, source_name: str, mapping_path: Path, actor: str, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Imports a file by a mapping; `progress` hears how much of the file was read, of how much.

    A chunk's rows carry the file's own digests, so that importing again stores nothing twice; that is also how an import resumes.
    """
    if not path.is_file():
        raise NotFound("there is no such file", code="file_unknown", field="file")
    with services.read_intake() as tx:
        source = registry.by_name(tx, source_name)
        known = services.purposes(tx)
    if source.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    mapping = services.mapping(mapping_path)
    unknown = sorted({rule.purpose for rule in mapping.consents} - set(known))
    if unknown:
        raise Invalid("the mapping names a purpose that is not registered", code="purpose_unknown", field="consent")
    rows = services.settings.limits.import_rows
    with services.begin_intake() as tx:
        made = imports.create(
            tx,
            source.facts.id,
            state=imports.QUEUED,
            chunk_rows=rows,
            by=actor,
            now=services.clock(),
            format=path.suffix.lower().strip(".")[:12],
            name=imports.spoken_name(path.name),
            mapping=mapping_path.read_text("utf-8"),
        )
        services.log(tx, LogKind.INGEST, "import.start", actor=actor, facts={"import": made.id, "source": source.facts.id})
    chunks = services.chunks(path, source.facts, mapping, rows)
    try:
        counts = importing.run(services, made.id, chunks, mapping, holder=services.process, measure=measure, progress=progress)
    except PiyingError as error:
        with services.begin_intake() as tx:
            imports.finish(tx, made.id, imports.FAILED, now=services.clock(), error_code=error.code)
        raise
    return {"import": made.id, **counts}


def flush(services: Services) -> dict[str, Any]:
    """Moves everything that waits into the lake, one lease, as many commits as needed."""
    batches = rows = 0
    snapshot: Mapping[str, int] = {}
    with services.lake_lease():
        while True:
            with services.read_jobs() as tx:
                waiting = inbox.pending(tx, limit=FLUSH_BATCHES, rows=services.settings.limits.flush_rows)
                apart = imports.owners(tx, waiting[0].seq, waiting[-1].seq) if waiting else {}
            if not waiting:
                break
            done = services.writer.flush(waiting, apart=apart, announce=partial(note_files, services))
            with services.begin_jobs() as tx:
                inbox.mark_done(tx, waiting[-1].seq)
            logs.FLUSHED.inc(done.rows)
            batches, rows, snapshot = batches + done.batches, rows + done.rows, {**snapshot, **done.snapshots}
    return {"batches": batches, "rows": rows, "snapshot": dict(snapshot)}


def note_files(services: Services, table: str, import_id: str, locations: Sequence[str]) -> None:
    """Notes which files will hold an import's rows, before they do: an undo takes them out whole."""
    with services.begin_jobs() as tx:
        imports.note_files(tx, table, import_id, locations)


def counts(services: Services, source_id: str, *, caller: Caller | None = None) -> list[dict[str, Any]]:
    """Exact counts of a source's items by day, verdict and reason (dp_rules X-4: integrator and officer only)."""
    if caller is not None:
        with services.read_console() as tx:
            ownership.check(tx, source_id, caller)
    with services.read_intake() as tx:
        registry.get(tx, source_id)
        listed = inbox.counts(tx, source_id=source_id)
    return [
        {"day": day.isoformat(), "verdict": verdict, "reason": reason or None, "number": number}
        for _, day, verdict, reason, number in listed
    ]
