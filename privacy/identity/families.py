"""People who turned out to be one: who stands for whom, and whose rows count when one of them is asked for.

Promise: pure; ids in, ids out. What holds for a family holds for all of it: nobody in it is counted twice or by themselves.
Must never learn: a key, a database, what anybody allowed (a verdict for each family is an argument).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

Families = Mapping[bytes, Sequence[bytes]]
"""Each person who stands for others, with those others."""


def families(merges: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """From (merged person, the one who stands for them now) to families."""
    found: dict[bytes, list[bytes]] = {}
    for person, canonical in merges:
        found.setdefault(canonical, []).append(person)
    return found


def members(people: bytes, known: Families, allowed: Mapping[bytes, bool], barred: AbstractSet[bytes]) -> tuple[bytes, bytes]:
    """All ids whose rows count, and beside each the id of the person it belongs to; ids are 16 bytes side by side.

    `people` are those who may come in by themselves; whoever belongs to a family comes in only with the whole of it, if `allowed` says so
    for its head. One barred person (a minor) keeps the whole family out: the law asks for the person, and they are one.
    """
    everyone = {head: (head, *others) for head, others in known.items()}
    special = barred | {person for family in everyone.values() for person in family}
    if special and people:
        ids = np.frombuffer(people, "S16")
        people = ids[~np.isin(ids, np.frombuffer(b"".join(special), "S16"))].tobytes()
    whole = [(head, family) for head, family in everyone.items() if allowed.get(head, False) and barred.isdisjoint(family)]
    extra = b"".join(person for _, family in whole for person in family)
    owners = b"".join(head * len(family) for head, family in whole)
    return people + extra, people + owners


def heads(members: Sequence[bytes], merges: Sequence[tuple[bytes, bytes, bool]]) -> dict[bytes, bytes]:
    """Who stands for each of `members` (oldest first) after merges in their order: (winner, loser, whether the loser was anonymous).

    The older of two stands for both, but never somebody anonymous for a person who signed in.
    """
    age = {member: place for place, member in enumerate(members)}
    stands = {member: member for member in members}
    for winner, loser, late in merges:
        one, other = stands[winner], stands[loser]
        head = one if late else min(one, other, key=age.__getitem__)
        stands = {member: head if standing in (one, other) else standing for member, standing in stands.items()}
    return stands
