"""Sources that sign instead of carrying a key: their public keys, and what an assertion must say (RFC 7523, as Segment's clients send it).

Promise: an assertion is for us, of a registered client, at most minutes old, and good for one short-lived write key. The signature is
checked by whoever is handed in; nothing here holds a secret or knows a person.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ingestion import registry, strictjson
from privacy.errors import Invalid, NotFound, Refused
from privacy.orm import Instant, PlatformBase

if TYPE_CHECKING:
    from privacy.records import RandomBytes

Signed = Callable[[str, bytes, bytes], bool]
"""Whether a public key's other half signed the message: key, message, signature."""

LIFETIME = timedelta(hours=1)
"""Of the key that an assertion is exchanged for; Segment's clients ask anew before it ends."""
LONGEST = timedelta(minutes=10)
"""Of an assertion; Segment's clients make it for one minute."""
TOLERANCE = timedelta(seconds=60)
"""Clocks of senders differ."""
MAX_ASSERTION = 8192
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class SourceClient(PlatformBase):
    """A public key of a source; its id is what the client calls itself."""

    __tablename__ = "source_client"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    source_id: Mapped[str] = mapped_column(sa.ForeignKey("source.id"), index=True)
    public_key: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A short-lived write key, whose it is, and which client asked."""

    source_id: str
    client_id: str
    key: str
    seconds: int


def add_client(tx: sa.Connection, source_id: str, public_key: str, *, random: RandomBytes, now: datetime) -> str:
    """Register a checked public key; returns the client's id. A client key, which anybody can read, needs no signature."""
    if registry.get(tx, source_id).facts.public:
        raise Invalid("only a server source signs", code="client_key", field="source")
    client_id = "cli_" + random(12).hex()
    tx.execute(sa.insert(SourceClient).values(id=client_id, source_id=source_id, public_key=public_key, created_at=now, ended_at=None))
    return client_id


def end_client(tx: sa.Connection, source_id: str, client_id: str, *, now: datetime) -> None:
    """From now on the client's assertions are refused; keys that it got end by themselves within the hour."""
    mine = sa.and_(SourceClient.id == client_id, SourceClient.source_id == source_id, SourceClient.ended_at.is_(None))
    if not tx.execute(sa.update(SourceClient).where(mine).values(ended_at=now)).rowcount:
        raise NotFound("the source has no such client", code="client_not_found", field="client")


def clients(tx: sa.Connection) -> dict[str, list[str]]:
    """The ids of the clients that may sign, by source."""
    found: dict[str, list[str]] = {}
    rows = tx.execute(sa.select(SourceClient.source_id, SourceClient.id).where(SourceClient.ended_at.is_(None)).order_by(SourceClient.id))
    for row in rows:
        found.setdefault(row.source_id, []).append(row.id)
    return found


def exchange(
    tx: sa.Connection, assertion: str, *, audiences: Collection[str], signed: Signed, random: RandomBytes, now: datetime
) -> Exchanged:
    """A short-lived write key for a signed assertion. Raises Refused: it is not ours, not theirs, too old, or was used."""
    message, header, claims, signature = _parted(assertion)
    client_id = claims.get("iss")
    if header.get("alg") != "RS256" or not isinstance(client_id, str) or claims.get("sub") != client_id:
        raise _invalid("the assertion is RS256, of the client and about it")
    row = tx.execute(
        sa.select(SourceClient.source_id, SourceClient.public_key).where(SourceClient.id == client_id, SourceClient.ended_at.is_(None))
    ).first()
    if row is None or not signed(row.public_key, message, signature):
        raise _invalid("the assertion is not signed by a registered client")
    _check_claims(claims, audiences, now)
    if registry.get(tx, row.source_id).disabled_at is not None:
        raise Refused("the source is disabled", code="source_disabled")
    once = hashlib.sha256(message).digest()
    key = registry.exchange(tx, row.source_id, once=once, lifetime=LIFETIME, random=random, now=now)
    return Exchanged(row.source_id, client_id, key, int(LIFETIME.total_seconds()))


def _parted(assertion: str) -> tuple[bytes, dict[str, Any], dict[str, Any], bytes]:
    """What was signed, header, claims, signature."""
    parts = assertion.split(".") if len(assertion) <= MAX_ASSERTION and assertion.isascii() else []
    if len(parts) != 3:
        raise _invalid("the assertion is a signed JWT")
    try:
        header, claims = (strictjson.loads(_bytes(part), items="") for part in parts[:2])
        signature = _bytes(parts[2])
    except (Invalid, ValueError, binascii.Error):
        raise _invalid("the assertion is a signed JWT") from None
    if header.faults or claims.faults or not (isinstance(header.value, dict) and isinstance(claims.value, dict)):
        raise _invalid("the assertion is a signed JWT")
    return f"{parts[0]}.{parts[1]}".encode(), header.value, claims.value, signature


def _bytes(part: str) -> bytes:
    return base64.b64decode(part.translate(str.maketrans("-_", "+/")) + "=" * (-len(part) % 4), validate=True)


def _check_claims(claims: dict[str, Any], audiences: Collection[str], now: datetime) -> None:
    said = claims.get("aud")
    if not {one.rstrip("/") for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)} & set(audiences):
        raise _invalid("the assertion is for another server: `aud` is this server's base address")
    ends, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", claims.get("iat")))
    if ends is None or ends <= now - TOLERANCE or ends > now + LONGEST + TOLERANCE:
        raise _invalid("the assertion has ended, or ends too late")
    if begins is not None and begins > now + TOLERANCE:
        raise _invalid("the assertion has not begun")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise _invalid("the assertion has an id of its own")


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 4_000_000_000:
        return None
    return datetime.fromtimestamp(value, UTC)


def _invalid(message: str) -> Refused:
    return Refused(message, code="assertion_invalid")
