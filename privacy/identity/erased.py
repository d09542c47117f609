"""Who was erased: the slip that an erasure works from, the keys and rows that go, the marks that stay.

Promise: a person's key goes before anything else of them; what an erasure has to know until its end (ids, identifiers) stands on a slip,
sealed under a random key of its own that is destroyed with the certificate; what stays afterwards are keyed digests of the identifiers and
permuted ids, which lead to nothing but the same person in an old copy. Everything may be repeated.
Must never learn: what the person allowed, or who asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy.identity import bulk, ephemeral, keystate, merging, proposals, pseudonyms, sealed, vault
from privacy.identity.keys import Keyring
from privacy.identity.stones import tombstone_digests
from privacy.orm import Instant, VaultBase, to_micros
from privacy.records import Gone, RandomBytes
from privacy.vocabulary import IdentifierType

SLIP = sealed.Place("erasure_slip", "sealed")
SLIP_LIFE = timedelta(days=30)
"""Twice the time in which an erasure has to be over; then the slip's key dies by itself."""


class ErasureSlip(VaultBase):
    """What one running erasure works from, sealed."""

    __tablename__ = "erasure_slip"

    erasure: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)


class ErasedPerson(VaultBase):
    """That a person was erased: their id under a permutation of its own, so that an old copy can be cleared of them again."""

    __tablename__ = "erased_person"

    handle: Mapped[bytes] = mapped_column(sa.LargeBinary(16), primary_key=True)
    erasure: Mapped[str] = mapped_column(sa.String(40), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class Slip:
    """A person as an erasure knows them: everybody who is held to be them, and their identifiers. `whole` is false where some identifier could
    not be opened any more, or none was known."""

    people: tuple[bytes, ...] = field(repr=False)
    numbers: tuple[int, ...] = field(repr=False)
    identifiers: tuple[tuple[IdentifierType, str], ...] = field(repr=False)
    whole: bool = True

    def joined(self, other: Slip) -> Slip:
        """Both together."""
        return Slip(
            tuple(dict.fromkeys(self.people + other.people)),
            tuple(sorted({*self.numbers, *other.numbers})),
            tuple(sorted({*self.identifiers, *other.identifiers})),
            self.whole and other.whole,
        )


# ── the slip ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gather(tx: sa.Connection, keyring: Keyring, people: Sequence[bytes]) -> Slip:
    """Everybody who stands with these people now, and their identifiers as far as their keys are there."""
    family = {member.no: member.id for person in people for member in merging.family_of(tx, person)}
    rows = bulk.select_in(tx, "SELECT type, person_no, sealed FROM identifier WHERE person_no IN ({keys})", list(family))
    wrapped = dict(bulk.select_in(tx, "SELECT person_no, wrapped FROM data_key WHERE person_no IN ({keys})", list(family)))
    keys = {no: sealed.unwrap(keyring, family[no], key) for no, key in wrapped.items()}
    opened = {
        (IdentifierType(kind), sealed.unseal(keys[no], vault.IDENTIFIER_VALUE, family[no], value).decode())
        for kind, no, value in rows
        if no in keys
    }
    everybody = tuple(dict.fromkeys([*people, *family.values()]))
    return Slip(everybody, tuple(sorted(family)), tuple(sorted(opened)), whole=all(no in keys for _, no, _ in rows))


def write_slip(tx: sa.Connection, keyring: Keyring, erasure: str, slip: Slip, *, now: datetime, random: RandomBytes) -> None:
    """Seals a slip, in place of an earlier one."""
    key = ephemeral.ephemeral_key(tx, keyring, _key_name(erasure), destroy_after=now + SLIP_LIFE, random=random, now=now)
    text = json.dumps([[one.hex() for one in slip.people], slip.numbers, slip.identifiers, slip.whole]).encode()
    cipher = sealed.aead(key, keyring.profile.sealing)
    value = sealed.seal(cipher, sealed.DATA_KEY_VERSION, SLIP, erasure.encode(), random(sealed.NONCE_BYTES), text)
    tx.execute(sa.delete(ErasureSlip).where(ErasureSlip.erasure == erasure))
    tx.execute(sa.insert(ErasureSlip).values(erasure=erasure, sealed=value))


def read_slip(tx: sa.Connection, keyring: Keyring, erasure: str) -> Slip | None:
    """The slip of an erasure that is not over."""
    value = tx.execute(sa.select(ErasureSlip.sealed).where(ErasureSlip.erasure == erasure)).scalar_one_or_none()
    key = None if value is None else ephemeral.find_ephemeral_key(tx, keyring, _key_name(erasure))
    if value is None or key is None:
        return None
    people, numbers, identifiers, whole = json.loads(sealed.unseal(key, SLIP, erasure.encode(), value))
    ids = tuple(bytes.fromhex(one) for one in people)
    return Slip(ids, tuple(numbers), tuple((IdentifierType(kind), text) for kind, text in identifiers), whole)


def tear_slip(tx: sa.Connection, erasure: str) -> None:
    """Destroys the slip's key, then the slip; twice is no error."""
    ephemeral.destroy_ephemeral_key(tx, _key_name(erasure))
    tx.execute(sa.delete(ErasureSlip).where(ErasureSlip.erasure == erasure))


def sweep_slips(tx: sa.Connection, running: Iterable[str]) -> int:
    """Tears slips of erasures that nobody runs (a crash between the vault's part and the platform's); returns how many."""
    kept = set(running)
    lost = [one for one in tx.execute(sa.select(ErasureSlip.erasure)).scalars() if one not in kept]
    for erasure in lost:
        tear_slip(tx, erasure)
    return len(lost)


def _key_name(erasure: str) -> str:
    return f"erasure:{erasure}"


# ── erasing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def shred(tx: sa.Connection, keyring: Keyring, erasure: str, *, now: datetime, random: RandomBytes) -> dict[str, int]:
    """Marks the person as erased and destroys their keys: from the commit on nothing sealed for them opens and nobody admits them.

    Whoever was merged with them meanwhile belongs to them now.
    """
    keystate.take_numbers(tx, 0)
    slip = read_slip(tx, keyring, erasure)
    if slip is None:
        return {}
    slip = slip.joined(gather(tx, keyring, slip.people))
    write_slip(tx, keyring, erasure, slip, now=now, random=random)
    keys = _delete(tx, vault.DataKey.person_no, slip.numbers)
    digests = tombstone_digests(keyring, [kind for kind, _ in slip.identifiers], [value for _, value in slip.identifiers])
    mark(tx, Gone(erasure, now, tuple(_handles(keyring, slip.people)), tuple(digests)))
    return {"keys": keys, "marks": len(set(digests))}


def mark(tx: sa.Connection, gone: Gone) -> None:
    """Writes down that people and identifiers are erased; a mark that was lifted stands again."""
    stamp = to_micros(gone.at)
    rows = [(digest, stamp, gone.erasure) for digest in dict.fromkeys(gone.digests)]
    bulk.insert(tx, vault.Tombstone.__table__, ("digest", "added_at", "erasure"), rows, ignore=True)
    again = "UPDATE tombstone SET lifted_at = NULL, added_at = ?, erasure = ? WHERE digest = ? AND lifted_at IS NOT NULL"
    bulk.execute_many(tx, again, [(at, erasure, digest) for digest, at, erasure in rows])
    people = [(handle, gone.erasure, stamp) for handle in gone.people]
    bulk.insert(tx, ErasedPerson.__table__, ("handle", "erasure", "at"), people, ignore=True)
    keystate.count_change(tx)


def remove(tx: sa.Connection, slip: Slip) -> dict[str, int]:
    """Takes every row of the person out of the vault, their keys (again) first."""
    keystate.take_numbers(tx, 0)
    counts = {"keys": _delete(tx, vault.DataKey.person_no, slip.numbers)}
    counts["identifiers"] = _delete(tx, vault.Identifier.person_no, slip.numbers)
    counts["refused_links"] = _delete(tx, merging.RefusedLink.person_no, slip.numbers)
    links = [
        *(merging.Merge.loser, merging.Merge.winner, merging.Separation.first, merging.Separation.second),
        *(proposals.Proposal.first, proposals.Proposal.second),
    ]
    counts["links"] = sum(_delete(tx, column, slip.people) for column in links)
    counts["people"] = _delete(tx, vault.Person.person, slip.people)
    keystate.count_change(tx)
    return counts


def left(tx: sa.Connection, keyring: Keyring, slip: Slip) -> dict[str, int]:
    """What the vault still holds of the person, by table, and how many of their identifiers bear no mark."""
    columns = {
        "person": (vault.Person.person, slip.people),
        "data_key": (vault.DataKey.person_no, slip.numbers),
        "identifier": (vault.Identifier.person_no, slip.numbers),
        "refused_link": (merging.RefusedLink.person_no, slip.numbers),
        "person_merge": (merging.Merge.loser, slip.people),
        "person_separation": (merging.Separation.first, slip.people),
        "merge_proposal": (proposals.Proposal.first, slip.people),
    }
    found = {name: _count(tx, column, values) for name, (column, values) in columns.items()}
    for version in keystate.sync(tx, keyring)["index"]:
        key = keyring.mac_key(pseudonyms.BLIND_INDEX, version=version)
        digests = [pseudonyms.blind_index(key, kind, [value])[0] for kind, value in slip.identifiers]
        found["identifier"] += _count(tx, vault.Identifier.digest, digests)
    return found


def unmarked(tx: sa.Connection, keyring: Keyring, slip: Slip) -> int:
    """How many marks are missing: of the person, and of their identifiers."""
    digests = tombstone_digests(keyring, [kind for kind, _ in slip.identifiers], [value for _, value in slip.identifiers])
    missing = len(set(digests)) - _count(tx, vault.Tombstone.digest, digests, vault.Tombstone.lifted_at.is_(None))
    handles = _handles(keyring, slip.people)
    return missing + len(handles) - _count(tx, ErasedPerson.handle, handles)


def lift(tx: sa.Connection, keyring: Keyring, identifiers: Sequence[tuple[IdentifierType, str]], *, now: datetime) -> list[bytes]:
    """Ends what keeps identifiers out, because a new relationship was proved; nothing from before this moment counts. Returns the marks."""
    ordered = sorted(identifiers)
    return lift_marks(tx, tombstone_digests(keyring, [kind for kind, _ in ordered], [value for _, value in ordered]), now)


def lift_marks(tx: sa.Connection, digests: Sequence[bytes], at: datetime) -> list[bytes]:
    """Lifts marks; returns those that stood."""
    keystate.take_numbers(tx, 0)
    stone = vault.Tombstone
    told = sa.update(stone).where(stone.digest.in_(digests), stone.lifted_at.is_(None)).values(lifted_at=at).returning(stone.digest)
    lifted = [bytes(digest) for digest in tx.execute(told).scalars()]
    keystate.count_change(tx)
    return lifted


# ── remembering ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def everyone(tx: sa.Connection) -> list[Gone]:
    """Every erasure that this vault knows, oldest first."""
    people: dict[str, list[Any]] = {}
    told = sa.select(ErasedPerson.erasure, ErasedPerson.at, ErasedPerson.handle)
    for row in tx.execute(told.order_by(ErasedPerson.at, ErasedPerson.erasure, ErasedPerson.handle)):
        people.setdefault(row.erasure, []).append(row)
    marks: dict[str, list[bytes]] = {}
    stones = sa.select(vault.Tombstone.erasure, vault.Tombstone.digest).where(vault.Tombstone.erasure.is_not(None))
    for erasure, digest in tx.execute(stones.order_by(vault.Tombstone.seq)):
        marks.setdefault(str(erasure), []).append(bytes(digest))
    return [
        Gone(erasure, rows[0].at, tuple(bytes(one.handle) for one in rows), tuple(marks.get(erasure, ())))
        for erasure, rows in people.items()
    ]


def persons(keyring: Keyring, handles: Sequence[bytes]) -> tuple[bytes, ...]:
    """The people behind permuted ids."""
    opened = keyring.inverse_block_cipher(pseudonyms.ERASED)(b"".join(handles)) if handles else b""
    return tuple(opened[start : start + 16] for start in range(0, len(opened), 16))


def _handles(keyring: Keyring, people: Sequence[bytes]) -> list[bytes]:
    made = pseudonyms.handles(b"".join(people), keyring.block_cipher(pseudonyms.ERASED)) if people else b""
    return [made[start : start + 16] for start in range(0, len(made), 16)]


def _delete(tx: sa.Connection, column: Any, values: Sequence[Any]) -> int:
    return int(tx.execute(sa.delete(column.class_).where(column.in_(values))).rowcount) if values else 0


def _count(tx: sa.Connection, column: Any, values: Sequence[Any], *also: Any) -> int:
    if not values:
        return 0
    return int(tx.execute(sa.select(sa.func.count()).select_from(column.class_).where(column.in_(values), *also)).scalar_one())
