"""Packed rows stand in the table as rows inserted one after another would."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

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
