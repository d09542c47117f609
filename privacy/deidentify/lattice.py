"""The lattice of generalisation levels: which nodes are without hope, what a node loses, computed from the classes below it.

Promise: pure; a node's answer is the same from whichever node below it was computed, because classes of a coarser node are unions of classes of
a finer one; nothing is decided by chance. Serves `kanonymity` and holds its memory for one search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt

from privacy.deidentify import diversity, losses
from privacy.deidentify.classes import Codes, combined, dense, histogram
from privacy.deidentify.hierarchies import Hierarchy

Node = tuple[int, ...]
_REMEMBERED: Final = 20_000_000
"""Classes that a search keeps: 320 MB at most."""
_REMEMBERED_NODES: Final = 4_096
_DENSE: Final = 4
"""Where there could be at most so many numbers a tuple, counting them all is quicker than sorting."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What has to hold for every class that stays, by persons, and the share of rows that may be suppressed for it."""

    k: int
    distinct: int = 1
    entropy: float = 1.0
    closeness: float = 1.0
    suppression: float = 0.0


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A column whose value is worth learning; `ordered` where its values have an order that makes some nearer than others."""

    name: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """Classes of a node: one tuple that stands for each, its rows, its people."""

    standing: Codes
    rows: Codes
    persons: Codes


class Lattice:
    """All nodes of one table's hierarchies. Rows that agree in every column are one tuple with a weight from the beginning."""

    def __init__(
        self,
        hierarchies: Sequence[Hierarchy],
        codes: Sequence[Codes],
        persons: Codes | None,
        sensitive: Sequence[tuple[Sensitive, Codes]],
        demand: Demand,
        measure: str,
    ) -> None:
        self._demand, self._measure, self._sensitive = demand, measure, sensitive
        self._length, self._persons = len(codes[0]), persons
        self._heights = tuple(hierarchy.height for hierarchy in hierarchies)
        self._of_row, count = dense(combined(codes, self._length))
        first = np.zeros(count, np.int64)
        first[self._of_row[::-1]] = np.arange(self._length - 1, -1, -1)
        self._weights = np.bincount(self._of_row, minlength=count).astype(np.int64)
        self._tuples = [column[first] for column in codes]
        self._sizes = [[len(words) for words in h.words] for h in hierarchies]
        self._levels = [
            [h.maps[level][column] for level in range(h.height + 1)] for h, column in zip(hierarchies, self._tuples, strict=True)
        ]
        self._allowed = int(np.floor(demand.suppression * self._length + 1e-9))
        self.additive = measure in losses.ADDITIVE
        self._costs = [
            losses.cell_costs(measure, h, np.bincount(column, minlength=h.size))[:, place] if self.additive else np.zeros((h.height + 1, 0))
            for h, column, place in zip(hierarchies, codes, self._tuples, strict=True)
        ]
        self._scale = losses.scale(measure, self._length, len(codes))
        shape = tuple(height + 1 for height in self._heights)
        self._hopeless = np.zeros(shape, bool)
        self._bounds = np.zeros(shape)
        self._settled: dict[Node, bool] = {}
        self._losses: dict[Node, float | None] = {}
        self._held: dict[Node, _Held] = {}
        self._nodes = np.zeros((_REMEMBERED_NODES, len(codes)), np.int64)
        self._counts: list[int] = []
        self._room = _REMEMBERED
        self.checked = 0
        for axis, costs in enumerate(self._costs):
            totals = (costs @ self._weights) / self._scale if self.additive else np.zeros(self._heights[axis] + 1)
            self._bounds += totals.reshape([-1 if place == axis else 1 for place in range(len(shape))])

    @property
    def nodes(self) -> int:
        return int(self._hopeless.size)

    # ── order ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def by_bound(self) -> Iterator[Node]:
        """Every node, those of the least possible loss first; where no bound is known beforehand, the lowest first."""
        grid = np.indices(self._hopeless.shape).reshape(len(self._heights), -1)
        order = np.lexsort((grid.sum(axis=0), self._bounds.ravel()) if self.additive else (self._bounds.ravel(), grid.sum(axis=0)))
        for place in order:
            yield tuple(grid[:, place].tolist())

    def bound(self, node: Node) -> float:
        """A loss that the node cannot fall below. A hair under the computed one, because sums in another order differ in the last bits."""
        return float(self._bounds[node]) * (1 - 1e-12)

    def hopeless(self, node: Node) -> bool:
        return bool(self._hopeless[node])

    def _rank(self, node: Node) -> tuple[float, Node]:
        return float(self._bounds[node]), node

    def path(self, start: Node) -> list[Node]:
        """From a node to the top, each step the one whose bound rises least."""
        node, path = start, [start]
        while any(level < height for level, height in zip(node, self._heights, strict=True)):
            steps = [axis for axis, level in enumerate(node) if level < self._heights[axis]]
            following: list[Node] = [(*node[:axis], node[axis] + 1, *node[axis + 1 :]) for axis in steps]
            node = min(following, key=self._rank)
            path.append(node)
        return path

    # ── what a node is ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def fails(self, node: Node) -> bool:
        """Whether more rows than allowed stand in classes under k (or under the distinct values): then so do they in every node below."""
        if node not in self._settled:
            if self._hopeless[node]:
                return True
            held = self._classes(node)
            self.checked += 1
            bad = int(held.rows[~self._monotone(node, held)].sum()) > self._allowed
            self._settled[node] = bad
            if bad:
                self._hopeless[tuple(slice(0, level + 1) for level in node)] = True
            elif not self.additive:
                floor = losses.by_class(self._measure, held.rows, self._length, 0, self._demand.k)
                above = tuple(slice(level, None) for level in node)
                self._bounds[above] = np.maximum(self._bounds[above], floor)
        return self._settled[node]

    def loss(self, node: Node) -> float | None:
        """What the node loses with its suppression; None if it does not meet the whole demand."""
        if node not in self._losses:
            self._losses[node] = None if self.fails(node) else self._loss(node)
        return self._losses[node]

    def _loss(self, node: Node) -> float | None:
        """What a suppressed row costs more than its node does depends on its groups alone, so one tuple answers for its class."""
        held = self._classes(node)
        good = self._good(node, held)
        suppressed = int(held.rows[~good].sum())
        if suppressed > self._allowed or not good.any():
            return None
        if not self.additive:
            return losses.by_class(self._measure, held.rows[good], self._length, suppressed, self._demand.k)
        total = float(self._bounds[node]) * self._scale
        if suppressed:
            hidden = held.standing[~good]
            for costs, level in zip(self._costs, node, strict=True):
                total += float(((costs[-1][hidden] - costs[level][hidden]) * held.rows[~good]).sum())
        return total / self._scale

    def kept(self, node: Node) -> npt.NDArray[np.bool_]:
        """Which rows of the table stay."""
        held = self._classes(node)
        kept: npt.NDArray[np.bool_] = self._good(node, held)[self._of_tuple(node, held)][self._of_row]
        return kept

    # ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keys(self, node: Node, standing: Codes | None = None) -> tuple[Codes, int]:
        """A number a tuple that is equal in one class, and how many numbers there could be (0: too many to say)."""
        sizes = [sizes[level] for sizes, level in zip(self._sizes, node, strict=True)]
        possible = prod(sizes)
        told = [levels[level] for levels, level, size in zip(self._levels, node, sizes, strict=True) if size > 1]
        columns = told if standing is None else [column[standing] for column in told]
        length = len(self._weights) if standing is None else len(standing)
        if possible >= 1 << 62:
            return combined(columns, length), 0
        key = np.zeros(length, np.int64)
        for column, size in zip(columns, [size for size in sizes if size > 1], strict=True):
            key *= size
            key += column
        return key, possible

    def _classes(self, node: Node) -> _Held:
        """The classes of a node, made of those of the remembered node under it that has the fewest."""
        found = self._held.get(node)
        if found is not None:
            return found
        below = self._under(node)
        standing = None if below is None else below.standing
        weights = self._weights if below is None else below.rows
        first, rows = _merged(*self._keys(node, standing), weights)
        made = _Held(first if standing is None else standing[first], rows, rows)
        if self._persons is not None:
            made = _Held(made.standing, rows, self._people(node, made))
        self._remember(node, made)
        return made

    def _under(self, node: Node) -> _Held | None:
        if not self._held:
            return None
        below = np.asarray((self._nodes[: len(self._counts)] <= np.asarray(node)).all(axis=1))
        fewest = np.where(below, np.asarray(self._counts), np.iinfo(np.int64).max)
        place = int(fewest.argmin())
        return self._held[tuple(self._nodes[place].tolist())] if below[place] else None

    def _remember(self, node: Node, made: _Held) -> None:
        """Keeps the classes while there is room; the first ones, which are the lowest and the largest, are the costliest to make again."""
        if self._room >= len(made.rows) and len(self._counts) < len(self._nodes):
            self._room -= len(made.rows)
            self._nodes[len(self._counts)] = node
            self._counts.append(len(made.rows))
            self._held[node] = made

    def _of_tuple(self, node: Node, held: _Held) -> Codes:
        """The class of every tuple of the table."""
        of: Codes = np.unique(self._keys(node)[0], return_inverse=True)[1].astype(np.int64)
        place = np.empty(len(held.rows), np.int64)
        place[of[held.standing]] = np.arange(len(held.rows))
        return place[of]

    def _people(self, node: Node, held: _Held) -> Codes:
        """Different people of each class, where one fills several rows."""
        assert self._persons is not None
        of = self._of_tuple(node, held)[self._of_row]
        most = int(self._persons.max()) + 1
        return np.bincount(np.unique(of * most + self._persons) // most, minlength=len(held.rows)).astype(np.int64)

    # ── the demand ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _monotone(self, node: Node, held: _Held) -> npt.NDArray[np.bool_]:
        good = held.persons >= self._demand.k
        if self._demand.distinct > 1:
            for _, _, counts in self._histograms(node, held):
                good &= diversity.distinct(counts, held.persons) >= self._demand.distinct
        return good

    def _good(self, node: Node, held: _Held) -> npt.NDArray[np.bool_]:
        """Which classes meet everything that is demanded."""
        good = self._monotone(node, held)
        if self._demand.entropy > 1.0 or self._demand.closeness < 1.0:
            for one, whole, counts in self._histograms(node, held):
                good &= diversity.entropy(counts, held.persons) >= self._demand.entropy - 1e-9
                good &= diversity.distance(counts, whole, ordered=one.ordered) <= self._demand.closeness + 1e-9
        return good

    def _histograms(self, node: Node, held: _Held) -> Iterator[tuple[Sensitive, Codes, Codes]]:
        """For each sensitive column: the whole table's counts and those of every class, by persons."""
        of = self._of_tuple(node, held)[self._of_row]
        for one, values in self._sensitive:
            most = int(values.max()) + 1
            whole = histogram(np.zeros(self._length, np.int64), 1, values, most, self._persons)[0]
            yield one, whole, histogram(of, len(held.rows), values, most, self._persons)


def _merged(keys: Codes, possible: int, weights: Codes) -> tuple[Codes, Codes]:
    """(one tuple of each class, rows of each class), classes in the order of their numbers."""
    if 0 < possible <= _DENSE * len(keys) + 1024:
        counts = np.bincount(keys, weights=weights, minlength=possible)
        standing = np.zeros(possible, np.int64)
        standing[keys] = np.arange(len(keys))
        there = np.flatnonzero(counts)
        return standing[there], counts[there].astype(np.int64)
    order = np.argsort(keys)
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return order[starts], np.add.reduceat(weights[order], starts)
