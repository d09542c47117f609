"""The ways in, as routes, commands and jobs use them: messages, files, replays, the flush into the lake.

Promise: what is acknowledged is committed; a file is imported in chunks that each are all or nothing, and starts again where it stopped.
Nothing here looks at a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import logs
from ingestion import inbox, pipeline, quarantine, registry, verdicts
from ingestion.strictjson import Fault, Parsed, dumps
from privacy.errors import Invalid, NotFound, Refused
from privacy.vocabulary import FormRule, LogKind, OnNoConsent

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import SourceFacts

FLUSH_BATCHES = 200
"""Batches that one commit into the lake takes; bounds memory, at ten thousand rows a batch, to a few hundred megabytes."""


REPLAY_ITEMS = 1000
"""Held items that one replay takes; the command is repeated for more."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request's receipt and the name under which its verdicts are kept."""

    request_id: str
    receipt: pipeline.Receipt


def source_of(services: Services, key: str) -> SourceFacts:
    """The source of a write key; raises Refused: unknown (401) or disabled (403)."""
    with services.read_intake() as tx:
        found = registry.by_key(tx, key, now=services.clock())
    if found is None:
        raise Refused("the write key is unknown", code="key_unknown")
    return found.facts


def receive(services: Services, source: SourceFacts, kind: str, parsed: Parsed) -> Received:
    """Takes the messages of one request in."""
    request_id = "req_" + secrets.token_hex(12)
    raw = services.messages(source, kind, _bounded(parsed, services.settings.limits.item_bytes), request_id)
    receipt = pipeline.ingest(raw, None, services.intake)
    measure(source.id, receipt)
    return Received(request_id, receipt)


def _bounded(parsed: Parsed, limit: int) -> Parsed:
    """The messages with those marked that are larger than a message may be; they fail alone."""
    messages = parsed.value.get("batch") if isinstance(parsed.value, dict) else None
    entries = messages if isinstance(messages, list) else [parsed.value]
    known = {fault.index for fault in parsed.faults}
    large = [Fault(index, "", FormRule.TOO_LARGE) for index, one in enumerate(entries) if index not in known and len(dumps(one)) > limit]
    return Parsed(parsed.value, (*parsed.faults, *large)) if large else parsed


def measure(source_id: str, receipt: pipeline.Receipt) -> None:
    """Counts a receipt in the metrics."""
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
    import_id = "imp_" + secrets.token_hex(12)
    with services.begin_intake() as tx:
        services.log(tx, LogKind.INGEST, "import.start", actor=actor, facts={"import": import_id, "source": source.facts.id})
    total = pipeline.Receipt()
    for raw in services.read_file(path, source.facts, progress):
        receipt = pipeline.ingest(raw, mapping, services.intake)
        measure(source.facts.id, receipt)
        total = total.plus(receipt)
    return {
        "import": import_id,
        "received": total.received,
        "stored": total.stored,
        "duplicate": total.duplicate,
        "quarantined": total.quarantined,
        "refused": total.refused,
        "reasons": dict(sorted(total.reasons.items())),
        "dropped_fields": dict(sorted(total.dropped_fields.items())),
    }


def flush(services: Services) -> dict[str, Any]:
    """Moves everything that waits into the lake, one lease, as many commits as needed."""
    batches = rows = 0
    snapshot: Mapping[str, int] = {}
    with services.lake_lease():
        while True:
            with services.read_jobs() as tx:
                waiting = inbox.pending(tx, limit=FLUSH_BATCHES)
            if not waiting:
                break
            done = services.writer.flush(waiting)
            with services.begin_jobs() as tx:
                inbox.mark_done(tx, waiting[-1].seq)
            batches, rows, snapshot = batches + done.batches, rows + done.rows, {**snapshot, **done.snapshots}
    return {"batches": batches, "rows": rows, "snapshot": dict(snapshot)}


def list_quarantine(services: Services, source_id: str | None = None) -> list[dict[str, Any]]:
    """Held items: where, which rule, until when."""
    with services.read_console() as tx:
        held, _ = quarantine.listing(tx, source_id=source_id, limit=1000)
    return [
        {
            "id": f"qit_{one.id}",
            "source": one.source_id,
            "position": one.position,
            "path": one.path,
            "rule": one.rule,
            "created_at": one.created_at.isoformat(),
            "expires_at": one.expires_at.isoformat(),
        }
        for one in held
    ]


def replay(services: Services, *, source_name: str, mapping_path: Path | None, actor: str) -> dict[str, Any]:
    """Sends a source's held items through the pipeline again, then removes them. What fails again is held anew, until its first time ends:
    a replay never lengthens it.

    Items are removed only after they went through: a crash in between replays them twice, and their message ids make that harmless.
    """
    with services.read_intake() as tx:
        source = registry.by_name(tx, source_name).facts
        held, _ = quarantine.listing(tx, source_id=source.id, limit=REPLAY_ITEMS)
    return _replay(services, source, held, mapping_path, actor)


def replay_waiting(services: Services) -> dict[str, Any]:
    """Tries the items that wait for a consent on another path; only messages, whose reading needs no mapping."""
    tried = stored = 0
    with services.read_intake() as tx:
        waiting = [one.facts for one in registry.listing(tx) if one.facts.on_no_consent == OnNoConsent.WAIT and one.facts.kind != "file"]
    for source in waiting:
        with services.read_intake() as tx:
            held, _ = quarantine.listing(tx, source_id=source.id, rule=FormRule.AWAITING_CONSENT, limit=REPLAY_ITEMS)
        if held:
            told = _replay(services, source, held, None, "schedule")
            tried, stored = tried + told["replayed"], stored + told["stored"]
    return {"tried": tried, "stored": stored}


def _replay(
    services: Services, source: SourceFacts, held: Sequence[quarantine.Held], mapping_path: Path | None, actor: str
) -> dict[str, Any]:
    opened = services.box.open([one.reference or "" for one in held])
    readable = [(one, payload) for one, payload in zip(held, opened, strict=True) if payload is not None]
    receipt = pipeline.Receipt()
    if readable:
        raw, mapping = services.replayed(source, [payload for _, payload in readable], mapping_path)
        receipt = pipeline.ingest(raw, mapping, services.intake, ends=[one.expires_at for one, _ in readable])
        measure(source.id, receipt)
    with services.begin_intake() as tx:
        quarantine.remove(tx, [one.id for one in held])
        services.log(tx, LogKind.INGEST, "quarantine.replay", actor=actor, facts={"source": source.id, "items": len(readable)})
    services.box.destroy([one.reference for one in held if one.reference])
    return {
        "replayed": len(readable),
        "stored": receipt.stored,
        "duplicate": receipt.duplicate,
        "quarantined": receipt.quarantined,
        "refused": receipt.refused,
        "reasons": dict(sorted(receipt.reasons.items())),
    }


def counts(services: Services, source_id: str) -> list[dict[str, Any]]:
    """Exact counts of a source's items by day, verdict and reason (dp_rules X-4: integrator and officer only)."""
    with services.read_intake() as tx:
        registry.get(tx, source_id)
        listed = inbox.counts(tx, source_id=source_id)
    return [
        {"day": day.isoformat(), "verdict": verdict, "reason": reason or None, "number": number}
        for _, day, verdict, reason, number in listed
    ]
