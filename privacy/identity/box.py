"""The sealed box: payloads whose form failed, kept for a few days, each day and source under a key of its own.

Promise: implements `records.SealedBox`. A payload stands only sealed; its key is random and dies on the day the payload expires, whatever
becomes of the row; a reference is random and says nothing; what is expired, destroyed or unknown opens as None.
Must never learn: what is in a payload, or why it failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import boxsearch, bulk, sealed
from privacy.identity.ephemeral import destroy_ephemeral_keys, ephemeral_key, find_ephemeral_key
from privacy.identity.keys import Keyring
from privacy.orm import Begin, Instant, VaultBase, to_micros
from privacy.records import Clock, RandomBytes

PLACE = sealed.Place("sealed_payload", "sealed")
REFERENCE_BYTES = 16
PAGE = 1000
"""Payloads that are open in memory at once while an erasure looks through them."""


class SealedPayload(VaultBase):
    """One payload. `key_name` names its key: source and day of expiry."""

    __tablename__ = "sealed_payload"

    reference: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    key_name: Mapped[str] = mapped_column(sa.String(200), index=True)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class VaultBox:
    """The box over a vault; each call is a transaction of its own, because a quarantined payload comes before its platform row."""

    def __init__(self, begin_vault: Begin, keyring: Keyring, *, clock: Clock, random: RandomBytes, read_vault: Begin | None = None) -> None:
        self._begin = begin_vault
        self._read = read_vault or begin_vault
        self._keyring = keyring
        self._clock = clock
        self._random = random

    def seal(self, source_id: str, payloads: Sequence[bytes], expires_at: datetime) -> list[str]:
        """Seals payloads of one source that expire together; returns a reference for each."""
        if not payloads:
            return []
        day = expires_at.astimezone(UTC).date()
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        name = f"quarantine:{source_id}:{day.isoformat()}"
        step = REFERENCE_BYTES + sealed.NONCE_BYTES
        pool = self._random(step * len(payloads))
        with self._begin() as tx:
            key = ephemeral_key(tx, self._keyring, name, destroy_after=end, random=self._random, now=self._clock())
            cipher = sealed.aead(key, self._keyring.profile.sealing)
            rows = []
            for number, payload in enumerate(payloads):
                piece = pool[number * step : (number + 1) * step]
                reference, nonce = piece[:REFERENCE_BYTES].hex(), piece[REFERENCE_BYTES:]
                value = sealed.seal(cipher, sealed.DATA_KEY_VERSION, PLACE, reference.encode(), nonce, payload)
                rows.append((reference, name, value, to_micros(expires_at)))
            bulk.insert(tx, SealedPayload.__table__, ("reference", "key_name", "sealed", "expires_at"), rows)
        return [row[0] for row in rows]

    def open(self, references: Sequence[str]) -> list[bytes | None]:
        """The payloads, in the order of their references; None for what is gone or expired."""
        now = to_micros(self._clock())
        opened: dict[str, bytes] = {}
        keys: dict[str, bytes | None] = {}
        with self._read() as tx:
            statement = "SELECT reference, key_name, sealed FROM sealed_payload WHERE expires_at > ? AND reference IN ({keys})"
            for reference, name, value in bulk.select_in(tx, statement, list(set(references)), (now,)):
                if name not in keys:
                    keys[name] = find_ephemeral_key(tx, self._keyring, name)
                key = keys[name]
                if key is not None:
                    opened[reference] = sealed.unseal(key, PLACE, reference.encode(), value)
        return [opened.get(reference) for reference in references]

    def about(self, identifiers: Iterable[tuple[str, str]]) -> list[str]:
        """The references of payloads in which one of these identifiers (type, value) stands, or that cannot be opened.

        Every payload that is held is opened, a page at a time, and forgotten: for erasure only.
        """
        wanted = boxsearch.needles(identifiers)
        found: list[str] = []
        after = ""
        while True:
            query = sa.select(SealedPayload.reference).where(SealedPayload.reference > after).order_by(SealedPayload.reference).limit(PAGE)
            with self._read() as tx:
                page = list(tx.execute(query).scalars())
            if not page:
                return found
            opened = zip(page, self.open(page), strict=True)
            found += [reference for reference, payload in opened if payload is None or boxsearch.holds(payload, wanted)]
            after = page[-1]

    def everything(self) -> list[str]:
        """Every reference: for a copy that has to be cleared of somebody whose identifiers nobody knows any more."""
        with self._read() as tx:
            return list(tx.execute(sa.select(SealedPayload.reference)).scalars())

    def destroy(self, references: Sequence[str]) -> None:
        """Removes payloads; unknown references are no error, so that a repeated call is none either."""
        with self._begin() as tx:
            bulk.execute_many(tx, "DELETE FROM sealed_payload WHERE reference = ?", [(reference,) for reference in references])

    def sweep(self) -> int:
        """Destroys keys whose time has come, then removes expired payloads; returns how many payloads."""
        now = self._clock()
        with self._begin() as tx:
            destroy_ephemeral_keys(tx, now)
            return tx.execute(sa.delete(SealedPayload).where(SealedPayload.expires_at <= now)).rowcount
