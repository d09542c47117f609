"""Which people a list of identifiers names: for an incident, in one pass, with nothing kept.

Promise: it answers with people's ids, which the door counts and drops; a list is read from memory and written nowhere. Identifiers are looked up
by their blind index; hashes, as an export may have carried them, are compared with the hash of every identifier of that type.
Must never learn: why somebody asks, or what becomes of the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from privacy.identity import keystate, pseudonyms, sealed
from privacy.identity.keys import Keyring
from privacy.identity.vault import IDENTIFIER_VALUE, Identifier, Person, data_keys

_AT_ONCE = 2_000


def people_of(tx: sa.Connection, keyring: Keyring, type_: str, values: Sequence[str]) -> set[bytes]:
    """The people of normalised identifiers, merges followed."""
    found: set[bytes] = set()
    canonical = aliased(Person)
    for version in keystate.sync(tx, keyring)["index"]:
        digests = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), type_, values)
        for start in range(0, len(digests), _AT_ONCE):
            asked = (
                sa.select(canonical.person)
                .select_from(Identifier)
                .join(Person, Person.no == Identifier.person_no)
                .join(canonical, canonical.no == sa.func.coalesce(Person.merged_into, Person.no))
                .where(Identifier.index_version == version, Identifier.digest.in_(digests[start : start + _AT_ONCE]))
            )
            found.update(bytes(person) for person in tx.execute(asked).scalars())
    return found


def people_of_hashes(tx: sa.Connection, keyring: Keyring, type_: str, hashes: Collection[bytes]) -> set[bytes]:
    """The people of whom some identifier of a type has one of these SHA-256 hashes, in any form that a recipient may hash.

    Every identifier of the type is opened once, so this is for incidents and not for pages.
    """
    wanted, after = frozenset(hashes), 0
    found: set[int] = set()
    while True:
        asked = sa.select(Person.no, Person.person, Person.merged_into).where(Person.no > after).order_by(Person.no).limit(_AT_ONCE)
        members = tx.execute(asked).all()
        if not members:
            return _heads(tx, found)
        after = members[-1].no
        family = {row.no: bytes(row.person) for row in members}
        rows = tx.execute(
            sa.select(Identifier.person_no, Identifier.sealed).where(Identifier.type == type_, Identifier.person_no.in_(list(family)))
        ).all()
        keys = data_keys(tx, keyring, {row.person_no: family[row.person_no] for row in rows})
        for no, value in rows:
            opened = sealed.unseal(keys[no], IDENTIFIER_VALUE, family[no], value).decode()
            if any(hashlib.sha256(form.encode()).digest() in wanted for form in forms(type_, opened)):
                found.add(no)


def _heads(tx: sa.Connection, numbers: set[int]) -> set[bytes]:
    """Who stands for these people now."""
    heads: set[bytes] = set()
    listed, canonical = sorted(numbers), aliased(Person)
    for start in range(0, len(listed), _AT_ONCE):
        asked = (
            sa.select(canonical.person)
            .select_from(Person)
            .join(canonical, canonical.no == sa.func.coalesce(Person.merged_into, Person.no))
            .where(Person.no.in_(listed[start : start + _AT_ONCE]))
        )
        heads.update(bytes(person) for person in tx.execute(asked).scalars())
    return heads


def forms(type_: str, value: str) -> tuple[str, ...]:
    """The spellings of an identifier that recipients hash: E.164 with and without its plus, the national number of a Chinese mobile."""
    plain = value.rpartition("\x1f")[2]
    if type_ != "phone":
        return (plain,)
    digits = plain.removeprefix("+")
    national = (digits.removeprefix("86"),) if digits.startswith("86") and len(digits) == 13 else ()
    return ("+" + digits, digits, *national)


def holders(tx: sa.Connection) -> dict[str, int]:
    """Identifier type → how many people hold one."""
    asked = sa.select(Identifier.type, sa.func.count(sa.distinct(Identifier.person_no))).group_by(Identifier.type)
    return {str(type_): int(number) for type_, number in tx.execute(asked)}


def everybody(tx: sa.Connection) -> int:
    """How many people there are; whoever was merged into another is not counted."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(Person).where(Person.merged_into.is_(None))).scalar_one())
