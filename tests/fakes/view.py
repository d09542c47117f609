"""A view and a reader over rows in memory: the protocol of `analytics.lake.reader` without files, for tests of many small worlds.

Rows come under a `run_id` already; who they are is decided by whoever builds the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from analytics.engine import Engine, Session
from privacy.dictionary import catalogue


def people_schema(table: str) -> pa.Schema:
    """The columns of a table about people as a view gives them."""
    schema = catalogue.load().arrow_schema(table)
    return pa.schema([("run_id", pa.int64()), *[column for column in schema if column.name != "virtual_id"]])


@dataclass
class MemoryView:
    session: Session
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    months: tuple[int, ...] = (202601,)

    def people(self, name: str, months: Sequence[int] | None = None) -> Any:
        wanted = set(self.months if months is None else months)
        kept = [row for row in self.rows.get(name, ()) if row.get("month", 202601) in wanted]
        return self.session.table(pa.Table.from_pylist([{"month": 202601} | dict(row) for row in kept], schema=people_schema(name)))

    def table(self, rows: pa.Table) -> Any:
        return self.session.table(rows)

    def keep(self, expression: Any) -> Any:
        return self.session.keep(expression)

    def run(self, expression: Any) -> pa.Table:
        return self.session.run(expression)


@contextmanager
def memory_view(engine: Engine, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[MemoryView]:
    with engine.session() as session:
        yield MemoryView(session, rows)


@dataclass
class MemoryReader:
    """Opens views on rows in memory; `public` are tables without people; every month counts as closed.

    Given a session it asks all its questions in that one, which spares a test of many small worlds most of its time.
    """

    engine: Engine | Session
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    public: Mapping[str, pa.Table] = field(default_factory=dict)

    @contextmanager
    def open(self, purpose: str, months: Sequence[int]) -> Iterator[MemoryView]:
        if isinstance(self.engine, Session):
            yield MemoryView(self.engine, self.rows, tuple(months))
        else:
            with self.engine.session() as session:
                yield MemoryView(session, self.rows, tuple(months))

    def open_table(self, name: str) -> pa.Table:
        return self.public[name]

    def month_closed(self, name: str, month: int) -> bool:
        return True
