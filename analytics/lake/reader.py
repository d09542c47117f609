"""The lake's read-only twin: opens exactly the months of a question, and people only joined with those who allow its purpose now.

Promise: there is no unjoined read. A view is opened for one purpose and a list of months; every table about people comes out of it with a
run ID in place of the virtual ID, for those months and for people who allow the purpose at this moment, and in no other way. Run IDs
mean nothing after the view is closed. It must never learn an identifier, and it has no path to the writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analytics.lake.tables import CLOSED, MONTH, load, local_path
from privacy import errors

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from pyiceberg.catalog import Catalog

    from analytics.engine import Engine, Session
    from privacy.dictionary.catalogue import Catalogue
    from privacy.records import OpenPopulation

PERSON = "run_id"
"""The only name a person has in analytics, for as long as one view is open."""

MOST_KEPT = 100_000
"""Rows of a table without people that stay in memory."""


class View:
    """What one question may see. Made only by `LakeReader.open`."""

    def __init__(self, reader: LakeReader, session: Session, months: tuple[int, ...], bridge: pa.Table, policy: str = "") -> None:
        self._reader = reader
        self.policy = policy
        self._session = session
        self.months = months
        self._bridge = session.table(bridge.select([MONTH, "virtual_id", PERSON]))

    def people(self, name: str, months: Sequence[int] | None = None) -> ir.Table:
        """Rows of a table about people, of this view's months (or some of them), each under its person's run ID."""
        wanted = self.months if months is None else tuple(months)
        if not set(wanted) <= set(self.months):
            raise errors.Refused("a month that the question does not name is not opened", code="month_not_priced")
        lines = self._reader.rows(self._session, name, wanted, people=True)
        bridge = self._bridge.rename(bridge_month=MONTH, bridge_id="virtual_id")
        joined = lines.inner_join(bridge, [lines[MONTH] == bridge.bridge_month, lines.virtual_id == bridge.bridge_id])
        return joined.select(PERSON, *[column for column in lines.columns if column != "virtual_id"])

    def identifiers(self, month: int) -> ir.Table:
        """One virtual ID of the month for each run ID: what the month's close writes its rows under."""
        if month not in self.months:
            raise errors.Refused("a month that the question does not name is not opened", code="month_not_priced")
        of_month = self._bridge.filter(self._bridge[MONTH] == month)
        return of_month.group_by(PERSON).agg(virtual_id=of_month.virtual_id.min())

    def table(self, rows: pa.Table) -> ir.Table:
        """Public constants, as a table to join with."""
        return self._session.table(rows)

    def keep(self, expression: ir.Table) -> ir.Table:
        """The rows of an expression, for as long as this view is open."""
        return self._session.keep(expression)

    def run(self, expression: ir.Table) -> pa.Table:
        return self._session.run(expression)


class LakeReader:
    """Opens views on the lake. `open_population` is a door's: it says who allows a purpose now."""

    def __init__(self, catalog: Catalog, dictionary: Catalogue, engine: Engine, open_population: OpenPopulation) -> None:
        self._catalog = catalog
        self._dictionary = dictionary
        self._engine = engine
        self._open_population = open_population
        self._kept: dict[str, tuple[list[str], pa.Table]] = {}

    @contextmanager
    def open(self, purpose: str, months: Sequence[int]) -> Iterator[View]:
        """A view for one question; whoever withdrew a moment ago is not in it."""
        wanted = tuple(sorted(set(months)))
        population = self._open_population(purpose)
        if population.purpose != purpose:
            raise errors.Refused("the population is of another purpose", code="purpose_unknown")
        with self._engine.session() as session:
            yield View(self, session, wanted, population.bridge(wanted), population.policy)

    def months_held(self, name: str) -> tuple[int, ...]:
        """The months of which a table has a partition."""
        tasks = load(self._catalog, name).scan().plan_files()
        return tuple(sorted({int(task.file.partition[0]) for task in tasks}))

    def month_closed(self, name: str, month: int) -> bool:
        """Whether a month's close was committed to a table."""
        return f"{CLOSED}{month}" in load(self._catalog, name).properties

    def open_table(self, name: str) -> pa.Table:
        """A table without people, exact and free: of equal keys the row that was loaded last, or the values, if the dictionary says so.
        Kept as long as its files are the same: pages ask for the names of stores again and again."""
        paths = self._paths(name, None, people=False)
        kept = self._kept.get(name)
        if kept is not None and kept[0] == paths:
            return kept[1]
        found = self._latest(name, paths)
        if found.num_rows <= MOST_KEPT:
            self._kept[name] = (paths, found)
        return found

    def _latest(self, name: str, paths: list[str]) -> pa.Table:
        table = self._dictionary.tables[name]
        key = list(table.key)
        with self._engine.session() as session:
            rows = session.parquet(paths, self._dictionary.arrow_schema(name))
            if table.latest == "value":
                return session.run(_latest_values(rows, key).order_by(key))
            latest = rows.group_by(key).agg(latest=rows.loaded.max())
            current = rows.inner_join(latest, [*[rows[column] == latest[column] for column in key], rows.loaded == latest.latest])
            current = current.select(*rows.columns)
            others = [column for column in rows.columns if column not in key]
            one = current.group_by(key).agg(**{column: current[column].max() for column in others})
            return session.run(one.select(*rows.columns).order_by(key))

    def rows(self, session: Session, name: str, months: Sequence[int] | None, *, people: bool) -> ir.Table:
        """For views only: the files of a consistent snapshot, of exactly these months."""
        return session.parquet(self._paths(name, months, people=people), self._dictionary.arrow_schema(name))

    def _paths(self, name: str, months: Sequence[int] | None, *, people: bool) -> list[str]:
        if self._dictionary.tables[name].people != people:
            raise errors.Refused("tables about people are read joined, tables without people are read as they are", code="wrong_door")
        paths = []
        scan = load(self._catalog, name).scan()
        if months is not None:
            scan = scan.filter(f"{MONTH} in ({', '.join(str(int(month)) for month in months)})") if months else scan.filter("false")
        for task in scan.plan_files():
            if task.delete_files:
                raise errors.Refused("the lake has rows marked as deleted and not removed", code="lake_not_current")
            if months is not None and task.file.partition[0] not in months:
                raise errors.Refused("a month that the question does not name is not opened", code="month_not_priced")
            paths.append(local_path(task.file.file_path))
        return sorted(paths)


def _latest_values(rows: ir.Table, key: list[str]) -> ir.Table:
    """One row a key; each column has the value that was loaded last, an empty cell changes nothing."""
    others = [column for column in rows.columns if column not in key]
    last = rows.group_by(key).agg(**{f"last_{column}": rows.loaded.max(where=rows[column].notnull()) for column in others})
    joined = rows.inner_join(last, key)
    values = {column: joined[column].max(where=joined.loaded == joined[f"last_{column}"]) for column in others}
    return joined.group_by(key).agg(**values).select(*rows.columns)
