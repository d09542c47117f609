"""Rows as they may be shown while they come in: the dictionary's treatments, and less than the lake keeps.

Promise: pure, and of the message alone: no person is looked up, so a row looks the same whoever it is about and whatever they allow.
No identifier, no link, no virtual ID; free text, sensitive fields and whatever tells who somebody is or where they live show only that they
came. Numbers are told by their order of magnitude, times by the hour. Must never learn a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from privacy.deidentify import rules
from privacy.dictionary.catalogue import SYSTEM_COLUMNS

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Becomes, Catalogue, Field, Record
    from privacy.records import CanonicalPart

CAME = "•"
"""Stands for a value that came and is not shown."""
LONGEST = 40
"""Characters of an open word; what is longer is no code and no name of a thing."""
_UNTOLD = frozenset({"demographic", "location", "identity", "health", "religion", "child", "consent"})
"""Categories of the dictionary that tell who somebody is, where they live or what they decided."""
_OPEN = ("link", "scrub")
"""Treatments that need a key or a reader's judgement: the value is not shown at all."""


def shown(catalogue: Catalogue, part: CanonicalPart, rows: Sequence[int], *, zone: str) -> list[Mapping[str, str]]:
    """These rows of a part, one after the other: lake column → word, without what did not come."""
    chosen = pa.array(rows, pa.int64())
    fields, times = part.fields.take(chosen), part.times.take(chosen)
    told: list[dict[str, str]] = [{} for _ in rows]
    record = catalogue.record(part.record)
    for table in record.tables:
        for column, words in _columns(catalogue, record, table, fields, times, zone).items():
            for row, word in zip(told, words, strict=True):
                if word is not None:
                    row[column] = word
    return list(told)


def _columns(
    catalogue: Catalogue, record: Record, table: str, fields: pa.Table, times: pa.TimestampArray, zone: str
) -> dict[str, list[str | None]]:
    """The columns of one table."""
    feeds = {becomes.column: (f, becomes) for f, becomes in record.feeds(table) if becomes.column not in SYSTEM_COLUMNS | {"month"}}
    open_ = {f.name: True for f, becomes in feeds.values() if _told(record, f, becomes)}
    treated = rules.apply(
        catalogue, table, record.name, fields, times, zone=zone, link=_unlinked, scrub=_unread, allowed=open_ if record.people else None
    ).rows
    columns = {}
    for column, (f, becomes) in feeds.items():
        came = times if f.name == record.time else fields.column(f.name) if f.name in fields.column_names else None
        if came is not None and came.null_count < len(came):
            words = _words(treated.column(column), f, people=record.people) if _told(record, f, becomes) else [None] * len(came)
            columns[column] = [word or (CAME if valid else None) for word, valid in zip(words, pc.is_valid(came).to_pylist(), strict=True)]
    return columns


def _told(record: Record, f: Field, becomes: Becomes) -> bool:
    """Whether a field of this record is told by its treated value."""
    if becomes.treatment in _OPEN or f.class_ in ("direct_identifier", "sensitive") or f.type == "text":
        return False
    return not record.people or f.category not in _UNTOLD


def _words(values: pa.ChunkedArray, f: Field, *, people: bool) -> list[str | None]:
    """Treated values as words."""
    if pa.types.is_timestamp(values.type):
        return [None if value is None else f"{value:%Y-%m-%dT%H:00Z}" for value in values.to_pylist()]
    if pa.types.is_integer(values.type) and people and f.type in ("int", "minor"):
        return [None if value is None else magnitude(value) for value in values.to_pylist()]
    return [None if value is None or len(str(value)) > LONGEST else str(value) for value in values.to_pylist()]


def magnitude(value: int) -> str:
    """A number by its order of magnitude: 10…99."""
    if value == 0:
        return "0"
    digits = len(str(abs(value)))
    low, high = 10 ** (digits - 1), 10**digits - 1
    return f"{low}…{high}" if value > 0 else f"−{high}…−{low}"


def _unlinked(_kind: str, values: pa.StringArray, _months: pa.Int32Array) -> pa.Int64Array:
    return pa.nulls(len(values), pa.int64())


def _unread(values: pa.StringArray) -> tuple[pa.StringArray, pa.BooleanArray]:
    return pa.nulls(len(values), pa.string()), pa.array([False] * len(values), pa.bool_())
