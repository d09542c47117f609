"""Many rows in few statements, on both databases, below the ORM.

Promise: `insert` and `select_in` send plain driver parameters (bytes, integers, strings) without building an expression for each row;
names come from declared tables and never from data.
Must never learn: what the rows mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

CHUNK: Final = 8_000
"""Parameters in one statement: SQLite's own limit is 32,766."""


def _mark(tx: sa.Connection) -> str:
    return "?" if tx.dialect.paramstyle == "qmark" else "%s"


def insert(
    tx: sa.Connection, table: sa.FromClause, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, ignore: bool = False
) -> None:
    """Inserts rows; with `ignore`, rows whose key stands already are left as they are."""
    if not rows:
        return
    marks = ", ".join([_mark(tx)] * len(columns))
    conflict = " ON CONFLICT DO NOTHING" if ignore else ""
    statement = f"INSERT INTO {_name(table)} ({', '.join(columns)}) VALUES ({marks}){conflict}"
    tx.exec_driver_sql(statement, list(rows))


def execute_many(tx: sa.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Runs a statement written with `?` marks once for each row of parameters."""
    if rows:
        tx.exec_driver_sql(statement.replace("?", _mark(tx)), list(rows))


def select_in(tx: sa.Connection, statement: str, keys: Sequence[Any], before: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Rows of a statement whose `{keys}` stands for a list; keys are sent sorted, so that neighbours in the index are read together."""
    ordered = sorted(keys)
    written = statement.replace("?", _mark(tx))
    for start in range(0, len(ordered), CHUNK):
        part = ordered[start : start + CHUNK]
        marks = ", ".join([_mark(tx)] * len(part))
        yield from tx.exec_driver_sql(written.replace("{keys}", marks), (*before, *part)).cursor.fetchall()


def _name(table: sa.FromClause) -> str:
    assert isinstance(table, sa.Table)
    return table.name
