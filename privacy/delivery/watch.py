"""Who no longer allows what a recipient got them for, and since when that is known here.

Promise: everybody who was merged counts together and the strictest of all holds; whoever said nothing, whose consent ran out, who is
restricted or objected, is out like somebody who withdrew. It asks the ledger in one transaction and decides as the gate decides.
Must never learn: an identifier, a recipient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from privacy.consent import flags, gate, ledger
from privacy.identity import families, pseudonyms
from privacy.identity.keys import Keyring
from privacy.orm import from_micros, to_micros

CHUNK = 5_000


def consent_handles(keyring: Keyring, people: Sequence[bytes]) -> list[bytes]:
    """What the ledger calls people."""
    joined = pseudonyms.handles(b"".join(people), keyring.block_cipher(pseudonyms.CONSENT_HANDLE)) if people else b""
    return _blocks(joined)


def people_of(keyring: Keyring, handles: Sequence[bytes]) -> list[bytes]:
    """The people whom the ledger calls so."""
    return _blocks(keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(handles))) if handles else []


def with_families(people: Sequence[bytes], merges: Sequence[tuple[bytes, bytes]]) -> dict[bytes, tuple[bytes, ...]]:
    """Each of these people, and everybody of their families, with the whole family they belong to."""
    groups = families.families(merges)
    heads = {member: head for head, others in groups.items() for member in (head, *others)}
    found: dict[bytes, tuple[bytes, ...]] = {}
    for person in people:
        head = heads.get(person, person)
        whole = (head, *groups.get(head, ()))
        found |= dict.fromkeys(whole, whole)
    return found


def not_allowing(
    tx: sa.Connection, keyring: Keyring, people: Mapping[bytes, Sequence[bytes]], purposes: Sequence[str], now: datetime
) -> dict[bytes, datetime]:
    """Of people (each with their family) those who do not allow all purposes now, with the instant since which it is known."""
    found: dict[bytes, datetime] = {}
    ordered = list(people)
    for start in range(0, len(ordered), CHUNK):
        some = ordered[start : start + CHUNK]
        found |= _chunk(tx, keyring, {person: people[person] for person in some}, purposes, now)
    return found


def _chunk(
    tx: sa.Connection, keyring: Keyring, people: Mapping[bytes, Sequence[bytes]], purposes: Sequence[str], now: datetime
) -> dict[bytes, datetime]:
    everyone = list(dict.fromkeys([*people, *(member for family in people.values() for member in family)]))
    named = dict(zip(everyone, consent_handles(keyring, everyone), strict=True))
    heads = [named[person] for person in people]
    aliases = {named[person]: [named[member] for member in family] for person, family in people.items() if len(family) > 1}
    lines = ledger.timelines(tx, heads, purposes, aliases=aliases)
    flagged = flags.among(tx, list(named.values()))
    against = frozenset[object]().union(*(flags.against(purpose) for purpose in purposes))
    at = to_micros(now)
    out: dict[bytes, datetime] = {}
    for person, family in people.items():
        said = lines.get(named[person], {})
        family_handles = [named[member] for member in (person, *family)]
        barred = any(flagged.get(handle, set()) & against for handle in family_handles)
        if barred or not all(gate.decide(said.get(purpose), at, at).allowed for purpose in purposes):
            out[person] = _since(tx, family_handles, purposes, now)
    return out


def _since(tx: sa.Connection, handles: Sequence[bytes], purposes: Sequence[str], now: datetime) -> datetime:
    """When the last no came in, or the flag that stands; now, where a consent only ran out."""
    moments: list[datetime] = []
    for handle in dict.fromkeys(handles):
        told = [row for row in ledger.history(tx, handle) if row["purpose"] in purposes and not gate.is_grant(row["state"])]
        moments += [from_micros(row["received_at"]) for row in told]
    standing = [row["since"] for row in flags.history(tx, list(handles)) if row["lifted_at"] is None]
    return min(max([*moments, *standing], default=now), now)


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + 16] for start in range(0, len(joined), 16)]
