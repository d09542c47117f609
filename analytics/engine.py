"""The engine: Ibis expressions on DuckDB, in a process that can reach nothing but the lake's files.

Promise: one session answers one question and is thrown away with everything it held; its spill files lie in one folder inside the home,
emptied at the start and at the end. The configuration is locked before the first expression: no extension, no network, no other file.
It must never learn who a person is, and no connection of its own leaves this module.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from privacy import errors

if TYPE_CHECKING:
    import ibis.expr.types as ir

_LOCK = "in-use"


class Session:
    """One question's engine: tables go in, expressions over them come out as Arrow. Made only by `Engine.session`."""

    def __init__(self, raw: Any, backend: Any) -> None:
        self._raw = raw
        self._backend = backend
        self._names = 0

    def parquet(self, paths: Sequence[str], schema: pa.Schema) -> ir.Table:
        """Exactly these files, with exactly these columns; a column that older files lack is null."""
        import ibis

        if not paths:
            return self.table(schema.empty_table())
        table = self._backend.read_parquet(list(paths), table_name=self._name(), union_by_name=True, hive_partitioning=False)
        wanted = ibis.schema(schema)
        return table.select(
            **{
                name: (table[name] if table[name].type() == kind else table[name].cast(kind))
                if name in table.columns
                else ibis.null().cast(kind)
                for name, kind in wanted.items()
            }
        )

    def table(self, rows: pa.Table) -> ir.Table:
        """Rows handed over in memory. They become a table of the engine's own, so that it knows their number and joins in a good order."""
        name, view = self._name(), self._name()
        self._raw.register(view, rows)
        self._raw.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM {view}")
        self._raw.unregister(view)
        return self._backend.table(name)

    def keep(self, expression: ir.Table) -> ir.Table:
        """The rows of an expression as a table of this session, for expressions that read them more than once. It may spill; it ends with it."""
        with _engine_faults():
            return self._backend.create_table(self._name(), expression, temp=True)

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression."""
        with _engine_faults():
            return self._backend.to_pyarrow(expression)

    def _name(self) -> str:
        """A name that no alias in a compiled expression has (those are t0, t1 …)."""
        self._names += 1
        return f"held_{self._names}"


@contextmanager
def _engine_faults() -> Iterator[None]:
    """What the engine says when it fails may quote values, so it is not handed on."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise errors.Unavailable("the engine has too little memory for this question", code="engine_memory", retry_after=60) from None
    except duckdb.IOException:
        raise errors.Unavailable("the lake's files cannot be read now", code="lake_unavailable", retry_after=30) from None
    except duckdb.Error as fault:
        raise errors.Unavailable(f"the engine failed ({type(fault).__name__})", code="engine_failed", retry_after=60) from None


class Engine:
    """Opens sessions. `lake` is the only folder that they may read, `scratch` the only one that they may write."""

    def __init__(self, lake: Path, scratch: Path, *, threads: int = 2, memory: str = "2GiB") -> None:
        self._lake = lake.resolve()
        self._scratch = scratch.resolve()
        self._threads = threads
        self._memory = memory
        self.empty()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One locked session; its folder of spill files is gone when the block ends, however it ends."""
        import duckdb
        import ibis

        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        raw = duckdb.connect(
            ":memory:",
            config={
                "threads": self._threads,
                "memory_limit": self._memory,
                "temp_directory": str(folder),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "preserve_insertion_order": False,
                "enable_object_cache": False,
            },
        )
        try:
            backend = ibis.duckdb.from_connection(raw)
            allowed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in (self._lake, folder))
            raw.execute(f"SET allowed_directories=[{allowed}]")
            raw.execute("SET enable_external_access=false")
            raw.execute("SET lock_configuration=true")
            yield Session(raw, backend)
        finally:
            raw.close()
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def empty(self) -> None:
        """Removes what sessions that were killed left behind; folders of living sessions are locked and stay."""
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self._scratch.iterdir():
            if not _alive(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _alive(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
