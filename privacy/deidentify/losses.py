"""What generalising costs, in the measures that the literature compares by; the search takes the least of one, the manifest tells all.

With n rows of people, q quasi-identifiers and suppressed rows as if every one of their values had become "*":
- `entropy`, non-uniform entropy: Σ over cells of −log₂(f(value) / f(its group)), in bits (Gionis, Tassa, TKDE 2009; ARX's "entropy").
- `ncp`, normalised certainty penalty: mean over cells of (leaves of the group − 1) / (leaves − 1) (Xu et al., KDD 2006), 0 to 1.
- `precision`: mean over cells of level / height, 0 to 1 (Sweeney 2002; this is 1 − her Prec).
- `discernibility`: Σ class² + suppressed · n (Bayardo, Agrawal, ICDE 2005).
- `class_size`: (n / classes) / k (LeFevre, DeWitt, Ramakrishnan, ICDE 2006), 1 is the best.
The first three are sums over cells, so a node of the lattice costs at least the sum of its columns' costs; the other two only grow when
classes merge. Either gives the bound by which `kanonymity` prunes.

Promise: pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from privacy.deidentify.hierarchies import Hierarchy

ADDITIVE: Final = ("entropy", "ncp", "precision")
BY_CLASS: Final = ("discernibility", "class_size")
MEASURES: Final = (*ADDITIVE, *BY_CLASS)

Codes = npt.NDArray[np.int64]
Costs = npt.NDArray[np.float64]


def cell_costs(measure: str, hierarchy: Hierarchy, frequency: Codes) -> Costs:
    """What a cell of each value costs at each level: a matrix of levels by values. `frequency` counts the values in the table."""
    levels = range(hierarchy.height + 1)
    if measure == "entropy":
        rows = []
        for level in levels:
            groups = hierarchy.maps[level]
            together = np.bincount(groups, weights=frequency)[groups]
            ratio = np.divide(together, frequency, out=np.ones(len(groups)), where=frequency > 0)
            rows.append(np.log2(ratio))
        return np.stack(rows)
    if measure == "ncp":
        return np.stack([(hierarchy.leaves(level) - 1) / max(1, hierarchy.size - 1) for level in levels])
    return np.stack([np.full(hierarchy.size, level / max(1, hierarchy.height)) for level in levels])


def scale(measure: str, rows: int, columns: int) -> float:
    """What the sum over cells is divided by: entropy is told in bits, the others as a mean."""
    return 1.0 if measure == "entropy" else float(max(1, rows * columns))


def by_class(measure: str, sizes: Codes, rows: int, suppressed: int, k: int) -> float:
    """`discernibility` or `class_size` of the classes that stay, given the rows in all."""
    if measure == "discernibility":
        return float((sizes.astype(np.float64) ** 2).sum() + float(suppressed) * rows)
    return rows / len(sizes) / max(1, k) if len(sizes) else float("inf")


def all_of(
    hierarchies: Sequence[Hierarchy], codes: Sequence[Codes], node: Sequence[int], kept: npt.NDArray[np.bool_], sizes: Codes, k: int
) -> dict[str, float]:
    """Every measure of one finished table: coded columns, the node chosen, which rows stay, the rows of each class that stays."""
    rows, suppressed = len(kept), int((~kept).sum())
    found = {}
    for measure in ADDITIVE:
        total = 0.0
        for hierarchy, column, level in zip(hierarchies, codes, node, strict=True):
            costs = cell_costs(measure, hierarchy, np.bincount(column, minlength=hierarchy.size))
            total += float(costs[level][column[kept]].sum() + costs[hierarchy.height][column[~kept]].sum())
        found[measure] = total / scale(measure, rows, len(codes))
    return found | {measure: by_class(measure, sizes, rows, suppressed, k) for measure in BY_CLASS}
