"""Whose rows these are: a batch's identifiers against the vault, read only.

Promise: people that nobody knows yet get fresh random ids in memory only; nothing is written before `vault.store`. The same work is done
for known, unknown and erased people. From a source that anybody can imitate (`may_link_strong` false) a strong identifier is a claim:
it is looked up among the erased, and links nothing and names nobody.
Must never learn: what the rows say. It reads the vault's tables and writes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from privacy.identity import bulk, keystate, linking, pseudonyms, sealed
from privacy.identity.keys import Keyring
from privacy.identity.recent import RecentPeople
from privacy.records import RandomBytes
from privacy.vocabulary import IDENTIFIER_LIMITS, STRONG_TYPES, IdentifierType

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

BIRTH = sealed.Place("person", "birth")
ORDER = tuple(sorted(IdentifierType, key=lambda kind: (kind not in STRONG_TYPES, tuple(IdentifierType).index(kind))))
"""Strong types first; within a row the first known owner wins where a merge is refused."""

_FIND = """SELECT i.digest, coalesce(p.merged_into, p.no) FROM identifier i JOIN person p ON p.no = i.person_no
WHERE i.index_version = ? AND i.digest IN ({keys})"""
_PEOPLE = "SELECT no, person, youth FROM person WHERE no IN ({keys})"
_COUNT = "SELECT person_no, type, count(DISTINCT sealed) FROM identifier WHERE person_no IN ({keys}) GROUP BY person_no, type"
_MERGED = "SELECT no, merged_into FROM person WHERE merged_into IN ({keys})"
_BIRTH = (
    "SELECT p.person, p.birth, k.wrapped FROM person p JOIN data_key k ON k.person_no = p.no WHERE p.birth IS NOT NULL AND p.no IN ({keys})"
)
_ERASED = "SELECT digest FROM tombstone WHERE digest IN ({keys})"


@dataclass(frozen=True, slots=True)
class Join:
    """A row in which strong identifiers of two known people stand: whoever admits the row must ask the consent of both."""

    row: int
    first: bytes
    second: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """Unique identifiers of the batch with their digests under every version in force. Values stay in memory and out of every repr."""

    types: list[IdentifierType] = field(repr=False)
    values: list[str] = field(repr=False)
    digests: dict[int, list[bytes]] = field(repr=False)
    owner: Ints = field(repr=False)
    at_version: Ints = field(repr=False)
    version: int = 0
    tombstones: int = 0


@dataclass(frozen=True, slots=True)
class Resolution:
    """The people of a batch. `people` are the distinct ids side by side and `index` says for each row which of them it is (-1: none).

    `known` tells who stood in the vault before, `erased` which rows carry an identifier of somebody erased, `youth` the birth dates of
    those among `people` (and of both sides of `merges`) who were under 18 when it was noted. A Resolution is stored once.
    """

    people: bytes = field(repr=False)
    index: Ints = field(repr=False)
    known: pa.BooleanArray
    erased: pa.BooleanArray
    youth: Mapping[bytes, date] = field(repr=False)
    merges: tuple[Join, ...] = field(repr=False)
    refused_links: int
    found: Found = field(repr=False)
    rows: Ints = field(repr=False)
    owner: Ints = field(repr=False)
    row_person: Ints = field(repr=False)
    ids: list[bytes] = field(repr=False)
    numbers: list[int] = field(repr=False)

    @property
    def persons(self) -> pa.FixedSizeBinaryArray:
        """The person id of every row; null where a row names nobody."""
        pool = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(self.people) // 16, [None, pa.py_buffer(self.people)])
        return pc.take(pool, pa.array(self.index, pa.int64(), mask=self.index < 0))


def resolve(
    tx: sa.Connection,
    keyring: Keyring,
    identifiers: Mapping[str, pa.StringArray],
    *,
    may_link_strong: bool,
    random: RandomBytes,
    recent: RecentPeople | None = None,
) -> Resolution:
    """The person of every row by its normalised identifiers (columns of equal length by type)."""
    versions = keystate.sync(tx, keyring)["index"]
    kinds = [kind for kind in ORDER if kind in identifiers]
    rows, types, values = _unique(identifiers, kinds)
    digests = {version: _digests(keyring, types, values, version) for version in versions}
    tombstones = int(tx.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM tombstone").scalar_one())
    gone = _erased(tx, keyring, types, values) if tombstones else np.zeros(len(values), bool)
    present = rows >= 0
    erased = (present & gone[np.where(present, rows, 0)]).any(axis=0) if len(values) else np.zeros(rows.shape[1], bool)
    rows[:, erased] = -1
    if not may_link_strong:
        rows[[kind in STRONG_TYPES for kind in kinds], :] = -1
    numbers, ids, young, owner, at_version = _owners(tx, digests, recent or RecentPeople())
    lines = [*kinds, *(kind for kind in ORDER if kind not in identifiers)]
    links = linking.link(
        rows,
        [kind not in STRONG_TYPES for kind in lines],
        owner,
        numbers,
        lambda people: _counts(tx, {numbers[one]: one for one in people}, lines),
        [IDENTIFIER_LIMITS[kind] for kind in lines],
    )
    known_people = len(numbers)
    fresh = random(16 * (links.people - known_people))
    ids += [fresh[start : start + 16] for start in range(0, len(fresh), 16)]
    distinct, index = np.unique(links.row_person, return_inverse=True)
    nobody = int(len(distinct) > 0 and distinct[0] < 0)
    joins = tuple(Join(row, ids[first], ids[second]) for row, first, second in links.joins)
    return Resolution(
        people=b"".join(ids[one] for one in distinct[nobody:].tolist()),
        index=index.reshape(-1) - nobody,
        known=pa.array((links.row_person >= 0) & (links.row_person < known_people)),
        erased=pa.array(erased),
        youth=births(tx, keyring, young),
        merges=joins,
        refused_links=links.refused,
        found=Found(types, values, digests, owner, at_version, versions[-1], tombstones),
        rows=rows,
        owner=links.owner,
        row_person=links.row_person,
        ids=ids,
        numbers=numbers,
    )


def _unique(identifiers: Mapping[str, pa.StringArray], kinds: Sequence[IdentifierType]) -> tuple[Ints, list[IdentifierType], list[str]]:
    """Rows as numbers of unique identifiers, types × rows."""
    length = len(next(iter(identifiers.values()))) if identifiers else 0
    rows = np.full((len(kinds), length), -1, np.int64)
    types: list[IdentifierType] = []
    values: list[str] = []
    for line, kind in enumerate(kinds):
        encoded = pc.dictionary_encode(identifiers[kind])
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        numbers = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        rows[line] = np.where(numbers >= 0, numbers + len(values), -1)
        unique = encoded.dictionary.to_pylist()
        values += unique
        types += [kind] * len(unique)
    return rows, types, values


def _digests(keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str], version: int) -> list[bytes]:
    return _keyed(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), types, values)


def _keyed(key: pseudonyms.MacKey, types: Sequence[IdentifierType], values: Sequence[str]) -> list[bytes]:
    """Digests of identifiers that stand together by type."""
    made: list[bytes] = []
    while len(made) < len(values):
        kind = types[len(made)]
        end = len(made) + types.count(kind)
        made += pseudonyms.blind_index(key, kind, values[len(made) : end])
    return made


def tombstone_digests(keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str]) -> list[bytes]:
    """Digests of identifiers (by type together) under the tombstones' own key."""
    return _keyed(keyring.mac_key(pseudonyms.TOMBSTONE), types, values)


def _erased(tx: sa.Connection, keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str]) -> Bools:
    digests = tombstone_digests(keyring, types, values)
    hit = {bytes(row[0]) for row in bulk.select_in(tx, _ERASED, digests)}
    return np.fromiter((digest in hit for digest in digests), bool, len(digests))


def _owners(
    tx: sa.Connection, digests: Mapping[int, list[bytes]], recent: RecentPeople
) -> tuple[list[int], list[bytes], list[int], Ints, Ints]:
    """Known people (merges followed) by number and id, the numbers of the young among them, and each identifier's owner and version."""
    size = len(next(iter(digests.values())))
    owner = np.full(size, -1, np.int64)
    at_version = np.full(size, -1, np.int64)
    for version in sorted(digests, reverse=True):
        if version == max(digests):
            hits = recent.owners(tx, _FIND, version, digests[version])
        else:
            hits = dict(bulk.select_in(tx, _FIND, digests[version], (version,)))
        if hits:
            found = np.fromiter(map(hits.get, digests[version], repeat(-1)), np.int64, size)
            first = (owner < 0) & (found >= 0)
            owner[first], at_version[first] = found[first], version
    numbers = np.unique(owner[owner >= 0])
    people = recent.people(tx, _PEOPLE, numbers.tolist())
    owner = np.where(owner >= 0, np.searchsorted(numbers, owner), -1)
    ordered = numbers.tolist()
    return ordered, [people[no][0] for no in ordered], [no for no in ordered if people[no][1]], owner, at_version


def _counts(tx: sa.Connection, people: dict[int, int], kinds: Sequence[IdentifierType]) -> dict[tuple[int, int], int]:
    """How many identifiers of each type people have, with those of everybody who was merged into them."""
    place = dict(people)
    for no, merged_into in bulk.select_in(tx, _MERGED, list(people)):
        place[no] = people[merged_into]
    line = {str(kind): position for position, kind in enumerate(kinds)}
    counted: dict[tuple[int, int], int] = {}
    for no, kind, count in bulk.select_in(tx, _COUNT, list(place)):
        spot = (place[no], line[kind])
        counted[spot] = counted.get(spot, 0) + count
    return counted


def births(tx: sa.Connection, keyring: Keyring, numbers: Sequence[int]) -> dict[bytes, date]:
    """The noted birth dates of people (by number), opened."""
    opened = {}
    for person, birth, wrapped in bulk.select_in(tx, _BIRTH, list(numbers)):
        opened[person] = date.fromisoformat(sealed.unseal(sealed.unwrap(keyring, person, wrapped), BIRTH, person, birth).decode())
    return opened
