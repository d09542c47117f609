"""Which lists a recipient was given before, and who stood in them: what a new list is held against.

Promise: every list of the recipient counts, whatever became of it, until it is too old to be compared, and so does every list that another
recipient could lay beside the new one, because it names people by the same kind of address; two recipients' pseudonyms never meet. A person is
one, under whichever of their ids they left. Handles stay in memory. It must never learn who they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as Group
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from privacy.accountability import dossiers, recipients
from privacy.consent import many
from privacy.export import files, law, leavers, people, requests
from privacy.export.apart import Given, Order
from privacy.export.making import Judged
from privacy.export.requests import Export
from privacy.identity.keys import Keyring
from privacy.orm import to_micros

COMPARED: Final = timedelta(days=400)
"""How far back lists of one recipient are compared."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Lists by the id of their export, the newest first; `own` are the recipient's, `beside` says whose the others are, who could compare.

    `newest` is the last one of the same definition in the same form; `known` says whether the recipient has the definition in any form.
    """

    lists: dict[str, frozenset[bytes]] = field(repr=False)
    own: frozenset[str]
    beside: Mapping[str, str]
    definitions: tuple[str, ...]
    newest: str | None
    known: bool
    excused: Mapping[str, Group[bytes]] = field(default_factory=dict, repr=False)
    """Another recipient → people who do not allow it."""

    @property
    def everybody(self) -> frozenset[bytes]:
        """Whoever stood in any of them."""
        return frozenset().union(*self.lists.values())

    def given(self, judged: Judged) -> tuple[list[Given], Given | None]:
        """The lists with who of them may leave today, by a decision about all of them; and the newest of the same definition."""
        found = self._found(judged)
        return [one for id_, one in found.items() if id_ != self.newest], found.get(self.newest or "")

    def nearest(self, judged: Judged, wanted: Group[bytes]) -> int:
        """By how many people a new list differs from the recipient's own list that is nearest to it."""
        return min(one.distance(wanted) for id_, one in self._found(judged).items() if id_ in self.own)

    def _found(self, judged: Judged) -> dict[str, Given]:
        today = set(judged.leaving_handles)
        excused = {id_: self.excused.get(recipient, frozenset()) for id_, recipient in self.beside.items()}
        return {id_: Given(group, group & today, excused.get(id_, frozenset())) for id_, group in self.lists.items()}


def of(tx: sa.Connection, export: Export, now: datetime, heads: Mapping[bytes, bytes]) -> Earlier:
    """What the recipient of an export was given before, and others who could compare. `heads`: who turned out to be another → that one's."""
    before = requests.released(tx, since=now - COMPARED, apart_from=export.id)
    own = [one for one in before if one.recipient == export.recipient]
    beside = [one for one in before if one.recipient != export.recipient and _comparable(one, export)]
    lists = {one.id: frozenset(heads.get(each, each) for each in leavers.of(tx, one.id, handed_out=True)) for one in (*own, *beside)}
    same = [one for one in own if one.definition == export.definition]
    newest = next((one.id for one in same if (one.form, set(one.fields)) == (export.form, set(export.fields))), None)
    whose = {one.id: one.recipient for one in beside}
    return Earlier(lists, frozenset(one.id for one in own), whose, tuple(sorted({one.definition for one in own})), newest, bool(same))


def excusing(tx: sa.Connection, keyring: Keyring, before: Earlier, judged: Judged, now: datetime) -> Earlier:
    """With who of a decision does not allow the other recipients: that they are in no list there is their own act and tells nothing."""
    if not before.beside:
        return before
    purposes = {one: recipients.share_purpose(dossiers.one(tx, "recipient", one).content) for one in {*before.beside.values()}}
    leaving, own = judged.leaving, judged.leaving_handles
    merged = {
        own[place]: people.handles(keyring, leaving.families[one]) for place, one in enumerate(leaving.people) if one in leaving.families
    }
    lines, at = many.lines(tx, own, purposes.values(), aliases=merged), to_micros(now)
    allowing = {one: many.allowed(lines[purpose], at, at).tolist() for one, purpose in purposes.items()}
    return replace(
        before, excused={one: frozenset(each for each, yes in zip(own, said, strict=True) if not yes) for one, said in allowing.items()}
    )


def columns_told(tx: sa.Connection, export: Export, now: datetime, epoch: int) -> frozenset[str]:
    """Which columns the tables of a recipient's virtual IDs of an epoch said as they are, earlier revisions of the same list among them: a column
    that was made coarser by one level or more was not told."""
    told: set[str] = set()
    for one in requests.released(tx, since=now - COMPARED):
        if (one.form, one.recipient, one.purpose) == (law.PSEUDONYMOUS, export.recipient, export.purpose):
            for officers in files.all_officers(tx, one.id, lying=one.id != export.id):
                if officers["epoch"] == epoch:
                    told.update(name for name in one.fields if not officers["risk"]["generalised"].get(name, 0))
    return frozenset(told)


def _comparable(one: Export, other: Export) -> bool:
    """Whether who holds one list and who holds the other would find the same person in both: by an address, never by a pseudonym."""
    return law.PSEUDONYMOUS not in (one.form, other.form) and not set(one.fields).isdisjoint(other.fields)


def order(export: str) -> Order:
    """An order of people that is another one for each export and that nobody without their handles can tell."""
    return lambda handle: hashlib.sha256(export.encode() + handle).digest()
