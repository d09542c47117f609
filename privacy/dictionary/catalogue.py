"""The data dictionary, read from the TOML files beside this module.

Promise: every field has a type, both meanings, a class, a category, purposes and a fate; every lake column is fed; a file that
breaks this does not load. What is not in here is unknown, and the unknown is dropped. It must never learn a value: it knows names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from privacy import errors
from privacy.vocabulary import ANALYTIC_PURPOSES, PURPOSE_FAMILIES, IdentifierType

CLASSES = ("direct_identifier", "quasi_identifier", "sensitive", "behavioural", "non_personal")
TREATMENTS = ("link", "band", "truncate", "generalise", "scrub", "keep")
CHILD = "child"
"""The category of fields about children: a row that carries one is refused (law_rules L-1)."""

FIELD_TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "string": pa.string(),
        "text": pa.string(),
        "int": pa.int64(),
        "minor": pa.int64(),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "instant": pa.timestamp("us", tz="UTC"),
    }
)
"""Arrow type of each field type. `minor` is an amount as an exact integer of minor units; `text` is free text."""

COLUMN_TYPES: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "date32": pa.date32(),
        "instant": pa.timestamp("us", tz="UTC"),
    }
)

_HEAD = {
    "virtual_id": ("int64", "Virtual identifier of a person, valid for one data month", "人员的虚拟编号（仅当月有效）"),
    "month": ("int32", "Data month in the controller's time zone, YYYYMM", "数据月份（控制者时区，YYYYMM）"),
    "hour": ("instant", "Hour of the event; nothing finer is kept", "发生的小时（不保留更细的时间）"),
    "source": ("string", "Source", "来源"),
}
_TAIL = {"loaded": ("int64", "Inbox sequence of the row; the latest row counts", "收件序号（以最新一行为准）")}
SYSTEM_COLUMNS = frozenset({"virtual_id", "source", "loaded"})
"""Columns that no field feeds: the admission and the writer add them."""


@dataclass(frozen=True, slots=True)
class Becomes:
    """Where a field goes: one column of one table, by one treatment; `by` names the rule of the treatment."""

    table: str
    column: str
    treatment: str
    by: str


@dataclass(frozen=True, slots=True)
class Input:
    """Rules of form for a field. `min` and `max` are ISO days for dates and integers otherwise; `values` is a closed list."""

    required: bool = False
    max_length: int | None = None
    min: int | str | None = None
    max: int | str | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a source may send."""

    name: str
    type: str
    unit: str | None
    meaning_en: str
    meaning_zh: str
    class_: str
    category: str
    purposes: tuple[str, ...]
    input: Input
    becomes: tuple[Becomes, ...]

    @property
    def arrow_type(self) -> pa.DataType:
        return FIELD_TYPES[self.type]

    @property
    def dropped(self) -> bool:
        return not self.becomes


@dataclass(frozen=True)
class Record:
    """One kind of record. `time` names the field that says when; `time_default` is "received" where it may be absent."""

    name: str
    people: bool
    time: str | None
    time_default: str | None
    identifiers: tuple[str, ...]
    meaning_en: str
    meaning_zh: str
    fields: Mapping[str, Field]

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The lake tables that rows of this kind feed, in a fixed order."""
        return tuple(sorted({b.table for f in self.fields.values() for b in f.becomes}))

    @cached_property
    def child_fields(self) -> frozenset[str]:
        return frozenset(f.name for f in self.fields.values() if f.category == CHILD)

    @cached_property
    def sensitive_fields(self) -> Mapping[str, str]:
        """Sensitive fields, other than about children, with the separate purpose that each needs."""
        return {f.name: f.purposes[0] for f in self.fields.values() if f.class_ == "sensitive" and f.category != CHILD}

    def feeds(self, table: str) -> tuple[tuple[Field, Becomes], ...]:
        return tuple((f, b) for f in self.fields.values() for b in f.becomes if b.table == table)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a lake table."""

    name: str
    type: str
    meaning_en: str
    meaning_zh: str

    @property
    def arrow_type(self) -> pa.DataType:
        return COLUMN_TYPES[self.type]


@dataclass(frozen=True, slots=True)
class Table:
    """One lake table. `made`: records or close. `key`: in tables without people the columns that name a row; of equal keys the latest row
    counts, or, where `latest` is "value", each column's latest value, so that two sources may fill one row."""

    name: str
    people: bool
    made: str
    key: tuple[str, ...]
    meaning_en: str
    meaning_zh: str
    columns: Mapping[str, Column]
    latest: str = "row"


@dataclass(frozen=True)
class Catalogue:
    """The whole dictionary."""

    records: Mapping[str, Record]
    tables: Mapping[str, Table]
    forbidden_patterns: Mapping[str, tuple[str, ...]]
    generalisations: Mapping[str, Any] = field(repr=False)

    def record(self, name: str) -> Record:
        if name not in self.records:
            raise errors.Invalid("unknown record kind", code="unknown_record", field="record")
        return self.records[name]

    def arrow_schema(self, table: str) -> pa.Schema:
        """The columns of a lake table, in order, with their Arrow types."""
        if table not in self.tables:
            raise errors.NotFound("unknown table", code="unknown_table")
        return pa.schema([(c.name, c.arrow_type) for c in self.tables[table].columns.values()])

    def fields_schema(self, record: str) -> pa.Schema:
        """The fields of a record kind with their Arrow types."""
        return pa.schema([(f.name, f.arrow_type) for f in self.record(record).fields.values()])

    def categories(self) -> frozenset[str]:
        """The categories of what sources may send about people."""
        return frozenset(one.category for record in self.records.values() if record.people for one in record.fields.values())

    def forbidden(self, path: str) -> str | None:
        """The forbidden category that a field's path names, or None. Each part of the path counts, in lower snake case."""
        for part in re.split(r"[.\[\]/]+", path):
            name = snake(part)
            for category, patterns in self.forbidden_patterns.items():
                if any(fnmatchcase(name, pattern) for pattern in patterns):
                    return category
        return None


@lru_cache(maxsize=4096)
def snake(name: str) -> str:
    """A field's name in lower snake case: "faceImage", "Face Image" and "FACE-IMAGE" are one name."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


@lru_cache(maxsize=1)
def load() -> Catalogue:
    """The dictionary of this program, read once."""
    return read(Path(__file__).parent)


def read(folder: Path) -> Catalogue:
    """Reads a folder of dictionary files and checks it whole; raises errors.Invalid naming the file's fault."""
    documents = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}
    try:
        tables = {name: _table(name, body) for name, body in documents.pop("tables")["tables"].items()}
        patterns = {name: tuple(body["patterns"]) for name, body in documents.pop("forbidden")["categories"].items()}
        generalisations = documents.pop("generalisations")
        records = {name: _record(name, body) for name, body in documents.items()}
    except (KeyError, TypeError) as fault:
        raise errors.Invalid(f"the dictionary lacks {fault}", code="bad_dictionary") from None
    catalogue = Catalogue(
        MappingProxyType(records), MappingProxyType(tables), MappingProxyType(patterns), MappingProxyType(generalisations)
    )
    _check(catalogue)
    return catalogue


def _table(name: str, body: dict[str, Any]) -> Table:
    people = bool(body["people"])
    columns = dict(_HEAD) if people else {}
    columns |= {key: (c["type"], c["en"], c["zh"]) for key, c in body["columns"].items()}
    columns |= {} if people else _TAIL
    return Table(
        name,
        people,
        body.get("made", "records"),
        tuple(body.get("key", ())),
        body["meaning"]["en"],
        body["meaning"]["zh"],
        MappingProxyType({key: Column(key, *facts) for key, facts in columns.items()}),
        body.get("latest", "row"),
    )


def _record(stem: str, body: dict[str, Any]) -> Record:
    if body["record"] != stem:
        raise errors.Invalid(f"{stem}.toml holds another record", code="bad_dictionary")
    purposes = tuple(body["purposes"])
    return Record(
        stem,
        bool(body["people"]),
        body.get("time"),
        body.get("time_default"),
        tuple(body["identifiers"]),
        body["meaning"]["en"],
        body["meaning"]["zh"],
        MappingProxyType({name: _field(name, f, purposes) for name, f in body["fields"].items()}),
    )


def _field(name: str, body: dict[str, Any], purposes: tuple[str, ...]) -> Field:
    rules = dict(body.get("input", {}))
    if "values" in rules:
        rules["values"] = tuple(rules["values"])
    return Field(
        name,
        body["type"],
        body.get("unit"),
        body["meaning"]["en"],
        body["meaning"]["zh"],
        body["class"],
        body["category"],
        tuple(body.get("purposes", purposes)),
        Input(**rules),
        _becomes(body["becomes"]),
    )


def _becomes(body: str | dict[str, Any]) -> tuple[Becomes, ...]:
    if isinstance(body, str):
        if body != "drop":
            raise errors.Invalid("a field becomes columns or drop", code="bad_dictionary")
        return ()
    found = []
    for target, how in body.items():
        table, column = target.split(".")
        facts = {"treatment": how} if isinstance(how, str) else how
        found.append(Becomes(table, column, facts["treatment"], facts.get("by", column)))
    return tuple(found)


def _check(catalogue: Catalogue) -> None:
    faults = [fault for record in catalogue.records.values() for fault in _record_faults(catalogue, record)]
    fed = {(b.table, b.column) for r in catalogue.records.values() for f in r.fields.values() for b in f.becomes}
    for table in catalogue.tables.values():
        faults += [f"{table.name}.{key}: key is no column" for key in table.key if key not in table.columns]
        if table.latest not in ("row", "value"):
            faults.append(f"{table.name}: latest is row or value")
        for column in table.columns.values():
            if not (column.meaning_en and column.meaning_zh) or column.type not in COLUMN_TYPES:
                faults.append(f"{table.name}.{column.name}: type and both meanings are needed")
            if table.made == "records" and column.name not in SYSTEM_COLUMNS and (table.name, column.name) not in fed:
                faults.append(f"{table.name}.{column.name}: no field feeds it")
    if faults:
        raise errors.Invalid("; ".join(faults), code="bad_dictionary")


def _record_faults(catalogue: Catalogue, record: Record) -> list[str]:
    faults = []
    known = {str(kind) for kind in IdentifierType}
    if not set(record.identifiers) <= known or (record.identifiers and not record.people):
        faults.append(f"{record.name}: identifiers")
    if record.people and (record.time is None or record.fields[record.time].type != "instant"):
        faults.append(f"{record.name}: needs an instant that says when")
    for f in record.fields.values():
        where = f"{record.name}.{f.name}"
        if not (f.meaning_en and f.meaning_zh):
            faults.append(f"{where}: both meanings are needed")
        if f.class_ not in CLASSES or f.type not in FIELD_TYPES or not f.category:
            faults.append(f"{where}: class, type or category is unknown")
        if not all(p in ANALYTIC_PURPOSES or p.split(".")[0] in PURPOSE_FAMILIES for p in f.purposes):
            faults.append(f"{where}: a purpose is unknown")
        if record.people and not f.purposes and f.category != CHILD:
            faults.append(f"{where}: serves no purpose")
        if f.class_ in ("direct_identifier", "sensitive") and not f.dropped:
            faults.append(f"{where}: may not enter the lake")
        faults += [f"{where}: {fault}" for b in f.becomes if (fault := _fate_fault(catalogue, record, f, b))]
    return faults


def _fate_fault(catalogue: Catalogue, record: Record, f: Field, b: Becomes) -> str | None:
    table = catalogue.tables.get(b.table)
    if table is None or b.column not in table.columns or b.treatment not in TREATMENTS:
        return "becomes an unknown column or treatment"
    if table.people != record.people:
        return "people and no people may not mix"
    if f.type == "text" and b.treatment != "scrub":
        return "text must be scrubbed"
    return None
