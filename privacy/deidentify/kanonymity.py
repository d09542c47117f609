"""k-anonymity by full-domain generalisation: every column one level for everybody, the levels that lose least, and few rows suppressed.

The levels of q columns form a lattice (Samarati 2001). Whether a node leaves too many people in classes under k is monotone: a coarser node
only merges classes, so whoever is in a class of k stays in one. What failed therefore fails everywhere below it (the pruning of Incognito,
LeFevre et al. 2005, and Flash, Kohlmayer et al. 2012), and a path from a node to the top is cut by bisection. Distinct l-diversity is
monotone likewise; entropy l-diversity and t-closeness with suppression are not (a good class may merge with one that was suppressed), so they
decide about a node and prune nothing. The answer is the optimum: nodes come in the order of a lower bound of their loss, and the search ends
when the bound reaches the best loss found. A node is computed from the classes of an evaluated node under it, not from the rows.

Promise: pure and deterministic; the table that comes out meets the demand by persons, suppressed rows are absent and no class of their own, and
`persons` counts people where one fills several rows. No node meets the demand: errors.Refused, never a table that nearly does.
Must never learn: a database, who a person is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from privacy import errors
from privacy.deidentify import losses
from privacy.deidentify.classes import classes, dense
from privacy.deidentify.hierarchies import Codes, Hierarchy
from privacy.deidentify.lattice import Demand, Lattice, Sensitive

MOST_NODES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Anonymised:
    """The table that may leave and what it cost. `kept` tells which rows of the input stand in it, `levels` the level of each column."""

    table: pa.Table
    kept: npt.NDArray[np.bool_]
    levels: Mapping[str, int]
    losses: Mapping[str, float]
    k: int
    classes: int
    suppressed: int
    checked: int
    nodes: int

    def __repr__(self) -> str:
        return f"Anonymised(k={self.k}, levels={list(self.levels.values())}, suppressed={self.suppressed})"


def anonymise(
    hierarchies: Sequence[Hierarchy],
    columns: Mapping[str, Any],
    demand: Demand,
    *,
    persons: Any = None,
    sensitive: Sequence[Sensitive] = (),
    measure: str = "ncp",
) -> Anonymised:
    """Generalises the columns that have a hierarchy to the levels that meet the demand with the least loss by `measure`.

    Columns without a hierarchy are taken along as they are; `sensitive` names those whose diversity the demand speaks of.
    """
    if measure not in losses.MEASURES:
        raise errors.Invalid("There is no such measure of loss.", code="loss_unknown", field="measure")
    codes = [hierarchy.encode(columns[hierarchy.name]) for hierarchy in hierarchies]
    length = len(codes[0])
    people = None if persons is None else dense(np.asarray(persons))[0]
    lattice = Lattice(hierarchies, codes, people, [(one, coded(columns[one.name])) for one in sensitive], demand, measure)
    if lattice.nodes > MOST_NODES:
        raise errors.Invalid("The hierarchies have too many combinations of levels.", code="lattice_too_large", field="hierarchies")
    node = _search(lattice)
    if node is None:
        raise errors.Refused("No generalisation meets the demand within its suppression.", code="not_anonymisable")
    kept = lattice.kept(node)
    coarse = [hierarchy.maps[level][column] for hierarchy, column, level in zip(hierarchies, codes, node, strict=True)]
    made = classes([column[kept] for column in coarse], None if people is None else people[kept], int(kept.sum()))
    decoded = {h.name: h.decode(column, level) for h, column, level in zip(hierarchies, codes, node, strict=True)}
    table = pa.table({name: decoded.get(name, values) for name, values in columns.items()}).filter(pa.array(kept))
    return Anonymised(
        table=table,
        kept=kept,
        levels={hierarchy.name: int(level) for hierarchy, level in zip(hierarchies, node, strict=True)},
        losses=losses.all_of(hierarchies, codes, node, kept, made.rows, demand.k),
        k=made.k,
        classes=made.count,
        suppressed=length - int(kept.sum()),
        checked=lattice.checked,
        nodes=lattice.nodes,
    )


def coded(column: Any) -> Codes:
    """Any column as codes in the order of its values (numbers by size, texts by letters), null first."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else pa.array(column)
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    encoded = array.dictionary_encode()
    rank = np.empty(len(encoded.dictionary) + 1, np.int64)
    order = encoded.dictionary.sort().to_pylist()
    place = {value: number + 1 for number, value in enumerate(order)}
    rank[:-1] = [place[value] for value in encoded.dictionary.to_pylist()]
    rank[-1] = 0
    indices = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    codes: Codes = rank[indices] if array.null_count else rank[indices] - 1
    return codes


def _search(lattice: Lattice) -> tuple[int, ...] | None:
    """The node of least loss that meets the demand; among equals one of the lowest that the search met, always the same."""
    best: tuple[float, int, tuple[int, ...]] | None = None
    for node in lattice.by_bound():
        if best is not None and lattice.bound(node) >= best[0]:
            if lattice.additive:
                break
            continue
        for one in _path(lattice, node):
            loss = lattice.loss(one)
            if loss is not None and (best is None or (loss, sum(one), one) < best):
                best = (loss, sum(one), one)
    return None if best is None else best[2]


def _path(lattice: Lattice, start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The node itself if it is not hopeless; else bisects a path from it to the top, tags what is hopeless, and answers where hope begins."""
    if lattice.hopeless(start):
        return
    if not lattice.fails(start):
        yield start
        return
    path = lattice.path(start)
    low, high = 0, len(path) - 1
    if lattice.fails(path[high]):
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lattice.fails(path[middle]) else (low, middle)
    yield path[high]
