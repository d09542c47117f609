"""Many rows in few statements, on both databases, below the ORM.

Promise: `insert` and `select_in` send plain driver parameters (bytes, integers, strings) without building an expression for each row: SQLite
gets packed rows and lists of marks, PostgreSQL whole columns as arrays. Names come from declared tables and never from data.
Must never learn: what the rows mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from privacy import packed

CHUNK: Final = 8_000
"""Parameters in one statement: SQLite's own limit is 32,766."""


def insert(
    tx: sa.Connection, table: sa.FromClause, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, ignore: bool = False
) -> None:
    """Inserts rows; with `ignore`, rows whose key stands already are left as they are."""
    if rows:
        insert_columns(tx, table, columns, list(zip(*rows, strict=True)), ignore=ignore)


def insert_columns(
    tx: sa.Connection, table: sa.FromClause, names: Sequence[str], columns: Sequence[Sequence[Any]], *, ignore: bool = False
) -> None:
    """`insert` of rows that stand in columns."""
    assert isinstance(table, sa.Table)
    packed.put(tx, table, names, columns, then=" ON CONFLICT DO NOTHING" if ignore else "")


def execute_many(tx: sa.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Runs a statement written with `?` marks once for each row of parameters."""
    if rows:
        tx.exec_driver_sql(statement if tx.dialect.name == "sqlite" else statement.replace("?", "%s"), list(rows))


def select_in(tx: sa.Connection, statement: str, keys: Sequence[Any], before: tuple[Any, ...] = ()) -> list[Any]:
    """Rows of a statement that says `IN ({keys})`; keys are sent sorted, so that neighbours in the index are read together."""
    if not keys:
        return []
    ordered = sorted(keys)
    if tx.dialect.name != "sqlite":
        written = statement.replace("?", "%s").replace("IN ({keys})", "= ANY(%s)")
        return list(tx.exec_driver_sql(written, (*before, ordered)).fetchall())
    if len(ordered) >= packed.FEWEST and type(ordered[0]) is bytes and len(set(map(len, ordered))) == 1:
        listed, sent = packed.keys(ordered)
        return list(tx.exec_driver_sql(statement.replace("{keys}", listed), (*before, *sent)).cursor.fetchall())
    found: list[Any] = []
    for start in range(0, len(ordered), CHUNK):
        part = ordered[start : start + CHUNK]
        found += tx.exec_driver_sql(statement.replace("{keys}", ", ".join("?" * len(part))), (*before, *part)).cursor.fetchall()
    return found
