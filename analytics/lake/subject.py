"""One person's rows in the lake, counted: for the officer who shows a person what is held of them.

Promise: counts by table, month and hour, of the names that a door handed in, and of exactly their months; no row and no name comes out. It
asks for no purpose, because a person's right to know does not depend on what they allow; the door has logged it.
It must never learn who the person is, and it has no path to the writer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.lake.tables import MONTH

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from analytics.engine import Engine
    from analytics.lake.reader import LakeReader
    from privacy.dictionary.catalogue import Catalogue


class Counted(NamedTuple):
    """Rows of one table in one hour."""

    table: str
    month: int
    hour: datetime
    rows: int


class SubjectCounts:
    """Counts what is held of one person."""

    def __init__(self, reader: LakeReader, dictionary: Catalogue, engine: Engine) -> None:
        self._reader = reader
        self._dictionary = dictionary
        self._engine = engine

    def of(self, names: pa.Table) -> list[Counted]:
        """The counts of these names: `month` and `virtual_id`, one row each."""
        from ibis import union

        months = sorted(set(names[MONTH].to_pylist()))
        with self._engine.session() as session:
            asked = session.table(names.select([MONTH, "virtual_id"])).rename(bridge_month=MONTH, bridge_id="virtual_id")
            counts = [
                _counted(self._reader.rows(session, name, months, people=True), asked, name)
                for name, table in self._dictionary.tables.items()
                if table.people
            ]
            return [Counted(**row) for row in session.run(union(*counts)).to_pylist()]


class SubjectTags:
    """Shows a person what the newest closed month says about them: for themselves, and by nobody's name."""

    def __init__(self, reader: LakeReader, engine: Engine) -> None:
        self._reader = reader
        self._engine = engine

    def of(self, names: pa.Table) -> dict[str, Any]:
        """The columns of the newest row of `person_month` under these names; empty where there is none."""
        held = set(self._reader.months_held("person_month"))
        months = sorted(set(names[MONTH].to_pylist()) & held)
        if not months:
            return {}
        with self._engine.session() as session:
            asked = session.table(names.select([MONTH, "virtual_id"])).rename(bridge_month=MONTH, bridge_id="virtual_id")
            lines = self._reader.rows(session, "person_month", months, people=True)
            mine = lines.semi_join(asked, [lines[MONTH] == asked.bridge_month, lines.virtual_id == asked.bridge_id])
            rows = session.run(mine.order_by(mine[MONTH].desc()).limit(1)).to_pylist()
        return {name: value for name, value in rows[0].items() if name not in NAMES} if rows else {}


NAMES = frozenset({MONTH, "virtual_id", "hour", "source"})
"""Columns that name a row and say nothing about the person."""


def _counted(lines: ir.Table, asked: ir.Table, name: str) -> ir.Table:
    from ibis import literal

    here = lines.semi_join(asked, [lines[MONTH] == asked.bridge_month, lines.virtual_id == asked.bridge_id])
    return here.group_by([MONTH, "hour"]).agg(rows=here.count()).mutate(table=literal(name))
