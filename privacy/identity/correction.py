"""Correcting who somebody is: one identifier replaced, removed or added, by the word of the person themselves.

Promise: a value that belongs to somebody else, or to somebody erased, is not taken; a repeated correction finds itself done. The old value's
rows go, under every version of the index, and with them its seal. Limits hold. It must never learn why, or what else is known of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from privacy.errors import Conflict, NotFound
from privacy.identity import keystate, pseudonyms, sealed, stones, vault
from privacy.identity.keys import Keyring
from privacy.identity.merging import Member
from privacy.identity.vault import Identifier
from privacy.records import RandomBytes
from privacy.vocabulary import IDENTIFIER_LIMITS, IdentifierType, LinkRule

REPLACED, REMOVED, ADDED, NOTHING = "replaced", "removed", "added", "nothing"


def correct(
    tx: sa.Connection, keyring: Keyring, family: Sequence[Member], kind: IdentifierType, old: str | None, new: str | None,
    *, now: datetime, random: RandomBytes,
) -> str:  # fmt: skip
    """Puts the normalised `new` in the place of `old`, each None where there is none; says what was done."""
    held = _rows(tx, keyring, family, kind, old) if old is not None else []
    if new is not None:
        taken = vault.lookup(tx, keyring, kind, new)
        if taken is not None and taken != family[0].id:
            raise Conflict("this value belongs to somebody else", code="identifier_taken", field="value")
        if taken is None:
            _check(tx, keyring, family, kind, old, new)
            member = next((one for one in family if held and one.no == held[0].person_no), family[0])
            _insert(tx, keyring, member, kind, new, now=now, random=random)
    elif old is not None and not held:
        raise NotFound("no such identifier of this person", code="identifier_unknown", field="ref")
    for row in held:
        tx.execute(sa.delete(Identifier).where(Identifier.index_version == row.index_version, Identifier.digest == row.digest))
    keystate.count_change(tx)
    if held:
        return REPLACED if new is not None else REMOVED
    return ADDED if new is not None and taken is None else NOTHING


def _rows(
    tx: sa.Connection, keyring: Keyring, family: Sequence[Member], kind: IdentifierType, value: str
) -> list[sa.Row[tuple[int, bytes, int]]]:
    """Where a value stands, under every version of the index, if it is this family's."""
    found: list[sa.Row[tuple[int, bytes, int]]] = []
    for version in keystate.sync(tx, keyring)["index"]:
        (digest,) = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), kind, [value])
        asked = sa.select(Identifier.index_version, Identifier.digest, Identifier.person_no)
        mine = Identifier.person_no.in_([one.no for one in family])
        found.extend(tx.execute(asked.where(Identifier.index_version == version, Identifier.digest == digest, mine)))
    return found


def _check(tx: sa.Connection, keyring: Keyring, family: Sequence[Member], kind: IdentifierType, old: str | None, new: str) -> None:
    gone, _ = stones.marks(tx, keyring, [kind], [new])
    if gone.any():
        raise Conflict("this value belonged to somebody who was erased", code="identifier_erased", field="value")
    if old is None:
        held = [one for one in vault.identifiers_of(tx, keyring, family[0].id) if one[0] == kind]
        if len(held) >= IDENTIFIER_LIMITS[kind]:
            raise Conflict("the person has as many of this type as one may have", code="identifier_limit", field="value")


def _insert(
    tx: sa.Connection, keyring: Keyring, member: Member, kind: IdentifierType, value: str, *, now: datetime, random: RandomBytes
) -> None:
    version = keystate.sync(tx, keyring)["index"][-1]
    (digest,) = pseudonyms.blind_index(keyring.mac_key(pseudonyms.BLIND_INDEX, version=version), kind, [value])
    key = vault.data_keys(tx, keyring, {member.no: member.id})[member.no]
    cipher = sealed.aead(key, keyring.profile.sealing)
    kept = sealed.seal(cipher, sealed.DATA_KEY_VERSION, vault.IDENTIFIER_VALUE, member.id, random(sealed.NONCE_BYTES), value.encode())
    row = {"index_version": version, "digest": digest, "type": kind.value, "person_no": member.no, "sealed": kept, "added_at": now}
    tx.execute(sa.insert(Identifier), [row | {"rule": LinkRule.MANUAL.value, "batch_no": None}])
