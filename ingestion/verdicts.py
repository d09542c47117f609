"""What became of each item of a request, kept for seven days for the integrator who sent it.

Promise: reasons of form are told by item and path; everything about the person reads `not_processed`, whatever it was. A message id is
repeated only when it looks like a random UUID, because senders put names and numbers into ids of their own.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.orm import Instant, PlatformBase
from privacy.vocabulary import Verdict

KEPT = timedelta(days=7)
NOT_PROCESSED = "not_processed"
_UUID = re.compile(r"(?:(?:node|ajs)-next-[0-9]{13}-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.IGNORECASE)
"""A UUID, alone or behind the prefix and clock that Segment's Node and browser clients put in front."""


class RequestVerdict(PlatformBase):
    __tablename__ = "request_verdict"

    request_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.String(40))
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    items: Mapped[bytes] = mapped_column(sa.LargeBinary)


_PUT = sa.insert(RequestVerdict)


@dataclass(frozen=True, slots=True)
class Told:
    """One item's verdict as it is told."""

    index: int
    message_id: str | None
    verdict: str
    reason: str | None = None
    path: str | None = None


def tell(index: int, message_id: str | None, verdict: Verdict, reason: str | None = None, path: str | None = None) -> Told:
    """The verdict of one item in the words of the outside."""
    shown = message_id if message_id is not None and _UUID.match(message_id) else None
    if verdict is Verdict.REFUSED:
        return Told(index, shown, NOT_PROCESSED, NOT_PROCESSED, None)
    return Told(index, shown, str(verdict), reason, path)


def put(tx: sa.Connection, request_id: str, source_id: str, told: Sequence[Told], *, now: datetime) -> None:
    """Keep the verdicts of one request."""
    put_many(tx, source_id, {request_id: told}, now=now)


def put_many(tx: sa.Connection, source_id: str, requests: Mapping[str, Sequence[Told]], *, now: datetime) -> None:
    """Keep the verdicts of requests of one source, by their names."""
    rows = []
    for request_id, told in requests.items():
        listed = [[one.index, one.message_id, one.verdict, one.reason, one.path] for one in told]
        packed = zlib.compress(orjson.dumps(listed), 1)
        rows.append({"request_id": request_id, "source_id": source_id, "expires_at": now + KEPT, "items": packed})
    if rows:
        tx.execute(_PUT, rows)


def get(tx: sa.Connection, request_id: str, *, now: datetime) -> tuple[str, list[dict[str, Any]]] | None:
    """The source of a request and its items' verdicts, or None when there are none (any more)."""
    row = tx.execute(
        sa.select(RequestVerdict.source_id, RequestVerdict.items).where(
            RequestVerdict.request_id == request_id, RequestVerdict.expires_at > now
        )
    ).first()
    if row is None:
        return None
    names = ("index", "message_id", "verdict", "reason", "path")
    return row[0], [dict(zip(names, item, strict=True)) for item in json.loads(zlib.decompress(row[1]))]


def sweep(tx: sa.Connection, now: datetime) -> int:
    """Forget requests that are over their seven days."""
    return tx.execute(sa.delete(RequestVerdict).where(RequestVerdict.expires_at <= now)).rowcount
