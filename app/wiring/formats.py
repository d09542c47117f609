"""Formats whose way in is more than a reader: a shop's signed orders, mini-programs, Sensors Data's SDKs.

Promise: a kind of source is read at its own endpoint and nowhere else, so that nothing comes in beside its signature or its evidence.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from privacy.dictionary import catalogue
from privacy.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ingestion.strictjson import Parsed
    from privacy.records import RawBatch, SourceFacts

OWN = {"webhook": "orders", "sensors": "sensors"}
"""Kinds of source with an endpoint of their own, and what it calls its requests."""
KINDS = (*OWN, "mini_program")


def concerns(source: SourceFacts, request: str) -> bool:
    """Whether the source or the request is one of those that are read here."""
    return source.kind in KINDS or request in OWN.values()


def read(source: SourceFacts, request: str, parsed: Parsed, *, now: datetime, request_id: str) -> RawBatch:
    """A request, read by the adapter of the source's kind; raises Invalid `wrong_endpoint` unless it came to the kind's own endpoint."""
    own = OWN.get(source.kind)
    if own != request and (own is not None or request in OWN.values()):
        raise Invalid("this source does not send messages here", code="wrong_endpoint")
    return _read(source, parsed, now, request_id, only=None if own or request == "batch" else request)


def replayed(source: SourceFacts, payloads: Sequence[bytes], *, now: datetime) -> RawBatch:
    """Held messages as a batch again."""
    from ingestion import strictjson

    parsed = strictjson.loads(b'{"batch":[' + b",".join(payloads) + b"]}")
    return _read(source, parsed, now, "", only=None, again=True)


def _read(source: SourceFacts, parsed: Parsed, now: datetime, request_id: str, *, only: str | None, again: bool = False) -> RawBatch:
    from ingestion.sources import mini_program, segment, sensors, webhook

    known = catalogue.load()
    if source.kind == "webhook":
        return webhook.read(parsed, source, known, received_at=now, request_id=request_id)
    if source.kind == "sensors":
        return sensors.read(parsed, source, known, received_at=now, request_id=request_id, replayed=again)
    reader = partial(segment.read, source=source, catalogue=known, received_at=now, request_id=request_id, only=only, replayed=again)
    return mini_program.read(parsed, source, received_at=now, only=only, reader=reader)


def unpacked(request: str, body: bytes, limit: int) -> bytes:
    """The body of a request to an endpoint of its own, as the batch that the strict gate looks at item by item."""
    from ingestion.sources import sensors, webhook

    return sensors.unpack(body, limit=limit) if request == "sensors" else webhook.packed(body)
