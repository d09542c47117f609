"""A table of somebody else's database: exact text, closed names, and no word of its driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from ingestion.cursors import PLACE_COLUMN, Place, Step
from ingestion.mapping import FieldRule, FileMapping
from ingestion.source import FAULT_COLUMN
from ingestion.sources import database
from privacy.errors import Invalid, NotFound, PiyingError, Unavailable
from privacy.records import SourceFacts
from tests.conftest import NOW
from tests.stores import postgres_database

SOURCE = SourceFacts("src_a", "crm", "database", public=False, purposes=frozenset())


class Plain:
    """cursors.Notes that seals nothing."""

    def seal(self, owner: str, value: bytes) -> bytes:
        return value

    def open(self, owner: str, sealed: bytes) -> bytes:
        return sealed

    def mark(self, owner: str, value: bytes) -> bytes:
        return value


@dataclass
class Shop:
    url: str
    engine: sa.Engine
    on_postgresql: bool


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    if request.param == "sqlite":
        engine = sa.create_engine(f"sqlite+pysqlite3:///{tmp_path / 'shop.db'}", poolclass=sa.NullPool)
        yield Shop(f"sqlite:///{tmp_path / 'shop.db'}", engine, on_postgresql=False)
    else:
        with postgres_database(request.getfixturevalue("postgres_server")) as address:
            yield Shop(address, sa.create_engine(address, poolclass=sa.NullPool), on_postgresql=True)


def mapping(*columns: str, known_by: tuple[str, ...] = ()) -> FileMapping:
    return FileMapping("member", {column: FieldRule(column) for column in columns}, {}, id=known_by)


def steps(shop: Shop, table: database.Table, wanted: FileMapping, place: Place | None = None, rows: int = 100) -> list[Step]:
    places = {} if place is None else {database.PART: place}
    found = database.read(shop.url, table, wanted, SOURCE, places, notes=Plain(), clock=lambda: NOW, rows=rows)
    return [step for step in found if isinstance(step, Step)]


def table_of(step: Step) -> pa.Table:
    assert step.raw is not None
    assert step.raw.table is not None
    return step.raw.table


def test_values_become_exact_text_and_null_stays_null(shop: Shop) -> None:
    with shop.engine.begin() as tx:
        tx.exec_driver_sql(
            "CREATE TABLE t (id bigint PRIMARY KEY, wm integer, money numeric(30,4), word text, flag boolean, big bigint, day date)"
        )
        tx.exec_driver_sql(
            "INSERT INTO t VALUES (9007199254740993, 1, 12.3400, ' 中文 ', true, -9007199254740993, '2026-02-28'),"
            " (2, 1, NULL, NULL, NULL, NULL, NULL)"
        )
    (step,) = steps(shop, database.Table("t", "wm"), mapping("money", "word", "flag", "big", "day"))
    rows = {row["id"]: row for row in table_of(step).to_pylist()}
    long = rows["9007199254740993"]
    assert (long["word"], long["big"], long["day"], long[FAULT_COLUMN]) == (" 中文 ", "-9007199254740993", "2026-02-28", None)
    assert long["money"] == ("12.3400" if shop.on_postgresql else "12.34")
    assert long["flag"] == ("true" if shop.on_postgresql else "1")
    assert long[PLACE_COLUMN] == "1\x1f9007199254740993"
    assert [rows["2"][name] for name in ("money", "word", "flag", "big", "day")] == [None] * 5
    assert "secret" not in table_of(step).column_names


def test_times_uuids_and_what_has_no_text_on_postgresql(postgres_server: str) -> None:
    with postgres_database(postgres_server) as address:
        engine = sa.create_engine(address, poolclass=sa.NullPool)
        with engine.begin() as tx:
            tx.exec_driver_sql('CREATE SCHEMA "Shop"')
            tx.exec_driver_sql(
                'CREATE TABLE "Shop"."Order Lines" (u uuid, c char(4), wm timestamptz, naive timestamp, raw bytea, list int[], PRIMARY KEY (c, u))'
            )
            tx.exec_driver_sql(
                "INSERT INTO \"Shop\".\"Order Lines\" SELECT gen_random_uuid(), 'ab', '2026-06-01 10:00+08',"
                " '2026-06-01 10:00', 'x', '{1}' FROM generate_series(1, 7)"
            )
        shop = Shop(address, engine, on_postgresql=True)
        seen = []
        for step in steps(shop, database.Table("Order Lines", "wm", schema="Shop"), mapping("naive", "raw", "list"), rows=3):
            seen += table_of(step).to_pylist()
        assert len({row["u"] for row in seen}) == len(seen) == 7
        assert {(row["wm"], row["naive"]) for row in seen} == {("2026-06-01T02:00:00+00:00", "2026-06-01T10:00:00")}
        assert {(row["raw"], row["list"], row[FAULT_COLUMN]) for row in seen} == {(None, None, "wrong_type")}


def test_reading_goes_on_behind_the_last_watermark_and_key(shop: Shop) -> None:
    with shop.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE t (a text, b integer, wm integer, PRIMARY KEY (a, b))")
        tx.execute(sa.text("INSERT INTO t VALUES (:a, :b, :wm)"), [{"a": f"k{n % 3}", "b": n, "wm": n // 40} for n in range(200)])
    table = database.Table("t", "wm")
    seen: list[Any] = []
    state: bytes | None = None
    for stop in range(1, 12):
        place = None if state is None else Place(stop, state)
        found = database.read(
            shop.url,
            table,
            mapping("b"),
            SOURCE,
            {} if place is None else {database.PART: place},
            notes=Plain(),
            clock=lambda: NOW,
            rows=19,
        )
        sealed: list[bytes] = []
        step = next(found, None)
        if isinstance(step, Step):
            seen += [int(row["b"]) for row in table_of(step).to_pylist()]
            cells = {cell.cell_contents for cell in step.settle.__closure__ or () if isinstance(cell.cell_contents, bytes)}
            sealed += [one for one in cells if isinstance(one, bytes)]
            (state,) = sealed
        found.close()
    assert sorted(seen) == list(range(200))


def test_nothing_can_be_written_through_a_pull(shop: Shop) -> None:
    with shop.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE t (id integer PRIMARY KEY, wm integer)")
    with database._connected(shop.url) as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("INSERT INTO t VALUES (1, 1)"))


@pytest.mark.parametrize(
    ("table", "wanted", "kind", "code"),
    [
        (database.Table("nowhere", "wm"), mapping("id"), NotFound, "pull_table_unknown"),
        (database.Table('t"; DROP TABLE t; --', "wm"), mapping("id"), NotFound, "pull_table_unknown"),
        (database.Table("t", "wm; DROP TABLE t"), mapping("id"), Invalid, "column_missing"),
        (database.Table("t", "wm"), mapping("other"), Invalid, "column_missing"),
        (database.Table("v", "wm"), mapping("id"), Invalid, "pull_key_missing"),
        (database.Table("t", "word"), mapping("id"), None, ""),
        (database.Table("t", "part"), mapping("id"), Invalid, "watermark_unfit"),
    ],
)
def test_a_name_that_the_database_does_not_confirm_is_refused(
    shop: Shop, table: database.Table, wanted: FileMapping, kind: type[PiyingError] | None, code: str
) -> None:
    with shop.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE t (id integer PRIMARY KEY, wm integer, word text, part double precision)")
        tx.exec_driver_sql("INSERT INTO t VALUES (1, 1, 'a', 1.5)")
        tx.exec_driver_sql("CREATE VIEW v AS SELECT * FROM t")
    if kind is None:
        assert len(steps(shop, table, wanted)) == 1
        return
    with pytest.raises(kind) as refused:
        steps(shop, table, wanted)
    assert refused.value.code == code
    assert len(steps(shop, database.Table("v", "wm", key=("id",)), mapping("id"))) == 1


def test_a_table_that_may_not_be_read_and_a_file_that_is_none_have_their_codes(postgres_server: str, tmp_path: Path) -> None:
    with postgres_database(postgres_server) as address:
        engine = sa.create_engine(address, poolclass=sa.NullPool)
        with engine.begin() as tx:
            tx.exec_driver_sql("CREATE TABLE t (id integer PRIMARY KEY, wm integer)")
            tx.exec_driver_sql("DROP ROLE IF EXISTS shut_out")
            tx.exec_driver_sql("CREATE ROLE shut_out LOGIN")
        closed = sa.make_url(address).set(username="shut_out").render_as_string(hide_password=False)
        with pytest.raises(Invalid) as refused:
            steps(Shop(closed, engine, on_postgresql=True), database.Table("t", "wm"), mapping("id"))
        assert refused.value.code == "pull_refused"
        with engine.begin() as tx:
            tx.exec_driver_sql("DROP ROLE shut_out")
    (tmp_path / "text.db").write_text("this is a text and no database, and it is long enough " * 20, encoding="utf-8")
    with pytest.raises(Unavailable):
        steps(Shop(f"sqlite:///{tmp_path / 'text.db'}", engine, on_postgresql=False), database.Table("t", "wm"), mapping("id"))


def test_an_id_of_the_mapping_is_kept_and_nothing_else_is_asked_of_the_row(shop: Shop) -> None:
    with shop.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE t (id integer PRIMARY KEY, wm integer, card text)")
        tx.exec_driver_sql("INSERT INTO t VALUES (1, 1, 'C1')")
    (step,) = steps(shop, database.Table("t", "wm"), mapping("card", known_by=("card",)))
    assert step.mapping is not None
    assert step.mapping.id == ("card",)
    assert PLACE_COLUMN not in table_of(step).column_names
    with pytest.raises(Invalid):
        database.defined({"name": "t", "watermark": "w", "key": [1]})
