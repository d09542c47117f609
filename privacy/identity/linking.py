"""Which rows are about the same person: the rules of linking, on numbers.

Promise: pure; strong identifiers that stand in one row belong together, within the limits of `vocabulary.IDENTIFIER_LIMITS`; weak ones
follow the last strong person and never join two who have strong ones. Somebody who was known by weak identifiers alone is the first
person who signs in beside one of them (late identification). A link above a limit, or of two whom an officer keeps apart, is refused and
the row kept. Rows whose answer cannot depend on another row are settled by vectors; only the rest is walked in order.
Must never learn: a value, a digest, a person's id. Identifiers and people are numbers here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Counts = Callable[[Sequence[int]], Mapping[tuple[int, int], int]]
"""Known people → how many identifiers of a type (person, type) each has already."""
Apart = Callable[[Sequence[int]], AbstractSet[tuple[int, int]]]
"""Known people → which pairs of them (the lower number first) an officer keeps apart."""


@dataclass(frozen=True, slots=True)
class Links:
    """The answer: the person of every row (-1: nobody), the owner of every identifier, joins of known people, refused links.

    `late` are (row, somebody known by weak identifiers, the person who signed in). `refusals` are (row, person, type); type -1 stands for
    two whole people, above a limit, and -2 for two whom an officer keeps apart.
    """

    row_person: Ints
    owner: Ints
    people: int
    joins: tuple[tuple[int, int, int], ...]
    late: tuple[tuple[int, int, int], ...]
    refusals: tuple[tuple[int, int, int], ...]

    @property
    def refused(self) -> int:
        return len(self.refusals)


TOGETHER, KEPT_APART = -1, -2


def link(
    rows: Ints,
    weak: Sequence[bool],
    owner: Ints,
    age: Sequence[int],
    counts: Counts,
    limits: Sequence[int],
    *,
    kinds: Sequence[int] | None = None,
    apart: Apart | None = None,
) -> Links:
    """Links the identifiers of a batch.

    `rows` is types × rows of identifier numbers (-1: absent), strong types first; `weak` and `limits` are by type, with those types that
    the batch does not have at the end; `owner` says for each
    identifier which known person has it (-1: unknown); `age` orders known people, the oldest wins a join; new people get numbers
    from len(age) upwards. `kinds` says of which type each line of `rows` is, where two lines have one type.
    """
    walk = _Walk(owner.tolist(), len(age), list(weak), list(limits), list(age), list(range(len(rows)) if kinds is None else kinds))
    person = np.full(rows.shape[1], -1, np.int64)
    present = rows >= 0
    settled = _settle(rows, present, owner, person)
    fresh = _settle_new(rows, present, owner, settled, walk, person)
    pending = present.any(axis=0) & ~settled & ~fresh
    if pending.any():
        touched = np.zeros(len(owner), bool)
        touched[rows[:, pending][present[:, pending]]] = True
        pending |= (touched[np.where(present, rows, 0)] & present).any(axis=0) if len(owner) else False
        walked = np.flatnonzero(pending)
        part = rows[:, walked]
        people = np.unique(owner[part[part >= 0]])
        known = [int(one) for one in people if one >= 0]
        walk.counts.update(counts(known))
        walk.apart = apart(known) if apart is not None and len(known) > 1 else frozenset()
        person[walked] = [walk.row(number, column) for number, column in zip(walked.tolist(), part.T.tolist(), strict=True)]
    roots = np.asarray(walk.parent or [-1], np.int64)
    while not np.array_equal(roots[roots], roots):
        roots = roots[roots]
    final = np.asarray(walk.owner, np.int64) if walk.owner else np.empty(0, np.int64)
    return Links(
        row_person=np.where(person >= 0, roots[person], -1),
        owner=np.where(final >= 0, roots[final], -1) if len(final) else final,
        people=len(walk.parent),
        joins=tuple(walk.joins),
        late=tuple((row, anonymous, walk.find(person)) for row, anonymous, person in walk.late),
        refusals=tuple((row, walk.find(person), kind) for row, person, kind in walk.refusals),
    )


def _settle(rows: Ints, present: npt.NDArray[np.bool_], owner: Ints, person: Ints) -> npt.NDArray[np.bool_]:
    """Rows whose identifiers are all known and all of one person."""
    if not len(owner) or not len(rows):
        return np.zeros(rows.shape[1], bool)
    owners = owner[np.where(present, rows, 0)]
    lowest = np.where(present, owners, np.iinfo(np.int64).max).min(axis=0)
    highest = np.where(present, owners, -1).max(axis=0)
    settled = (lowest == highest) & (lowest >= 0)
    person[settled] = lowest[settled]
    return np.asarray(settled)


def _settle_new(
    rows: Ints, present: npt.NDArray[np.bool_], owner: Ints, settled: npt.NDArray[np.bool_], walk: _Walk, person: Ints
) -> npt.NDArray[np.bool_]:
    """Rows of unknown identifiers that no other row can say anything about: one identifier that always stands alone, or several
    that stand in this row only."""
    if not len(owner) or not len(rows):
        return np.zeros(rows.shape[1], bool)
    width = present.sum(axis=0)
    unknown = (~present | (owner[np.where(present, rows, 0)] < 0)).all(axis=0) & (width > 0) & ~settled
    used = np.bincount(rows[present], minlength=len(owner))
    in_wide = np.zeros(len(owner), bool)
    wide = width > 1
    in_wide[rows[:, wide][present[:, wide]]] = True
    first = rows[present.argmax(axis=0), np.arange(rows.shape[1])]
    alone = unknown & (width == 1) & ~in_wide[np.maximum(first, 0)]
    apart = unknown & wide & (~present | (used[np.where(present, rows, 0)] == 1)).all(axis=0)
    values, where = np.unique(first[alone], return_inverse=True)
    numbers = walk.new_people(len(values) + int(apart.sum()))
    person[alone] = numbers[: len(values)][where]
    person[apart] = numbers[len(values) :]
    updated = np.asarray(walk.owner, np.int64)
    updated[values] = numbers[: len(values)]
    for column in rows:
        taken = apart & (column >= 0)
        updated[column[taken]] = person[taken]
    walk.owner = updated.tolist()
    return np.asarray(alone | apart)


@dataclass(slots=True)
class _Walk:
    """Rows in their order, one at a time."""

    owner: list[int]
    known: int
    weak: list[bool]
    limits: list[int]
    age: list[int]
    kinds: list[int]
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    apart: AbstractSet[tuple[int, int]] = frozenset()
    parent: list[int] = field(default_factory=list)
    joins: list[tuple[int, int, int]] = field(default_factory=list)
    late: list[tuple[int, int, int]] = field(default_factory=list)
    identified: dict[int, int] = field(default_factory=dict)
    refusals: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parent = list(range(self.known))

    def find(self, person: int) -> int:
        while self.parent[person] != person:
            self.parent[person] = person = self.parent[self.parent[person]]
        return person

    def new_people(self, count: int) -> Ints:
        start = len(self.parent)
        self.parent.extend(range(start, start + count))
        return np.arange(start, start + count, dtype=np.int64)

    def row(self, number: int, column: list[int]) -> int:
        """The person of a row; links what may be linked."""
        present = [(self.kinds[line], one) for line, one in enumerate(column) if one >= 0]
        strong = [(kind, one) for kind, one in present if not self.weak[kind]]
        others = [(kind, one) for kind, one in present if self.weak[kind]]
        owners = list(dict.fromkeys(self.find(self.owner[one]) for _, one in strong or others if self.owner[one] >= 0))
        person = owners[0] if owners else int(self.new_people(1)[0])
        for other in owners[1:] if strong else ():
            person = self._join(number, person, other)
        for kind, one in (*strong, *others):
            if self.owner[one] < 0:
                self._attach(number, kind, one, person)
            elif strong and self.weak[kind] and self.find(self.owner[one]) != person:
                self._signed_in(number, kind, one, person)
        return person

    def _attach(self, number: int, kind: int, one: int, person: int) -> None:
        have = self.counts.get((person, kind), 0)
        if have >= self.limits[kind]:
            self.refusals.append((number, person, kind))
            return
        self.counts[person, kind] = have + 1
        self.owner[one] = person

    def _signed_in(self, number: int, kind: int, one: int, person: int) -> None:
        """A weak identifier of somebody else beside a strong one: whoever was only ever anonymous is this person; else it moves to them."""
        other = self.find(self.owner[one])
        before = self.identified.get(other)
        somebody_else = not self._anonymous(other) if before is None else self.find(before) != person
        if somebody_else:
            self._attach(number, kind, one, person)
        elif self._kept_apart(other, person):
            self.refusals.append((number, person, KEPT_APART))
        elif before is not None:
            self.late.append((number, other, person))
        elif self._too_many(self._together(person, other), weak=True):
            self.refusals.append((number, person, TOGETHER))
        else:
            for each, count in self._together(person, other).items():
                self.counts[person, each] = count
            if other >= self.known:
                self.parent[other] = person
            else:
                self.identified[other] = person
                self.late.append((number, other, person))

    def _anonymous(self, person: int) -> bool:
        return not any(self.counts.get((person, kind), 0) for kind, weak in enumerate(self.weak) if not weak)

    def _kept_apart(self, one: int, other: int) -> bool:
        return (min(one, other), max(one, other)) in self.apart

    def _together(self, one: int, other: int) -> dict[int, int]:
        return {kind: self.counts.get((one, kind), 0) + self.counts.get((other, kind), 0) for kind in range(len(self.limits))}

    def _too_many(self, counted: Mapping[int, int], *, weak: bool = False) -> bool:
        return any(count > self.limits[kind] for kind, count in counted.items() if weak or not self.weak[kind])

    def _join(self, number: int, person: int, other: int) -> int:
        """Two people in one row. Two known ones are reported and stay two here: the vault joins them only if the row is kept.

        Limits of strong types hold for the two together; many cookies are no reason to keep a person apart from themselves.
        """
        if self._kept_apart(person, other):
            self.refusals.append((number, person, KEPT_APART))
            return person
        together = self._together(person, other)
        if self._too_many(together):
            self.refusals.append((number, person, TOGETHER))
            return person
        if person < self.known and other < self.known:
            self.joins.append((number, person, other))
            return min(person, other, key=lambda one: (self.age[one], one))
        winner, loser = (person, other) if person < other else (other, person)
        self.parent[loser] = winner
        for kind, count in together.items():
            self.counts[winner, kind] = count
        return winner
