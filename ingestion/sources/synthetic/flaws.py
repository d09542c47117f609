"""What real files have and nobody wants: rows that are malformed, and rows that come twice.

Promise: what is added changes no fact, and how many rows of each verdict are to come out is known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from ingestion.sources.synthetic.files import Expected
from ingestion.sources.synthetic.plan import DUPLICATE, MALFORMED


def add(
    table: pa.Table, admitted: np.ndarray, chance: np.random.RandomState, *, key: str, broken: Mapping[str, str]
) -> tuple[pa.Table, Expected, np.ndarray]:
    """The rows with copies of some of them put behind them: 2 % with a name of their own (`key`) and one column `broken`, 1 % as they are.

    Also the place that each row had before. Rows are copied whose person allows, so that the law has no say in what becomes of them.
    """
    rows, able = table.num_rows, np.flatnonzero(admitted)
    wrong, twice = (np.sort(able[chance.randint(0, len(able), max(1, round(rows * share)))]) for share in (MALFORMED, DUPLICATE))
    bad = table.take(wrong)
    bad = _set(bad, key, np.char.add("x" * 2, np.asarray(bad[key].to_numpy(), dtype=str)))
    bad = _set(bad, key, np.char.add(np.asarray(bad[key].to_numpy(), dtype=str), np.char.add("-", np.arange(len(wrong)).astype("U8"))))
    columns = list(broken)
    for number, column in enumerate(columns):
        values = np.asarray(bad[column].to_numpy(), dtype=object)
        values[number :: len(columns)] = broken[column]
        bad = _set(bad, column, values)
    place = np.concatenate([np.arange(rows), wrong, twice])
    order = np.argsort(place, kind="stable")
    whole = pa.concat_tables([table, bad, table.take(twice)]).take(order)
    return whole, Expected(len(able), len(twice), len(wrong), rows - len(able)), place[order]


def _set(table: pa.Table, column: str, values: np.ndarray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values, pa.string()))
