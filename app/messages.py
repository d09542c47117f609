"""Messages to people: sealed until they are sent, and sent only to whom the vault knows.

Promise: a row of the outbox tells neither to whom nor what, and stands there for everybody who is asked about, known or not: who it is for
is looked up when it is sent, away from the request, so that no request takes longer for somebody known. What could not be sent within its
time is forgotten. A sender is whatever hands a text to the world; the one that comes with Piying writes files, for tests and integration.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.errors import Unavailable
from privacy.orm import Instant, PlatformBase

if TYPE_CHECKING:
    from app.wiring import Services

SEND = "messages"
TOGETHER = 100
"""Messages that one run sends."""


class OutboxMessage(PlatformBase):
    """One message that waits; `reference` is that of its sealed words in the vault."""

    __tablename__ = "outbox_message"
    reference: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one address; `kind` is the kind of address: phone, email."""

    kind: str
    address: str
    subject: str
    text: str

    def sealed(self) -> bytes:
        """As it waits."""
        return json.dumps({"kind": self.kind, "address": self.address, "subject": self.subject, "text": self.text}).encode()


class Sender(Protocol):
    """Hands a message to the world; raises Unavailable if that cannot be done now."""

    def send(self, message: Message) -> None: ...


class FileDrop:
    """Writes each message as a file that only its owner may read: for tests, and for a gateway that fetches and deletes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> None:
        """One file a message, there whole or not at all."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = os.urandom(12).hex()
            part = self._folder / f".{name}.part"
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.sealed())
            part.rename(self._folder / f"{name}.json")
        except OSError:
            raise Unavailable("the message could not be handed on", code="sender_unavailable") from None


def put(tx: sa.Connection, reference: str, *, now: datetime, expires_at: datetime) -> None:
    """Lays a sealed message into the outbox, in the act's own transaction."""
    tx.execute(sa.insert(OutboxMessage).values(reference=reference, created_at=now, expires_at=expires_at))


def run(services: Services) -> Mapping[str, Any]:
    """Sends what waits, to those whom the vault knows; the rest and what is too late is dropped. Idempotent but for the sending itself."""
    now = services.clock()
    with services.read_jobs() as tx:
        found = tx.execute(sa.select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.reference).limit(TOGETHER)).all()
    if not found:
        return {"sent": 0, "dropped": 0}
    alive = [row.reference for row in found if row.expires_at > now]
    opened = [json.loads(words) for words in services.box.open(alive) if words is not None]
    waiting = [Message(**one) for one in opened]
    known = services.visits.known([(one.kind, one.address) for one in waiting], actor="system") if waiting else []
    sent = 0
    for message, to_send in zip(waiting, known, strict=True):
        if to_send:
            services.message_sender.send(message)
            sent += 1
    references = [row.reference for row in found]
    with services.begin_jobs() as tx:
        tx.execute(sa.delete(OutboxMessage).where(OutboxMessage.reference.in_(references)))
    services.box.destroy(references)
    return {"sent": sent, "dropped": len(found) - sent}
