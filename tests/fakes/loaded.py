"""Whole tables in a temporary lake at once: columns of a data frame become files of the lake under the months' virtual IDs. Tests only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.lake.tables import load
from analytics.lake.writer import settle, write_files
from analytics.reports.base import House, Reports
from analytics.reports.kinds import KINDS
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id
from tests.fakes.releases import FakeReleases


def lake(folder: Path, tables: Mapping[str, pd.DataFrame]) -> Lake:
    """A lake with these tables about people (`person`, `month`, `hour`, …), all of whom allow the statistics."""
    made = Lake(folder / "home")
    for name, frame in tables.items():
        put(made, name, frame)
        made.allow(*frame.person.astype(str).unique())
    return made


def put(made: Lake, name: str, frame: pd.DataFrame) -> None:
    """One table's rows, as the lake's writer would leave them."""
    pairs = frame[["person", "month"]].drop_duplicates()
    pairs = pairs.assign(virtual_id=[virtual_id(str(person), int(month)) for person, month in pairs.itertuples(index=False)])
    rows = frame.merge(pairs, on=["person", "month"], how="left").drop(columns="person").assign(source="src_real")
    schema = made.dictionary.arrow_schema(name)
    columns = [pa.array(rows[field.name]).cast(field.type) if field.name in rows else pa.nulls(len(rows), field.type) for field in schema]
    table = load(made.catalog, name)
    paths = write_files(table, pa.table(columns, schema=schema), np.random.default_rng(7).bytes)
    with table.transaction() as transaction:
        transaction.add_files(paths, check_duplicate_files=False)
    settle(table)


def reports(made: Lake, zone: str, currency: str) -> Reports:
    """Every report over this lake, through a door without noise."""
    door: Any = FakeReleases()
    return Reports(made.reader, door, house(made, zone, currency), KINDS)


def house(made: Lake, zone: str, currency: str) -> House:
    return House(made.dictionary, zone, currency)
