"""Tests of `migrations.run`: the revisions make the declared schema, and survive a failure or a kill at any statement."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.stores import Store, Stores
from migrations import run
from migrations.run import StoreName
from privacy import errors
from privacy.orm import PlatformBase, VaultBase
from tests.stores import every_table

METADATA = {"vault": VaultBase.metadata, "platform": PlatformBase.metadata}


@pytest.fixture(params=run.STORES)
def name(request: pytest.FixtureRequest) -> StoreName:
    every_table("VaultBase" if request.param == "vault" else "PlatformBase")
    return request.param


@pytest.fixture
def store(empty_stores: Stores, name: StoreName) -> Store:
    return empty_stores.vault if name == "vault" else empty_stores.platform()


class Cut(Exception):
    """Stands for whatever stops a program between two statements."""


@contextmanager
def cut_after(statements: int) -> Iterator[None]:
    """Lets so many statements through on any engine, then fails before the next."""
    left = [statements]

    def count(*_arguments: object) -> None:
        if left[0] == 0:
            raise Cut
        left[0] -= 1

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


def upgrade(store: Store, name: StoreName) -> list[str]:
    with store.begin() as tx:
        return run.upgrade(tx, name)


def tables(store: Store) -> list[str]:
    with store.read() as tx:
        return sa.inspect(tx).get_table_names()


def stride(store: Store, name: StoreName) -> int:
    """Every statement, but on PostgreSQL every fifth of the larger store: there the server itself vouches for a transaction."""
    return 1 if store.on_sqlite or name == "vault" else 5


def assert_whole(store: Store, name: StoreName) -> None:
    with store.read() as tx:
        run.check(tx, name)
        assert run.current(tx) == run.head(name)
        assert run.differences(tx, METADATA[name]) == []
        if store.on_sqlite:
            assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_the_revisions_make_the_declared_schema(store: Store, name: StoreName) -> None:
    assert upgrade(store, name) == [run.head(name)]
    assert_whole(store, name)
    assert len(METADATA[name].tables) > 5


def test_running_again_changes_nothing(store: Store, name: StoreName) -> None:
    upgrade(store, name)
    assert upgrade(store, name) == []
    assert_whole(store, name)


@pytest.mark.slow
def test_a_failure_at_any_statement_leaves_the_store_as_it_was(store: Store, name: StoreName) -> None:
    """Fails before the first, second, third … statement, until one run ends by itself."""
    cuts, step = 0, stride(store, name)
    while True:
        try:
            with cut_after(cuts):
                upgrade(store, name)
            break
        except Cut:
            cuts += step
            assert tables(store) == []
    assert cuts > 10
    assert_whole(store, name)


@pytest.mark.slow
def test_a_kill_at_any_statement_leaves_a_store_that_upgrades(store: Store, name: StoreName) -> None:
    """A process of its own forks a child for each statement and kills it there with SIGKILL; the last one ends by itself."""
    url = store.url
    store.close()
    worker = subprocess.run(
        [sys.executable, "-m", "tests.unit.migrations.killed", name, str(stride(store, name))],
        input=url,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert worker.returncode == 0, worker.stderr[-2000:]
    assert int(worker.stdout) > 10
    assert_whole(store, name)


@pytest.mark.slow
def test_two_runs_at_once_make_one_schema(empty_stores: Stores, store: Store, name: StoreName) -> None:
    command = [sys.executable, "-m", "tests.unit.migrations.killed", name, "once"]
    root = Path(__file__).parents[3]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root) for _ in range(2)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(store.url)
        worker.stdin.close()
    for worker in workers:
        assert worker.stderr is not None
        said = worker.stderr.read()
        worker.stderr.close()
        assert worker.wait(60) == 0, said[-2000:]
    assert_whole(store, name)


def test_an_empty_store_is_refused_and_the_command_is_named(store: Store, name: StoreName) -> None:
    with pytest.raises(errors.WrongSchema) as caught, store.read() as tx:
        run.check(tx, name)
    assert "piying init" in caught.value.message
    assert caught.value.code == "schema_not_current"


def test_a_database_of_something_else_is_not_touched(store: Store, name: StoreName) -> None:
    with store.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE theirs (a INTEGER)")
    with pytest.raises(errors.WrongSchema) as caught:
        upgrade(store, name)
    assert caught.value.code == "schema_foreign"
    assert tables(store) == ["theirs"]


def test_a_newer_revision_or_the_other_store_is_refused(store: Store, name: StoreName) -> None:
    """The vault's address in the platform's setting, or a database that a newer program has upgraded."""
    upgrade(store, name)
    other: StoreName = "platform" if name == "vault" else "vault"
    with pytest.raises(errors.WrongSchema) as caught, store.begin() as tx:
        run.upgrade(tx, other)
    assert caught.value.code == "schema_unknown"
    with store.begin() as tx:
        tx.exec_driver_sql(f"UPDATE {run.VERSION_TABLE} SET version_num = 'from_tomorrow'")
    with pytest.raises(errors.WrongSchema) as caught, store.read() as tx:
        run.check(tx, name)
    assert caught.value.code == "schema_unknown"


def test_a_schema_that_somebody_changed_by_hand_is_told_in_words(store: Store, name: StoreName) -> None:
    upgrade(store, name)
    with store.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE theirs (a INTEGER)")
    with store.read() as tx:
        assert run.differences(tx, METADATA[name]) == ["remove_table theirs"]
