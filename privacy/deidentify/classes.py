"""Equivalence classes counted by persons: who looks alike, and how many of them there are.

Promise: pure; a class is as large as it has different people, however many rows they fill (attack 56: counting rows calls one person with
five rows k = 5); absent persons stand nowhere, so a suppressed row is no class. Columns of codes in, numpy out, one sort a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
_MOST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Classes:
    """`of[row]` is the class of a row, `persons[class]` its people, `rows[class]` its rows."""

    of: Codes
    persons: Codes
    rows: Codes

    @property
    def count(self) -> int:
        return len(self.persons)

    @property
    def k(self) -> int:
        """The people of the smallest class; 0 where there is none."""
        return int(self.persons.min()) if self.count else 0


def combined(columns: Sequence[Codes], length: int) -> Codes:
    """One number a row, equal exactly where all columns are equal: mixed radix, made compact before it could overflow."""
    key, size = np.zeros(length, np.int64), 1
    for column in columns:
        cardinality = int(column.max()) + 1 if length else 1
        if size * cardinality >= _MOST:
            kinds, key = np.unique(key, return_inverse=True)
            size = len(kinds)
        key = key * cardinality + column
        size *= cardinality
    return key


def dense(column: Codes) -> tuple[Codes, int]:
    """The same column in codes 0 to n-1, and n."""
    kinds, codes = np.unique(column, return_inverse=True)
    return codes.astype(np.int64), len(kinds)


def classes(columns: Sequence[Codes], persons: Codes | None, length: int) -> Classes:
    """The classes of rows that agree in all columns; without `persons` every row is a person of its own."""
    of, count = dense(combined(columns, length))
    rows = np.bincount(of, minlength=count).astype(np.int64)
    if persons is None:
        return Classes(of, rows, rows)
    people, most = dense(persons)
    pairs = np.unique(of * max(1, most) + people)
    return Classes(of, np.bincount(pairs // max(1, most), minlength=count).astype(np.int64), rows)


def histogram(of: Codes, count: int, values: Codes, most: int, persons: Codes | None) -> Codes:
    """How many people of each class have each value: a matrix of classes by values."""
    cells = of * most + values
    if persons is not None:
        cells = cells[np.unique(combined([cells, dense(persons)[0]], len(cells)), return_index=True)[1]]
    return np.bincount(cells, minlength=count * most).reshape(count, most).astype(np.int64)
