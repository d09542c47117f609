"""Keeps the lake small and forgetful: joins small files, forgets old snapshots, and deletes files that nothing names any longer.

Promise: what a snapshot no longer names is gone from the disk, not only from the catalogue; a file that a living snapshot names is never
touched; compaction changes no row. Everything may be killed at any point and repeated. It must never learn who a person is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from analytics.lake.tables import LAKE, MONTH, load, local_path
from analytics.lake.writer import carried, settle, write_files
from privacy.orm import to_micros

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table as IcebergTable

    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import RandomBytes

SMALL_FILES = 8
"""A month with at least this many small files is compacted."""
SMALL_BYTES = 32 * 2**20
COMPACTED_ROWS = 2_000_000
"""How many rows one compaction holds in memory at most."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: numbers of files and snapshots, never of rows."""

    files_joined: int = 0
    snapshots_expired: int = 0
    files_deleted: int = 0


class LakeMaintenance:
    """Runs on the schedule, under the writer's lease."""

    def __init__(self, catalog: Catalog, dictionary: Catalogue, random: RandomBytes) -> None:
        self._catalog = catalog
        self._dictionary = dictionary
        self._random = random

    def compact(self, apart: Collection[str] = ()) -> Upkeep:
        """Joins the small files of each month. The old files stay until their snapshots expire, so running questions are not disturbed.

        `apart` names files that stay as they are, because their rows may still be withdrawn.
        """
        joined = 0
        for name in self._names():
            for group in _small_groups(load(self._catalog, name), frozenset(apart)):
                self._join(load(self._catalog, name), group)
                joined += len(group)
        return Upkeep(files_joined=joined)

    def withdraw(self, name: str, locations: Collection[str]) -> Upkeep:
        """Takes whole files out of a table in one commit; those that no commit names (any more) are passed over. They leave the disk with
        the snapshots that name them."""
        table = load(self._catalog, name)
        wanted = set(locations)
        files = [task.file for task in table.scan().plan_files() if task.file.file_path in wanted]
        if files:
            with (
                table.transaction() as transaction,
                transaction.update_snapshot(snapshot_properties=carried(table)).overwrite() as overwrite,
            ):
                for file in files:
                    overwrite.delete_data_file(file)
            settle(table)
        return Upkeep(files_deleted=len(files))

    def expire(self, older_than: datetime, names: Collection[str] | None = None) -> Upkeep:
        """Forgets snapshots from before an instant, except the current one, and deletes the files that only they named; of some tables only."""
        expired = deleted = 0
        for name in self._names() if names is None else names:
            table = load(self._catalog, name)
            before = len(table.snapshots())
            current = table.current_snapshot()
            cut = to_micros(older_than) // 1000
            if not any(one.timestamp_ms < cut and one is not current for one in table.snapshots()):
                continue
            named = referenced(table)
            table.maintenance.expire_snapshots().older_than(older_than).commit()
            table = load(self._catalog, name)
            settle(table)
            expired += before - len(table.snapshots())
            unnamed = named - referenced(table)
            deleted += _delete(table, sorted(unnamed))
        return Upkeep(snapshots_expired=expired, files_deleted=deleted)

    def sweep(self, older_than: datetime, names: Collection[str] | None = None) -> Upkeep:
        """Deletes files that no snapshot names and that are older than any running commit: what a crash left behind. Who holds the lease
        knows that no commit runs, and may say tomorrow."""
        deleted = 0
        for name in self._names() if names is None else names:
            table = load(self._catalog, name)
            found = _files(table, older_than)
            deleted += _delete(table, sorted(found - {local_path(location) for location in referenced(table)}))
        return Upkeep(files_deleted=deleted)

    def drop_before(self, month: int) -> Upkeep:
        """Ends months before `month` (YYYYMM): their partitions leave the tables at once and the disk when their snapshots expire (PIPL 19)."""
        dropped = 0
        for name in self._names():
            table = load(self._catalog, name)
            old = [
                task for task in table.scan().plan_files() if MONTH in table.schema().column_names and int(task.file.partition[0]) < month
            ]
            if old:
                table.delete(f"{MONTH} < {month}", snapshot_properties=carried(table))
                settle(load(self._catalog, name))
                dropped += len(old)
        return Upkeep(files_deleted=dropped)

    def _names(self) -> list[str]:
        return [name for name in sorted(self._dictionary.tables) if self._catalog.table_exists((LAKE, name))]

    def _join(self, table: IcebergTable, group: list[DataFile]) -> None:
        from pyiceberg.io.pyarrow import parquet_file_to_data_file

        names = table.schema().column_names
        parts = [pq.ParquetFile(local_path(file.file_path)).read() for file in group]
        rows = pa.concat_tables(parts, promote_options="default").select([name for name in names if name in parts[0].column_names])
        paths = write_files(table, rows, self._random)
        with table.transaction() as transaction:
            properties = carried(table) | {"piying.compaction": "1"}
            with transaction.update_snapshot(snapshot_properties=properties).overwrite() as overwrite:
                for file in group:
                    overwrite.delete_data_file(file)
                for path in paths:
                    overwrite.append_data_file(parquet_file_to_data_file(table.io, table.metadata, path))
        settle(table)


def referenced(table: IcebergTable) -> set[str]:
    """Every file that a living snapshot or the table's metadata names."""
    named = {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
    for snapshot in table.snapshots():
        named.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in named:
                named.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(table.io, discard_deleted=True)
                named.update(entry.data_file.file_path for entry in entries)
    return named


def _small_groups(table: IcebergTable, apart: frozenset[str]) -> list[list[DataFile]]:
    by_month: dict[int | None, list[DataFile]] = {}
    for task in table.scan().plan_files():
        if task.file.file_size_in_bytes < SMALL_BYTES and task.file.file_path not in apart:
            by_month.setdefault(task.file.partition[0] if len(task.file.partition) else None, []).append(task.file)
    groups = []
    for files in by_month.values():
        if len(files) < SMALL_FILES:
            continue
        group: list[DataFile] = []
        rows = 0
        for file in sorted(files, key=lambda one: one.file_path):
            if group and rows + file.record_count > COMPACTED_ROWS:
                groups.append(group)
                group, rows = [], 0
            group.append(file)
            rows += file.record_count
        groups.append(group)
    return [group for group in groups if len(group) > 1]


def _files(table: IcebergTable, older_than: datetime) -> set[str]:
    filesystem, root = fs.FileSystem.from_uri(table.location())
    infos = filesystem.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    return {info.path for info in infos if info.type == fs.FileType.File and info.mtime < older_than}


def _delete(table: IcebergTable, locations: list[str]) -> int:
    deleted = 0
    for location in locations:
        with contextlib.suppress(FileNotFoundError):  # the catalogue's own clean-up was quicker, or a killed run of this one
            table.io.delete(location)
            deleted += 1
    return deleted
