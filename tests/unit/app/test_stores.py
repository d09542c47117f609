"""Tests of `app.stores`: transactions on both databases, and what a failing store becomes."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.settings import Settings
from app.stores import Role, Store, Stores, open_stores
from privacy import errors

METADATA = sa.MetaData()
THING = sa.Table("thing", METADATA, sa.Column("name", sa.String(40), primary_key=True), sa.Column("size", sa.Integer, nullable=False))


@pytest.fixture
def store(empty_stores: Stores) -> Store:
    store = empty_stores.platform()
    with store.begin() as tx:
        METADATA.create_all(tx)
    return store


def count(store: Store) -> int:
    with store.read() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(THING)).scalar_one()


def test_a_block_that_ends_well_is_committed(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(THING.insert(), [{"name": "a", "size": 1}])
    assert count(store) == 1


def test_a_block_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(errors.Refused), store.begin() as tx:
        tx.execute(THING.insert(), [{"name": "a", "size": 1}])
        raise errors.Refused("no")
    assert count(store) == 0


def test_schema_changes_are_part_of_the_transaction(store: Store) -> None:
    with pytest.raises(errors.Refused), store.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE half (a INTEGER)")
        tx.exec_driver_sql("ALTER TABLE thing ADD COLUMN b INTEGER")
        raise errors.Refused("no")
    with store.read() as tx:
        assert sa.inspect(tx).get_table_names() == ["thing"]
        assert [column["name"] for column in sa.inspect(tx).get_columns("thing")] == ["name", "size"]


def test_a_reading_transaction_cannot_write(store: Store) -> None:
    with pytest.raises((errors.Unavailable, sa.exc.DBAPIError)), store.read() as tx:
        tx.execute(THING.insert(), [{"name": "a", "size": 1}])
    assert count(store) == 0


def test_a_reading_transaction_sees_one_snapshot(store: Store) -> None:
    with store.read() as reading:
        before = reading.execute(sa.select(sa.func.count()).select_from(THING)).scalar_one()
        with store.begin() as tx:
            tx.execute(THING.insert(), [{"name": "a", "size": 1}])
        assert reading.execute(sa.select(sa.func.count()).select_from(THING)).scalar_one() == before == 0
    assert count(store) == 1


def test_threads_that_come_first_together_share_one_pool(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them with a pool of its own would take more connections than the server has to give."""
    store.close()
    opened: list[str] = []
    engine = sa.create_engine

    def slow(*arguments: Any, **more: Any) -> sa.Engine:
        opened.append(threading.current_thread().name)
        time.sleep(0.2)
        return engine(*arguments, **more)

    monkeypatch.setattr(sa, "create_engine", slow)
    threads = [threading.Thread(target=count, args=(store,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_writers_wait_for_each_other_and_none_is_lost(store: Store) -> None:
    """Read then write in one transaction, from eight threads: with a late lock SQLite would answer busy at once."""
    failures: list[Exception] = []
    with store.begin() as tx:
        tx.execute(THING.insert(), [{"name": "sum", "size": 0}])

    def add() -> None:
        try:
            for _ in range(5):
                with store.begin() as tx:
                    size = tx.execute(sa.select(THING.c.size).where(THING.c.name == "sum").with_for_update()).scalar_one()
                    tx.execute(THING.update().where(THING.c.name == "sum").values(size=size + 1))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with store.read() as tx:
        assert tx.execute(sa.select(THING.c.size)).scalar_one() == 40


def test_a_broken_constraint_keeps_its_class_and_loses_its_values(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(THING.insert(), [{"name": "13800138000", "size": 1}])
    with pytest.raises(sa.exc.IntegrityError) as caught, store.begin() as tx:
        tx.execute(THING.insert(), [{"name": "13800138000", "size": 1}])
    assert "13800138000" not in str(caught.value) + repr(caught.value.orig)
    assert caught.value.__cause__ is None


def test_sqlite_runs_with_the_pragmas_that_keep_what_was_acknowledged(tmp_path: Path) -> None:
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'a.db'}", busy_timeout=7_000)
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "mmap_size": 0,
        "busy_timeout": 7_000,
    }
    for begin in (store.begin, store.read):
        with begin() as tx:
            found = {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            assert found == expected | ({"mmap_size": None} if found["mmap_size"] is None else {})
    with store.read() as tx:
        assert tuple(map(int, str(tx.exec_driver_sql("SELECT sqlite_version()").scalar()).split("."))) >= (3, 51, 3)
    store.close()


def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'home' / 'a.db'}")
    with store.begin() as tx:
        METADATA.create_all(tx)
    for path in (tmp_path / "home").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    store.close()


def test_a_locked_database_is_unavailable_with_a_time_to_retry(tmp_path: Path) -> None:
    address = f"sqlite+pysqlite3:///{tmp_path / 'a.db'}"
    first, second = Store(address), Store(address, busy_timeout=50)
    with first.begin(), pytest.raises(errors.Unavailable) as caught, second.begin():
        pass
    assert (caught.value.code, caught.value.retry_after) == ("store_locked", 1)
    first.close()
    second.close()


def test_a_full_disk_is_unavailable_and_what_was_there_stays(tmp_path: Path) -> None:
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'a.db'}")
    with store.begin() as tx:
        METADATA.create_all(tx)
        tx.execute(THING.insert(), [{"name": "a", "size": 1}])
    with pytest.raises(errors.Unavailable) as caught, store.begin() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count=5")
        tx.execute(THING.insert(), [{"name": f"{i:040}", "size": i} for i in range(5_000)])
    assert caught.value.code == "disk_full"
    assert count(store) == 1
    store.close()


def test_more_callers_than_connections_is_busy_not_a_hang(tmp_path: Path) -> None:
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'a.db'}", busy_timeout=50, connections=1)
    with store.read(), pytest.raises(errors.Unavailable) as caught, store.read():
        pass
    assert caught.value.code == "store_busy"
    store.close()


@pytest.mark.parametrize("content", [b"this is not a database" * 100])
def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'a.db'}")
    with pytest.raises(errors.Unavailable) as caught, store.read():
        pass
    assert caught.value.code == "store_corrupt"
    store.close()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(f"sqlite+pysqlite3:///{tmp_path / 'file' / 'a.db'}")
    with pytest.raises(errors.Unavailable) as caught, store.begin():
        pass
    assert caught.value.code == "store_unreachable"


def test_a_server_that_is_away_is_unavailable() -> None:
    store = Store("postgresql+psycopg://nobody@/none?host=/nonexistent")
    with pytest.raises(errors.Unavailable) as caught, store.begin():
        pass
    assert caught.value.code == "store_unreachable"
    store.close()


def test_roles_share_one_store_until_each_has_its_own_address(tmp_path: Path) -> None:
    stores = open_stores(Settings(home=tmp_path))
    assert len({id(stores.platform(role)) for role in Role}) == 1
    assert stores.vault is not stores.platform(Role.JOBS)
    assert stores.vault.url != stores.platform().url


def test_an_address_is_never_shown(tmp_path: Path) -> None:
    store = Store("postgresql+psycopg://piying_vault:canary-secret@db/vault")
    assert "canary-secret" not in repr(store)
