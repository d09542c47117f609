"""Runs schema revisions inside a transaction that its caller commits.

Promise: a store goes from its revision to the newest in one transaction, on SQLite and on PostgreSQL; after a failure or a kill at any
statement it is where it was. A database that is not ours is never touched. Two runs at once wait for each other.
Must never learn: keys, rows; it looks at tables only, and the metadata to compare with is handed in.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from privacy import errors

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

StoreName = Literal["vault", "platform"]
STORES: tuple[StoreName, ...] = ("vault", "platform")
VERSION_TABLE = "schema_version"
_LOCK = {"vault": 7_310_001, "platform": 7_310_002}
"""Keys of PostgreSQL's advisory locks; SQLite's write lock is held by the transaction itself."""


def head(store: StoreName) -> str:
    """The newest revision of a store that this program knows."""
    newest = _revisions(store).get_current_head()
    assert newest is not None
    return newest


def current(connection: sa.Connection) -> str | None:
    """The revision that a database says it has; None for one without any."""
    table = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(sa.select(table.c.version_num)).scalar_one_or_none()


def pending(connection: sa.Connection, store: StoreName) -> list[str]:
    """Revisions that `upgrade` would run, oldest first; raises errors.WrongSchema for a database that is not ours."""
    now, revisions = current(connection), _revisions(store)
    known = [revision.revision for revision in revisions.walk_revisions()]
    if now is None:
        _refuse_foreign_tables(connection, store)
    elif now not in known:
        raise errors.WrongSchema(f"the {store} store has a revision that this program does not know", code="schema_unknown")
    newer = known if now is None else known[: known.index(now)]
    return newer[::-1]


def upgrade(connection: sa.Connection, store: StoreName) -> list[str]:
    """Runs what is pending in the caller's transaction, and returns its names. The caller commits; until then nothing has happened."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK[store])))
    steps = pending(connection, store)
    if not steps:
        return []
    revisions = _revisions(store)

    def walk(at: Any, _context: Any) -> Any:
        return revisions._upgrade_revs("head", at)

    options = {"fn": walk, "script": revisions, "transactional_ddl": True, "version_table": VERSION_TABLE}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()
    return steps


def check(connection: sa.Connection, store: StoreName) -> None:
    """Raises errors.WrongSchema, naming the command, unless the store has exactly this program's schema revision."""
    waiting = pending(connection, store)
    if waiting:
        raise errors.WrongSchema(f"the {store} store is {len(waiting)} revision(s) behind: run `piying init`")


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """How a live schema differs from the declared one, in words; empty when they are the same."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    def ours(_item: Any, name: str | None, kind: str, _reflected: bool, _against: Any) -> bool:
        return not (kind == "table" and name == VERSION_TABLE)

    options = {"compare_type": True, "include_object": ours, "version_table": VERSION_TABLE}
    context = MigrationContext.configure(connection, opts=options)
    return [_in_words(difference) for difference in compare_metadata(context, metadata)]


@lru_cache
def _revisions(store: StoreName) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    folder = Path(__file__).parent / store
    return ScriptDirectory(str(folder), version_locations=[str(folder)])


def _refuse_foreign_tables(connection: sa.Connection, store: StoreName) -> None:
    if sa.inspect(connection).get_table_names():
        raise errors.WrongSchema(f"the {store} store's database holds tables of something else", code="schema_foreign")


def _in_words(difference: Any) -> str:
    """Alembic's answer is a tuple, or a list of tuples for one column."""
    if isinstance(difference, list):
        return "; ".join(_in_words(item) for item in difference)
    action, *subjects = difference
    return f"{action} {' '.join(str(getattr(subject, 'name', subject)) for subject in subjects if subject is not None)}"
