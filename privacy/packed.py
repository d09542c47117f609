"""Many rows into a table in one statement: columns travel whole, to SQLite side by side in one value each and cut apart inside.

Promise: the same rows as one insert after another, for a fifth of the time: the driver takes ten microseconds for a row of parameters,
the database one for a row that it cuts out itself. Values are bytes, text, whole numbers, truth or absent; a column is of one kind.
Names come from declared tables and never from data. It must never learn what the rows mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

FEWEST: Final = 32
"""Rows below which the driver's own way is as quick."""
_PLACES: Final = (
    "WITH RECURSIVE piece(place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM piece WHERE place + 1 < :count)"
    " INSERT INTO {table} ({names}) SELECT {values} FROM piece WHERE true{then}"
)
_DIGITS: Final = 20
"""Room for a number of 64 bits with its sign."""


def put(tx: sa.Connection, table: sa.Table, names: Sequence[str], columns: Sequence[Sequence[Any]], *, then: str = "") -> None:
    """Rows in columns into a declared table, on either database."""
    if not len(columns[0]):
        return
    if tx.dialect.name == "sqlite":
        insert_columns(tx, table.name, names, columns, then=then)
        return
    into = f"INSERT INTO {table.name} ({_quoted(names)})"
    arrays = ", ".join(f"%s::{_impl(table.c[name]).compile(tx.dialect)}[]" for name in names)
    tx.exec_driver_sql(f"{into} SELECT * FROM unnest({arrays}){then}", tuple(list(column) for column in columns))


def insert(tx: sa.Connection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]], *, then: str = "") -> None:
    """Inserts rows (on SQLite); `then` is what follows, as ON CONFLICT."""
    if rows:
        insert_columns(tx, table, names, list(zip(*rows, strict=True)), then=then)


def insert_columns(tx: sa.Connection, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]], *, then: str = "") -> None:
    """`insert` of rows that stand in columns, all of one length and not empty."""
    quoted = _quoted(names)
    count = len(columns[0])
    packed = _pack(columns) if count >= FEWEST else None
    if packed is None:
        marks = ", ".join("?" * len(names))
        tx.exec_driver_sql(f"INSERT INTO {table} ({quoted}) VALUES ({marks}){then}", list(zip(*columns, strict=True)))
        return
    values, parameters = packed
    statement = _PLACES.format(table=table, names=quoted, values=", ".join(values), then=then)
    tx.exec_driver_sql(statement, {"count": count, **parameters})


def keys(some: Sequence[bytes]) -> tuple[str, tuple[int, bytes]]:
    """A list of keys of one length for `IN (…)`, with its two parameters: a mark for each would cost three times the search (SQLite)."""
    width = len(some[0])
    pieces = "WITH RECURSIVE piece(place) AS (SELECT 0 UNION ALL SELECT place + 1 FROM piece WHERE place + 1 < ?)"
    return f"{pieces} SELECT substr(?, place * {width} + 1, {width}) FROM piece", (len(some), b"".join(some))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _impl(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """The type the database knows: a decorated type stands for another."""
    return column.type.impl_instance if isinstance(column.type, sa.types.TypeDecorator) else column.type


def _pack(columns: Sequence[Sequence[Any]]) -> tuple[list[str], dict[str, Any]] | None:
    """Expressions for the columns and their parameters; None if a column mixes kinds."""
    values: list[str] = []
    parameters: dict[str, Any] = {}
    for number, column in enumerate(columns):
        name, kinds = f"c{number}", set(map(type, column))
        absent = type(None) in kinds and len(kinds) == 2
        if absent:
            (kind,) = kinds - {type(None)}
            parameters[f"{name}_there"] = bytes([value is not None for value in column])
            column = [kind() if value is None else value for value in column]
        elif len(kinds) != 1:
            return None
        value = _expression(name, column, parameters)
        if value is None:
            return None
        values.append(f"CASE WHEN substr(:{name}_there, place + 1, 1) = x'01' THEN {value} END" if absent else value)
    return values, parameters


def _expression(name: str, column: Sequence[Any], parameters: dict[str, Any]) -> str | None:
    """What gives each row its value of a column of one kind; None for a kind that does not travel this way."""
    first, kind = column[0], type(column[0])
    if first is None or (column[-1] == first and column.count(first) == len(column)):
        parameters[name] = first
        return f":{name}"
    if kind is int and list(column) == list(range(first, first + len(column))):
        parameters[name] = first
        return f":{name} + place"
    if kind in (int, bool):
        parameters[name] = b"%20d" * len(column) % tuple(column)
        return f"CAST(CAST(substr(:{name}, place * {_DIGITS} + 1, {_DIGITS}) AS TEXT) AS INTEGER)"
    if kind is bytes:
        return _cut(name, column, parameters)
    if kind is str:
        return f"CAST({_cut(name, [value.encode() for value in column], parameters)} AS TEXT)"
    return None


def _cut(name: str, pieces: Sequence[bytes], parameters: dict[str, Any]) -> str:
    """The expression that cuts a row's piece out of all of them; pieces of unequal length stand in places as wide as the longest."""
    lengths = set(map(len, pieces))
    width = max(lengths)
    if len(lengths) == 1 and width:
        parameters[name] = b"".join(pieces)
        return f"substr(:{name}, place * {width} + 1, {width})"
    parameters[name] = b"".join([piece.ljust(width, b"\0") for piece in pieces])
    parameters[f"{name}_size"] = b"%8d" * len(pieces) % tuple(map(len, pieces))
    size = f"CAST(CAST(substr(:{name}_size, place * 8 + 1, 8) AS TEXT) AS INTEGER)"
    return f"substr(:{name}, place * {width} + 1, {size})"
