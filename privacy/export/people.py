"""From an audience's virtual IDs to people, and what is known of each at this moment.

Promise: everybody of an audience is looked for under the month's key among all people of the vault; who turned out to be one is one, and what
stands against any of them stands against them. All that a decision needs is asked inside the caller's transaction. Ids and handles stay in
memory. It must never learn an identifier or what anybody did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from privacy.consent import flags, many, reach
from privacy.export import barred, leavers
from privacy.export.decide import Answers, Facts
from privacy.identity import contacts, families, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import to_micros
from privacy.records import Audience
from privacy.vocabulary import Flag

ID = pseudonyms.PERSON_BYTES
SKEW = 600_000_000
"""Microseconds by which another machine's clock may run ahead: a no that was recorded there counts here, although its time has not come."""
MARKETING_AGE = 18
"""Years; law_rules L-1."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The consents that one export needs, by purpose; empty where it needs none. `since` is when the recipient last changed materially:
    older consents to it do not count (PIPL 23)."""

    purpose: str
    separate: str
    since: datetime | None = None
    abroad: str = ""
    sensitive: tuple[str, ...] = ()
    channel: str = ""

    def all(self) -> list[str]:
        """Every purpose that is asked of the ledger."""
        return [one for one in (self.purpose, self.separate, self.abroad, *self.sensitive, self.channel) if one]


@dataclass(frozen=True, slots=True)
class Group:
    """The people of an audience: ids, who was merged into them, which row of the audience each is; and what the vault knows of their age."""

    people: tuple[bytes, ...] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    families: Mapping[bytes, Sequence[bytes]] = field(repr=False)
    minors: frozenset[bytes] = field(repr=False)
    ageless: frozenset[bytes] = field(repr=False)
    unknown: int

    def everyone(self, person: bytes) -> tuple[bytes, ...]:
        """A person with all who turned out to be the same."""
        return (person, *self.families.get(person, ()))

    def only(self, kept: Answers, unknown: int = 0) -> Group:
        """A part of it."""
        people = tuple(person for person, stays in zip(self.people, kept.tolist(), strict=True) if stays)
        return Group(people, self.rows[kept], self.families, self.minors, self.ageless, unknown)


@dataclass(frozen=True, slots=True)
class Matched:
    """Ids of the vault beside the row of an audience that each is, and how many rows lead to nobody. Never changes for an audience."""

    ids: tuple[bytes, ...] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    unknown: int = 0

    def with_others(self, ids: Sequence[bytes], first: int) -> Matched:
        """With people who are no row of the audience, numbered on from `first`."""
        more = np.arange(first, first + len(ids), dtype=np.int64)
        return Matched((*self.ids, *ids), np.concatenate([self.rows, more]), self.unknown)


def matched(tx: sa.Connection, keyring: Keyring, audience: Audience) -> Matched:
    """The ids behind an audience, looked for among everybody."""
    joined = b"".join(contacts.everybody(tx))
    names = _names(keyring, joined, audience.month)
    wanted = np.asarray(audience.virtual_ids.to_numpy(zero_copy_only=False), np.int64)
    order = np.argsort(names)
    spots = np.searchsorted(names[order], wanted) if len(names) else np.zeros(len(wanted), np.int64)
    spots = np.minimum(spots, max(0, len(names) - 1))
    there = names[order][spots] == wanted if len(names) else np.zeros(len(wanted), bool)
    rows = np.flatnonzero(there)
    starts = (order[spots[rows]] * ID).tolist()
    return Matched(tuple(joined[start : start + ID] for start in starts), rows, len(set(wanted[~there].tolist())))


def names_of(keyring: Keyring, ids: Sequence[bytes], month: int) -> npt.NDArray[np.int64]:
    """The virtual IDs of people in a month."""
    return _names(keyring, b"".join(ids), month)


def _names(keyring: Keyring, joined: bytes, month: int) -> npt.NDArray[np.int64]:
    if not joined:
        return np.zeros(0, np.int64)
    return np.asarray(pseudonyms.virtual_ids(joined, keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))), np.int64)


def group(tx: sa.Connection, keyring: Keyring, audience: Audience, today: date) -> Group:
    """The people of an audience, as the vault knows them now; two rows of one person count once."""
    return gathered(tx, keyring, matched(tx, keyring, audience), today)


def gathered(tx: sa.Connection, keyring: Keyring, found: Matched, today: date) -> Group:
    """People by their ids, as the vault knows them now: who turned out to be one is one, who is gone is left out, ages are today's."""
    merges = vault.merged_into(tx)
    heads, there = dict(merges), vault.known(tx, found.ids)
    rows: dict[bytes, int] = {}
    for person, row in zip(found.ids, found.rows.tolist(), strict=True):
        if person in there:
            rows.setdefault(heads.get(person, person), row)

    def everybody(ones: Iterable[bytes]) -> frozenset[bytes]:
        marked = {heads.get(one, one) for one in ones}
        return frozenset(one for one in rows if one in marked)

    minors = everybody(one for one, birth in vault.youths(tx, keyring).items() if vault.age(birth, today) < MARKETING_AGE)
    people, numbers = tuple(rows), np.fromiter(rows.values(), np.int64, len(rows))
    return Group(people, numbers, families.families(merges), minors, everybody(vault.ageless(tx)), found.unknown)


def heads(tx: sa.Connection, keyring: Keyring) -> dict[bytes, bytes]:
    """The handle of each person who turned out to be another → that one's."""
    merges = vault.merged_into(tx)
    return dict(zip(handles(keyring, [one for one, _ in merges]), handles(keyring, [head for _, head in merges]), strict=True))


def handles(keyring: Keyring, people: Sequence[bytes]) -> list[bytes]:
    """The consent handles of people."""
    return _blocks(keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(people))) if people else []


def facts(
    tx: sa.Connection, keyring: Keyring, crowd: Group, needs: Needs, *, now: datetime, channel: str, window: timedelta,
    removing: Collection[bytes] = (),
) -> tuple[Facts, list[bytes]]:  # fmt: skip
    """What is known of everybody in a group in this transaction, and their handles. `removing`: whom the recipient is being told to remove."""
    own = handles(keyring, crowd.people)
    of_person = dict(zip(crowd.people, own, strict=True))
    others = {of_person[one]: handles(keyring, crowd.families[one]) for one in crowd.people if one in crowd.families}
    instant = to_micros(now)
    lines = many.lines(tx, own, needs.all(), aliases=others)
    everybody = [*own, *(each for several in others.values() for each in several)]
    against = flags.among(tx, everybody)
    unreached = set(_blocks(reach.unreached(tx, needs.purpose, instant)))
    closed, recent = barred.by_channel(tx, channel) | set(removing), leavers.recent(tx, channel, now - window)

    def allows(purpose: str, since: datetime | None = None) -> Answers:
        if purpose not in lines:
            return np.zeros(len(own), bool)
        return many.allowed(lines[purpose], instant, instant + SKEW, None if since is None else to_micros(since))

    def any_of(marked: Collection[bytes]) -> Answers:
        if not marked:
            return np.zeros(len(own), bool)
        return _column(any(each in marked for each in (one, *others.get(one, ()))) for one in own)

    sensitive = [allows(purpose) for purpose in needs.sensitive]
    return (
        Facts(
            known=np.ones(len(own), bool),
            minor=_column(one in crowd.minors for one in crowd.people),
            ageless=_column(one in crowd.ageless for one in crowd.people),
            restricted=any_of({one for one, which in against.items() if Flag.RESTRICTED in which}),
            objected=any_of({one for one, which in against.items() if Flag.OBJECTED in which}),
            suppressed=any_of(closed),
            purpose=allows(needs.purpose) & ~any_of(unreached),
            separate=allows(needs.separate, needs.since),
            abroad=allows(needs.abroad, needs.since) if needs.abroad else None,
            sensitive=np.logical_and.reduce(sensitive) if sensitive else None,
            channel=allows(needs.channel) if needs.channel else None,
            recent=_often(recent, own, others),
        ),
        own,
    )


def _often(recent: Mapping[bytes, int], own: Sequence[bytes], others: Mapping[bytes, Sequence[bytes]]) -> npt.NDArray[np.int64]:
    """How often each left, whoever of their own it was."""
    if not recent:
        return np.zeros(len(own), np.int64)
    return np.fromiter((sum(recent.get(each, 0) for each in (one, *others.get(one, ()))) for one in own), np.int64, len(own))


def _column(values: Iterable[bool]) -> Answers:
    return np.array(list(values), bool)


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + ID] for start in range(0, len(joined), ID)]
