"""A whole relational store into a folder and back: SQLite by its online backup, PostgreSQL by COPY in one snapshot.

Promise: what is saved is one moment of the store, taken while it runs; the tables that are named apart never come into the folder, not even
for a moment that a kill could keep; a store is filled in one transaction or not at all, and only an empty one. Must never learn what the rows mean.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.stores import Pysqlite3Dialect, Store
from privacy.errors import Conflict

Rows = dict[str, list[list[Any]]]
"""Table → rows of numbers and texts; bytes stand as {"b": base64}."""
VERSION = "schema_version"


def save(store: Store, folder: Path, name: str, apart: Collection[str]) -> Rows:
    """Saves a store under a name; returns the rows of the tables that stay out of it."""
    if store.on_sqlite:
        return _save_sqlite(store, folder / f"{name}.db", apart)
    place = folder / name
    place.mkdir(mode=0o700)
    with store.read() as tx:
        told = _rows(tx, apart)
        for table in _tables(tx):
            if table.name not in apart:
                _copy_out(tx, table, place / f"{table.name}.copy")
    return told


def restore(store: Store, folder: Path, name: str, make: Callable[[sa.Connection], object]) -> None:
    """Fills an empty store; `make` makes its tables. A store that this was done to before (a kill came later) is left as it is."""
    if store.on_sqlite:
        source = folder / f"{name}.db"
        if not source.is_file():
            raise Conflict("the backup is of another kind of database", code="backup_other_store")
        target = Path(str(sa.make_url(store.url).database))
        part = target.with_name(target.name + ".restored")
        part.write_bytes(source.read_bytes())
        os.chmod(part, 0o600)
        part.replace(target)
        return
    if not (folder / name).is_dir():
        raise Conflict("the backup is of another kind of database", code="backup_other_store")
    with store.begin() as tx:
        if sa.inspect(tx).has_table(VERSION):
            return
        make(tx)
        for table in _tables(tx):
            source = folder / name / f"{table.name}.copy"
            if source.is_file():
                _copy_in(tx, table, source)
        _move_counters(tx)


def fill(store: Store, rows: Mapping[str, Iterable[list[Any]]]) -> int:
    """Puts rows that were kept apart back into their tables; those that stand already stay. Returns how many were given."""
    number = 0
    with store.begin() as tx:
        for name, lines in rows.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=tx)
            key = [column.name for column in table.primary_key.columns]
            told = [dict(zip(table.columns.keys(), map(_value, line), strict=True)) for line in lines]
            known = {tuple(row) for row in tx.execute(sa.select(*(table.c[one] for one in key)))}
            new = [one for one in told if tuple(one[part] for part in key) not in known]
            if new:
                tx.execute(sa.insert(table), new)
            number += len(told)
    return number


# ── SQLite ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _save_sqlite(store: Store, target: Path, apart: Collection[str]) -> Rows:
    """Through memory, so that what stays out never touches the folder's disk."""
    dbapi = Pysqlite3Dialect.import_dbapi()
    with store.read() as tx:
        told = _rows(tx, apart)
        copy = dbapi.connect(":memory:")
        driver = tx.connection.driver_connection
        assert driver is not None
        driver.backup(copy)
    try:
        copy.isolation_level = None
        copy.execute("PRAGMA foreign_keys=OFF")
        copy.execute("PRAGMA secure_delete=ON")
        for table in apart:
            copy.execute(f'DELETE FROM "{table}"')
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
        copy.execute("VACUUM INTO ?", (str(target),))
    finally:
        copy.close()
    return told


# ── PostgreSQL ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _copy_out(tx: sa.Connection, table: sa.Table, target: Path) -> None:
    with open(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file, _cursor(tx).copy(_statement(tx, table, "TO STDOUT")) as out:
        for part in out:
            file.write(part)


def _copy_in(tx: sa.Connection, table: sa.Table, source: Path) -> None:
    with source.open("rb") as file, _cursor(tx).copy(_statement(tx, table, "FROM STDIN")) as into:
        while part := file.read(1 << 20):
            into.write(part)


def _statement(tx: sa.Connection, table: sa.Table, way: str) -> str:
    quote = tx.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    return f"COPY {quote(table.name)} ({columns}) {way} (FORMAT binary)"


def _move_counters(tx: sa.Connection) -> None:
    """The counters behind automatic keys go on after the highest one."""
    for table in _tables(tx):
        for column in table.columns:
            counter = tx.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))).scalar()
            if counter:
                most = tx.execute(sa.select(sa.func.max(column))).scalar()
                if most is not None:
                    tx.execute(sa.select(sa.func.setval(counter, most)))


def _cursor(tx: sa.Connection) -> Any:
    driver = tx.connection.driver_connection
    assert driver is not None
    return driver.cursor()


# ── both ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tables(tx: sa.Connection) -> list[sa.Table]:
    """Every table but the schema's version, those that others point to first."""
    found = sa.MetaData()
    found.reflect(tx)
    return [table for table in found.sorted_tables if table.name != VERSION]


def _rows(tx: sa.Connection, names: Collection[str]) -> Rows:
    told: Rows = {}
    for name in sorted(names):
        table = sa.Table(name, sa.MetaData(), autoload_with=tx)
        told[name] = [[_written(one) for one in row] for row in tx.execute(sa.select(table))]
    return told


def _written(value: Any) -> Any:
    return {"b": base64.b64encode(bytes(value)).decode()} if isinstance(value, (bytes, bytearray, memoryview)) else value


def _value(written: Any) -> Any:
    return base64.b64decode(written["b"]) if isinstance(written, dict) else written
