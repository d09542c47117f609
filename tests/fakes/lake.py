"""A lake in a temporary folder, with real tables, a real writer and a real engine; only the people are invented."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog

from analytics.engine import Engine
from analytics.lake import tables
from analytics.lake.maintenance import LakeMaintenance
from analytics.lake.reader import LakeReader
from analytics.lake.writer import LakeWriter
from app.stores import register_dialect
from privacy.dictionary import catalogue as dictionary
from privacy.vocabulary import STATISTICS
from tests.fakes.population import FakePopulations, virtual_id

HOUR = datetime(2026, 1, 10, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Batch:
    """What the inbox hands to the writer."""

    seq: int
    table: str
    payload: bytes


@dataclass
class Lake:
    """Everything that a test of analytics needs, wired as the wiring does it."""

    home: Path
    populations: FakePopulations = field(default_factory=lambda: FakePopulations({STATISTICS: set()}))
    sequence: int = 0

    def __post_init__(self) -> None:
        register_dialect()
        noise = random.Random(7)
        self.home.mkdir(parents=True, exist_ok=True)
        self.dictionary = dictionary.load()
        self.catalog: Catalog = tables.open_catalogue(f"sqlite+pysqlite3:///{self.home}/catalogue.db", self.home / "lake")
        tables.ensure(self.catalog, self.dictionary)
        self.engine = Engine(self.home / "lake", self.home / "scratch", threads=1)
        self.writer = LakeWriter(self.catalog, self.dictionary, noise.randbytes)
        self.maintenance = LakeMaintenance(self.catalog, self.dictionary, noise.randbytes)
        self.reader = LakeReader(self.catalog, self.dictionary, self.engine, self.populations)

    def allow(self, *people: str, purpose: str = STATISTICS) -> None:
        self.populations.allowed.setdefault(purpose, set()).update(people)

    def withdraw(self, *people: str, purpose: str = STATISTICS) -> None:
        self.populations.allowed[purpose].difference_update(people)

    def batch(self, table: str, rows: Iterable[Mapping[str, Any]]) -> Batch:
        """Rows as the inbox would hold them, under the next position."""
        self.sequence += 1
        return Batch(self.sequence, table, payload(arrow_rows(table, rows)))

    def put(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self.writer.flush([self.batch(table, rows)])


def arrow_rows(table: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows with the dictionary's columns; `person` becomes the month's virtual ID, what is not named is null."""
    filled = []
    for row in rows:
        whole: dict[str, Any] = dict(row)
        if "person" in whole:
            whole = {"month": 202601, "hour": HOUR, "source": "src_test", **whole}
            whole["virtual_id"] = virtual_id(whole.pop("person"), whole["month"])
        filled.append(whole)
    return pa.Table.from_pylist(filled, schema=dictionary.load().arrow_schema(table))


def payload(rows: pa.Table) -> bytes:
    """Rows as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue())
