"""One person's rows in the lake, for that person: what their own copy holds of it.

Promise: the rows of the names that a door handed in, of exactly their months, without the names themselves and in order of time. It asks for
no purpose, because a person's right to a copy does not depend on what they allow; the door has logged it and seals what it makes.
It must never learn who the person is, and it has no path to the writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.lake.tables import MONTH

if TYPE_CHECKING:
    import pyarrow as pa

    from analytics.engine import Engine
    from analytics.lake.reader import LakeReader
    from privacy.dictionary.catalogue import Catalogue


class SubjectCopy:
    """Reads what is held of one person."""

    def __init__(self, reader: LakeReader, dictionary: Catalogue, engine: Engine) -> None:
        self._reader = reader
        self._dictionary = dictionary
        self._engine = engine

    def of(self, names: pa.Table) -> dict[str, list[dict[str, Any]]]:
        """The rows of these names (`month` and `virtual_id`) by table; a table without any is there, empty."""
        months = sorted(set(names[MONTH].to_pylist()))
        found: dict[str, list[dict[str, Any]]] = {}
        with self._engine.session() as session:
            asked = session.table(names.select([MONTH, "virtual_id"])).rename(bridge_month=MONTH, bridge_id="virtual_id")
            for name, table in self._dictionary.tables.items():
                if table.people:
                    lines = self._reader.rows(session, name, months, people=True)
                    mine = lines.semi_join(asked, [lines[MONTH] == asked.bridge_month, lines.virtual_id == asked.bridge_id])
                    columns = [column for column in lines.columns if column != "virtual_id"]
                    found[name] = session.run(mine.select(*columns).order_by([MONTH, "hour"])).to_pylist()
        return found
