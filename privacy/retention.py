"""The door of time: what has to end by itself, and what a crash left in the vault that nothing outside knows.

Promise: idempotent; a person stays in the vault only if the consent ledger knows them; keys go before rows. Counts, never people.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from privacy.audit.log import AuditLog, LogEntry, LogPayload
from privacy.consent import ledger, registry
from privacy.identity import pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log
from privacy.vocabulary import LogKind

_JOINED: Any = LogEntry.__table__.join(LogPayload.__table__, LogPayload.seq == LogEntry.seq)
ENDING = (LogKind.READ, LogKind.REFUSAL, LogKind.INGEST, LogKind.SYSTEM, LogKind.ACCOUNT, LogKind.EXPORT)
"""Kinds of entries whose payloads end with the evidence's time."""
AT_ONCE = 20_000
"""Payloads that one run ends; the next hour goes on."""


def ended_by(moment: datetime) -> sa.ColumnElement[bool]:
    """Payloads of daily work that were written before a moment."""
    return sa.and_(LogEntry.at < moment, LogEntry.kind.in_([kind.value for kind in ENDING]), LogPayload.erased_at.is_(None))


class Retention:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(
        self, *, begin_vault: Begin, begin_platform: Begin, read_platform: Begin, keyring: Keyring, log: Log, clock: Clock
    ) -> None:
        self._begin_vault, self._begin_platform, self._read_platform = begin_vault, begin_platform, read_platform
        self._keyring, self._log, self._clock = keyring, log, clock

    def sweep_orphans(self, age: timedelta) -> int:
        """Removes people older than `age` whose batch never reached the platform: nobody recorded consent of them, so nothing is theirs."""
        before = self._clock() - age
        with self._begin_platform() as tx:
            self._log(tx, LogKind.ERASURE, "orphans.sweep", actor="schedule", facts={"before": before})
        with self._begin_vault() as tx:
            return vault.sweep_orphans(tx, self._known, before)

    def _known(self, people: Sequence[bytes]) -> Collection[bytes]:
        """Which of these people the consent ledger knows."""
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        handles = [pseudonyms.handles(person, cipher) for person in people]
        with self._read_platform() as tx:
            told = ledger.timelines(tx, handles, registry.purposes(tx))
        return [person for person, handle in zip(people, handles, strict=True) if handle in told]


class LogEnds:
    """The end of what entries of daily work say."""

    def __init__(self, *, begin: Begin, read: Begin, log: AuditLog, clock: Clock) -> None:
        self._begin, self._read, self._log, self._clock = begin, read, log, clock

    def end_payloads(self, kept: timedelta) -> int:
        """Ends what entries of daily work say once they are older than the evidence is kept; their leaves stay, and an entry names them.

        What a consent, a right, an erasure, a key, a release or a configuration rests on stays: it is evidence as long as what it allowed.
        """
        with self._begin() as tx:
            over = ended_by(self._clock() - kept)
            found = list(tx.scalars(sa.select(LogEntry.seq).select_from(_JOINED).where(over).order_by(LogEntry.seq).limit(AT_ONCE)))
            return self._log.erase(tx, found, actor="schedule") if found else 0

    def payloads(self, kept: timedelta) -> tuple[int, datetime | None, int]:
        """How many payloads of daily work are held, when the first of them ends, how many are over now; for a dry run."""
        now = self._clock()
        with self._read() as tx:
            asked = sa.select(sa.func.count(), sa.func.min(LogEntry.at)).select_from(_JOINED).where(ended_by(now + kept))
            held, first = tx.execute(asked).one()
            over = tx.execute(sa.select(sa.func.count()).select_from(_JOINED).where(ended_by(now - kept))).scalar_one()
        return int(held), None if first is None else first + kept, int(over)
