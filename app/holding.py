"""What failed in form, as routes, commands, jobs and erasures use it: listed, counted, replayed, erased.

Promise: places and rules are shown, never a value; a replay asks consent at each item's own time and now, gives no item more time, and
takes each once, whatever runs beside it; an erasure leaves nothing of the person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import intake, ownership
from ingestion import pipeline, quarantine, registry
from privacy.errors import Unavailable
from privacy.vocabulary import FormRule, LogKind, OnNoConsent

if TYPE_CHECKING:
    import sqlalchemy as sa

    from app.access import Caller
    from app.wiring import Services
    from ingestion.mapping import FileMapping
    from privacy.records import SourceFacts

REPLAY_ITEMS = 1000
"""Held items that one step of a replay takes: a batch and a transaction of its own."""
MAPPED = ("file", "database", "stream")
"""Kinds of sources whose rows are read by a mapping."""
Progress = Callable[[int, int], None]
"""Hears how many items were replayed, of how many."""


def page(
    services: Services,
    source_id: str | None = None,
    *,
    rule: str | None = None,
    path: str | None = None,
    after: int = 0,
    limit: int = 100,
    caller: Caller | None = None,
) -> dict[str, Any]:
    """A page of held items in order of arrival, and the cursor of the next one; an integrator's own sources only."""
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller) if caller else frozenset()
        held, following = quarantine.listing(tx, source_id=source_id, rule=rule, path=path, after=after, limit=limit, hidden=hidden)
    items = [
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
    return {"items": items, "next": None if following is None else str(following)}


def counts(services: Services, *, caller: Caller | None = None) -> list[dict[str, Any]]:
    """How many items are held by source, path and rule, and until when the first of them is."""
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller) if caller else frozenset()
        return [
            {"source": one.source_id, "path": one.path, "rule": one.rule, "number": one.number, "first_ends": one.first_ends.isoformat()}
            for one in quarantine.summary(tx)
            if one.source_id not in hidden
        ]


def replay(
    services: Services,
    *,
    source_name: str,
    mapping_path: Path | FileMapping | None,
    actor: str,
    rule: str | None = None,
    path: str | None = None,
    progress: Progress = lambda done, total: None,
    caller: Caller | None = None,
) -> dict[str, Any]:
    """Sends a source's held items through the pipeline again. What fails again is held anew, until its first time ends: a replay never
    lengthens it. Consent is asked at each item's own time and now.

    Only what is held when it begins is replayed, so that it ends. Items leave in the very transaction that stores their batch, so that
    neither a crash nor a second replay takes one twice.
    """
    with services.read_intake() as tx:
        source = registry.by_name(tx, source_name).facts
        until, total = quarantine.newest(tx, source.id, rule=rule, path=path)
    if caller is not None:
        with services.read_console() as tx:
            ownership.check(tx, source.id, caller)
    done, receipt, after = 0, pipeline.Receipt(), 0
    while True:
        with services.read_intake() as tx:
            held = quarantine.waiting(
                tx, source.id, rule=rule, path=path, after=after, until=until, now=services.clock(), limit=REPLAY_ITEMS
            )
        if not held:
            break
        told = _replay(services, source, held, mapping_path, actor)
        done, receipt, after = done + told.received, receipt.plus(told), held[-1].id
        progress(done, total)
    return {
        "replayed": done,
        "stored": receipt.stored,
        "duplicate": receipt.duplicate,
        "quarantined": receipt.quarantined,
        "refused": receipt.refused,
        "reasons": dict(sorted(receipt.reasons.items())),
    }


def replay_waiting(services: Services) -> dict[str, Any]:
    """Tries the items that wait for a consent on another path; only messages, whose reading needs no mapping."""
    tried = stored = 0
    with services.read_intake() as tx:
        waiting = [
            one.facts for one in registry.listing(tx) if one.facts.on_no_consent == OnNoConsent.WAIT and one.facts.kind not in MAPPED
        ]
    for source in waiting:
        told = replay(services, source_name=source.name, mapping_path=None, actor="schedule", rule=FormRule.AWAITING_CONSENT)
        tried, stored = tried + told["replayed"], stored + told["stored"]
    return {"tried": tried, "stored": stored}


def _replay(
    services: Services, source: SourceFacts, held: Sequence[quarantine.Held], mapping_path: Path | FileMapping | None, actor: str
) -> pipeline.Receipt:
    opened = services.box.open([one.reference or "" for one in held])
    readable = [(one, payload) for one, payload in zip(held, opened, strict=True) if payload is not None]
    receipt = pipeline.Receipt()
    ids = [one.id for one in held]

    def leave(tx: sa.Connection) -> None:
        if quarantine.remove(tx, ids) != len(ids):
            raise Unavailable("another replay or an erasure took these items", code="replay_busy", retry_after=5)
        services.log(tx, LogKind.INGEST, "quarantine.replay", actor=actor, facts={"source": source.id, "items": len(readable)})

    if readable:
        raw, mapping = services.replayed(source, [payload for _, payload in readable], mapping_path)
        receipt = pipeline.ingest(raw, mapping, services.intake, ends=[one.expires_at for one, _ in readable], also=leave)
        intake.measure(source.id, receipt)
    else:
        with services.begin_intake() as tx:
            leave(tx)
    services.box.destroy([one.reference for one in held if one.reference])
    return receipt


def erase(services: Services, identifiers: Sequence[tuple[str, str]], *, actor: str) -> int:
    """Destroys every held item in which one of a person's identifiers (type, value) stands; returns how many.

    The values come from whoever erases the person, before the person's key is shredded. Each sealed payload is opened and looked at: no
    index of it exists. What cannot be read as text is destroyed too. Idempotent.
    """
    return destroy(services, services.box.about(identifiers), actor=actor)


def destroy(services: Services, references: Sequence[str], *, actor: str) -> int:
    """Destroys held items by the references of their payloads; returns how many. Idempotent."""
    found = list(references)
    services.box.destroy(found)
    with services.begin_intake() as tx:
        removed = quarantine.forget(tx, found)
        services.log(tx, LogKind.ERASURE, "quarantine.erase", actor=actor, facts={"items": removed})
    return removed
