"""The two relational stores: engines, transactions, and what a store's failure means.

Promise: SQLite runs only on pysqlite3 with WAL, synchronous=FULL, secure_delete and foreign keys; a write transaction is BEGIN
IMMEDIATE, a read transaction cannot write and sees one snapshot. PostgreSQL has one engine a role. A store that is locked, full
or away becomes errors.Unavailable with a time to retry; no message of a database, which may quote values, leaves this module.
Must never learn: what the rows mean.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from app.settings import Settings
from privacy import errors


class Role(StrEnum):
    """Who opens the platform store. On PostgreSQL each has an account of its own with the grants of `migrations.grants`."""

    INTAKE = "intake"
    ANALYSIS = "analysis"
    CONSOLE = "console"
    JOBS = "jobs"


# ── SQLite on pysqlite3 ────────────────────────────────────────────────────────────────────────────────────────────────────────

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA mmap_size=0",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
    "PRAGMA wal_autocheckpoint=16384",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA recursive_triggers=ON",  # otherwise INSERT OR REPLACE removes a row without asking its append-only trigger
)


class Pysqlite3Dialect(SQLiteDialect_pysqlite):
    """`sqlite+pysqlite3`: a current SQLite under SQLAlchemy's own dialect, in transactions that we begin ourselves.

    The driver is in autocommit mode, so that DDL is transactional and a transaction begins where we say: IMMEDIATE, unless the
    engine has already begun a reading one.
    """

    driver = "pysqlite3"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        from pysqlite3 import dbapi2

        return dbapi2

    def on_connect(self) -> Callable[[Any], None]:
        inherited = super().on_connect()

        def prepare(connection: Any) -> None:
            if inherited is not None:
                inherited(connection)
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=5000")
            for pragma in _PRAGMAS:
                cursor.execute(pragma)
            cursor.close()

        return prepare

    def do_begin(self, dbapi_connection: Any) -> None:
        if not dbapi_connection.in_transaction:
            dbapi_connection.execute("BEGIN IMMEDIATE")


def register_dialect() -> None:
    """Makes the address scheme `sqlite+pysqlite3` known to SQLAlchemy, for our engines and for the lake's catalogue."""
    registry.register("sqlite.pysqlite3", __name__, "Pysqlite3Dialect")


register_dialect()


def _begin_reading(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _refuse_writes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _make_private_file(url: sa.URL) -> None:
    """A database file is its owner's alone; SQLite gives its -wal and -shm files the same mode."""
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError:
            raise errors.Unavailable("the store's file cannot be opened", code="store_unreachable", retry_after=30) from None


# ── one store ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Store:
    """One database as one role: `begin` writes, `read` cannot. Both are `privacy.orm.Begin`; each opens its own transaction."""

    url: str = field(repr=False)
    busy_timeout: int = 5_000
    connections: int = 10
    _writing: sa.Engine | None = field(default=None, repr=False)
    _reading: sa.Engine | None = field(default=None, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def on_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def begin(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that may write; commits when the block ends well, rolls back otherwise."""
        return self._in_turn() if self.on_sqlite else _transaction(self._writer)

    @contextmanager
    def _in_turn(self) -> Iterator[sa.Connection]:
        """SQLite has one writer: threads of this process queue here, where waiting is exact, and not in its busy loop, which sleeps."""
        if not self._turn.acquire(timeout=self.busy_timeout / 1000):
            raise errors.Unavailable("the store is locked by another writer", code="store_locked", retry_after=1)
        try:
            with _transaction(self._writer) as connection:
                yield connection
        finally:
            self._turn.release()

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that sees one snapshot and in which every write fails."""
        return _transaction(self._reader)

    def scrub(self, tables: Iterable[str]) -> None:
        """Takes deleted rows off the disk as far as the database can: SQLite empties its journal, PostgreSQL clears dead rows. Waits for nobody."""
        connection = self._writer().raw_connection()
        try:
            driver: Any = connection.driver_connection
            if self.on_sqlite:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            driver.rollback()
            driver.autocommit = True
            driver.execute("VACUUM " + ", ".join(f'"{table}"' for table in tables))
            driver.autocommit = False
        finally:
            connection.close()

    def close(self) -> None:
        for engine in (self._writing, self._reading):
            if engine is not None:
                engine.dispose()
        self._writing = self._reading = None

    def _writer(self) -> sa.Engine:
        with self._opening:  # threads that come first together must not open a pool each
            if self._writing is None:
                self._writing = self._engine()
            return self._writing

    def _reader(self) -> sa.Engine:
        with self._opening:
            if self._reading is None:
                engine = self._engine()
                if self.on_sqlite:
                    sa.event.listen(engine, "begin", _begin_reading)
                    sa.event.listen(engine, "connect", _refuse_writes)
                else:
                    engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                self._reading = engine
            return self._reading

    def _engine(self) -> sa.Engine:
        url = sa.make_url(self.url)
        arguments: dict[str, Any]
        if self.on_sqlite:
            _make_private_file(url)
            arguments = {"timeout": self.busy_timeout / 1000, "check_same_thread": False}
        else:
            arguments = {"connect_timeout": 5, "options": f"-c timezone=UTC -c lock_timeout={self.busy_timeout}"}
        engine = sa.create_engine(
            url,
            connect_args=arguments,
            pool_size=self.connections,
            max_overflow=0,
            pool_timeout=self.busy_timeout / 1000,
            pool_pre_ping=not self.on_sqlite,
            hide_parameters=True,
        )
        if self.on_sqlite and self.busy_timeout != 5_000:
            wait = f"PRAGMA busy_timeout={int(self.busy_timeout)}"
            sa.event.listen(engine, "connect", lambda connection, _record: connection.execute(wait))
        return engine


@contextmanager
def _transaction(engine: Callable[[], sa.Engine]) -> Iterator[sa.Connection]:
    try:
        with engine().begin() as connection:
            yield connection
    except sa.exc.TimeoutError:
        raise errors.Unavailable("every connection of the store is in use", code="store_busy", retry_after=1) from None
    except sa.exc.DBAPIError as error:
        _raise_without_values(error)


# ── what a failure means ───────────────────────────────────────────────────────────────────────────────────────────────────────

_SQLITE_FAULTS = (
    ("locked", "store_locked", "the store is locked by another writer", 1),
    ("full", "disk_full", "the disk of the store is full", 60),
    ("readonly", "store_readonly", "the store cannot be written", 60),
    ("unable to open", "store_unreachable", "the store cannot be opened", 30),
    ("disk i/o", "store_unreachable", "the store's disk does not answer", 30),
    ("malformed", "store_corrupt", "the store's file is damaged", 60),
    ("not a database", "store_corrupt", "the store's file is not a database", 60),
)
_POSTGRES_FAULTS: Mapping[str, tuple[str, str, int]] = {
    "55P03": ("store_locked", "the store is locked by another writer", 1),
    "40P01": ("store_locked", "two transactions waited for each other", 1),
    "40001": ("store_locked", "another transaction came first", 1),
    "53100": ("disk_full", "the disk of the store is full", 60),
    "53200": ("store_unreachable", "the store is out of memory", 30),
    "53300": ("store_busy", "the store has no free connection", 2),
    "25006": ("store_readonly", "the store cannot be written", 60),
}


class _Bare(Exception):
    """What is left of a driver's error: its class, state and constraint, without the values it may quote."""


def _raise_without_values(error: sa.exc.DBAPIError) -> NoReturn:
    """Raises errors.Unavailable where waiting may help; otherwise the same class of error with its text taken out."""
    original = error.orig
    state = str(getattr(original, "sqlstate", None) or "")
    text = str(original).lower()
    if state:
        fault = _POSTGRES_FAULTS.get(state)
        if fault is None and state[:2] in ("08", "57"):
            fault = ("store_unreachable", "the store does not answer", 5)
    elif isinstance(error, sa.exc.OperationalError) and type(original).__module__.startswith("psycopg"):
        fault = ("store_unreachable", "the store does not answer", 5)
    else:
        fault = next(((code, message, wait) for part, code, message, wait in _SQLITE_FAULTS if part in text), None)
        if isinstance(error, sa.exc.IntegrityError):
            fault = None
    if fault is not None:
        code, message, wait = fault
        raise errors.Unavailable(message, code=code, retry_after=wait) from None
    constraint = getattr(getattr(original, "diag", None), "constraint_name", None)
    bare = _Bare(" ".join(part for part in (type(original).__name__, state, constraint) if part))
    raise type(error)(None, None, bare, hide_parameters=True) from None


# ── both stores ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Stores:
    """The vault and the platform store of one deployment; the platform once for each role that has an address of its own."""

    vault: Store
    roles: Mapping[Role, Store]
    vault_owner: Store
    platform_owner: Store

    def platform(self, role: Role = Role.JOBS) -> Store:
        return self.roles[role]

    def begin_vault(self) -> AbstractContextManager[sa.Connection]:
        return self.vault.begin()

    def read_vault(self) -> AbstractContextManager[sa.Connection]:
        return self.vault.read()

    def begin_platform(self, role: Role = Role.JOBS) -> AbstractContextManager[sa.Connection]:
        return self.roles[role].begin()

    def read_platform(self, role: Role = Role.JOBS) -> AbstractContextManager[sa.Connection]:
        return self.roles[role].read()

    def close(self) -> None:
        for store in {id(store): store for store in (self.vault, *self.roles.values(), self.vault_owner, self.platform_owner)}.values():
            store.close()


def open_stores(settings: Settings) -> Stores:
    """The stores that the settings name; connects to nothing yet. Roles without an address of their own share platform.url."""
    known: dict[str, Store] = {}

    def store(url: str) -> Store:
        return known.setdefault(url, Store(url, settings.limits.busy_timeout, settings.limits.store_connections))

    platform = settings.platform
    addresses = {
        Role.INTAKE: platform.intake_url,
        Role.ANALYSIS: platform.analysis_url,
        Role.CONSOLE: platform.console_url,
        Role.JOBS: platform.jobs_url,
    }
    return Stores(
        vault=store(settings.vault_url),
        roles={role: store(url or settings.platform_url) for role, url in addresses.items()},
        vault_owner=store(settings.vault.owner_url or settings.vault_url),
        platform_owner=store(platform.owner_url or settings.platform_url),
    )
