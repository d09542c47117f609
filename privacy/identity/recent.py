"""Whom the vault told of a moment ago: look-up digests and the people behind them, as fresh as the vault's change counter.

Promise: an answer is what the vault would say in the same transaction. Only people who were found are remembered, so a new identifier is
always looked up; whatever can change an earlier answer (a merge, a link that moves, a birth date, a person removed) raises the counter in
its own transaction, and everything remembered is forgotten. In memory only: keyed digests and random ids, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Final

import sqlalchemy as sa

from privacy.identity import bulk, keystate

MOST: Final = 400_000
"""Digests remembered; about two hundred bytes each. Beyond it the memory starts anew."""


class RecentPeople:
    """Remembers for one index version at a time. Shared by the threads of a process."""

    def __init__(self) -> None:
        self._owners: dict[bytes, int] = {}
        self._people: dict[int, tuple[bytes, bool]] = {}
        self._merges: list[tuple[bytes, bytes]] | None = None
        self._version = 0
        self._changes = -1
        self._lock = Lock()

    def owners(self, tx: sa.Connection, statement: str, version: int, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """Digest → number of the person it leads to, for those that lead to anybody; `statement` asks the vault for the others."""
        with self._lock:
            if not self._follow(tx, version):
                return dict(bulk.select_in(tx, statement, digests, (version,)))
            missing = [digest for digest in digests if digest not in self._owners]
            if len(self._owners) + len(missing) > MOST:
                self._owners.clear()
                self._people.clear()
                missing = list(digests)
            self._owners.update(bulk.select_in(tx, statement, missing, (version,)))
            known = self._owners
            return {digest: known[digest] for digest in digests if digest in known}

    def people(self, tx: sa.Connection, statement: str, numbers: Sequence[int]) -> Mapping[int, tuple[bytes, bool]]:
        """Number → (id, whether they were under 18 when it was noted)."""
        with self._lock:
            if keystate.changes(tx) != self._changes:
                return {no: (person, bool(youth)) for no, person, youth in bulk.select_in(tx, statement, numbers)}
            missing = [no for no in numbers if no not in self._people]
            self._people.update({no: (person, bool(youth)) for no, person, youth in bulk.select_in(tx, statement, missing)})
            known = self._people
            return {no: known[no] for no in numbers}

    def merges(self, tx: sa.Connection, ask: Callable[[sa.Connection], list[tuple[bytes, bytes]]]) -> list[tuple[bytes, bytes]]:
        """Every merged person with the one who stands for them now, as `ask` tells it."""
        with self._lock:
            if keystate.changes(tx) != self._changes:
                return ask(tx)
            if self._merges is None:
                self._merges = ask(tx)
            return self._merges

    def _follow(self, tx: sa.Connection, version: int) -> bool:
        """Forgets everything when the vault changed; false for a transaction that sees an older vault than this memory."""
        changes = keystate.changes(tx)
        if changes < self._changes:
            return False
        if changes > self._changes or version != self._version:
            self._owners.clear()
            self._people.clear()
            self._merges = None
            self._changes, self._version = changes, version
        return True
