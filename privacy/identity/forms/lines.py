"""A table as the bytes of a file: RFC 4180, UTF-8, every text in quotes, no cell that a spreadsheet runs (attack 25).

Promise: the same table makes the same bytes, whose SHA-256 stands on the manifest; a text cell is guarded by `privacy.cells` unless its
column is one of `bare` and it consists of letters, digits and _ . @ - after a letter, a digit or the plus of a telephone number, which no
spreadsheet can read as more than a number.
Columns at a time: a cell never passes through Python. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from privacy.cells import safe, safe_column
from privacy.identity.forms.shape import Action, Filled

ROWS: Final = 65_536
_BARE: Final = r"^(?:\+[0-9]|[0-9A-Za-z_])[0-9A-Za-z_.@\-]*$"
_NUMBERS: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)


def csv(table: pa.Table, *, header: bool = True, bare: Collection[str] = ()) -> Iterator[bytes]:
    """The file in pieces of whole lines."""
    if header:
        yield (",".join('"' + safe(name).replace('"', '""') + '"' for name in table.column_names) + "\r\n").encode()
    for start in range(0, table.num_rows, ROWS):
        piece = table.slice(start, ROWS)
        cells = [_cells(piece[name].combine_chunks(), name in bare) for name in piece.column_names]
        lines = pc.binary_join_element_wise(*cells, pa.scalar(",", pa.large_string())) if len(cells) > 1 else cells[0]
        yield _text(pc.binary_join_element_wise(lines, pa.scalar("", pa.large_string()), pa.scalar("\r\n", pa.large_string())))


def _cells(values: Any, bare: bool) -> Any:
    column = pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values
    if any(kind(column.type) for kind in _NUMBERS):
        return pc.fill_null(column.cast(pa.large_string()), "")
    text = column.cast(pa.string())
    guarded = pc.if_else(pc.match_substring_regex(text, _BARE), text, safe_column(text)) if bare else safe_column(text)
    quote = pa.scalar('"')
    written = pc.binary_join_element_wise(quote, pc.replace_substring(guarded, '"', '""'), quote, "")
    return pc.fill_null(written, "").cast(pa.large_string())


def _text(lines: pa.LargeStringArray) -> bytes:
    """The bytes of a column of lines, one after the other, as they stand in its buffer."""
    joined = pa.concat_arrays([lines])
    data = joined.buffers()[2]
    return b"" if data is None else data.to_pybytes()


def file(filled: Filled, action: Action) -> Iterator[bytes]:
    """A filled form as its family's file. A list that has no request of its own says in its last column whether it adds or removes."""
    form, table = filled.form, filled.table
    if form.constants:
        table = table.append_column("action", pa.repeat(pa.scalar(form.words[action]), table.num_rows))
    yield from csv(table, header=form.header, bare=[part.header for part in form.parts])


def requests(filled: Filled, action: Action, target: dict[str, Any]) -> Iterator[bytes]:
    """A filled form as the bodies of its family's requests, none larger than the family takes."""
    make = filled.form.body
    if make is None:
        raise ValueError("this family takes files")
    for batch in filled.batches():
        yield orjson.dumps(make(batch, action, target))
