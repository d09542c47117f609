"""The lake's only writer: moves waiting batches from the inbox into Parquet files and commits them, once.

Promise: a row of the inbox reaches the lake exactly once, whatever dies when: the inbox positions that a commit holds stand in the
snapshot's own summary, so that the next flush leaves them out. Files are on the disk before the commit names them, and the order of
arrival is not kept in them. It must never learn who a person is; a virtual ID is a number to it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.lake.tables import CLOSED, MEASURED, MONTH, UNMEASURED, load, local_path
from privacy import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import RandomBytes

THROUGH = "piying.inbox-through"
HELD = "piying.inbox-held"
"""Summary keys: the highest inbox position of the last flush, and all of its positions as ranges ("3-9,11"). The highest alone would not
do: on PostgreSQL a lower position may become visible after a higher one was flushed."""

Announce = Callable[[str, str, Sequence[str]], None]
"""Told before a commit which files (table, whose, locations) will hold the rows of one part that may be withdrawn later."""

ROW_GROUP = 122_880
FILE_ROWS = 4_000_000


class Waiting(Protocol):
    """One batch of rows in the inbox: its position, its table, its rows as an Arrow IPC stream."""

    @property
    def seq(self) -> int: ...

    @property
    def table(self) -> str: ...

    @property
    def payload(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FlushResult:
    """What a flush did. `sequences` are the inbox positions that are now in the lake and may be marked done: exactly these."""

    batches: int = 0
    rows: int = 0
    snapshots: Mapping[str, int] = field(default_factory=dict)
    sequences: tuple[int, ...] = ()


class LakeWriter:
    """Appends to the lake. There is one at a time: the caller holds the lease."""

    def __init__(self, catalog: Catalog, dictionary: Catalogue, random: RandomBytes) -> None:
        self._catalog = catalog
        self._dictionary = dictionary
        self._random = random

    def flush(
        self, pending: Iterable[Waiting], *, apart: Mapping[int, str] = MappingProxyType({}), announce: Announce | None = None
    ) -> FlushResult:
        """Writes and commits what is not in the lake yet, table by table. Repeating it with the same batches changes nothing.

        `apart` says whose some batches are (inbox position → name): rows of one name share files with nobody else, so that they can be
        withdrawn as files. `announce` hears of these files before the commit: what it wrote down and no commit names never was.
        """
        waiting: dict[str, list[Waiting]] = {}
        for batch in pending:
            waiting.setdefault(batch.table, []).append(batch)
        rows, snapshots, sequences = 0, {}, []
        for name in sorted(waiting):
            with _lake_faults():
                table = load(self._catalog, name)
                held = held_sequences(table)
                fresh = [batch for batch in waiting[name] if batch.seq not in held]
                here = sorted(batch.seq for batch in waiting[name])
                if fresh:
                    paths: list[str] = []
                    for whose, group in _by_owner(fresh, apart).items():
                        data = pa.concat_tables([self._rows(name, batch) for batch in group])
                        files = write_files(table, data, self._random)
                        if whose and files and announce is not None:
                            announce(name, whose, files)
                        paths += files
                        rows += data.num_rows
                    self._append(table, paths, {THROUGH: str(here[-1]), HELD: ranges(here)})
                    snapshots[name] = _snapshot_id(table)
                sequences += here
        return FlushResult(len(sequences), rows, snapshots, tuple(sorted(sequences)))

    def close_month(self, name: str, month: int, rows: pa.Table, version: str) -> bool:
        """Writes the rows of a closed month and its mark in one commit; false, and nothing written, if the month was closed before."""
        with _lake_faults():
            table = load(self._catalog, name)
            if f"{CLOSED}{month}" in table.properties:
                return False
            data = _shaped(rows, self._dictionary.arrow_schema(name))
            if data.num_rows and pc.unique(data[MONTH]).to_pylist() != [month]:
                raise errors.Invalid("rows of a close belong to its month", code="wrong_month")
            self._append(table, write_files(table, data, self._random), {}, {f"{CLOSED}{month}": version})
        return True

    def _rows(self, name: str, batch: Waiting) -> pa.Table:
        with pa.ipc.open_stream(pa.py_buffer(batch.payload)) as stream:
            rows = stream.read_all()
        if not self._dictionary.tables[name].people:
            loaded = pa.array([batch.seq], pa.int64()).take(pa.array([0] * rows.num_rows, pa.int32()))
            rows = rows.drop_columns(["loaded"] if "loaded" in rows.column_names else []).append_column("loaded", loaded)
        return _shaped(rows, self._dictionary.arrow_schema(name))

    def _append(self, table: IcebergTable, paths: list[str], summary: dict[str, str], properties: dict[str, str] | None = None) -> None:
        with table.transaction() as transaction:
            if properties:
                transaction.set_properties(properties)
            if paths:
                transaction.add_files(paths, snapshot_properties=carried(table) | summary, check_duplicate_files=False)
        settle(table)


def _by_owner(batches: Iterable[Waiting], apart: Mapping[int, str]) -> dict[str, list[Waiting]]:
    groups: dict[str, list[Waiting]] = {}
    for batch in batches:
        groups.setdefault(apart.get(batch.seq, ""), []).append(batch)
    return groups


def write_files(table: IcebergTable, data: pa.Table, random: RandomBytes) -> list[str]:
    """Writes rows as files of the table's months, sorted, flushed to the disk; they belong to nothing until a commit names them."""
    locations = []
    months = pc.unique(data[MONTH]).to_pylist() if MONTH in data.column_names else [None]
    for month in sorted(months, key=lambda value: value or 0):
        part = data if month is None else data.filter(pc.equal(data[MONTH], pa.scalar(month, pa.int32())))
        part = part.sort_by([(name, "ascending") for name in _order(part.column_names)])
        folder = "" if month is None else f"/{MONTH}={month}"
        for start in range(0, part.num_rows, FILE_ROWS):
            location = f"{table.location()}/data{folder}/{random(16).hex()}.parquet"
            _write(table, location, part.slice(start, FILE_ROWS))
            locations.append(location)
    return locations


def _write(table: IcebergTable, location: str, rows: pa.Table) -> None:
    plain = [name for name in rows.column_names if name not in UNMEASURED]
    measured = [name for name in rows.column_names if name in MEASURED]
    with table.io.new_output(location).create() as sink:
        pq.write_table(
            rows,
            sink,
            compression="zstd",
            row_group_size=ROW_GROUP,
            use_dictionary=plain,
            write_statistics=measured or False,
            store_schema=False,
        )
    _sync(location)


def _order(names: Sequence[str]) -> list[str]:
    """Sorting by the virtual ID first: neighbours in a file say nothing about arrival, and the column compresses well."""
    first = [name for name in ("virtual_id", "hour", "order_key", "visit") if name in names]
    return first or list(names)


def _shaped(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Exactly the dictionary's columns and types; a column that the rows lack is null, one that the dictionary lacks stops the writer."""
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise errors.Invalid("rows for the lake have a column that the dictionary lacks", code="unknown_column")
    columns = [
        rows[column.name].cast(column.type) if column.name in rows.column_names else pa.nulls(rows.num_rows, column.type)
        for column in schema
    ]
    return pa.table(columns, schema=schema)


# ── what a commit holds ────────────────────────────────────────────────────────────────────────────────────────────────────────


def held_sequences(table: IcebergTable) -> set[int]:
    """The inbox positions of the last flush into this table: the only ones that may be in the lake and still wait in the inbox."""
    held: set[int] = set()
    for part in carried(table).get(HELD, "").split(","):
        if part:
            first, _, last = part.partition("-")
            held.update(range(int(first), int(last or first) + 1))
    return held


def carried(table: IcebergTable) -> dict[str, str]:
    """The inbox keys of the current snapshot; every commit that is not a flush carries them on."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return {}
    summary = snapshot.summary.additional_properties
    return {key: summary[key] for key in (THROUGH, HELD) if key in summary}


def ranges(numbers: Sequence[int]) -> str:
    """Sorted numbers as ranges: [3, 4, 5, 9] is "3-5,9"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number <= parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def _snapshot_id(table: IcebergTable) -> int:
    snapshot = table.current_snapshot()
    return snapshot.snapshot_id if snapshot else 0


# ── durability ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def settle(table: IcebergTable) -> None:
    """Flushes to the disk what the commit wrote, before anybody forgets the inbox's copy. The table is as of the commit."""
    written = [table.metadata_location]
    snapshot = table.current_snapshot()
    if snapshot is not None:
        written.append(snapshot.manifest_list)
        written += [m.manifest_path for m in snapshot.manifests(table.io) if m.added_snapshot_id == snapshot.snapshot_id]
    for location in written:
        _sync(location)


def _sync(location: str) -> None:
    path = Path(local_path(location))
    if not path.is_absolute():
        return  # an object store acknowledges only what it keeps
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _lake_faults() -> Iterator[None]:
    """Faults of the disk and of the catalogue as errors of ours; nothing was acknowledged, the inbox still holds the rows."""
    import sqlalchemy as sa
    from pyiceberg.exceptions import CommitFailedException

    try:
        yield
    except CommitFailedException:
        raise errors.Conflict("somebody else committed to the lake meanwhile", code="lake_conflict", retry_after=5) from None
    except (OSError, sa.exc.SQLAlchemyError):
        raise errors.Unavailable("the lake cannot be written now", code="lake_unavailable", retry_after=30) from None
