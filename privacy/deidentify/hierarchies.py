"""Hierarchies: how a quasi-identifier's values become coarser, level by level, until all are one.

Promise: pure; a level never splits what the level below had together (checked when a hierarchy is made), so that coarsening only ever merges
classes, which is what the search of `kanonymity` rests on; the top level is one value for everybody, but for what is `fixed`. A value that a
hierarchy does not know stops the work, and the error names the column, never the value. Hierarchies are public data of the officer's, never
learnt from the table, because an edge that depends on people tells about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors

ANY: Final = "*"
"""What the top level calls everybody."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """`maps[level][code]` is the group of value `code` at a level, `words[level][group]` its name; level 0 is the value itself."""

    name: str
    maps: tuple[Codes, ...]
    words: tuple[tuple[str, ...], ...]

    @property
    def height(self) -> int:
        """The number of the top level."""
        return len(self.maps) - 1

    @property
    def size(self) -> int:
        """How many values it knows."""
        return len(self.maps[0])

    def encode(self, column: Any) -> Codes:
        """The codes of a column's values (null is the empty text); raises errors.Invalid where one is unknown."""
        text = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        text = pc.fill_null(text.cast(pa.string()), "")
        places = pc.index_in(text, value_set=pa.array(self.words[0], pa.string()))
        if places.null_count:
            raise errors.Invalid(
                "The column holds a value that its hierarchy does not know.", code="value_outside_hierarchy", field=self.name
            )
        return np.asarray(places.to_numpy(zero_copy_only=False), np.int64)

    def decode(self, codes: Codes, level: int) -> pa.StringArray:
        """The words of coded values at a level."""
        return pc.take(pa.array(self.words[level], pa.string()), pa.array(self.maps[level][codes]))

    def leaves(self, level: int) -> Codes:
        """For each value, how many values its group at a level has."""
        groups = self.maps[level]
        return np.bincount(groups)[groups]


def of(name: str, rows: Mapping[str, Sequence[str]]) -> Hierarchy:
    """A hierarchy from each value's coarser names, lowest first, all of one length; a top level is added where the last is not one value."""
    values = tuple(rows)
    lengths = {len(path) for path in rows.values()}
    if len(lengths) != 1:
        raise errors.Invalid("Every value of a hierarchy has as many levels as the others.", code="hierarchy_uneven", field=name)
    levels = [values, *(tuple(rows[value][level] for value in values) for level in range(lengths.pop()))]
    if len(set(levels[-1])) > 1 or len(levels) == 1:
        levels.append((ANY,) * len(values))
    maps, words = [], []
    for texts in levels:
        groups = tuple(dict.fromkeys(texts))
        known = {text: place for place, text in enumerate(groups)}
        maps.append(np.asarray([known[text] for text in texts], np.int64))
        words.append(groups)
    for below, above in pairwise(maps):
        if len(np.unique(below * (int(above.max()) + 1) + above)) != len(np.unique(below)):
            raise errors.Invalid("A level of a hierarchy splits what was together below it.", code="hierarchy_splits", field=name)
    return Hierarchy(name, tuple(maps), tuple(words))


def flat(name: str, values: Sequence[str]) -> Hierarchy:
    """A value or everybody."""
    return of(name, dict.fromkeys(values, (ANY,)))


def fixed(name: str, values: Sequence[str]) -> Hierarchy:
    """Values that become no coarser: whoever gets the table knows them already, so that hiding them here would hide nothing."""
    return Hierarchy(name, (np.arange(len(values), dtype=np.int64),), (tuple(values),))


def bands(name: str, lowest: int, highest: int, widths: Sequence[int]) -> Hierarchy:
    """Whole numbers in bands of growing widths, each a multiple of the one before, from public edges: 20-24, 20-29, *."""
    if any(wide % narrow for narrow, wide in pairwise(widths)):
        raise errors.Invalid("A level of a hierarchy splits what was together below it.", code="hierarchy_splits", field=name)
    rows = {}
    for value in range(lowest, highest + 1):
        starts = [value - value % width for width in widths]
        rows[str(value)] = [*(f"{start}-{start + width - 1}" for start, width in zip(starts, widths, strict=True)), ANY]
    return of(name, rows)


def from_text(name: str, text: str, *, separator: str = ";") -> Hierarchy:
    """A hierarchy from lines of a value and its coarser names (the form in which ARX keeps them)."""
    lines = [line.rstrip("\r").split(separator) for line in text.splitlines() if line.strip()]
    return of(name, {line[0]: line[1:] for line in lines})
