"""Whose rows these are: a batch's identifiers against the vault, read only.

Promise: people that nobody knows yet get fresh random ids in memory only; nothing is written before `vault.store`. A row's person is the
one who had its identifier before any merge, so that an undone merge finds everything on its own side; who stands for them all is asked
for consent and limits. The same work is done for known, unknown and erased people. From a source that anybody can imitate
(`may_link_strong` false) a strong identifier is a claim: it is looked up among the erased, and links nothing and names nobody.
Must never learn: what the rows say. It reads the vault's tables and writes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from privacy import lookup
from privacy.identity import bulk, keystate, linking, merging, pseudonyms, sealed, stones
from privacy.identity.finds import Found, Ids, Made, Numbers
from privacy.identity.finds import Join as Join
from privacy.identity.finds import Refusal as Refusal
from privacy.identity.keys import Keyring
from privacy.identity.recent import RecentPeople
from privacy.records import RandomBytes
from privacy.vocabulary import ALIAS, IDENTIFIER_LIMITS, STRONG_TYPES, IdentifierType

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

BIRTH = sealed.Place("person", "birth")
ORDER = tuple(sorted(IdentifierType, key=lambda kind: (kind not in STRONG_TYPES, tuple(IdentifierType).index(kind))))
"""Strong types first; within a row the first known owner wins where a merge is refused."""

_FIND = "SELECT digest, person_no FROM identifier WHERE index_version = ? AND digest IN ({keys})"
_PEOPLE = "SELECT no, person, youth, merged_into FROM person WHERE no IN ({keys})"
_COUNT = "SELECT person_no, type, count(DISTINCT sealed) FROM identifier WHERE person_no IN ({keys}) GROUP BY person_no, type"
_FAMILY = "SELECT merged_into, no, person, youth FROM person WHERE merged_into IN ({keys})"
_BIRTH = (
    "SELECT p.person, p.birth, k.wrapped FROM person p JOIN data_key k ON k.person_no = p.no WHERE p.birth IS NOT NULL AND p.no IN ({keys})"
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The people of a batch. `people` are the distinct ids side by side and `index` says for each row which of them it is (-1: none).

    `known` tells who stood in the vault before, `erased` which rows carry an identifier of somebody erased, `begins` before which instant
    (µs) a row counts as if it did, because a new relationship was proved then (0: never); `youth` the birth dates of
    those among `people` (and of both sides of `merges`) who were under 18 when it was noted, by themselves or as one of a family.
    `families` names, for those of `people` who are several, all the others: what the merges of this very batch bring together included.
    A Resolution is stored once.
    """

    people: bytes = field(repr=False)
    index: Ints = field(repr=False)
    known: pa.BooleanArray
    erased: pa.BooleanArray
    begins: Ints
    youth: Mapping[bytes, date] = field(repr=False)
    merges: tuple[Join, ...] = field(repr=False)
    refusals: tuple[Refusal, ...] = field(repr=False)
    families: Mapping[bytes, Sequence[bytes]] = field(repr=False)
    found: Found = field(repr=False)
    rows: Ints = field(repr=False)
    aliases: Ints = field(repr=False)
    owner: Ints = field(repr=False)
    row_person: Ints = field(repr=False)
    row_member: Ints = field(repr=False)
    ids: Ids = field(repr=False)
    numbers: Numbers = field(repr=False)

    @property
    def refused_links(self) -> int:
        """How many links were refused; their rows are kept."""
        return len(self.refusals)

    @property
    def persons(self) -> pa.FixedSizeBinaryArray:
        """The person id of every row; null where a row names nobody."""
        pool = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(self.people) // 16, [None, pa.py_buffer(self.people)])
        return pc.take(pool, pa.array(self.index, pa.int64(), mask=self.index < 0))


@dataclass(frozen=True, slots=True)
class _Known:
    """Known people: those who stand for their families first, then the merged ones whose identifiers are here.

    `owner` and `origin` say for each identifier who stands for its person and who had it (positions, -1: unknown).
    """

    numbers: Ints
    ids: Ids
    heads: int
    owner: Ints
    origin: Ints
    at_version: Ints
    families: Mapping[int, Sequence[tuple[int, bytes, bool]]]
    young: list[int]


class _Asked(NamedTuple):
    """What memory and vault say of a batch's identifiers; values and digests only of those that the vault was asked about."""

    known: _Known
    gone: Bools
    begins: Ints
    values: Made[str]
    digests: Mapping[int, Made[bytes]]
    tombstones: int


def resolve(
    tx: sa.Connection,
    keyring: Keyring,
    identifiers: Mapping[str, pa.StringArray],
    *,
    may_link_strong: bool,
    random: RandomBytes,
    recent: RecentPeople | None = None,
) -> Resolution:
    """The person of every row by its normalised identifiers (columns of equal length by type).

    The column `vocabulary.ALIAS` holds a second customer number of the same person.
    """
    versions = keystate.sync(tx, keyring)["index"]
    lines = [kind for kind in (*ORDER, ALIAS) if kind in identifiers]
    kinds = [IdentifierType.CUSTOMER_NO if line == ALIAS else IdentifierType(line) for line in lines]
    rows, types, uniques = _unique(identifiers, lines, kinds)
    asked = _ask(tx, keyring, versions, types, uniques, random, recent or RecentPeople())
    erased, begins = _of_rows(rows, asked.gone).astype(bool), _of_rows(rows, asked.begins)
    rows[:, erased] = -1
    if not may_link_strong:
        rows[[kind in STRONG_TYPES for kind in kinds], :] = -1
    known = asked.known
    links = linking.link(
        rows,
        [kind not in STRONG_TYPES for kind in ORDER],
        known.owner,
        known.numbers[: known.heads].tolist(),
        lambda people: _counts(tx, known, people),
        [IDENTIFIER_LIMITS[kind] for kind in ORDER],
        kinds=[ORDER.index(kind) for kind in kinds],
        apart=lambda people: _apart(tx, known, people),
    )
    fresh = random(16 * (links.people - known.heads))
    ids = Ids(known.ids.joined[: 16 * known.heads] + fresh + known.ids.joined[16 * known.heads :])
    origin = np.where(known.origin >= known.heads, known.origin + (links.people - known.heads), known.origin)
    row_member = _members(rows, links, known.owner, origin, len(known.numbers) > known.heads)
    distinct, index = np.unique(row_member, return_inverse=True)
    here = distinct[distinct >= 0]
    joins = _joins(rows, links, known.owner, origin, ids)
    family = _families(known, joins)
    return Resolution(
        people=ids.of(here),
        index=index.reshape(-1) - (len(distinct) - len(here)),
        known=pa.array((links.row_person >= 0) & (links.row_person < known.heads)),
        erased=pa.array(erased),
        begins=begins,
        youth=_young(tx, keyring, known, ids, here, joins, family),
        merges=joins,
        refusals=_refusals(links, ids),
        families={ids[one]: family[ids[one]] for one in here.tolist() if ids[one] in family} if family else {},
        found=Found(types, asked.values, asked.digests, known.owner, known.at_version, versions[-1], asked.tombstones),
        rows=rows,
        aliases=rows[lines.index(ALIAS)] if ALIAS in lines else np.full(rows.shape[1], -1, np.int64),
        owner=links.owner,
        row_person=links.row_person,
        row_member=row_member,
        ids=ids,
        numbers=Numbers(known.numbers, known.heads, links.people),
    )


def _of_rows(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The largest value of a row's identifiers; 0 where it has none."""
    if not len(values) or not len(rows):
        return np.zeros(rows.shape[1], np.int64)
    present = rows >= 0
    return np.asarray(np.where(present, values[np.where(present, rows, 0)], 0).max(axis=0))


def _refusals(links: linking.Links, ids: Ids) -> tuple[Refusal, ...]:
    told = ((row, ids[person], None if kind < 0 else ORDER[kind], kind == linking.KEPT_APART) for row, person, kind in links.refusals)
    return tuple(Refusal(*one) for one in told)


def _members(rows: Ints, links: linking.Links, owner: Ints, origin: Ints, merged: bool) -> Ints:
    """Each row's person before any merge: who had its first identifier that leads to the row's person."""
    if not merged:
        return links.row_person
    member = links.row_person.copy()
    open_ = np.isin(links.row_person, np.unique(owner[origin != owner]))
    for line in rows:
        there = np.flatnonzero(open_ & (line >= 0))
        one = line[there]
        told = (owner[one] == links.row_person[there]) & (links.owner[one] == links.row_person[there])
        member[there[told]] = origin[one[told]]
        open_[there[told]] = False
    return member


def _joins(rows: Ints, links: linking.Links, owner: Ints, origin: Ints, ids: Ids) -> tuple[Join, ...]:
    def member(row: int, person: int) -> bytes:
        """Of somebody's family the one whose identifier stands in the row."""
        return next((ids[origin[one]] for one in rows[:, row].tolist() if one >= 0 and owner[one] == person), ids[person])

    told = [(*one, False) for one in links.joins] + [(*one, True) for one in links.late]
    return tuple(
        Join(row, ids[first], ids[second], late, (member(row, first), member(row, second)))
        for row, first, second, late in sorted(told, key=lambda one: one[0])
    )


def _families(known: _Known, joins: Sequence[Join]) -> dict[bytes, list[bytes]]:
    """Everybody here, or in a join, who is several, with all the others; what joins of this batch would bring together counts as one."""
    groups: dict[bytes, set[bytes]] = {}
    for head, others in known.families.items():
        if others:
            family = {known.ids[head], *(person for _, person, _ in others)}
            groups |= dict.fromkeys(family, family)
    for join in joins:
        together = groups.get(join.first, {join.first}) | groups.get(join.second, {join.second})
        groups |= dict.fromkeys(together, together)
    return {person: sorted(family - {person}) for person, family in groups.items()}


def _young(
    tx: sa.Connection, keyring: Keyring, known: _Known, ids: Ids, here: Ints, joins: Sequence[Join], family: Mapping[bytes, Sequence[bytes]]
) -> dict[bytes, date]:
    """Birth dates that concern people here or in a join; of nearly all batches nobody's."""
    if not known.young:
        return {}
    people = [*(ids[one] for one in here.tolist()), *(one for join in joins for one in (join.first, join.second))]
    return _youth(births(tx, keyring, known.young), people, family)


def _youth(born: Mapping[bytes, date], people: Sequence[bytes], family: Mapping[bytes, Sequence[bytes]]) -> dict[bytes, date]:
    """The latest birth date that was noted of a person or of anybody who turned out to be the same."""
    told = {person: [born[one] for one in (person, *family.get(person, ())) if one in born] for person in people} if born else {}
    return {person: max(dates) for person, dates in told.items() if dates}


def _unique(
    identifiers: Mapping[str, pa.StringArray], lines: Sequence[str], kinds: Sequence[IdentifierType]
) -> tuple[Ints, list[IdentifierType], list[tuple[str, pa.StringArray]]]:
    """Rows as numbers of unique identifiers, lines × rows; two lines of one type share their numbers, and types stand together."""
    length = len(next(iter(identifiers.values()))) if identifiers else 0
    rows = np.full((len(lines), length), -1, np.int64)
    types: list[IdentifierType] = []
    uniques: list[tuple[str, pa.StringArray]] = []
    for kind in dict.fromkeys(kinds):
        mine = [place for place, one in enumerate(kinds) if one == kind]
        encoded = pc.dictionary_encode(pa.concat_arrays([_flat(identifiers[lines[place]]) for place in mine]))
        numbers = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        rows[mine] = np.where(numbers >= 0, numbers + len(types), -1).reshape(len(mine), length)
        uniques.append((str(kind), encoded.dictionary))
        types += [kind] * len(encoded.dictionary)
    return rows, types, uniques


def _texts(texts: pa.StringArray, asked: Ints, values: Sequence[str]) -> Made[str]:
    return Made(dict(zip(asked.tolist(), values, strict=True)), lambda place: str(texts[place].as_py()))


def _made(
    keyring: Keyring, version: int, types: Sequence[IdentifierType], texts: pa.StringArray, asked: Ints, told: Sequence[bytes]
) -> Made[bytes]:
    """Digests under one version: those that the vault was asked about, the others when somebody wants them."""

    def make(place: int) -> bytes:
        return _digests(keyring, [types[place]], [texts[place].as_py()], version)[0]

    return Made(dict(zip(asked.tolist(), told, strict=True)), make)


def _flat(column: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _digests(keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str], version: int) -> list[bytes]:
    return stones.keyed(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), types, values)


def _ask(
    tx: sa.Connection,
    keyring: Keyring,
    versions: Sequence[int],
    types: Sequence[IdentifierType],
    uniques: Sequence[tuple[str, pa.StringArray]],
    random: RandomBytes,
    recent: RecentPeople,
) -> _Asked:
    """Who has each identifier, and which of them are of somebody erased; what is remembered is asked of nobody."""
    texts = pa.concat_arrays([pa.array([], pa.string()), *(values for _, values in uniques)])
    tombstones = int(tx.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM tombstone").scalar_one())
    marks = recent.marks(keyring.profile, uniques, random)
    moment, holder = recent.owners(tx, versions[-1], tombstones, marks)
    asked = np.flatnonzero(holder < 0)
    values = texts.take(pa.array(asked)).to_pylist()
    some = [types[one] for one in asked.tolist()]
    digests = {version: _digests(keyring, some, values, version) for version in versions}
    gone, begins = np.zeros(len(types), bool), np.zeros(len(types), np.int64)
    if tombstones:
        gone[asked], begins[asked] = stones.marks(tx, keyring, some, values)
    at_version = np.where(holder >= 0, versions[-1], -1)
    _look_up(tx, digests, asked, holder, at_version)
    new = asked[(at_version[asked] == versions[-1]) & ~gone[asked] & (begins[asked] == 0)]
    recent.remember(moment, marks[new], holder[new])
    return _Asked(
        _owners(tx, holder, at_version, recent),
        gone,
        begins,
        _texts(texts, asked, values),
        {version: _made(keyring, version, types, texts, asked, told) for version, told in digests.items()},
        tombstones,
    )


def _look_up(tx: sa.Connection, digests: Mapping[int, Sequence[bytes]], asked: Ints, holder: Ints, at_version: Ints) -> None:
    """Asks the vault about those who are not remembered; newer versions of the index first."""
    for version in sorted(digests, reverse=True) if len(asked) else ():
        hits = dict(bulk.select_in(tx, _FIND, digests[version], (version,)))
        if hits:
            found = np.fromiter(map(hits.get, digests[version], repeat(-1)), np.int64, len(asked))
            first = (holder[asked] < 0) & (found >= 0)
            holder[asked[first]], at_version[asked[first]] = found[first], version


def _owners(tx: sa.Connection, holder: Ints, at_version: Ints, recent: RecentPeople) -> _Known:
    """The known people of a batch, merges followed."""
    holders = np.unique(holder[holder >= 0])
    people = recent.people(tx, _PEOPLE, holders)
    standing = np.where(people.merged >= 0, people.merged, holders)
    heads = np.unique(standing)
    families = recent.families(tx, _FAMILY, heads)
    merged = holders[standing != holders]
    numbers = np.concatenate([heads, merged])
    everyone = people if len(numbers) == len(holders) and not len(merged) else recent.people(tx, _PEOPLE, numbers)
    spot = np.searchsorted(holders, holder)
    owner = np.where(holder >= 0, np.searchsorted(heads, standing[np.minimum(spot, len(standing) - 1)] if len(standing) else holder), -1)
    origin = owner
    if len(merged):
        origin = np.where(np.isin(holder, merged), np.searchsorted(merged, holder) + len(heads), owner)
    young = numbers[everyone.youth].tolist() + [no for others in families.values() for no, _, youth in others if youth]
    return _Known(numbers, Ids(lookup.joined(everyone.ids)), len(heads), owner, origin, at_version, families, sorted(set(young)))


def _counts(tx: sa.Connection, known: _Known, people: Sequence[int]) -> dict[tuple[int, int], int]:
    """How many identifiers of each type people have, with those of everybody who was merged into them."""
    return count_identifiers(
        tx, {int(known.numbers[one]): one for one in people} | {no: one for one in people for no, *_ in known.families.get(one, ())}
    )


def count_identifiers(tx: sa.Connection, place: Mapping[int, int]) -> dict[tuple[int, int], int]:
    """Identifiers by (place, position of their type in ORDER) of people, whose numbers are given with their places."""
    counted: dict[tuple[int, int], int] = {}
    for no, kind, count in bulk.select_in(tx, _COUNT, list(place)):
        spot = (place[no], ORDER.index(IdentifierType(kind)))
        counted[spot] = counted.get(spot, 0) + count
    return counted


def _apart(tx: sa.Connection, known: _Known, people: Sequence[int]) -> set[tuple[int, int]]:
    """Which of these people an officer keeps apart."""
    place = {known.ids[one]: one for one in people} | {person: one for one in people for _, person, _ in known.families.get(one, ())}
    pairs = ((place[first], place[second]) for first, second in merging.kept_apart(tx, list(place)))
    return {(min(pair), max(pair)) for pair in pairs}


def births(tx: sa.Connection, keyring: Keyring, numbers: Sequence[int]) -> dict[bytes, date]:
    """The noted birth dates of people (by number), opened."""
    opened = {}
    for person, birth, wrapped in bulk.select_in(tx, _BIRTH, list(numbers)):
        opened[person] = date.fromisoformat(sealed.unseal(sealed.unwrap(keyring, person, wrapped), BIRTH, person, birth).decode())
    return opened
