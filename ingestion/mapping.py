"""Mapping files: how the columns of a source become fields of the dictionary (SHAPES "Mapping file").

Promise: a mapping that names an unknown record, field, identifier, zone or key is refused before the first row; applied, it renames and
reads as text whatever it names, drops and counts the rest, and decides nothing about types (that is `ingestion.columns`). Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import Typed, as_text, tidy
from privacy.errors import Invalid
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue

_TOP = {"record", "zone", "currency", "id", "ignore", "identifiers", "fields", "consent"}
_FIELD = {"from", "const", "values", "format", "times"}
_CONSENT = {"from", "grant", "at", "notice"}


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one field comes from: a column, or a constant."""

    column: str | None
    const: str | None = None
    values: Dict[str, str] | None = None
    form: str | None = None
    times: Decimal = Decimal(1)


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

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping reads, each once."""
        named = [rule.column for rule in self.fields.values() if rule.column is not None]
        named += [*self.identifiers.values(), *self.id]
        for consent in self.consents:
            named += [column for column in (consent.column, consent.at, consent.notice) if column is not None]
        return tuple(dict.fromkeys(named))


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
    _only(raw, _TOP, "")
    record = catalogue.records.get(_string(raw, "record", "record") or "")
    if record is None:
        raise _wrong("record", "the record kind is not in the dictionary")
    fields = {name: _field(name, rule) for name, rule in _table(raw, "fields").items()}
    identifiers = {name: _name(column, f"identifiers.{name}") for name, column in _table(raw, "identifiers").items()}
    for name in fields:
        if name not in record.fields:
            raise _wrong(f"fields.{name}", "the record has no such field")
    for name in identifiers:
        if name not in record.identifiers:
            raise _wrong(f"identifiers.{name}", "the record has no such identifier")
    currency = _string(raw, "currency", "currency")
    if currency is not None and "currency" in record.fields and "currency" not in fields:
        fields["currency"] = FieldRule(None, const=currency)
    for name, entry in record.fields.items():
        if entry.input.required and name not in fields:
            raise _wrong(f"fields.{name}", "the record cannot do without this field")
    if record.people and not identifiers and not raw.get("consent"):
        raise _wrong("identifiers", "a record about people needs an identifier")
    return FileMapping(
        record=record.name,
        fields=fields,
        identifiers=identifiers,
        consents=tuple(_consent(purpose, rule) for purpose, rule in _table(raw, "consent").items()),
        zone=_checked_zone(_string(raw, "zone", "zone")),
        id=tuple(_names(raw, "id")),
        ignore=frozenset(_names(raw, "ignore")),
    )


def _field(name: str, rule: Any) -> FieldRule:
    place = f"fields.{name}"
    if isinstance(rule, str):
        return FieldRule(_name(rule, place))
    if not isinstance(rule, dict):
        raise _wrong(place, "a field is a column, or a table with from or const")
    _only(rule, _FIELD, place)
    if ("from" in rule) == ("const" in rule):
        raise _wrong(place, "exactly one of from and const")
    values = rule.get("values")
    if values is not None and not (isinstance(values, dict) and all(isinstance(value, str) for value in values.values())):
        raise _wrong(f"{place}.values", "values maps text to text")
    times = Decimal(1)
    if "times" in rule:
        try:
            times = Decimal(str(rule["times"]))
        except InvalidOperation:
            times = Decimal(0)
        if isinstance(rule["times"], bool) or not times.is_finite() or times == 0:
            raise _wrong(f"{place}.times", "times is a number, and not zero")
    return FieldRule(
        column=_name(rule["from"], f"{place}.from") if "from" in rule else None,
        const=_constant(rule["const"], f"{place}.const") if "const" in rule else None,
        values=values,
        form=_string(rule, "format", f"{place}.format"),
        times=times,
    )


def _consent(purpose: str, rule: Any) -> ConsentRule:
    place = f"consent.{purpose}"
    if not isinstance(rule, dict):
        raise _wrong(place, "consent is a table with from and grant")
    _only(rule, _CONSENT, place)
    grant = rule.get("grant")
    if not isinstance(grant, list) or not grant or not all(isinstance(word, str) and word for word in grant):
        raise _wrong(f"{place}.grant", "grant lists the words that mean yes")
    return ConsentRule(
        purpose=purpose,
        column=_name(rule.get("from"), f"{place}.from"),
        grant=tuple(grant),
        at=_string(rule, "at", f"{place}.at"),
        notice=_string(rule, "notice", f"{place}.notice"),
    )


def _only(table: Dict[str, Any], known: set[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise _wrong(f"{place}.{key}" if place else key, "the mapping has no such key")


def _table(raw: Dict[str, Any], key: str) -> Dict[str, Any]:
    found = raw.get(key, {})
    if not isinstance(found, dict):
        raise _wrong(key, "this must be a table")
    return found


def _names(raw: Dict[str, Any], key: str) -> Sequence[str]:
    found = raw.get(key, [])
    if not isinstance(found, list) or not all(isinstance(name, str) and name for name in found):
        raise _wrong(key, "this must be a list of columns")
    return found


def _name(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(place, "this must be the name of a column")
    return value


def _string(raw: Dict[str, Any], key: str, place: str) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise _wrong(place, "this must be text")
    return value


def _constant(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise _wrong(place, "a constant is text, a number or a truth value")
    return str(value)


def _checked_zone(name: str | None) -> str | None:
    if name is not None:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise _wrong("zone", "the time zone is not known") from None
    return name


def _wrong(place: str, message: str) -> Invalid:
    return Invalid(f"{place}: {message}", code="mapping_invalid", field=place)


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


def field_text(rule: FieldRule, columns: Dict[str, pa.Array], length: int) -> Typed:
    """The text of one field, its words exchanged as the mapping says; a word that the mapping does not know is a fault."""
    if rule.column is None:
        return Typed(pa.array([rule.const] * length, pa.string()), [])
    text = columns[rule.column]
    if rule.values is None:
        return Typed(text, [])
    places = pc.index_in(text, pa.array(list(rule.values), pa.string()), skip_nulls=True)
    unknown = pc.and_(pc.is_valid(text), pc.is_null(places))
    faults = []
    if pc.any(unknown).as_py():
        faults = [(index, FormRule.NOT_ALLOWED) for index in pc.indices_nonzero(unknown).to_pylist()]
    return Typed(pc.take(pa.array(list(rule.values.values()), pa.string()), places), faults)


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
