"""Packed rows stand in the table as rows inserted one after another would."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy import packed
from tests.stores import sqlite_stores

NAMES = ("no", "fixed", "varied", "word", "number", "flag", "same", "absent")


def rows(count: int) -> list[tuple[Any, ...]]:
    chance = random.Random(count)
    words = ["", "a", "茶", "it's", "x" * 300, "\u0000-less", "🙂"]
    return [
        (
            place,
            chance.randbytes(16),
            chance.randbytes(chance.randrange(0, 40)),
            chance.choice(words).replace("\0", ""),
            chance.choice([0, -1, 2**63 - 1, -(2**63), chance.randrange(1 << 40)]),
            chance.random() < 0.5,
            "order",
            None,
        )
        for place in range(count)
    ]


@pytest.mark.parametrize("count", [1, packed.FEWEST - 1, packed.FEWEST, 1_000])
def test_rows_come_back_as_they_were(tmp_path: Path, count: int) -> None:
    with sqlite_stores(tmp_path) as stores, stores.begin_platform() as tx:
        tx.exec_driver_sql(
            "CREATE TABLE t (no INTEGER PRIMARY KEY, fixed BLOB, varied BLOB, word TEXT, number INTEGER, flag BOOLEAN, same TEXT, absent)"
        )
        made = rows(count)
        packed.insert(tx, "t", NAMES, made)
        assert [tuple(row) for row in tx.exec_driver_sql("SELECT * FROM t ORDER BY no")] == made
        kinds = tx.exec_driver_sql("SELECT DISTINCT typeof(fixed), typeof(varied), typeof(word), typeof(number), typeof(flag) FROM t").all()
        assert [tuple(row) for row in kinds] == [("blob", "blob", "text", "integer", "integer")]
        again = [(*row[:4], 7, *row[5:]) for row in made]
        packed.insert(tx, "t", NAMES, again, then=" ON CONFLICT (no) DO UPDATE SET number = excluded.number")
        assert set(tx.exec_driver_sql("SELECT number FROM t").scalars()) == {7}


def test_a_column_of_two_kinds_is_inserted_all_the_same(tmp_path: Path) -> None:
    with sqlite_stores(tmp_path) as stores, stores.begin_platform() as tx:
        tx.exec_driver_sql("CREATE TABLE t (no INTEGER PRIMARY KEY, value BLOB)")
        made = [(place, None if place % 3 else b"x") for place in range(100)]
        packed.insert(tx, "t", ("no", "value"), made)
        packed.insert(tx, "t", ("no", "value"), [])
        assert [tuple(row) for row in tx.exec_driver_sql("SELECT * FROM t ORDER BY no")] == made


def test_a_key_that_stands_already_fails_the_whole_statement(tmp_path: Path) -> None:
    with sqlite_stores(tmp_path) as stores, stores.begin_platform() as tx:
        tx.exec_driver_sql("CREATE TABLE t (no INTEGER PRIMARY KEY, value BLOB)")
        packed.insert(tx, "t", ("no", "value"), [(70, b"before")])
        with pytest.raises(sa.exc.IntegrityError), tx.begin_nested():
            packed.insert(tx, "t", ("no", "value"), [(place, b"x") for place in range(100)])
        assert tx.exec_driver_sql("SELECT count(*) FROM t").scalar_one() == 1


NOTES = sa.Table(
    *("packed_note", sa.MetaData()),
    sa.Column("no", sa.BigInteger, primary_key=True),
    sa.Column("digest", sa.LargeBinary),
    sa.Column("word", sa.Text),
    sa.Column("number", sa.BigInteger),
    sa.Column("flag", sa.Boolean),
)


@pytest.mark.parametrize("count", [3, 1_000])
def test_columns_with_absent_values_come_back_as_they_were_on_both_databases(empty_stores: Stores, count: int) -> None:
    chance = random.Random(count)
    columns: list[Any] = [
        range(5, 5 + count),
        [None if one % 3 == 1 else chance.randbytes(32) for one in range(count)],
        [None if one % 2 else chance.choice(["", "茶", "x" * 90]) for one in range(count)],
        [None if one % 4 else chance.randrange(-(2**63), 2**63) for one in range(count)],
        [None if one % 5 else chance.random() < 0.5 for one in range(count)],
    ]
    with empty_stores.begin_platform() as tx:
        NOTES.create(tx)
        names = [column.name for column in NOTES.columns]
        packed.put(tx, NOTES, names, columns)
        packed.put(tx, NOTES, names, [[]] * len(names))
        stored = [tuple(row) for row in tx.execute(sa.select(NOTES).order_by(NOTES.c.no))]
        assert stored == list(zip(*columns, strict=True))
        with pytest.raises(sa.exc.IntegrityError), tx.begin_nested():
            packed.put(tx, NOTES, names, columns)
        packed.put(tx, NOTES, names, columns, then=" ON CONFLICT (no) DO UPDATE SET word = 'again'")
        assert set(tx.execute(sa.select(NOTES.c.word)).scalars()) == {"again"}


def test_a_list_of_keys_finds_exactly_those_rows(tmp_path: Path) -> None:
    chance = random.Random(7)
    held = [chance.randbytes(32) for _ in range(500)]
    asked = sorted([*held[::7], *(chance.randbytes(32) for _ in range(100))])
    with sqlite_stores(tmp_path) as stores, stores.begin_platform() as tx:
        tx.exec_driver_sql("CREATE TABLE t (no INTEGER PRIMARY KEY, digest BLOB UNIQUE)")
        packed.insert_columns(tx, "t", ("no", "digest"), [range(500), held])
        listed, sent = packed.keys(asked)
        found = tx.exec_driver_sql(f"SELECT no FROM t WHERE no < ? AND digest IN ({listed})", (400, *sent)).scalars()
        assert sorted(found) == list(range(0, 400, 7))
