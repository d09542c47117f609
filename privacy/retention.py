"""The door of time: what has to end by itself, and what a crash left in the vault that nothing outside knows.

Promise: idempotent; a person stays in the vault only if the consent ledger knows them; keys go before rows. Counts, never people.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from privacy.consent import ledger, registry
from privacy.identity import pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log
from privacy.vocabulary import LogKind


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
