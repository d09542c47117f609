"""The engine: locked, alone, and forgetful."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.engine import Engine
from privacy import errors


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "it's a lake").mkdir()
    return Engine(tmp_path / "it's a lake", tmp_path / "scratch", threads=1)


def test_a_session_reads_the_lakes_files_and_lacking_columns_are_null(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "it's a lake" / "a.parquet"
    pq.write_table(pa.table({"x": pa.array([1, 2], pa.int64())}), path)
    wanted = pa.schema([("x", pa.int64()), ("newer", pa.string())])
    with engine.session() as session:
        assert session.run(session.parquet([str(path)], wanted)).to_pylist() == [{"x": 1, "newer": None}, {"x": 2, "newer": None}]
        assert session.run(session.parquet([], wanted)).num_rows == 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{outside}/out.csv'",
        "ATTACH '{outside}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads=4",
        "SET enable_external_access=true",
        "SET allowed_directories=['/']",
        "RESET lock_configuration",
    ],
)
def test_a_session_can_reach_nothing_else(engine: Engine, tmp_path: Path, statement: str) -> None:
    (tmp_path / "outside").mkdir()
    with engine.session() as session, pytest.raises(duckdb.Error):
        session._raw.execute(statement.format(outside=tmp_path / "outside"))
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_the_engine_says_when_it_fails_is_not_handed_on(engine: Engine) -> None:
    with engine.session() as session:
        rows = session.table(pa.table({"phone": ["13800138000"]}))
        with pytest.raises(errors.Unavailable) as failed:
            session.run(rows.select(rows.phone.cast("int8").name("x")))
    assert "138" not in failed.value.message


def test_spill_files_are_gone_when_a_session_ends_however_it_ends(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), engine.session():
        (folder,) = (tmp_path / "scratch").iterdir()
        (folder / "spill").write_bytes(b"exact")
        raise RuntimeError
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_killed_session_left_is_gone_at_the_next_start_and_living_sessions_stay(engine: Engine, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    with engine.session():
        (living,) = scratch.iterdir()
        dead = scratch / "dead"
        dead.mkdir()
        (dead / "in-use").touch()
        (dead / "spill").write_bytes(b"exact")
        (scratch / "half").mkdir()
        Engine(tmp_path, scratch)
        assert list(scratch.iterdir()) == [living]
