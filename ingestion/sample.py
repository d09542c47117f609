"""A look at a file before anything is known of it: how it is written, and some of its rows.

Promise: a bounded part of the file is read, whatever its size; the rows are the first ones and some of those that follow, so that what
changes in the middle of a file is seen. Values are handed on in memory and never shown.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ingestion.source import INTERNAL_COLUMNS, Reading

if TYPE_CHECKING:
    from privacy.records import RawBatch

FIRST_ROWS = 1_000
SPREAD_ROWS = 50
"""Rows that a sample takes of the first chunk, and of each later one, evenly spread."""
HEAD = 262_144
"""Bytes that are looked at for encoding and delimiter."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a text file is written. None: as its name says."""

    encoding: str = "utf8"
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Columns of a file with some of their values, and how many rows were seen."""

    columns: Mapping[str, Sequence[str | None]]
    rows: int
    complete: bool


def sniff(head: bytes, kind: str) -> Form:
    """Encoding and delimiter of a text file by its beginning."""
    if kind not in ("csv", "tsv"):
        return Form()
    encoding = _encoding(head)
    text = head.decode({"utf8": "utf-8-sig", "utf16": "utf-16"}.get(encoding, encoding), "replace")
    return Form(encoding, _delimiter(text.splitlines()[:50], "\t" if kind == "tsv" else ","))


def _encoding(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf16"
    text = head.decode("utf-8", "replace")
    broken = text[:-4].count("\ufffd")
    foreign = sum(not one.isascii() for one in text)
    if broken * 10 <= foreign:
        return "utf8"
    return "gb18030" if head.decode("gb18030", "replace").count("\ufffd") * 10 <= broken else "utf8"


def _delimiter(lines: Sequence[str], usual: str) -> str | None:
    """The delimiter under which most lines have as many cells as the header; None if that is the usual one."""
    best, found = (0.0, 1), usual
    for mark in (usual, *(one for one in (",", ";", "\t", "|") if one != usual)):
        cells = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)]
        if cells and cells[0] > 1:
            score = (round(sum(count == cells[0] for count in cells) / len(cells), 1), cells[0])
            if score > best:
                best, found = score, mark
    return None if found == usual else found


def sample(batches: Iterable[RawBatch], most: int) -> Sample:
    """The first rows, and rows spread over what follows, until `most` rows were seen."""
    tables: list[dict[str, list[str | None]]] = []
    seen, complete = 0, True
    for raw in batches:
        if seen >= most:
            complete = False
            break
        rows = raw.table.num_rows if raw.table is not None else len(raw.items or ())
        wanted = FIRST_ROWS if not seen else SPREAD_ROWS
        step = 1 if not seen else max(1, rows // wanted)
        places = list(range(0, rows, step))[:wanted]
        tables.append(_of_table(raw.table, places) if raw.table is not None else _of_items([(raw.items or ())[one] for one in places]))
        seen += rows
    names = dict.fromkeys(name for table in tables for name in table)
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for table in tables:
        length = max((len(values) for values in table.values()), default=0)
        for name in names:
            columns[name] += table.get(name, [None] * length)
    return Sample(columns, seen, complete)


def _of_table(table: pa.Table, places: Sequence[int]) -> dict[str, list[str | None]]:
    taken = table.take(pa.array(places, pa.int64()))
    return {name: [_tidy(one) for one in taken.column(name).to_pylist()] for name in taken.column_names if name not in INTERNAL_COLUMNS}


def _of_items(items: Sequence[Any]) -> dict[str, list[str | None]]:
    flat = [_flat(item) if isinstance(item, dict) else {} for item in items if not isinstance(item, Reading)]
    return {name: [row.get(name) for row in flat] for name in dict.fromkeys(name for row in flat for name in row)}


def _flat(item: Mapping[str, Any], prefix: str = "", depth: int = 3) -> dict[str, str | None]:
    row: dict[str, str | None] = {}
    for key, value in item.items():
        if isinstance(value, dict) and depth:
            row |= _flat(value, f"{prefix}{key}.", depth - 1)
        elif not isinstance(value, (dict, list)):
            row[prefix + key] = _tidy(None if value is None else json.dumps(value) if not isinstance(value, str) else value)
    return row


def _tidy(value: str | None) -> str | None:
    return (value or "").strip() or None
