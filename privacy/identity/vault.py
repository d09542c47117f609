"""The vault: who people are, sealed, and the only place that can say it.

Promise: a value stands here only sealed under its person's own key and as a keyed digest for look-up; people get random ids that
nothing about them determines; `resolve` writes nothing, `store` writes only what belongs to rows that were admitted, and a repeated
batch finds its people instead of making new ones. Two programs that meet the same new identifier: one wins, the other gets
`errors.Raced` and resolves again.
Must never learn: what a row says about a person, a consent, the lake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from privacy import errors
from privacy.identity import bulk, keystate, merging, pseudonyms, sealed
from privacy.identity.ephemeral import destroy_ephemeral_keys as destroy_ephemeral_keys
from privacy.identity.ephemeral import ephemeral_key as ephemeral_key
from privacy.identity.ephemeral import find_ephemeral_key as find_ephemeral_key
from privacy.identity.keys import Keyring
from privacy.identity.resolution import BIRTH, Bools, Ints, births
from privacy.identity.resolution import Join as Join
from privacy.identity.resolution import Resolution as Resolution
from privacy.identity.resolution import resolve as resolve
from privacy.identity.stones import tombstone_digests
from privacy.orm import BigId, Instant, VaultBase, to_micros
from privacy.records import RandomBytes
from privacy.vocabulary import IdentifierType, LinkRefusal, LinkRule

IDENTIFIER_VALUE = sealed.Place("identifier", "sealed")
IDENTIFIER_COLUMNS = ("index_version", "digest", "type", "person_no", "sealed", "added_at", "rule", "batch_no")
ADULT_YEARS = 18
"""Below this age nobody is in anything whose use is marketing (未成年人网络保护条例 24)."""


class Person(VaultBase):
    """A person: a random id, and where a merge sent it. The birth date is sealed; `youth` says only that somebody was under 18.

    `no` orders the rows of the vault, so that what is new stands together on disk; it is as secret as the id and names nobody outside.
    """

    __tablename__ = "person"

    no: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    merged_into: Mapped[int | None] = mapped_column(sa.BigInteger)
    birth: Mapped[bytes | None] = mapped_column(sa.LargeBinary(128))
    youth: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())


sa.Index(
    "ix_person_merged_into",
    Person.merged_into,
    sqlite_where=Person.merged_into.is_not(None),
    postgresql_where=Person.merged_into.is_not(None),
)
sa.Index("ix_person_youth", Person.youth, sqlite_where=Person.youth, postgresql_where=Person.youth)


class DataKey(VaultBase):
    """A person's own key, wrapped. Deleting the row makes all that is sealed for the person unreadable; ordinary backups leave it out."""

    __tablename__ = "data_key"

    person_no: Mapped[int] = mapped_column(BigId, sa.ForeignKey("person.no"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(sa.LargeBinary(128))


class Identifier(VaultBase):
    """The blind index and, beside each digest, the sealed value. A rotated index adds a row with the newest version."""

    __tablename__ = "identifier"

    index_version: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(16))
    person_no: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("person.no"), index=True)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary(512))
    added_at: Mapped[datetime] = mapped_column(Instant)
    rule: Mapped[str] = mapped_column(sa.String(24), server_default=LinkRule.SAME_RECORD.value)
    batch_no: Mapped[int | None] = mapped_column(sa.BigInteger)


class LinkBatch(VaultBase):
    """Which source's batch brought identifiers: what an officer is told of a link."""

    __tablename__ = "link_batch"

    no: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    batch: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    source: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[datetime] = mapped_column(Instant)


class Tombstone(VaultBase):
    """An identifier of somebody who was erased, as a digest under its own key: it never comes back, unless a new relationship is proved."""

    __tablename__ = "tombstone"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    added_at: Mapped[datetime] = mapped_column(Instant)
    erasure: Mapped[str | None] = mapped_column(sa.String(40))
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def store(
    tx: sa.Connection,
    keyring: Keyring,
    resolution: Resolution,
    keep: pa.BooleanArray,
    *,
    batch_id: bytes,
    now: datetime,
    random: RandomBytes,
    source: str = "",
    denied: pa.BooleanArray | None = None,
) -> None:
    """Writes the people, identifiers and merges of the kept rows, and nothing of the others; but that a visitor is a person, both known
    before, is written of `denied` rows too.

    Raises `errors.Raced` if the vault moved on since `resolve`: another program met the same identifier, somebody was erased, the index
    was rotated. The caller rolls back and resolves again; a batch that was stored before finds everybody known and writes nothing.
    """
    found = resolution.found
    kept = np.asarray(keep.to_numpy(zero_copy_only=False), bool)
    linked, bearers, new_people = _wanted(resolution, kept)
    first = keystate.take_numbers(tx, len(new_people))
    if keystate.sync(tx, keyring)["index"][-1] != found.version or _tombstones(tx) != found.tombstones:
        raise errors.Raced("The vault changed since the batch was resolved.", code="vault_raced")
    numbers, persons = range(first, first + len(new_people)), [resolution.ids[one] for one in new_people]
    made = sealed.new_data_keys(keyring, persons, random)
    try:
        bulk.insert_columns(tx, Person.__table__, ("no", "person", "created_at"), [numbers, persons, [to_micros(now)] * len(persons)])
        bulk.insert_columns(tx, DataKey.__table__, ("person_no", "wrapped"), [numbers, [wrapped for _, wrapped in made]])
        places = dict(zip(new_people, zip(numbers, persons, strict=True), strict=True))
        keys = {no: key for no, (key, _) in zip(numbers, made, strict=True)}
        _write_links(tx, keyring, resolution, (linked, bearers), places, keys, (batch_id, source, now), random)
        _write_aged(tx, resolution, linked.tolist())
        lowered = kept if denied is None else kept | np.asarray(denied.to_numpy(zero_copy_only=False), bool)
        _write_merges(tx, resolution, kept, lowered, places, (batch_id, source, now))
    except sa.exc.IntegrityError:
        raise errors.Raced("The vault changed since the batch was resolved.", code="vault_raced") from None


def _wanted(resolution: Resolution, kept: Bools) -> tuple[Ints, Ints, list[int]]:
    """Identifiers whose link some kept row bears out, the first such row of each, and new people who have a kept row."""
    numbers = np.flatnonzero(kept)
    rows, person = resolution.rows[:, kept], resolution.row_person[kept]
    nowhere = len(kept)
    bearer = np.full(len(resolution.owner), nowhere, np.int64)
    for column in rows:
        there = column >= 0
        one = column[there]
        borne = resolution.owner[one] == person[there]
        place = np.full(len(bearer), nowhere, np.int64)
        place[one[borne][::-1]] = numbers[there][borne][::-1]
        bearer = np.minimum(bearer, place)
    linked = np.flatnonzero(bearer < nowhere)
    people = np.unique(person[person >= 0])
    return linked, bearer[linked], people[~resolution.numbers.among(people)].tolist()


def _write_links(
    tx: sa.Connection,
    keyring: Keyring,
    resolution: Resolution,
    borne: tuple[Ints, Ints],
    places: dict[int, tuple[int, bytes]],
    keys: dict[int, bytes],
    origin: tuple[bytes, str, datetime],
    random: RandomBytes,
) -> None:
    """Seals identifiers under the keys of the people whose rows brought them; a weak one that follows another person is sealed anew."""
    found, (linked, bearers) = resolution.found, borne
    changes = found.owner[linked] != resolution.owner[linked]
    if not changes.any():
        return
    changed, rows = linked[changes], bearers[changes]
    after: list[int] = resolution.row_member[rows].tolist()
    everyone = list(dict.fromkeys(after))
    for number in everyone:
        if number not in places:
            places[number] = (resolution.numbers[number], resolution.ids[number])
    keys.update(data_keys(tx, keyring, {no: person for no, person in places.values() if no not in keys}))
    ciphers = {number: sealed.aead(keys[places[number][0]], keyring.profile.sealing) for number in everyone}
    numbers, owners = [places[one][0] for one in after], [places[one][1] for one in after]
    texts = [value.encode() for value in found.values.of(changed)]
    values = sealed.seal_many([ciphers[one] for one in after], sealed.DATA_KEY_VERSION, IDENTIFIER_VALUE, owners, texts, random)
    batch_id, source, now = origin
    batch = tx.execute(sa.insert(LinkBatch).values(batch=batch_id, source=source, at=now).returning(LinkBatch.no)).scalar_one()
    stamp, digests = to_micros(now), found.digests[found.version].of(changed)
    new = found.owner[changed] < 0
    order = sorted(np.flatnonzero(new).tolist(), key=digests.__getitem__)
    rules = np.where(resolution.aliases[rows] >= 0, LinkRule.ALIAS.value, LinkRule.SAME_RECORD.value).tolist()
    kinds = [found.types[one].value for one in changed.tolist()]
    varied = [[column[one] for one in order] for column in (digests, kinds, numbers, values, rules)]
    same = [[one] * len(order) for one in (found.version, stamp, batch)]
    bulk.insert_columns(tx, Identifier.__table__, IDENTIFIER_COLUMNS, [same[0], *varied[:4], same[1], varied[4], same[2]])
    moved = np.flatnonzero(~new).tolist()
    if moved:
        keystate.count_change(tx)
    late = LinkRule.LATE_IDENTIFICATION.value
    for number, old in found.digests.items():
        lines = [(numbers[one], values[one], stamp, late, batch, number, old[int(changed[one])]) for one in moved]
        move = (
            "UPDATE identifier SET person_no = ?, sealed = ?, added_at = ?, rule = ?, batch_no = ? WHERE index_version = ? AND digest = ?"
        )
        bulk.execute_many(tx, move, lines)


def _write_aged(tx: sa.Connection, resolution: Resolution, linked: Sequence[int]) -> None:
    """Identifiers that were found under an older index get a row under the newest one."""
    found = resolution.found
    aged = [one for one in linked if 0 <= found.at_version[one] != found.version]
    rows = [(found.version, found.digests[found.version][one], int(found.at_version[one])) for one in aged]
    rows_of = [(*row, found.digests[row[2]][one]) for row, one in zip(rows, aged, strict=True)]
    bulk.execute_many(
        tx,
        "INSERT INTO identifier (index_version, digest, type, person_no, sealed, added_at, rule, batch_no) "
        "SELECT ?, ?, type, person_no, sealed, added_at, rule, batch_no FROM identifier WHERE index_version = ? AND digest = ? "
        "ON CONFLICT DO NOTHING",
        rows_of,
    )


def _write_merges(
    tx: sa.Connection,
    resolution: Resolution,
    kept: Bools,
    lowered: Bools,
    places: Mapping[int, tuple[int, bytes]],
    origin: tuple[bytes, str, datetime],
) -> None:
    """Makes the merges that kept rows bear out, and counts the links that were refused."""
    batch_id, source, now = origin
    refused: Counter[tuple[int, str, str]] = Counter()
    numbers = {person: no for no, person in places.values()} | {resolution.ids[one]: no for one, no in resolution.numbers.items()}
    for join in resolution.merges:
        if not kept[join.row] and not (join.late and lowered[join.row] and join.second in numbers):
            continue
        rule = LinkRule.ALIAS if resolution.aliases[join.row] >= 0 else LinkRule.SAME_RECORD
        wanted = merging.Wanted(*join.members, LinkRule.LATE_IDENTIFICATION if join.late else rule)
        why = merging.merge(tx, wanted, batch=batch_id, source=source, now=now)
        if why is not None:
            refused[numbers[join.second], "", why.value] += 1
    for one in resolution.refusals:
        if kept[one.row] and one.person in numbers:
            rule_of = LinkRefusal.KEPT_APART if one.apart else LinkRefusal.OVER_LIMIT
            refused[numbers[one.person], one.type or "", rule_of.value] += 1
    if refused:
        merging.note_refusals(tx, refused, now)


def set_birth(
    tx: sa.Connection, keyring: Keyring, persons: Sequence[bytes], dates: Sequence[date], *, today: date, random: RandomBytes
) -> None:
    """Notes birth dates, sealed; only who is under 18 today is marked, so that nobody else has to be opened to decide."""
    numbers = dict(bulk.select_in(tx, "SELECT person, no FROM person WHERE person IN ({keys})", list(set(persons))))
    keys = data_keys(tx, keyring, {no: person for person, no in numbers.items()})
    ciphers = [sealed.aead(keys[numbers[person]], keyring.profile.sealing) for person in persons]
    texts = [born.isoformat().encode() for born in dates]
    values = sealed.seal_many(ciphers, sealed.DATA_KEY_VERSION, BIRTH, persons, texts, random)
    rows = [(value, age(born, today) < ADULT_YEARS, numbers[person]) for value, born, person in zip(values, dates, persons, strict=True)]
    bulk.execute_many(tx, "UPDATE person SET birth = ?, youth = ? WHERE no = ?", rows)
    if any(young for _, young, _ in rows):
        keystate.count_change(tx)


def age(born: date, today: date) -> int:
    """Completed years; who was born on 29 February has their birthday on 1 March of other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def add_tombstones(tx: sa.Connection, keyring: Keyring, identifiers: Sequence[tuple[IdentifierType, str]], *, now: datetime) -> None:
    """Marks normalised identifiers as those of somebody erased: rows that carry one are refused from now on."""
    ordered = sorted(identifiers)
    digests = tombstone_digests(keyring, [kind for kind, _ in ordered], [value for _, value in ordered])
    stamp = to_micros(now)
    bulk.insert(tx, Tombstone.__table__, ("digest", "added_at"), [(digest, stamp) for digest in digests], ignore=True)


def sweep_orphans(
    tx: sa.Connection,
    known_person_ids: Callable[[Sequence[bytes]], Collection[bytes]],
    older_than: datetime,
    *,
    since: datetime | None = None,
) -> int:
    """Removes people whose batch never reached the platform: made in the window, known to nobody outside, and in no merge.

    `known_person_ids` says which of the given people anything outside the vault refers to. The key goes first.
    """
    window = sa.select(Person.no, Person.person).where(Person.created_at < older_than)
    if since is not None:
        window = window.where(Person.created_at >= since)
    removed = 0
    merged = merging.merged_people(tx)
    people = [(no, person) for no, person in tx.execute(window) if person not in merged]
    for start in range(0, len(people), 5_000):
        part = {person: no for no, person in people[start : start + 5_000]}
        kept = set(known_person_ids(list(part)))
        lost = [no for person, no in part.items() if person not in kept]
        tx.execute(sa.delete(DataKey).where(DataKey.person_no.in_(lost)))
        tx.execute(sa.delete(Identifier).where(Identifier.person_no.in_(lost)))
        tx.execute(sa.delete(Person).where(Person.no.in_(lost)))
        removed += len(lost)
    if removed:
        keystate.count_change(tx)
    return removed


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lookup(tx: sa.Connection, keyring: Keyring, type_: str, value: str) -> bytes | None:
    """The person of one normalised identifier, merges followed; the same work for known and unknown."""
    found: bytes | None = None
    canonical = aliased(Person)
    for version in keystate.sync(tx, keyring)["index"]:
        (digest,) = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), type_, [value])
        query = (
            sa.select(canonical.person)
            .select_from(Identifier)
            .join(Person, Person.no == Identifier.person_no)
            .join(canonical, canonical.no == sa.func.coalesce(Person.merged_into, Person.no))
            .where(Identifier.index_version == version, Identifier.digest == digest)
        )
        found = tx.execute(query).scalar_one_or_none() or found
    return found


def identifiers_of(tx: sa.Connection, keyring: Keyring, person_id: bytes) -> list[tuple[IdentifierType, str]]:
    """All identifiers of a person and of those merged into them, opened. The door that asks has logged it before."""
    no = sa.select(Person.no).where(Person.person == person_id).scalar_subquery()
    members = tx.execute(sa.select(Person.no, Person.person).where(sa.or_(Person.no == no, Person.merged_into == no)))
    family = {number: person for number, person in members}  # noqa: C416 (rows are not pairs to mypy)
    rows = tx.execute(sa.select(Identifier.type, Identifier.person_no, Identifier.sealed).where(Identifier.person_no.in_(family))).all()
    keys = data_keys(tx, keyring, family)
    opened = {(IdentifierType(kind), sealed.unseal(keys[no], IDENTIFIER_VALUE, family[no], value).decode()) for kind, no, value in rows}
    return sorted(opened)


def known(tx: sa.Connection, people: Sequence[bytes]) -> set[bytes]:
    """Which of these people the vault still holds."""
    return {bytes(row[0]) for row in bulk.select_in(tx, "SELECT person FROM person WHERE person IN ({keys})", list(set(people)))}


def merged_into(tx: sa.Connection) -> list[tuple[bytes, bytes]]:
    """Every merged person with the one who stands for them now."""
    winner = aliased(Person)
    rows = tx.execute(sa.select(Person.person, winner.person).join(winner, winner.no == Person.merged_into))
    return [(person, canonical) for person, canonical in rows]


def youths(tx: sa.Connection, keyring: Keyring) -> dict[bytes, date]:
    """Birth dates of all people who were under 18 when it was noted; whoever decides compares with the day of the decision."""
    return births(tx, keyring, list(tx.execute(sa.select(Person.no).where(Person.youth)).scalars()))


def ageless(tx: sa.Connection) -> set[bytes]:
    """Everybody of whom no birth date is noted: neither theirs nor that of anybody who turned out to be the same."""
    head = sa.func.coalesce(Person.merged_into, Person.no)
    told = sa.select(head).where(Person.birth.is_not(None))
    return {bytes(person) for person in tx.execute(sa.select(Person.person).where(head.not_in(told))).scalars()}


def data_keys(tx: sa.Connection, keyring: Keyring, people: Mapping[int, bytes]) -> dict[int, bytes]:
    """The data keys of people (number → id)."""
    rows = bulk.select_in(tx, "SELECT person_no, wrapped FROM data_key WHERE person_no IN ({keys})", list(people))
    keys = {no: sealed.unwrap(keyring, people[no], wrapped) for no, wrapped in rows}
    if len(keys) != len(people):
        raise errors.Raced("A person's key is gone.", code="vault_raced")
    return keys


def _tombstones(tx: sa.Connection) -> int:
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.max(Tombstone.seq), 0))).scalar_one())
