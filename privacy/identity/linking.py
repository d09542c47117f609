"""Which rows are about the same person: the rules of linking, on numbers.

Promise: pure; strong identifiers that stand in one row belong together, within the limits of `vocabulary.IDENTIFIER_LIMITS`; weak ones
follow the last strong person and never join two; a link above a limit is refused and the row kept. Rows whose answer cannot depend on
another row are settled by vectors; only the rest is walked in order.
Must never learn: a value, a digest, a person's id. Identifiers and people are numbers here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Counts = Callable[[Sequence[int]], Mapping[tuple[int, int], int]]
"""Known people → how many identifiers of a type (person, type) each has already."""


@dataclass(frozen=True, slots=True)
class Links:
    """The answer: the person of every row (-1: nobody), the owner of every identifier, joins of known people, refused links."""

    row_person: Ints
    owner: Ints
    people: int
    joins: tuple[tuple[int, int, int], ...]
    refused: int


def link(rows: Ints, weak: Sequence[bool], owner: Ints, age: Sequence[int], counts: Counts, limits: Sequence[int]) -> Links:
    """Links the identifiers of a batch.

    `rows` is types × rows of identifier numbers (-1: absent), strong types first; `weak` and `limits` are by type, with those types that
    the batch does not have at the end; `owner` says for each
    identifier which known person has it (-1: unknown); `age` orders known people, the oldest wins a join; new people get numbers
    from len(age) upwards.
    """
    walk = _Walk(owner.tolist(), len(age), list(weak), list(limits), list(age))
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
        walk.counts.update(counts([int(one) for one in people if one >= 0]))
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
        refused=walk.refused,
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
    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    parent: list[int] = field(default_factory=list)
    joins: list[tuple[int, int, int]] = field(default_factory=list)
    refused: int = 0

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
        strong = [(kind, one) for kind, one in enumerate(column) if one >= 0 and not self.weak[kind]]
        others = [(kind, one) for kind, one in enumerate(column) if one >= 0 and self.weak[kind]]
        owners = list(dict.fromkeys(self.find(self.owner[one]) for _, one in strong or others if self.owner[one] >= 0))
        person = owners[0] if owners else int(self.new_people(1)[0])
        if strong:
            for other in owners[1:]:
                person = self._join(number, person, other)
            for kind, one in strong:
                if self.owner[one] < 0:
                    self._attach(kind, one, person)
            for kind, one in others:
                if self.owner[one] < 0 or self.find(self.owner[one]) != person:
                    self._attach(kind, one, person)
        else:
            for kind, one in others:
                if self.owner[one] < 0:
                    self._attach(kind, one, person)
        return person

    def _attach(self, kind: int, one: int, person: int) -> None:
        have = self.counts.get((person, kind), 0)
        if have >= self.limits[kind]:
            self.refused += 1
            return
        self.counts[person, kind] = have + 1
        self.owner[one] = person

    def _join(self, number: int, person: int, other: int) -> int:
        """Two people in one row. Two known ones are reported and stay two here: the vault joins them only if the row is kept.

        Limits of strong types hold for the two together; many cookies are no reason to keep a person apart from themselves.
        """
        together = {kind: self.counts.get((person, kind), 0) + self.counts.get((other, kind), 0) for kind in range(len(self.limits))}
        if any(count > self.limits[kind] for kind, count in together.items() if not self.weak[kind]):
            self.refused += 1
            return person
        if person < self.known and other < self.known:
            self.joins.append((number, person, other))
            return min(person, other, key=lambda one: (self.age[one], one))
        winner, loser = (person, other) if person < other else (other, person)
        self.parent[loser] = winner
        for kind, count in together.items():
            self.counts[winner, kind] = count
        return winner
