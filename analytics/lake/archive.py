"""The lake into a folder and back: the files that a consistent snapshot names, what was closed, and how far the inbox had come.

Promise: a saved lake is what the tables said at one moment, without their history; put back, every file stands under its own name below the
new place, so that a lake may move to another machine. It must never learn who a person is.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.lake.tables import CLOSED, LAKE, MONTH, ensure, load, local_path
from analytics.lake.writer import carried, settle
from privacy.errors import Conflict

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from privacy.dictionary.catalogue import Catalogue


def save(catalog: Catalog, dictionary: Catalogue, folder: Path) -> dict[str, Any]:
    """Copies every table's files under a folder; returns what `put_back` has to know. The caller holds the writer's lease."""
    told: dict[str, Any] = {}
    for name in sorted(dictionary.tables):
        if not catalog.table_exists((LAKE, name)):
            continue
        table = load(catalog, name)
        files = []
        for number, task in enumerate(table.scan().plan_files()):
            source = local_path(task.file.file_path)
            month = int(task.file.partition[0]) if len(task.file.partition) else None
            target = folder / name / f"{number:06}.parquet"
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            files.append({"name": f"{name}/{target.name}", "location": task.file.file_path, "month": month})
        marks = {key: value for key, value in table.properties.items() if key.startswith(CLOSED)}
        told[name] = {"files": files, "properties": marks, "carried": carried(table)}
    return told


def put_back(catalog: Catalog, dictionary: Catalogue, folder: Path, told: Mapping[str, Any]) -> dict[str, str]:
    """Fills an empty lake; returns where each file lies now (old location → new). A table that was filled before is left as it is."""
    ensure(catalog, dictionary)
    places: dict[str, str] = {}
    for name, one in told.items():
        if name not in dictionary.tables:
            raise Conflict("the backup has a table that this program does not know", code="backup_other_lake")
        table = load(catalog, name)
        paths = []
        for file in one["files"]:
            part = "" if file["month"] is None else f"/{MONTH}={file['month']}"
            location = f"{table.location()}/data{part}/{Path(local_path(file['location'])).name}"
            target = Path(local_path(location))
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(folder / file["name"], target)
            places[file["location"]] = location
            paths.append(location)
        if table.current_snapshot() is not None:
            continue
        with table.transaction() as transaction:
            if one["properties"]:
                transaction.set_properties(one["properties"])
            if paths:
                transaction.add_files(paths, snapshot_properties=dict(one["carried"]), check_duplicate_files=False)
        settle(table)
    return places
