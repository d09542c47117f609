"""Released tables for other programs: OData, CSV, Parquet, and the files that Power BI and Tableau open them with.

Promise: read-only; everything comes from stored releases, so a hundred refreshes cost nothing and write no line; a row is a public cell
and a released number, never a person.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from app import odata
from privacy.errors import NotFound

if TYPE_CHECKING:
    from app.wiring import Services

ROOT = "/feeds/odata"
PARQUET = "application/vnd.apache.parquet"
_LOCAL = {"Edm.Double": "real", "Edm.Int64": "integer", "Edm.Date": "date", "Edm.String": "string"}


def tables(services: Services) -> list[dict[str, Any]]:
    """What there is: name, measure and groupings of each released table."""
    return [{"name": name, "measure": measure, "by": list(by)} for name, (measure, by) in services.feed_tables().items()]


def service(services: Services) -> dict[str, Any]:
    """The service document of the OData feed."""
    return odata.service(services.base_url + ROOT, list(services.feed_tables()))


def metadata(services: Services) -> str:
    """What the tables' columns are."""
    return odata.metadata({name: by for name, (_, by) in services.feed_tables().items()})


def entities(services: Services, name: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """The rows of a table that the options of the address leave."""
    by, rows = _rows(services, name)
    return odata.answer(services.base_url + ROOT, name, by, rows, asked)


def as_csv(services: Services, name: str) -> bytes:
    """A table as CSV, UTF-8 with the mark that spreadsheets look for; values that could be formulas are text."""
    by, rows = _rows(services, name)
    columns = list(odata.columns(by))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_plain(row[column]) for column in columns] for row in rows])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def as_parquet(services: Services, name: str) -> bytes:
    """A table as Parquet; each column's type is the feed's."""
    import pyarrow as pa
    from pyarrow import parquet

    by, rows = _rows(services, name)
    kinds = {"Edm.Double": pa.float64(), "Edm.Int64": pa.int64(), "Edm.Date": pa.string(), "Edm.String": pa.string()}
    columns = odata.columns(by)
    made = pa.table({column: pa.array([row[column] for row in rows], kinds[kind]) for column, kind in columns.items()})
    at = made.schema.get_field_index("month")
    made = made.set_column(at, "month", made["month"].cast(pa.timestamp("s")).cast(pa.date32()))
    sink = pa.BufferOutputStream()
    parquet.write_table(made, sink)
    return bytes(sink.getvalue().to_pybytes())


def pbids(services: Services) -> bytes:
    """The file with which Power BI opens the OData feed; it holds an address and no key."""
    source = {"details": {"protocol": "odata", "address": {"url": services.base_url + ROOT}}, "options": {}, "mode": "Import"}
    return json.dumps({"version": "0.1", "connections": [source]}, indent=2).encode()


def tds(services: Services, name: str) -> bytes:
    """The file with which Tableau opens a table's CSV that lies beside it, with its columns' types and which of them are measures."""
    by, _ = _known(services, name)
    columns = "".join(
        f"<column name={quoteattr(f'[{column}]')} datatype='{_LOCAL[kind]}' role='{_role(kind)}' type='{_way(kind)}'/>"
        for column, kind in odata.columns(by).items()
    )
    relation = f"<relation name={quoteattr(name + '.csv')} table={quoteattr(f'[{name}#csv]')} type='table'/>"
    file = quoteattr(name + ".csv")
    connection = f"<connection class='textscan' directory='.' filename={file} separator=',' charset='utf-8'>{relation}</connection>"
    head = f"<datasource formatted-name={quoteattr(name)} inline='true' version='18.1'>"
    made = f"<?xml version='1.0' encoding='utf-8'?>\n{head}{connection}{columns}</datasource>\n"
    return made.encode()


def _role(kind: str) -> str:
    return "measure" if kind == "Edm.Double" else "dimension"


def _way(kind: str) -> str:
    return {"Edm.Double": "quantitative", "Edm.Date": "ordinal"}.get(kind, "nominal")


def _plain(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _known(services: Services, name: str) -> tuple[tuple[str, ...], str]:
    found = services.feed_tables().get(name)
    if found is None:
        raise NotFound("there is no such released table", code="table_unknown")
    return found[1], found[0]


def _rows(services: Services, name: str) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    by, measure = _known(services, name)
    return by, services.feed_rows(measure, by)
