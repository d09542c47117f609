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

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from privacy import lookup
from privacy.consent import gate, ledger
from privacy.consent.gate import Lines, Timeline
from privacy.consent.ledger import HANDLE_BYTES, ConsentAct
from privacy.lookup import Lookup, Words

MOST: Final = 1_000_000
"""People remembered; about a hundred bytes each. Beyond it the memory starts anew."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Answer = tuple[int, dict[str, Lines]]
"""The ledger's position, and by purpose the lines of those who were asked about, in their order."""


class RecentTimelines:
    """Remembers by handle. Shared by the threads of a process."""

    def __init__(self) -> None:
        self._purposes: frozenset[str] = frozenset()
        self._head = -1
        self._lock = Lock()
        self._start_anew()

    def __len__(self) -> int:
        return len(self._places)

    def of(
        self,
        tx: sa.Connection,
        handles: bytes,
        purposes: Iterable[str],
        *,
        pending: Sequence[ConsentAct] = (),
        aliases: Mapping[bytes, Sequence[bytes]] | None = None,
        fresh: Bools | None = None,
    ) -> Answer:
        """The lines of people whose handles stand side by side, each once. Those with pending acts or merged others are folded afresh.

        `fresh` marks people who were made in memory a moment ago: nothing can be recorded of them, and they are not remembered.
        """
        wanted = frozenset(purposes)
        head = ledger.head(tx)
        keys = lookup.words(handles)
        new = np.zeros(len(keys), np.bool_) if fresh is None else fresh
        with self._lock:
            if head < self._head or not self._follow(tx, head, wanted):
                return head, _told(handles, wanted, ledger.timelines(tx, _blocks(handles), wanted, pending=pending, aliases=aliases))
            special = _special(handles, pending, aliases)
            places = self._known(tx, keys, ~(new | special))
            lines = {purpose: self._lines(purpose, places) for purpose in wanted}
        if special.any():
            _fold_afresh(tx, lines, handles, special, new, wanted, pending, aliases)
        return head, lines

    def _known(self, tx: sa.Connection, keys: Words, asked: Bools) -> Ints:
        """Where people stand in the columns, after the ledger was asked about those who are not known; -1 for who is not asked about."""
        places = self._places.find(keys)
        missing = asked & ((places < 0) | self._stale[places])
        if missing.any():
            if len(self._places) + int(missing.sum()) > MOST:
                self._start_anew()
                places, missing = np.full(len(keys), -1, np.int64), asked
            added = np.flatnonzero(missing & (places < 0))
            places[added] = np.arange(len(self._places), len(self._places) + len(added))
            self._make_room(len(self._places) + len(added))
            self._learn(tx, keys[missing], places[missing])
            self._places.add(keys[added], places[added])
        return np.where(asked, places, -1)

    def _learn(self, tx: sa.Connection, keys: Words, places: Ints) -> None:
        """What the ledger says of these people, into their places."""
        joined = lookup.joined(keys)
        self._stale[places] = False
        for purpose, (columns, more) in self._columns.items():
            columns.said[places], columns.until[places] = 0, gate.FOR_EVER
            for place in places.tolist() if more else ():
                more.pop(place, None)
            rows = _plain_grants(tx, joined, purpose)
            if not rows:
                continue
            index, allowed, since, until, plain = zip(*rows, strict=True)
            simple = np.array(allowed, np.bool_) & np.array(plain, np.bool_)
            ends = np.array([gate.FOR_EVER if end is None else end for end in until], np.int64)
            starts, who = np.array(since, np.int64), places[np.array(index, np.int64)]
            simple &= ends > starts
            columns.said[who[simple]], columns.since[who[simple]], columns.until[who[simple]] = 1, starts[simple], ends[simple]
            if not simple.all():
                others = [joined[one * HANDLE_BYTES : (one + 1) * HANDLE_BYTES] for one in np.array(index)[~simple].tolist()]
                folded = ledger.timelines(tx, others, (purpose,))
                for place, handle in zip(who[~simple].tolist(), others, strict=True):
                    gate.put(columns, more, place, folded.get(handle, {}).get(purpose, gate.NOTHING))

    def _lines(self, purpose: str, places: Ints) -> Lines:
        columns, more = self._columns[purpose]
        said = np.where(places >= 0, columns.said[places], np.int8(0))
        told = {place: more[int(places[place])] for place in np.flatnonzero(said == 2).tolist()} if more else {}
        return Lines(said, columns.since[places], columns.until[places], told)

    def _follow(self, tx: sa.Connection, head: int, wanted: frozenset[str]) -> bool:
        """Forgets whoever acted since; false if this memory is about other purposes."""
        if self._head < 0:
            self._purposes = wanted
            self._start_anew()
        elif wanted != self._purposes:
            return False
        elif head > self._head and len(self._places):
            acted = lookup.words(ledger.acted_handles(tx, self._head))
            places = self._places.find(acted)
            self._stale[places[places >= 0]] = True
        self._head = head
        return True

    def _start_anew(self) -> None:
        self._places = Lookup()
        self._stale = np.zeros(1, np.bool_)
        self._columns: dict[str, tuple[Lines, dict[int, Timeline]]] = {purpose: (gate.nothing(1), {}) for purpose in self._purposes}

    def _make_room(self, size: int) -> None:
        """Columns for so many people, twice as long as needed."""
        more = max(0, 2 * size - len(self._stale)) if size > len(self._stale) else 0
        if more:
            self._stale = np.concatenate([self._stale, np.zeros(more, np.bool_)])
            for purpose, (old, told) in self._columns.items():
                new = gate.nothing(more)
                said, since, until = (np.concatenate([getattr(old, name), getattr(new, name)]) for name in ("said", "since", "until"))
                self._columns[purpose] = (Lines(said, since, until, {}), told)


def _fold_afresh(
    tx: sa.Connection,
    lines: Mapping[str, Lines],
    handles: bytes,
    special: Bools,
    new: Bools,
    wanted: frozenset[str],
    pending: Sequence[ConsentAct],
    aliases: Mapping[bytes, Sequence[bytes]] | None,
) -> None:
    """Those with pending acts or merged others; of people who are new nothing needs to be looked up."""
    blocks = _blocks(handles)
    merged = _among(blocks, aliases or {})
    alone = special & new & ~merged
    if alone.any():
        where = {blocks[place]: place for place in np.flatnonzero(alone).tolist()}
        _write_first(lines, where, ledger.settled(tx, [act for act in pending if act.handle in where]))
    others = np.flatnonzero(special & ~alone).tolist()
    if others:
        told = ledger.timelines(tx, [blocks[place] for place in others], wanted, pending=pending, aliases=aliases)
        _write(lines, handles, told, others)


def _write_first(lines: Mapping[str, Lines], where: Mapping[bytes, int], acts: Sequence[ConsentAct]) -> None:
    """What people say of whom nothing is recorded, with their places: nearly everybody one grant, the others folded."""
    said: dict[tuple[bytes, str], list[ConsentAct]] = {}
    for act in acts:
        said.setdefault((act.handle, act.purpose), []).append(act)
    plain: dict[str, list[tuple[int, int, int]]] = {}
    for (handle, purpose), mine in said.items():
        act = mine[0]
        start, end = min(act.at, act.received), gate.FOR_EVER if act.valid_until is None else act.valid_until
        if purpose in lines and len(mine) == 1 and gate.is_grant(act.state) and end > start:
            plain.setdefault(purpose, []).append((where[handle], start, end))
        elif purpose in lines:
            more = lines[purpose].more
            assert isinstance(more, dict)
            gate.put(lines[purpose], more, where[handle], gate.fold([ledger.event_of(each) for each in mine]))
    for purpose, told in plain.items():
        columns = lines[purpose]
        places, since, until = np.array(told, np.int64).T
        columns.said[places], columns.since[places], columns.until[places] = 1, since, until


def _told(handles: bytes, wanted: Iterable[str], told: Mapping[bytes, Mapping[str, Timeline]]) -> dict[str, Lines]:
    """Timelines as lines."""
    size = len(handles) // HANDLE_BYTES
    lines = {purpose: gate.nothing(size)._replace(more={}) for purpose in wanted}
    _write(lines, handles, told, range(size))
    return lines


def _write(lines: Mapping[str, Lines], handles: bytes, told: Mapping[bytes, Mapping[str, Timeline]], places: Iterable[int]) -> None:
    for place in places:
        line = told.get(handles[place * HANDLE_BYTES : (place + 1) * HANDLE_BYTES], {})
        for purpose, columns in lines.items():
            assert isinstance(columns.more, dict)
            gate.put(columns, columns.more, place, line.get(purpose, gate.NOTHING))


def _special(handles: bytes, pending: Sequence[ConsentAct], aliases: Mapping[bytes, Sequence[bytes]] | None) -> Bools:
    if not pending and not aliases:
        return np.zeros(len(handles) // HANDLE_BYTES, np.bool_)
    return _among(_blocks(handles), {act.handle for act in pending}.union(aliases or ()))


def _among(blocks: Sequence[bytes], some: Iterable[bytes]) -> Bools:
    chosen = frozenset(some)
    return np.fromiter((block in chosen for block in blocks), np.bool_, len(blocks))


def _blocks(handles: bytes) -> list[bytes]:
    return [handles[start : start + HANDLE_BYTES] for start in range(0, len(handles), HANDLE_BYTES)]


def _plain_grants(tx: sa.Connection, handles: bytes, purpose: str) -> list[tuple[int, bool, int, int | None, bool]]:
    """Of handles that stand side by side: place, allowed, since, until, and whether one act is all there is, of those who ever said
    something about a purpose."""
    if tx.dialect.name == "sqlite":
        return list(tx.execute(_PLAIN_ON_SQLITE, {"all": handles, "purpose": purpose}).cursor.fetchall())
    listed = [handles[start : start + HANDLE_BYTES] for start in range(0, len(handles), HANDLE_BYTES)]
    return [tuple(row) for row in tx.execute(_PLAIN_ON_POSTGRESQL, {"all": listed, "purpose": purpose})]


_PLAIN = "consent_state.allowed, consent_state.since, consent_state.expires, consent_state.plain"
_PLAIN_ON_SQLITE = sa.text(
    "WITH RECURSIVE piece(place) AS (SELECT 0 WHERE length(:all) > 0 UNION ALL SELECT place + 1 FROM piece WHERE place * 16 + 16 < length(:all))"
    f" SELECT piece.place, {_PLAIN} FROM piece CROSS JOIN consent_state"
    " ON consent_state.purpose = :purpose AND consent_state.handle = substr(:all, piece.place * 16 + 1, 16)"
)
_PLAIN_ON_POSTGRESQL = sa.text(
    f"SELECT piece.place - 1, {_PLAIN} FROM unnest(CAST(:all AS bytea[])) WITH ORDINALITY AS piece(handle, place)"
    " JOIN consent_state ON consent_state.purpose = :purpose AND consent_state.handle = piece.handle"
)
