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

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from privacy.identity import bulk, keystate, linking, pseudonyms, sealed
from privacy.identity.keys import Keyring
from privacy.records import RandomBytes
from privacy.vocabulary import IDENTIFIER_LIMITS, STRONG_TYPES, IdentifierType

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

BIRTH = sealed.Place("person", "birth")
ORDER = tuple(sorted(IdentifierType, key=lambda kind: (kind not in STRONG_TYPES, tuple(IdentifierType).index(kind))))
"""Strong types first; within a row the first known owner wins where a merge is refused."""

_FIND = """SELECT i.digest, i.person, p.merged_into, p.youth, p.created_at FROM identifier i JOIN person p ON p.person = i.person
WHERE i.index_version = ? AND i.digest IN ({keys})"""
_FAMILY = "SELECT person, youth, created_at FROM person WHERE person IN ({keys})"
_COUNT = "SELECT person, type, count(DISTINCT sealed) FROM identifier WHERE person IN ({keys}) GROUP BY person, type"
_MERGED = "SELECT person, merged_into FROM person WHERE merged_into IN ({keys})"
_BIRTH = "SELECT p.person, p.birth, k.wrapped FROM person p JOIN data_key k ON k.person = p.person WHERE p.person IN ({keys})"
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
    known_people: int = 0

    @property
    def persons(self) -> pa.FixedSizeBinaryArray:
        """The person id of every row; null where a row names nobody."""
        pool = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(self.people) // 16, [None, pa.py_buffer(self.people)])
        return pc.take(pool, pa.array(self.index, pa.int64(), mask=self.index < 0))


def resolve(
    tx: sa.Connection, keyring: Keyring, identifiers: Mapping[str, pa.StringArray], *, may_link_strong: bool, random: RandomBytes
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
    ids, ages, youths, owner, at_version = _owners(tx, digests)
    lines = [*kinds, *(kind for kind in ORDER if kind not in identifiers)]
    links = linking.link(
        rows,
        [kind not in STRONG_TYPES for kind in lines],
        owner,
        ages,
        lambda people: _counts(tx, [ids[one] for one in people], people, lines),
        [IDENTIFIER_LIMITS[kind] for kind in lines],
    )
    known_people = len(ids)
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
        youth=births(tx, keyring, [ids[one] for one in youths]),
        merges=joins,
        refused_links=links.refused,
        found=Found(types, values, digests, owner, at_version, versions[-1], tombstones),
        rows=rows,
        owner=links.owner,
        row_person=links.row_person,
        ids=ids,
        known_people=known_people,
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


def _keyed(key: bytes, types: Sequence[IdentifierType], values: Sequence[str]) -> list[bytes]:
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


def _owners(tx: sa.Connection, digests: Mapping[int, list[bytes]]) -> tuple[list[bytes], list[int], list[int], Ints, Ints]:
    """Known people (merges followed) with their ages, the young among them, and for each identifier its owner and version."""
    size = len(next(iter(digests.values())))
    owner = np.full(size, -1, np.int64)
    at_version = np.full(size, -1, np.int64)
    numbers: dict[bytes, int] = {}
    facts: dict[bytes, tuple[bool, int]] = {}
    for version in sorted(digests, reverse=True):
        hits: dict[bytes, bytes] = {}
        for digest, person, merged_into, youth, created in bulk.select_in(tx, _FIND, digests[version], (version,)):
            hits[digest] = merged_into or person
            if merged_into is None:
                facts[person] = (bool(youth), created)
        if not hits:
            continue
        for position, digest in enumerate(digests[version]):
            found = hits.get(digest)
            if found is not None and owner[position] < 0:
                owner[position] = numbers.setdefault(found, len(numbers))
                at_version[position] = version
    missing = [person for person in numbers if person not in facts]
    facts.update({person: (bool(youth), created) for person, youth, created in bulk.select_in(tx, _FAMILY, missing)})
    ids = list(numbers)
    return ids, [facts[one][1] for one in ids], [numbers[one] for one in ids if facts[one][0]], owner, at_version


def _counts(tx: sa.Connection, ids: Sequence[bytes], people: Sequence[int], kinds: Sequence[IdentifierType]) -> dict[tuple[int, int], int]:
    """How many identifiers of each type people have, with those of everybody who was merged into them."""
    number = dict(zip(ids, people, strict=True))
    for person, merged_into in bulk.select_in(tx, _MERGED, list(ids)):
        number[person] = number[merged_into]
    line = {str(kind): position for position, kind in enumerate(kinds)}
    counted: dict[tuple[int, int], int] = {}
    for person, kind, count in bulk.select_in(tx, _COUNT, list(number)):
        if kind in line:
            place = (number[person], line[kind])
            counted[place] = counted.get(place, 0) + count
    return counted


def births(tx: sa.Connection, keyring: Keyring, persons: Sequence[bytes]) -> dict[bytes, date]:
    """The noted birth dates of people, opened."""
    opened = {}
    for person, birth, wrapped in bulk.select_in(tx, _BIRTH, list(persons)):
        if birth is not None:
            opened[person] = date.fromisoformat(sealed.unseal(sealed.unwrap(keyring, person, wrapped), BIRTH, person, birth).decode())
    return opened
