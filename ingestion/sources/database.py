"""A table of somebody else's database, read in the order of a watermark column and, where that ties, of its key.

Promise: only the mapped columns are selected, by names that the database itself confirmed; no text of a user becomes SQL. Rows come in
chunks through a cursor on the server. A row is neither lost nor doubled where watermarks are equal: reading goes on behind the last
(watermark, key), which is kept sealed, since a key may be somebody's number. Nothing is ever written there. No driver's message leaves
this module. Must never learn: where the address came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from ingestion import cursors
from ingestion.cursors import PLACE_COLUMN, Notes, Place, Step, Steps, known_by_place
from ingestion.source import FAULT_COLUMN
from ingestion.watermarks import State
from privacy.errors import Invalid, NotConfigured, NotFound, PiyingError, Unavailable
from privacy.records import RawBatch
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.records import Clock, SourceFacts

CONNECT_SECONDS = 10
PART = "rows"
"""A table has one position."""


@dataclass(frozen=True, slots=True)
class Table:
    """What to read: names only. `key` is the primary key unless the table has none (a view); `lookback` seconds or units of the watermark."""

    name: str
    watermark: str
    schema: str | None = None
    key: tuple[str, ...] = ()
    lookback: int = 0


def defined(config: Mapping[str, object]) -> Table:
    """A table as a definition names it; raises Invalid."""
    known = {"name": str, "watermark": str, "schema": str, "key": list, "lookback": int}
    words = cursors.checked(config, known, ("name", "watermark"))
    key = words.pop("key", [])
    if not all(isinstance(column, str) and column for column in key):
        raise Invalid("a key is a list of columns", code="pull_invalid", field="key")
    return Table(**words, key=tuple(key))


def read(
    address: str,
    table: Table,
    mapping: FileMapping,
    source: SourceFacts,
    places: dict[str, Place],
    *,
    notes: Notes,
    clock: Clock,
    rows: int,
) -> Steps:
    """One pass through what is new, in chunks of `rows`; a pass that was cut short goes on where it stopped."""
    place = places.get(PART)
    state = State.parse(notes.open(source.id, place.sealed)) if place is not None and place.sealed is not None else State()
    number = None if place is None else place.number
    with _connected(address) as connection, _told():
        key = _confirmed(connection, table, mapping)
        names = tuple(dict.fromkeys((*mapping.columns, table.watermark, *key)))
        known = None if mapping.id else tuple(dict.fromkeys((table.watermark, *key)))
        mapping = replace(known_by_place(mapping), ignore=mapping.ignore | {table.watermark, *key})
        now = clock()
        with closing(connection.execute(_query(table, key, names, state, now))) as found:
            while chunk := found.fetchmany(rows):
                last = chunk[-1]._mapping
                state = state.read_to(last[table.watermark], [last[column] for column in key], now)
                batch = _batch(source, chunk, names, known, clock(), number)
                yield _step(source, number, state, notes, clock, batch, mapping)
                number = (number or 0) + 1
        ended = state.ended(again=bool(table.lookback))
        if ended != state:
            yield _step(source, number, ended, notes, clock, None, mapping)


def _step(
    source: SourceFacts, number: int | None, state: State, notes: Notes, clock: Clock, raw: RawBatch | None, mapping: FileMapping
) -> Step:
    """The chunk with what moves the position in its transaction: the count of moves is what two readers would disagree about."""
    sealed = notes.seal(source.id, state.text())

    def settle(tx: sa.Connection) -> None:
        cursors.move(tx, source.id, PART, (number or 0) + 1, expected=number, now=clock(), sealed=sealed)

    return Step(settle, raw, mapping)


# ── the query ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _confirmed(connection: sa.Connection, table: Table, mapping: FileMapping) -> tuple[str, ...]:
    """The key's columns, after the database confirmed that all columns exist."""
    inspector = sa.inspect(connection)
    present = {column["name"] for column in inspector.get_columns(table.name, schema=table.schema)}
    key = table.key or tuple(inspector.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"] or ())
    if not key:
        raise Invalid("the table has no primary key: name the columns that tell its rows apart", code="pull_key_missing", field="key")
    for column in (*mapping.columns, table.watermark, *key):
        if column not in present:
            raise Invalid("the table lacks a column that the pull or its mapping names", code="column_missing", field=column)
    return key


def _query(table: Table, key: Sequence[str], names: Sequence[str], state: State, now: datetime) -> sa.Select[Any]:
    """Everything behind the position. Values travel as the driver gave them, so that the database compares what it knows."""
    columns: dict[str, sa.ColumnClause[Any]] = {name: sa.column(name) for name in names}
    watermark = columns[table.watermark]
    order = [watermark, *(columns[name] for name in key if name != table.watermark)]
    query = sa.select(*columns.values()).select_from(sa.table(table.name, schema=table.schema)).where(watermark.is_not(None))
    if state.place is not None:
        values = dict(zip((table.watermark, *key), state.place, strict=True))
        query = query.where(watermark >= _bound(state.place[0]), _behind(order, [values[column.name] for column in order]))
    elif state.high is not None:
        query = query.where(watermark >= _bound(state.floor(table.lookback)))
        if (seen := state.seen_for_good(now)) is not None:
            query = query.where(watermark > _bound(seen))
    return query.order_by(*order)


def _behind(columns: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """(a, b, c) > (x, y, z), written out for databases that do not compare rows."""
    condition: sa.ColumnElement[bool] | None = None
    for column, value in reversed(list(zip(columns, values, strict=True))):
        above = column > _bound(value)
        condition = above if condition is None else sa.or_(above, sa.and_(column == _bound(value), condition))
    if condition is None:
        raise AssertionError("a position has at least its watermark")
    return condition


def _bound(value: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(None, value, type_=sa.types.NullType())


# ── rows as text ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _batch(
    source: SourceFacts, chunk: Sequence[sa.Row[Any]], names: Sequence[str], known: Sequence[str] | None, now: datetime, number: int | None
) -> RawBatch:
    """A chunk as text; where the mapping names no id, a version of a row is known by its watermark and key."""
    columns: dict[str, pa.Array] = {}
    faults: dict[int, str] = {}
    for name, values in zip(names, zip(*chunk, strict=True), strict=True):
        columns[name] = _column(values, faults)
    columns[FAULT_COLUMN] = pa.array([faults.get(index) for index in range(len(chunk))] if faults else [None] * len(chunk), pa.string())
    if known is not None:
        columns[PLACE_COLUMN] = pc.binary_join_element_wise(*(columns[name] for name in known), "\x1f")
    place = f"{source.id}\x1f{now.isoformat()}\x1f{number}"
    return RawBatch(source, now, table=pa.table(columns), chunk=hashlib.sha256(place.encode()).digest())


def _column(values: Sequence[Any], faults: dict[int, str]) -> pa.Array:
    """A column as exact text; what has no text is a fault of its row."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {str}:
            return pa.array(values, pa.string())
        if kinds == {int}:
            return pa.array(values, pa.int64()).cast(pa.string())
    except (pa.ArrowException, UnicodeError, OverflowError):
        pass
    texts: list[str | None] = []
    for index, value in enumerate(values):
        text = _text(value)
        if isinstance(text, FormRule):
            faults[index] = text.value
        texts.append(None if isinstance(text, FormRule) else text)
    return pa.array(texts, pa.string())


def _text(value: Any) -> str | FormRule | None:
    """Numbers as they are written, instants in UTC where they know their zone, days and hours in ISO."""
    match value:
        case None:
            return None
        case str():
            return value if value.isascii() or _is_text(value) else FormRule.BAD_TEXT
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case int() | float():
            return repr(value)
        case datetime():
            return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        case date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
    return FormRule.WRONG_TYPE


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


# ── the connection ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _connected(address: str) -> Iterator[sa.Connection]:
    """A connection of its own that cannot write where the database has a way to say so, closed at the end."""
    with _told():
        url = sa.make_url(address)
        engine = _engine(url)
    try:
        with _told():
            connection = engine.connect()
        with connection:
            yield connection.execution_options(stream_results=True)
    finally:
        engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url.database or "")
    if url.get_backend_name() != "postgresql":
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments)
    return engine.execution_options(postgresql_readonly=True)


def _sqlite(path: str) -> sa.Engine:
    """A file that is only read: opened read-only, with none of the settings of our own stores."""
    from pysqlite3 import dbapi2

    def connect() -> Any:
        return dbapi2.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=CONNECT_SECONDS, check_same_thread=False)

    return sa.create_engine(sa.URL.create("sqlite"), module=dbapi2, creator=connect, poolclass=sa.NullPool, hide_parameters=True)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever a driver says becomes one of our errors: its text may quote addresses and values."""
    try:
        yield
    except PiyingError:
        raise
    except sa.exc.ArgumentError:
        raise Invalid("the address is none of a database", code="pull_address_invalid") from None
    except (sa.exc.NoSuchModuleError, ImportError):
        raise NotConfigured("the driver of this database is not installed", code="pull_driver_missing") from None
    except sa.exc.NoSuchTableError:
        raise NotFound("the database has no such table", code="pull_table_unknown", field="table") from None
    except sa.exc.ProgrammingError:
        raise Invalid("the database refused the query: may the account read this table?", code="pull_refused") from None
    except (sa.exc.SQLAlchemyError, OSError):
        raise Unavailable("the pulled database does not answer", code="pull_unavailable", retry_after=30) from None
    except (ValueError, ArithmeticError):
        raise Invalid("the driver cannot read a value of this table", code="pull_unreadable") from None
