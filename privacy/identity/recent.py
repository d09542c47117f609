"""Whom the vault told of a moment ago: identifiers and the people behind them, as fresh as the vault's change counter.

Promise: an answer is what the vault would say in the same transaction. Only people who were found are remembered, so a new identifier is
always looked up; whatever can change an earlier answer (a merge, a link that moves, a birth date, a person removed) raises the counter in
its own transaction, and everything remembered is forgotten; so it is when somebody is erased or the index rotates. In memory only, and
never a value: identifiers are known by a mark under a key that this memory made for itself and that ends with the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa

from privacy import lookup
from privacy.identity import bulk, keystate, pseudonyms
from privacy.identity.profiles import KEY_BYTES, Profile
from privacy.lookup import Lookup, Words
from privacy.records import RandomBytes

MOST: Final = 1_000_000
"""Identifiers remembered; about a hundred bytes each. Beyond it the memory starts anew."""

Ints = npt.NDArray[np.int64]
Others = Sequence[tuple[int, bytes, bool]]
"""Those who were merged into somebody: number, id, youth."""
Moment = tuple[int, int, int]
"""A state of the vault: its counter of changes, the version of its index, its last tombstone."""


class KnownPeople(NamedTuple):
    """People in columns: ids, whether they were under 18 when it was noted, and the number of who stands for them since a merge (-1: none)."""

    ids: Words
    youth: npt.NDArray[np.bool_]
    merged: Ints


class RecentPeople:
    """Remembers one moment of the vault at a time. Shared by the threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._secret = b""
        self._moment: Moment = (-1, 0, 0)
        self._families: dict[int, Others] = {}
        self._people = _nobody(0)
        self._owners, self._places, self._asked = Lookup(), Lookup(), Lookup()

    def marks(self, profile: Profile, identifiers: Sequence[tuple[str, pa.StringArray]], random: RandomBytes) -> Words:
        """The marks of normalised identifiers, given by type."""
        with self._lock:
            self._secret = self._secret or random(KEY_BYTES)
        made = [
            pseudonyms.cmacs(profile.permutation(profile.derive(self._secret, "recent/mark", kind)), values) for kind, values in identifiers
        ]
        return lookup.words(b"".join(made))

    def owners(self, tx: sa.Connection, version: int, tombstones: int, marks: Words) -> tuple[Moment, Ints]:
        """The number of the person behind each mark, -1 where the vault must be asked; and the moment of which that is true."""
        moment = (keystate.changes(tx), version, tombstones)
        with self._lock:
            if moment[0] < self._moment[0]:
                return moment, np.full(len(marks), -1, np.int64)
            if moment != self._moment:
                self._forget()
                self._moment = moment
            return moment, self._owners.find(marks)

    def remember(self, moment: Moment, marks: Words, numbers: Ints) -> None:
        """What the vault said at that moment of identifiers under its newest index that nobody erased."""
        with self._lock:
            if moment != self._moment or not len(marks):
                return
            if len(self._owners) + len(marks) > MOST:
                self._forget()
            self._owners.add(marks, numbers)

    def people(self, tx: sa.Connection, statement: str, numbers: Ints) -> KnownPeople:
        """People by their numbers."""
        with self._lock:
            if keystate.changes(tx) != self._moment[0]:
                return _people(tx, statement, numbers)
            places = self._places.find(_keys(numbers))
            missing = np.flatnonzero(places < 0)
            if len(missing):
                told = _people(tx, statement, numbers[missing])
                places[missing] = np.arange(len(self._places), len(self._places) + len(missing))
                self._make_room(len(self._places) + len(missing))
                for column, new in zip(self._people, told, strict=True):
                    column[places[missing]] = new
                self._places.add(_keys(numbers[missing]), places[missing])
            return KnownPeople(self._people.ids[places], self._people.youth[places], self._people.merged[places])

    def families(self, tx: sa.Connection, statement: str, numbers: Ints) -> dict[int, Others]:
        """Place → those who were merged into the person at that place, of people who are several."""
        with self._lock:
            if keystate.changes(tx) != self._moment[0]:
                found: Mapping[int, Others] = _families(tx, statement, numbers.tolist())
            else:
                missing = numbers[self._asked.find(_keys(numbers)) < 0]
                if len(missing):
                    self._families.update(_families(tx, statement, missing.tolist()))
                    self._asked.add(_keys(missing), np.zeros(len(missing), np.int64))
                found = self._families
            several = np.flatnonzero(np.isin(numbers, np.fromiter(found, np.int64, len(found)))) if found else ()
            return {int(place): found[int(numbers[place])] for place in several}

    def _forget(self) -> None:
        self._owners, self._places, self._asked = Lookup(), Lookup(), Lookup()
        self._people = _nobody(0)
        self._families = {}

    def _make_room(self, size: int) -> None:
        """Columns for so many people, twice as long as needed."""
        old = self._people
        if size > len(old.merged):
            new = _nobody(2 * size - len(old.merged))
            self._people = KnownPeople(
                np.concatenate([old.ids, new.ids]), np.concatenate([old.youth, new.youth]), np.concatenate([old.merged, new.merged])
            )


def _nobody(size: int) -> KnownPeople:
    return KnownPeople(np.zeros((size, 2), np.uint64), np.zeros(size, np.bool_), np.zeros(size, np.int64))


def _keys(numbers: Ints) -> Words:
    """Numbers as keys of a table that expects them to look random."""
    plain = numbers.astype(np.uint64)
    return np.stack((plain, plain * np.uint64(0x9E3779B97F4A7C15)), axis=1)


def _people(tx: sa.Connection, statement: str, numbers: Ints) -> KnownPeople:
    rows = bulk.select_in(tx, statement, numbers.tolist())
    if not rows:
        return _nobody(0)
    told, ids, youth, merged = zip(*rows, strict=True)
    order = np.argsort(np.array(told, np.int64))[np.argsort(np.argsort(numbers))]
    into = np.array([-1 if one is None else one for one in merged], np.int64)
    return KnownPeople(lookup.words(b"".join(ids))[order], np.array(youth, np.bool_)[order], into[order])


def _families(tx: sa.Connection, statement: str, numbers: Sequence[int]) -> dict[int, list[tuple[int, bytes, bool]]]:
    found: dict[int, list[tuple[int, bytes, bool]]] = {}
    for head, no, person, youth in bulk.select_in(tx, statement, numbers):
        found.setdefault(head, []).append((no, bytes(person), bool(youth)))
    return found
