"""Formats of the clients that post messages as they are: Segment's and RudderStack's, Snowplow's, PostHog's.

Promise: a source is read in its own format, at the paths of that format and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from privacy.dictionary import catalogue
from privacy.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ingestion.strictjson import Parsed
    from privacy.records import RawBatch, SourceFacts

OWN = {"snowplow": "snowplow", "posthog": "posthog"}
"""Kinds of source whose clients have paths of their own, and what their requests are called."""
SHARED = ("segment", "rudderstack")
"""Kinds whose clients share their paths."""


def read(source: SourceFacts, request: str, parsed: Parsed, *, now: datetime, request_id: str) -> RawBatch:
    """A request, read by the adapter of the source's kind; raises Invalid `wrong_endpoint` where it came to another's path."""
    from ingestion.sources import posthog, segment, snowplow

    known = catalogue.load()
    if source.kind in SHARED and request not in OWN.values():
        only = None if request == "batch" else request
        return segment.read(parsed, source, known, received_at=now, request_id=request_id, only=only)
    if OWN.get(source.kind) != request:
        raise Invalid("this source does not send messages here", code="wrong_endpoint")
    reader = snowplow.read if source.kind == "snowplow" else posthog.read
    return reader(parsed, source, known, received_at=now, request_id=request_id)


def replayed(source: SourceFacts, payloads: Sequence[bytes], *, now: datetime) -> RawBatch:
    """Held messages as a batch again."""
    from ingestion import strictjson
    from ingestion.sources import posthog, segment, snowplow

    items = "data" if source.kind == "snowplow" else "batch"
    parsed = strictjson.loads(f'{{"{items}":['.encode() + b",".join(payloads) + b"]}", items=items)
    reader = {"snowplow": snowplow.read, "posthog": posthog.read}.get(source.kind, segment.read)
    return reader(parsed, source, catalogue.load(), received_at=now, request_id="", replayed=True)
