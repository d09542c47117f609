"""People taken out of the lake: files rewritten without their rows, old snapshots and their files gone from the disk, and the look for what is left.

Promise: afterwards no file of a table's folder holds a row under these names, living, old or orphaned; nobody else's row changes; rows that
an import may still take back stay in files of that import alone. Everything may be killed at any point and repeated. The look reads the
files themselves and believes no catalogue. It must never learn who a person is: it is given names of months.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from analytics.lake.maintenance import LakeMaintenance
from analytics.lake.tables import LAKE, MONTH, load, local_path
from analytics.lake.writer import carried, settle, write_files

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table as IcebergTable

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import RandomBytes

Ints = npt.NDArray[np.int64]
Announce = Callable[[str, str, Sequence[str]], None]
"""Told before a commit which files (table, whose import, locations) will hold what is left of an import's file."""
PERSON = "virtual_id"
ALL = datetime(9000, 1, 1, tzinfo=UTC)
"""Every old snapshot and every file that nothing names: under the lease no commit runs."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done: rows by the number of whoever they were about, files that were rewritten, files that left the disk."""

    rows: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    files_rewritten: int = 0
    files_deleted: int = 0


class LakeErasure:
    """Runs under the writer's lease."""

    def __init__(self, catalog: Catalog, dictionary: Catalogue, random: RandomBytes) -> None:
        self._catalog = catalog
        self._dictionary = dictionary
        self._random = random
        self._maintenance = LakeMaintenance(catalog, dictionary, random)

    def months(self) -> list[int]:
        """Every month of which a file lies in a table's folder, named by a snapshot or not."""
        found = {month for name in self._names() for _, month in _files(load(self._catalog, name)) if month is not None}
        return sorted(found)

    def erase(self, names: pa.Table, *, apart: Mapping[str, str] = MappingProxyType({}), announce: Announce | None = None) -> Erased:
        """Takes the rows of these names (`month`, `virtual_id`, `number`) out of every table, in one commit a table, and off the disk.

        `apart` says which files (location → import) hold one import's rows; what is left of them goes into files of the same import.
        """
        wanted = _by_month(names)
        rows: dict[int, int] = {}
        rewritten = deleted = 0
        for name in self._names():
            table = load(self._catalog, name)
            changed = self._changed(table, wanted, rows)
            if changed:
                self._rewrite(table, name, changed, wanted, apart, announce)
                rewritten += len(changed)
            if changed or self._unnamed(name, wanted):
                deleted += self._maintenance.expire(ALL, [name]).files_deleted + self._maintenance.sweep(ALL, [name]).files_deleted
        return Erased(rows, rewritten, deleted)

    def look(self, names: pa.Table) -> dict[int, int]:
        """Rows by number that still lie in any file of any table's folder, told by reading the files."""
        wanted = _by_month(names)
        rows: dict[int, int] = {}
        for name in self._names():
            for path, month in _files(load(self._catalog, name)):
                for number in _held(path, wanted.get(month or 0)):
                    rows[number] = rows.get(number, 0) + 1
        return rows

    def _changed(self, table: IcebergTable, wanted: Mapping[int, tuple[Ints, Ints]], rows: dict[int, int]) -> list[DataFile]:
        """The living files that hold a row of somebody; their rows are counted."""
        changed = []
        for task in table.scan().plan_files():
            found = _held(local_path(task.file.file_path), wanted.get(int(task.file.partition[0])))
            for number in found:
                rows[number] = rows.get(number, 0) + 1
            if found:
                changed.append(task.file)
        return changed

    def _unnamed(self, name: str, wanted: Mapping[int, tuple[Ints, Ints]]) -> bool:
        """Whether a file in the table's folder that no living snapshot needs holds a row of somebody."""
        return any(_held(path, wanted.get(month or 0)) for path, month in _files(load(self._catalog, name)))

    def _rewrite(
        self,
        table: IcebergTable,
        name: str,
        files: Sequence[DataFile],
        wanted: Mapping[int, tuple[Ints, Ints]],
        apart: Mapping[str, str],
        announce: Announce | None,
    ) -> None:
        from pyiceberg.io.pyarrow import parquet_file_to_data_file

        columns = table.schema().column_names
        made: list[str] = []
        for file in files:
            rows = pq.ParquetFile(local_path(file.file_path)).read()
            ids = rows[PERSON].to_numpy()
            kept = rows.filter(pa.array(~np.isin(ids, wanted[int(file.partition[0])][0])))
            if kept.num_rows:
                paths = write_files(table, kept.select([one for one in columns if one in kept.column_names]), self._random)
                if announce is not None and (whose := apart.get(file.file_path)):
                    announce(name, whose, paths)
                made += paths
        with table.transaction() as transaction:
            properties = carried(table) | {"piying.erasure": "1"}
            with transaction.update_snapshot(snapshot_properties=properties).overwrite() as overwrite:
                for file in files:
                    overwrite.delete_data_file(file)
                for path in made:
                    overwrite.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))
        settle(table)

    def _names(self) -> list[str]:
        """The tables about people that exist."""
        known = self._dictionary.tables
        return [name for name in sorted(known) if known[name].people and self._catalog.table_exists((LAKE, name))]


def _by_month(names: pa.Table) -> dict[int, tuple[Ints, Ints]]:
    """Month → sorted names, and whose each is."""
    months, ids, numbers = (names[column].to_numpy() for column in (MONTH, PERSON, "number"))
    found = {}
    for month in np.unique(months).tolist():
        here = months == month
        order = np.argsort(ids[here])
        found[int(month)] = (ids[here][order], numbers[here][order])
    return found


def _held(path: str, wanted: tuple[Ints, Ints] | None) -> list[int]:
    """The number behind every row of a file whose name is wanted. A file that cannot be read holds nobody's row: it is no Parquet yet."""
    if wanted is None:
        return []
    try:
        ids = pq.ParquetFile(path).read(columns=[PERSON])[PERSON].to_numpy()
    except (FileNotFoundError, pa.ArrowInvalid):
        return []
    known, numbers = wanted
    spots = np.searchsorted(known, ids)
    hit = known[np.minimum(spots, len(known) - 1)] == ids
    found: list[int] = numbers[spots[hit]].tolist()
    return found


def _files(table: IcebergTable) -> Iterator[tuple[str, int | None]]:
    """Every Parquet file under a table's folder with its month."""
    filesystem, root = fs.FileSystem.from_uri(table.location())
    for info in filesystem.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True)):
        if info.type == fs.FileType.File and info.path.endswith(".parquet"):
            mark = f"{MONTH}="
            month = next((part.removeprefix(mark) for part in info.path.split("/") if part.startswith(mark)), "")
            yield info.path, int(month) if month.isdigit() else None
