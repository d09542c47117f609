"""Holidays and working days into the calendar, by the same way in that a file takes.

Promise: asking again stores nothing twice; what changed since is stored and counts from then on. There are no people in it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from app import logs
from ingestion import pipeline, registry
from privacy.errors import Invalid, Refused
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services


def import_calendar(
    services: Services,
    *,
    source_name: str,
    country: str,
    first: int,
    last: int,
    subdivision: str | None,
    region: str | None,
    language: str | None,
    actor: str,
) -> dict[str, Any]:
    """Imports the days of whole years; raises Invalid for a country, a subdivision, a language or years that nobody knows."""
    with services.read_intake() as tx:
        source = registry.by_name(tx, source_name)
    if source.disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    if source.facts.kind != "file":
        raise Invalid("a calendar goes into a source of kind file", code="wrong_endpoint", field="source")
    batches, mapping = services.calendar(source.facts, country, subdivision, region, language, first, last)
    import_id = "imp_" + secrets.token_hex(12)
    with services.begin_intake() as tx:
        services.log(tx, LogKind.INGEST, "import.start", actor=actor, facts={"import": import_id, "source": source.facts.id})
    total = pipeline.Receipt()
    for raw in batches:
        receipt = pipeline.ingest(raw, mapping, services.intake)
        logs.RECEIVED.labels(source.facts.id).inc(receipt.received)
        for verdict in ("stored", "duplicate"):
            logs.ITEMS.labels(source.facts.id, verdict).inc(getattr(receipt, verdict))
        total = total.plus(receipt)
    return {"received": total.received, "stored": total.stored, "duplicate": total.duplicate}
