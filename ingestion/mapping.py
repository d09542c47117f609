"""Mapping files: how the columns of a source become fields of the dictionary (SHAPES "Mapping file").

Promise: a mapping that names an unknown record, field, identifier, zone or key is refused before the first row; applied, it renames and
reads as text whatever it names, drops and counts the rest, and decides nothing about types (that is `ingestion.columns`). Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ingestion import fieldrules
from ingestion.columns import as_text, tidy
from ingestion.fieldrules import Condition, FieldRule, named, names, only, wrong
from privacy.errors import Invalid
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue

_TOP = {"record", "zone", "currency", "encoding", "delimiter", "id", "ignore", "skip", "identifiers", "fields", "consent"}
ENCODINGS = ("utf8", "gb18030", "utf16")
DELIMITERS = (",", ";", "\t", "|")
_CONSENT = {"from", "grant", "at", "notice"}


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """Where consent for one purpose comes from: any value of `column` outside `grant` is a denial, an empty one says nothing."""

    purpose: str
    column: str
    grant: tuple[str, ...]
    at: str | None
    notice: str | None


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A checked mapping."""

    record: str
    fields: Dict[str, FieldRule]
    identifiers: Dict[str, str]
    consents: tuple[ConsentRule, ...] = ()
    zone: str | None = None
    id: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()
    skip: tuple[Condition, ...] = ()
    """Rows for which one of these tests holds mean nothing to this mapping."""
    encoding: str = "utf8"
    delimiter: str | None = None
    """Of CSV; None: what the file's name says."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping reads, each once."""
        read = [column for rule in self.fields.values() for column in rule.columns]
        read += [*self.identifiers.values(), *self.id, *(test.column for test in self.skip)]
        for consent in self.consents:
            read += [column for column in (consent.column, consent.at, consent.notice) if column is not None]
        return tuple(dict.fromkeys(read))


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Text columns by the source's own names, and the rows in which one of them was an object or an array."""

    columns: Dict[str, pa.Array]
    faults: list[tuple[int, str, FormRule]] = field(default_factory=list)


# ── reading a mapping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse(text: str, catalogue: Catalogue) -> FileMapping:
    """Read and check a mapping file; raises Invalid `mapping_invalid` with the place in the file."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Invalid("the mapping is not TOML", code="mapping_invalid") from None
    only(raw, _TOP, "")
    record = catalogue.records.get(_string(raw, "record", "record") or "")
    if record is None:
        raise wrong("record", "the record kind is not in the dictionary")
    for name in _table(raw, "fields"):
        if name not in record.fields:
            raise wrong(f"fields.{name}", "the record has no such field")
    fields = {name: fieldrules.parse(name, rule, record.fields[name].type) for name, rule in _table(raw, "fields").items()}
    identifiers = {name: named(column, f"identifiers.{name}") for name, column in _table(raw, "identifiers").items()}
    for name in identifiers:
        if name not in record.identifiers:
            raise wrong(f"identifiers.{name}", "the record has no such identifier")
    currency = _string(raw, "currency", "currency")
    if currency is not None and "currency" in record.fields and "currency" not in fields:
        fields["currency"] = FieldRule(None, const=currency)
    for name, entry in record.fields.items():
        if entry.input.required and name not in fields:
            raise wrong(f"fields.{name}", "the record cannot do without this field")
    if record.people and not identifiers and not raw.get("consent"):
        raise wrong("identifiers", "a record about people needs an identifier")
    return FileMapping(
        record=record.name,
        fields=fields,
        identifiers=identifiers,
        consents=tuple(_consent(purpose, rule) for purpose, rule in _table(raw, "consent").items()),
        zone=_checked_zone(_string(raw, "zone", "zone")),
        id=tuple(names(raw, "id", "id")),
        ignore=frozenset(names(raw, "ignore", "ignore")),
        skip=_skip(raw),
        encoding=_among(raw, "encoding", ENCODINGS) or "utf8",
        delimiter=_among(raw, "delimiter", DELIMITERS),
    )


def _among(raw: Dict[str, Any], key: str, known: Sequence[str]) -> str | None:
    value = raw.get(key)
    if value is not None and value not in known:
        raise wrong(key, "this is none of the words that are known here")
    return value


def _skip(raw: Dict[str, Any]) -> tuple[Condition, ...]:
    tests = raw.get("skip", [])
    if not isinstance(tests, list):
        raise wrong("skip", "skip is a list of tests")
    return tuple(fieldrules.parse_condition(test, f"skip[{index}]") for index, test in enumerate(tests))


def _consent(purpose: str, rule: Any) -> ConsentRule:
    place = f"consent.{purpose}"
    if not isinstance(rule, dict):
        raise wrong(place, "consent is a table with from and grant")
    only(rule, _CONSENT, place)
    grant = rule.get("grant")
    if not isinstance(grant, list) or not grant or not all(isinstance(word, str) and word for word in grant):
        raise wrong(f"{place}.grant", "grant lists the words that mean yes")
    return ConsentRule(
        purpose=purpose,
        column=named(rule.get("from"), f"{place}.from"),
        grant=tuple(grant),
        at=_string(rule, "at", f"{place}.at"),
        notice=_string(rule, "notice", f"{place}.notice"),
    )


def _table(raw: Dict[str, Any], key: str) -> Dict[str, Any]:
    found = raw.get(key, {})
    if not isinstance(found, dict):
        raise wrong(key, "this must be a table")
    return found


def _string(raw: Dict[str, Any], key: str, place: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise wrong(place, "this must be text")
    return value


def _checked_zone(name: str | None) -> str | None:
    if name is not None:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise wrong("zone", "the time zone is not known") from None
    return name


# ── applying it ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def from_table(mapping: FileMapping, table: pa.Table) -> Tabulated:
    """The mapped columns of a table of text; raises Invalid `column_missing` if the file does not have one of them."""
    present = set(table.column_names)
    for column in mapping.columns:
        if column not in present:
            raise Invalid("the file lacks a column that the mapping names", code="column_missing", field=column)
    columns = {}
    for column in mapping.columns:
        chunks = table.column(column)
        columns[column] = tidy(chunks.chunk(0) if chunks.num_chunks == 1 else pa.concat_arrays(chunks.chunks))
    return Tabulated(columns)


def from_items(mapping: FileMapping, items: Sequence[Dict[str, Any]]) -> Tabulated:
    """The mapped columns of JSON objects as text. A dotted name reaches into objects, unless an item has it as one key."""
    columns: dict[str, pa.Array] = {}
    faults: list[tuple[int, str, FormRule]] = []
    for column in mapping.columns:
        values = [item.get(column) for item in items]
        if "." in column and not any(value is not None for value in values):
            values = [_reach(item, column.split(".")) for item in items]
        typed = as_text(values)
        columns[column] = tidy(typed.values)
        faults += [(index, column, rule) for index, rule in typed.faults]
    return Tabulated(columns, faults)


def message_ids(mapping: FileMapping, columns: Dict[str, pa.Array]) -> tuple[pa.Array | None, list[tuple[int, FormRule]]]:
    """The message id of each row from the mapping's id columns, or None; a row with an empty part has no id, and that is a fault."""
    if not mapping.id:
        return None, []
    parts = [columns[column] for column in mapping.id]
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "\x1f")
    absent = pc.is_null(joined)
    return joined, [(index, FormRule.MISSING) for index in pc.indices_nonzero(absent).to_pylist()] if joined.null_count else []


def granted(rule: ConsentRule, columns: Dict[str, pa.Array]) -> pa.Array:
    """True, false, or null where the row says nothing."""
    text = columns[rule.column]
    return pc.if_else(pc.is_valid(text), pc.is_in(text, pa.array(rule.grant, pa.string())), pa.scalar(None, pa.bool_()))


def _reach(item: Dict[str, Any], path: Sequence[str]) -> Any:
    value: Any = item
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value
