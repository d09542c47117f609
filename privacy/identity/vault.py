"""The vault: who people are, sealed, and the only place that can say it.

Promise: a value stands here only sealed under its person's own key and as a keyed digest for look-up; people get random ids that
nothing about them determines; `resolve` writes nothing, `store` writes only what belongs to rows that were admitted, and a repeated
batch finds its people instead of making new ones. Two programs that meet the same new identifier: one wins, the other gets
`errors.Raced` and resolves again.
Must never learn: what a row says about a person, a consent, the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import errors
from privacy.identity import bulk, keystate, pseudonyms, sealed
from privacy.identity.ephemeral import destroy_ephemeral_keys as destroy_ephemeral_keys
from privacy.identity.ephemeral import ephemeral_key as ephemeral_key
from privacy.identity.ephemeral import find_ephemeral_key as find_ephemeral_key
from privacy.identity.keys import Keyring
from privacy.identity.resolution import BIRTH as BIRTH
from privacy.identity.resolution import Join as Join
from privacy.identity.resolution import Resolution as Resolution
from privacy.identity.resolution import births, tombstone_digests
from privacy.identity.resolution import resolve as resolve
from privacy.orm import BigId, Instant, VaultBase, to_micros
from privacy.records import RandomBytes
from privacy.vocabulary import IdentifierType

IDENTIFIER_VALUE = sealed.Place("identifier", "sealed")
ADULT_YEARS = 18
"""Below this age nobody is in anything whose use is marketing (未成年人网络保护条例 24)."""


class Person(VaultBase):
    """A person: a random id, and where a merge sent it. The birth date is sealed; `youth` says only that somebody was under 18."""

    __tablename__ = "person"

    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    batch: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    merged_into: Mapped[bytes | None] = mapped_column(sa.LargeBinary(16), index=True)
    birth: Mapped[bytes | None] = mapped_column(sa.LargeBinary(128))
    youth: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false(), index=True)


class DataKey(VaultBase):
    """A person's own key, wrapped. Deleting the row makes all that is sealed for the person unreadable; ordinary backups leave it out."""

    __tablename__ = "data_key"

    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16), sa.ForeignKey("person.person"), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(sa.LargeBinary(128))


class Identifier(VaultBase):
    """The blind index and, beside each digest, the sealed value. A rotated index adds a row with the newest version."""

    __tablename__ = "identifier"

    index_version: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(16))
    person: Mapped[bytes] = mapped_column(sa.LargeBinary(16), sa.ForeignKey("person.person"), index=True)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary(512))
    added_at: Mapped[datetime] = mapped_column(Instant)


class Merge(VaultBase):
    """Two people found to be one: kept, so that it can be shown and undone."""

    __tablename__ = "person_merge"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    loser: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    winner: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    batch: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)


class Tombstone(VaultBase):
    """An identifier of somebody who was erased, as a digest under its own key: it never comes back."""

    __tablename__ = "tombstone"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)
    added_at: Mapped[datetime] = mapped_column(Instant)


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
) -> None:
    """Writes the people, identifiers and merges of the kept rows, and nothing of the others.

    Raises `errors.Raced` if the vault moved on since `resolve`: another program met the same identifier, somebody was erased, the index
    was rotated. The caller rolls back and resolves again; a batch that was stored before finds everybody known and writes nothing.
    """
    found = resolution.found
    if keystate.sync(tx, keyring, hold=True)["index"][-1] != found.version or _tombstones(tx) != found.tombstones:
        raise errors.Raced("The vault changed since the batch was resolved.", code="vault_raced")
    kept = np.asarray(keep.to_numpy(zero_copy_only=False), bool)
    linked, new_people = _wanted(resolution, kept)
    moved = [one for one in linked if found.owner[one] >= 0 and found.owner[one] != resolution.owner[one]]
    added = [one for one in linked if found.owner[one] < 0]
    aged = [one for one in linked if found.owner[one] == resolution.owner[one] and found.at_version[one] != found.version]
    people = [resolution.ids[number] for number in new_people]
    made = sealed.new_data_keys(keyring, people, random)
    stamp = to_micros(now)
    try:
        bulk.insert(tx, Person.__table__, ("person", "created_at", "batch"), [(person, stamp, batch_id) for person in people])
        wrapped = [(person, wrapped) for person, (_, wrapped) in zip(people, made, strict=True)]
        bulk.insert(tx, DataKey.__table__, ("person", "wrapped"), wrapped)
        keys = dict(zip(people, (key for key, _ in made), strict=True))
        _write_links(tx, keyring, resolution, added, moved, keys, stamp, random)
        _write_aged(tx, resolution, aged)
        _write_merges(tx, keyring, resolution, kept, batch_id, now, random)
    except sa.exc.IntegrityError:
        raise errors.Raced("The vault changed since the batch was resolved.", code="vault_raced") from None


def _wanted(resolution: Resolution, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[list[int], list[int]]:
    """Identifiers whose link some kept row bears out, and new people who have a kept row."""
    rows, person = resolution.rows[:, kept], resolution.row_person[kept]
    linked = np.zeros(len(resolution.owner), bool)
    for column in rows:
        there = column >= 0
        one = column[there]
        linked[one[resolution.owner[one] == person[there]]] = True
    people = np.unique(person[person >= resolution.known_people])
    return np.flatnonzero(linked).tolist(), people.tolist()


def _write_links(
    tx: sa.Connection,
    keyring: Keyring,
    resolution: Resolution,
    added: Sequence[int],
    moved: Sequence[int],
    keys: dict[bytes, bytes],
    stamp: int,
    random: RandomBytes,
) -> None:
    """Seals identifiers under their people's keys; a weak one that follows another person is sealed anew."""
    found = resolution.found
    owners = {one: resolution.ids[resolution.owner[one]] for one in (*added, *moved)}
    keys.update(_data_keys(tx, keyring, {person for person in owners.values() if person not in keys}))
    ciphers: dict[bytes, sealed.Aead] = {}
    pool = random(sealed.NONCE_BYTES * len(owners))
    values: dict[int, bytes] = {}
    for number, (one, person) in enumerate(owners.items()):
        cipher = ciphers.get(person)
        if cipher is None:
            cipher = ciphers[person] = sealed.aead(keys[person])
        nonce = pool[number * sealed.NONCE_BYTES : (number + 1) * sealed.NONCE_BYTES]
        values[one] = sealed.seal(cipher, sealed.DATA_KEY_VERSION, IDENTIFIER_VALUE, person, nonce, found.values[one].encode())
    digests, version = found.digests[found.version], found.version
    columns = ("index_version", "digest", "type", "person", "sealed", "added_at")
    bulk.insert(
        tx,
        Identifier.__table__,
        columns,
        [(version, digests[one], str(found.types[one]), owners[one], values[one], stamp) for one in added],
    )
    for number, old in found.digests.items():
        moves = [(owners[one], values[one], number, old[one]) for one in moved if found.at_version[one] >= number]
        bulk.execute_many(tx, "UPDATE identifier SET person = ?, sealed = ? WHERE index_version = ? AND digest = ?", moves)


def _write_aged(tx: sa.Connection, resolution: Resolution, aged: Sequence[int]) -> None:
    """Identifiers that were found under an older index get a row under the newest one."""
    found = resolution.found
    rows = [
        (found.version, found.digests[found.version][one], version, found.digests[version][one])
        for one in aged
        for version in [int(found.at_version[one])]
    ]
    bulk.execute_many(
        tx,
        "INSERT INTO identifier (index_version, digest, type, person, sealed, added_at) SELECT ?, ?, type, person, sealed, added_at "
        "FROM identifier WHERE index_version = ? AND digest = ? ON CONFLICT DO NOTHING",
        rows,
    )


def _write_merges(
    tx: sa.Connection,
    keyring: Keyring,
    resolution: Resolution,
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]],
    batch_id: bytes,
    now: datetime,
    random: RandomBytes,
) -> None:
    """Points the younger of two people at the older, with everybody who pointed at it; what protects the young goes along."""
    for join in resolution.merges:
        if not kept[join.row]:
            continue
        first, second = (_canonical(tx, one) for one in (join.first, join.second))
        if first == second:
            continue
        ages = sa.select(Person.person).where(Person.person.in_([first, second])).order_by(Person.created_at, Person.person)
        winner, loser = tx.execute(ages).scalars().all()
        tx.execute(sa.update(Person).where(sa.or_(Person.person == loser, Person.merged_into == loser)).values(merged_into=winner))
        tx.execute(sa.insert(Merge), [{"loser": loser, "winner": winner, "batch": batch_id, "at": now}])
        noted = births(tx, keyring, [winner, loser])
        if loser in noted and noted[loser] > noted.get(winner, date.min):
            set_birth(tx, keyring, [winner], [noted[loser]], today=now.date(), random=random)


def set_birth(
    tx: sa.Connection, keyring: Keyring, persons: Sequence[bytes], dates: Sequence[date], *, today: date, random: RandomBytes
) -> None:
    """Notes birth dates, sealed; only who is under 18 today is marked, so that nobody else has to be opened to decide."""
    keys = _data_keys(tx, keyring, set(persons))
    rows = []
    for person, born in zip(persons, dates, strict=True):
        nonce = random(sealed.NONCE_BYTES)
        value = sealed.seal(sealed.aead(keys[person]), sealed.DATA_KEY_VERSION, BIRTH, person, nonce, born.isoformat().encode())
        rows.append((value, age(born, today) < ADULT_YEARS, person))
    bulk.execute_many(tx, "UPDATE person SET birth = ?, youth = ? WHERE person = ?", rows)


def age(born: date, today: date) -> int:
    """Completed years; who was born on 29 February has their birthday on 1 March of other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def add_tombstones(tx: sa.Connection, keyring: Keyring, identifiers: Sequence[tuple[IdentifierType, str]], *, now: datetime) -> None:
    """Marks normalised identifiers as those of somebody erased: rows that carry one are refused from now on."""
    ordered = sorted(identifiers)
    digests = tombstone_digests(keyring, [kind for kind, _ in ordered], [value for _, value in ordered])
    stamp = to_micros(now)
    bulk.insert(tx, Tombstone.__table__, ("digest", "added_at"), [(digest, stamp) for digest in digests], ignore=True)


def reindex(tx: sa.Connection, keyring: Keyring, *, limit: int = 10_000) -> int:
    """Gives identifiers that stand only under older index versions a row under the newest; returns how many it looked at.

    Called again until it returns 0; then older versions can go.
    """
    version = keystate.sync(tx, keyring, hold=True)["index"][-1]
    newer = sa.orm.aliased(Identifier)
    there = sa.exists().where(newer.person == Identifier.person, newer.sealed == Identifier.sealed, newer.index_version == version)
    old = sa.select(Identifier.type, Identifier.person, Identifier.sealed, Identifier.added_at)
    rows = tx.execute(old.where(Identifier.index_version < version, ~there).limit(limit)).all()
    keys = _data_keys(tx, keyring, {row.person for row in rows})
    key = keyring.mac_key(pseudonyms.BLIND_INDEX, version=version)
    made = []
    for kind, person, value, added_at in rows:
        opened = sealed.unseal(keys[person], IDENTIFIER_VALUE, person, value).decode()
        made.append((version, pseudonyms.blind_index(key, kind, [opened])[0], kind, person, value, to_micros(added_at)))
    bulk.insert(tx, Identifier.__table__, ("index_version", "digest", "type", "person", "sealed", "added_at"), made, ignore=True)
    return len(rows)


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
    window = sa.select(Person.person).where(Person.created_at < older_than)
    if since is not None:
        window = window.where(Person.created_at >= since)
    removed = 0
    for part in tx.execute(window).scalars().partitions(5_000):
        lost = set(part) - set(known_person_ids(list(part)))
        joined = tx.execute(sa.select(Merge.loser, Merge.winner).where(sa.or_(Merge.loser.in_(lost), Merge.winner.in_(lost)))).all()
        lost -= {person for row in joined for person in row}
        for table in (DataKey, Identifier, Person):
            tx.execute(sa.delete(table).where(table.person.in_(lost)))
        removed += len(lost)
    return removed


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lookup(tx: sa.Connection, keyring: Keyring, type_: str, value: str) -> bytes | None:
    """The person of one normalised identifier, merges followed; the same work for known and unknown."""
    found = None
    for version in keystate.sync(tx, keyring)["index"]:
        (digest,) = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), type_, [value])
        where = sa.and_(Identifier.index_version == version, Identifier.digest == digest)
        query = sa.select(sa.func.coalesce(Person.merged_into, Person.person)).join(Identifier, Identifier.person == Person.person)
        found = tx.execute(query.where(where)).scalar_one_or_none() or found
    return found


def identifiers_of(tx: sa.Connection, keyring: Keyring, person_id: bytes) -> list[tuple[IdentifierType, str]]:
    """All identifiers of a person and of those merged into them, opened. The door that asks has logged it before."""
    family = sa.select(Person.person).where(sa.or_(Person.person == person_id, Person.merged_into == person_id))
    rows = tx.execute(
        sa.select(Identifier.type, Identifier.person, Identifier.sealed).where(Identifier.person.in_(family)).distinct()
    ).all()
    keys = _data_keys(tx, keyring, {row.person for row in rows})
    opened = {(IdentifierType(kind), sealed.unseal(keys[person], IDENTIFIER_VALUE, person, value).decode()) for kind, person, value in rows}
    return sorted(opened)


def merged_into(tx: sa.Connection) -> list[tuple[bytes, bytes]]:
    """Every merged person with the one who stands for them now."""
    rows = tx.execute(sa.select(Person.person, Person.merged_into).where(Person.merged_into.is_not(None))).all()
    return [(person, canonical) for person, canonical in rows if canonical is not None]


def youths(tx: sa.Connection, keyring: Keyring) -> dict[bytes, date]:
    """Birth dates of all people who were under 18 when it was noted; whoever decides compares with the day of the decision."""
    return births(tx, keyring, list(tx.execute(sa.select(Person.person).where(Person.youth)).scalars()))


def _data_keys(tx: sa.Connection, keyring: Keyring, persons: Collection[bytes]) -> dict[bytes, bytes]:
    rows = bulk.select_in(tx, "SELECT person, wrapped FROM data_key WHERE person IN ({keys})", list(persons))
    keys = {person: sealed.unwrap(keyring, person, wrapped) for person, wrapped in rows}
    if len(keys) != len(persons):
        raise errors.Raced("A person's key is gone.", code="vault_raced")
    return keys


def _canonical(tx: sa.Connection, person: bytes) -> bytes:
    found: bytes | None = tx.execute(sa.select(Person.merged_into).where(Person.person == person)).scalar_one_or_none()
    return found or person


def _tombstones(tx: sa.Connection) -> int:
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.max(Tombstone.seq), 0))).scalar_one())
