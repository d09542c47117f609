"""Merges: who stands for whom, kept so that each can be shown and undone, and who must not be merged again.

Promise: a merge moves nothing. It says that two members of two families are one person, and only `person.merged_into`, which this module
alone writes, follows from it; taking one merge away therefore leaves two people with all that each brought. Two whom an officer separated
stay apart until an officer says otherwise. Limits hold for the whole that a merge would make.
Must never learn: a value, a key, what anybody allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from privacy import errors
from privacy.identity import bulk, families, keystate
from privacy.orm import BigId, Instant, VaultBase, to_micros
from privacy.vocabulary import IDENTIFIER_LIMITS, STRONG_TYPES, IdentifierType, LinkRefusal, LinkRule


class Merge(VaultBase):
    """Two people found to be one: those members of two families whose identifiers met, the younger one as the loser."""

    __tablename__ = "person_merge"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    loser: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    winner: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    batch: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)
    rule: Mapped[str] = mapped_column(sa.String(24), server_default=LinkRule.SAME_RECORD.value)
    source: Mapped[str] = mapped_column(sa.String(40), server_default="")


class Separation(VaultBase):
    """A merge that an officer undid. The two are kept apart until `lifted_at`."""

    __tablename__ = "person_separation"

    merge_seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    first: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    second: Mapped[bytes] = mapped_column(sa.LargeBinary(16), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(sa.String(80))
    lifted_at: Mapped[datetime | None] = mapped_column(Instant)


class RefusedLink(VaultBase):
    """How often a link to a person was refused, by type (empty for two whole people) and rule."""

    __tablename__ = "refused_link"

    person_no: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    number: Mapped[int] = mapped_column(sa.BigInteger)
    last_at: Mapped[datetime] = mapped_column(Instant)


class Member(NamedTuple):
    """Somebody by number and id."""

    no: int
    id: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """A merge to be made: the members whose identifiers met. `late`: the first was known by weak identifiers alone."""

    first: bytes
    second: bytes
    rule: LinkRule = LinkRule.SAME_RECORD

    @property
    def late(self) -> bool:
        return self.rule is LinkRule.LATE_IDENTIFICATION


@dataclass(frozen=True, slots=True)
class Split:
    """What an undone merge leaves: the members on the side of the winner and on that of the loser."""

    merge: int
    winner: tuple[bytes, ...]
    loser: tuple[bytes, ...]


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def family_of(tx: sa.Connection, person: bytes) -> list[Member]:
    """Who stands for a person now, first, and everybody merged into them; empty for somebody unknown."""
    head = _head(tx, person)
    if head is None:
        return []
    others = tx.exec_driver_sql(_marks(tx, "SELECT no, person FROM person WHERE merged_into = ? ORDER BY no"), (head.no,))
    return [head, *(Member(no, bytes(each)) for no, each in others)]


def kept_apart(tx: sa.Connection, people: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Pairs among these people whom an officer keeps apart."""
    told = "SELECT first, second FROM person_separation WHERE lifted_at IS NULL AND first IN ({keys})"
    here = set(people)
    return [(bytes(first), bytes(second)) for first, second in bulk.select_in(tx, told, list(here)) if bytes(second) in here]


def history(tx: sa.Connection, people: Sequence[bytes]) -> list[Any]:
    """Every merge of these people, undone ones included, oldest first: Merge's columns and `undone_at`."""
    made = (
        sa.select(Merge.__table__, Separation.at.label("undone_at"))
        .join_from(Merge, Separation, Separation.merge_seq == Merge.seq, isouter=True)
        .where(sa.or_(Merge.loser.in_(people), Merge.winner.in_(people)))
    )
    return list(tx.execute(made.order_by(Merge.seq)))


def refused_links(tx: sa.Connection, numbers: Iterable[int]) -> list[tuple[str, str, int, datetime]]:
    """(type, rule, how often, last) of the links that were refused to these people."""
    told = sa.select(RefusedLink.type, RefusedLink.rule, RefusedLink.number, RefusedLink.last_at)
    rows = tx.execute(told.where(RefusedLink.person_no.in_(list(numbers))).order_by(RefusedLink.last_at))
    return [(kind, rule, number, last) for kind, rule, number, last in rows]


def merged_people(tx: sa.Connection) -> set[bytes]:
    """Everybody who was ever part of a merge."""
    return {person for row in tx.execute(sa.select(Merge.loser, Merge.winner)) for person in row}


# ── merging ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def merge(tx: sa.Connection, wanted: Wanted, *, batch: bytes, source: str, now: datetime) -> LinkRefusal | None:
    """Makes one person of two, or says why not. The caller holds the vault's meta row.

    Raises `errors.Raced` where somebody anonymous turned out to be somebody else meanwhile.
    """
    first, second = family_of(tx, wanted.first), family_of(tx, wanted.second)
    if not first or not second:
        raise errors.Raced("A person of a merge is gone.", code="vault_raced")
    if first[0] == second[0]:
        return None
    everybody = [*first, *second]
    counted = count_types(tx, everybody)
    if wanted.late and (len(first) > 1 or any(counted.get((first[0].id, kind)) for kind in STRONG_TYPES)):
        raise errors.Raced("Somebody anonymous was identified meanwhile.", code="vault_raced")
    sides = [{member.id for member in side} for side in (first, second)]
    if any((one in sides[0]) != (other in sides[0]) for one, other in kept_apart(tx, [member.id for member in everybody])):
        return LinkRefusal.KEPT_APART
    whole = Counter[str]()
    for (_, kind), number in counted.items():
        whole[kind] += number
    limited = IdentifierType if wanted.late else STRONG_TYPES
    if any(whole[kind] > IDENTIFIER_LIMITS[kind] for kind in limited):
        return LinkRefusal.OVER_LIMIT
    winner, loser = (second, first) if wanted.late or second[0] < first[0] else (first, second)
    point = _marks(tx, "UPDATE person SET merged_into = ? WHERE no = ? OR merged_into = ?")
    tx.exec_driver_sql(point, (winner[0].no, loser[0].no, loser[0].no))
    members = (wanted.first, wanted.second) if winner is second else (wanted.second, wanted.first)
    row = {"loser": members[0], "winner": members[1], "batch": batch, "at": now, "rule": wanted.rule.value, "source": source}
    tx.execute(sa.insert(Merge), [row])
    keystate.count_change(tx)
    return None


def count_types(tx: sa.Connection, members: Sequence[Member]) -> dict[tuple[bytes, str], int]:
    """How many identifiers of each type each of these has."""
    ids = {member.no: member.id for member in members}
    told = "SELECT person_no, type, count(DISTINCT sealed) FROM identifier WHERE person_no IN ({keys}) GROUP BY person_no, type"
    return {(ids[no], kind): number for no, kind, number in bulk.select_in(tx, told, list(ids))}


def note_refusals(tx: sa.Connection, refused: Mapping[tuple[int, str, str], int], now: datetime) -> None:
    """Counts refused links: (person's number, type, rule) → how many."""
    rows = [(no, kind, rule, number, to_micros(now)) for (no, kind, rule), number in sorted(refused.items())]
    add = (
        "INSERT INTO refused_link (person_no, type, rule, number, last_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (person_no, type, rule) DO UPDATE SET number = refused_link.number + excluded.number, last_at = excluded.last_at"
    )
    bulk.execute_many(tx, add, rows)


# ── undoing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_split(tx: sa.Connection, seq: int) -> Split:
    """Who would stand on which side if this merge were undone; raises NotFound where there is none, or none any more."""
    return _split(tx, seq)[0]


def split(tx: sa.Connection, seq: int, *, by: str, now: datetime) -> Split:
    """Undoes one merge and keeps the two apart. Everybody keeps what they brought; later merges hold where their own evidence was."""
    keystate.take_numbers(tx, 0)
    told, made, heads = _split(tx, seq)
    rows = [(None if heads[member] == member else heads[member].no, member.no) for member in heads]
    bulk.execute_many(tx, "UPDATE person SET merged_into = ? WHERE no = ?", rows)
    first, second = sorted((made.loser, made.winner))
    tx.execute(sa.insert(Separation), [{"merge_seq": seq, "first": first, "second": second, "at": now, "by": by}])
    keystate.count_change(tx)
    return told


def lift(tx: sa.Connection, people: Sequence[bytes], now: datetime) -> None:
    """An officer's own word that people are one ends what kept them apart."""
    pairs = kept_apart(tx, people)
    for first, second in pairs:
        told = sa.update(Separation).where(Separation.first == first, Separation.second == second, Separation.lifted_at.is_(None))
        tx.execute(told.values(lifted_at=now))


def _split(tx: sa.Connection, seq: int) -> tuple[Split, Any, dict[Member, Member]]:
    made = tx.execute(sa.select(Merge.__table__).where(Merge.seq == seq)).first()
    family = family_of(tx, made.winner) if made is not None else []
    members = {member.id: member for member in family}
    merges = [one for one in history(tx, list(members)) if one.undone_at is None] if members else []
    if made is None or not {made.loser, made.winner} <= members.keys() or seq not in {one.seq for one in merges}:
        raise errors.NotFound("there is no such merge, or it was undone", code="merge_unknown", field="merge")
    rest = [(one.winner, one.loser, one.rule == LinkRule.LATE_IDENTIFICATION) for one in merges if one.seq != seq]
    heads = families.heads(sorted(members, key=lambda person: members[person].no), rest)
    sides = [tuple(person for person in members if heads[person] == heads[one]) for one in (made.winner, made.loser)]
    return Split(seq, sides[0], sides[1]), made, {members[person]: members[head] for person, head in heads.items()}


def _head(tx: sa.Connection, person: bytes) -> Member | None:
    query = "SELECT h.no, h.person FROM person p JOIN person h ON h.no = coalesce(p.merged_into, p.no) WHERE p.person = ?"
    found = tx.exec_driver_sql(_marks(tx, query), (person,)).first()
    return None if found is None else Member(found[0], bytes(found[1]))


def _marks(tx: sa.Connection, statement: str) -> str:
    return statement if tx.dialect.name == "sqlite" else statement.replace("?", "%s")
