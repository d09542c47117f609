"""The lake's tables: the dictionary's tables as Apache Iceberg tables, and the catalogue that names them.

Promise: two namespaces, `lake` (de-identified rows about people, and rows without people) and `released` (never a person column).
Tables about people are partitioned by data month. Of the identifying columns no statistic stands in any manifest, footer or
dictionary page. It must never learn a row: it knows names and types.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from privacy import errors

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table as IcebergTable
    from pyiceberg.types import IcebergType

    from privacy.dictionary.catalogue import Catalogue

LAKE = "lake"
RELEASED = "released"
MONTH = "month"
UNMEASURED = frozenset({"virtual_id", "order_key", "visit"})
"""Columns without statistics, dictionaries and bloom filters anywhere (law_rules E-2)."""
MEASURED = frozenset({"month", "hour"})
"""The only columns with statistics in footers: the month is a partition's value, the hour is whole hours."""
CLOSED = "piying.closed-"
"""Table property of a closed data month, followed by YYYYMM; its value is the version of the close."""

_MONTH_FIELD = 1000


def open_catalogue(uri: str, warehouse: Path) -> Catalog:
    """The SQL catalogue at a database address; the caller has registered the dialect of that address."""
    import sqlalchemy as sa
    from pyiceberg.catalog.sql import SqlCatalog

    warehouse.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return SqlCatalog("piying", uri=uri, warehouse=warehouse.resolve().as_uri())
    except sa.exc.SQLAlchemyError:
        raise errors.Unavailable("the lake's catalogue does not answer", code="catalogue_unavailable", retry_after=10) from None


def ensure(catalog: Catalog, dictionary: Catalogue) -> None:
    """Makes namespaces and tables that do not exist yet and adds columns that the dictionary gained. Safe to repeat."""
    for namespace in (LAKE, RELEASED):
        catalog.create_namespace_if_not_exists(namespace)
    for name in dictionary.tables:
        schema = dictionary.arrow_schema(name)
        if catalog.table_exists((LAKE, name)):
            _grow(catalog.load_table((LAKE, name)), schema)
        else:
            _create(catalog, name, schema)


def load(catalog: Catalog, name: str) -> IcebergTable:
    """One table of the lake, as it is now."""
    import sqlalchemy as sa
    from pyiceberg.exceptions import NoSuchTableError

    try:
        return catalog.load_table((LAKE, name))
    except NoSuchTableError:
        raise errors.NotFound("there is no such table in the lake", code="unknown_table") from None
    except (sa.exc.SQLAlchemyError, OSError):
        raise errors.Unavailable("the lake's catalogue does not answer", code="catalogue_unavailable", retry_after=10) from None


def local_path(location: str) -> str:
    """The path that DuckDB and the file system use for a location of the catalogue."""
    return location.removeprefix("file://")


def _create(catalog: Catalog, name: str, schema: pa.Schema) -> None:
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import IdentityTransform
    from pyiceberg.types import NestedField

    fields = [NestedField(number, field.name, _type(field.type), required=False) for number, field in enumerate(schema, 1)]
    spec = UNPARTITIONED_PARTITION_SPEC
    if MONTH in schema.names:
        spec = PartitionSpec(PartitionField(schema.names.index(MONTH) + 1, _MONTH_FIELD, IdentityTransform(), MONTH))
    catalog.create_table((LAKE, name), Schema(*fields), partition_spec=spec, properties=_properties())


def _properties() -> dict[str, str]:
    """One committer, so a conflict is an error and never retried: a retried append would be a doubled batch."""
    return {
        "format-version": "2",
        "commit.retry.num-retries": "0",
        "write.metadata.metrics.default": "none",
        **{f"write.metadata.metrics.column.{name}": "full" for name in sorted(MEASURED)},
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "10",
    }


def _grow(table: IcebergTable, schema: pa.Schema) -> None:
    known = set(table.schema().column_names)
    missing = [field for field in schema if field.name not in known]
    if not missing:
        return
    with table.update_schema() as update:
        for field in missing:
            update.add_column(field.name, _type(field.type))


def _type(arrow: pa.DataType) -> IcebergType:
    from pyiceberg.types import BooleanType, DateType, IntegerType, LongType, StringType, TimestamptzType

    kinds: dict[pa.DataType, IcebergType] = {
        pa.string(): StringType(),
        pa.int32(): IntegerType(),
        pa.int64(): LongType(),
        pa.bool_(): BooleanType(),
        pa.date32(): DateType(),
        pa.timestamp("us", tz="UTC"): TimestamptzType(),
    }
    if arrow not in kinds:
        raise errors.Invalid("the dictionary has a column type that the lake does not know", code="bad_dictionary")
    return kinds[arrow]
