"""Timelines of people who were asked about a moment ago, as fresh as the ledger's head.

Promise: an answer is what `ledger.timelines` would say in the same transaction. The head's position is read each time; whoever has an act
behind the remembered position is forgotten first, so a withdrawal that any process committed counts in the very next decision.
It is handed reading transactions: what a writing one appended and took back would be remembered as if it had happened.
It must never learn who the people are: handles and timelines only, in memory only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Final

import sqlalchemy as sa

from privacy.consent import ledger
from privacy.consent.gate import Timeline
from privacy.consent.ledger import ConsentAct

MOST: Final = 200_000
"""People remembered; a few hundred bytes each. Beyond it the memory starts anew."""
_NOTHING: Final[Mapping[str, Timeline]] = {}


class RecentTimelines:
    """Remembers by handle. Shared by the threads of a process."""

    def __init__(self) -> None:
        self._known: dict[bytes, Mapping[str, Timeline]] = {}
        self._purposes: frozenset[str] = frozenset()
        self._head = -1
        self._lock = Lock()

    def of(
        self,
        tx: sa.Connection,
        handles: Sequence[bytes],
        purposes: Iterable[str],
        *,
        pending: Sequence[ConsentAct] = (),
        aliases: Mapping[bytes, Sequence[bytes]] | None = None,
    ) -> tuple[int, dict[bytes, Mapping[str, Timeline]]]:
        """The ledger's position and the timelines; those with pending acts or merged others are folded afresh."""
        wanted = frozenset(purposes)
        special = {act.handle for act in pending}.union(aliases or ())
        head = ledger.head(tx)
        found: dict[bytes, Mapping[str, Timeline]] = {}
        with self._lock:
            if head < self._head or not self._follow(tx, head, wanted):
                return head, dict(ledger.timelines(tx, handles, wanted, pending=pending, aliases=aliases))
            plain = [handle for handle in handles if handle not in special] if special else handles
            missing = [handle for handle in plain if handle not in self._known]
            if missing:
                if len(self._known) + len(missing) > MOST:
                    self._known.clear()
                    missing = list(plain)
                told = ledger.timelines(tx, missing, wanted)
                self._known.update({handle: told.get(handle, _NOTHING) for handle in missing})
            for handle in plain:
                if lines := self._known[handle]:
                    found[handle] = lines
        if special:
            asked = [handle for handle in handles if handle in special]
            found.update(ledger.timelines(tx, asked, wanted, pending=pending, aliases=aliases))
        return head, found

    def _follow(self, tx: sa.Connection, head: int, wanted: frozenset[str]) -> bool:
        """Forgets whoever acted since; false if this memory is about other purposes."""
        if self._head < 0:
            self._purposes = wanted
        elif wanted != self._purposes:
            return False
        elif head > self._head:
            for handle in ledger.acted_since(tx, self._head):
                self._known.pop(handle, None)
        self._head = head
        return True
