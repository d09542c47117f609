"""The mapping wizard's engine: from a sample of a file to a proposed mapping, with a reason for every column.

Promise: a proposal is text that a person reads and may change; nothing is imported by it. Columns are named by what they are called
(`headers.toml`, English and Chinese) and by what their values look like; what is shown of values are shapes. Consent is never guessed:
a column that speaks of it is pointed out, and which purpose it means has to be said by somebody.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion import classify
from ingestion.classify import Kind, Recognise
from ingestion.mapping import parse
from privacy.dictionary.catalogue import CHILD, snake
from privacy.errors import Invalid

if TYPE_CHECKING:
    from ingestion.sample import Form, Sample
    from privacy.dictionary.catalogue import Catalogue, Field, Record

_NUMBERS = {"int", "minor"}
_FITS = {
    "string": {"code", "word", "text", "int", "bool", "uuid", "date", "instant", "decimal", "openid", "ip", "phone"},
    "text": {"text", "word", "code"},
    "int": {"int", "decimal", "bool"},
    "minor": {"int", "decimal", "bool"},
    "bool": {"bool", "word"},
    "date": {"date", "instant"},
    "instant": {"date", "instant"},
}
"""Which kinds of values a field of each type can be read from."""


@dataclass(slots=True)
class Column:
    """What is thought of one column."""

    name: str
    kind: Kind
    filled: float
    distinct: int
    sampled: int
    shapes: Sequence[str]
    class_: str = "unknown"
    field: str | None = None
    identifier: str | None = None
    becomes: Sequence[str] = ("drop",)
    confidence: float = 0.0
    reasons: list[str] = dataclasses.field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """The column as it is shown."""
        return {
            "column": self.name,
            "type": self.kind.name,
            "format": self.kind.form,
            "zone_needed": self.kind.name == "instant" and not self.kind.zoned,
            "filled": round(self.filled, 3),
            "distinct": self.distinct,
            "sampled": self.sampled,
            "shapes": list(self.shapes),
            "class": self.class_,
            "field": self.field,
            "identifier": self.identifier,
            "becomes": list(self.becomes),
            "confidence": round(self.confidence, 2),
            "reasons": self.reasons,
        }


# ── proposing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(
    seen: Sample, catalogue: Catalogue, recognise: Recognise, *, form: Form, zone: str, currency: str, record: str | None = None
) -> dict[str, Any]:
    """A mapping for a file, what each column is taken for, and which kinds of records the file could hold."""
    columns = [_looked_at(name, values, recognise) for name, values in seen.columns.items()]
    ranked = sorted(((_score(columns, one), one.name) for one in catalogue.records.values()), reverse=True)
    chosen = catalogue.record(record) if record is not None else catalogue.records[ranked[0][1]]
    _name_columns(columns, chosen, catalogue)
    missing = [name for name, entry in chosen.fields.items() if entry.input.required and all(one.field != name for one in columns)]
    if chosen.people and not any(one.identifier for one in columns):
        missing.append("identifiers")
    text = _toml(columns, chosen, form, zone, currency, seen)
    return {
        "record": chosen.name,
        "records": [{"record": name, "score": round(score, 2)} for score, name in ranked[:3] if score > 0],
        "mapping": text,
        "complete": not missing and _readable(text, catalogue),
        "missing": missing,
        "columns": [one.told() for one in columns],
        "rows": seen.rows,
        "whole_file": seen.complete,
    }


def _looked_at(name: str, values: Sequence[str | None], recognise: Recognise) -> Column:
    filled = [value for value in values if value is not None]
    return Column(
        name,
        classify.kind_of(filled, recognise),
        filled=len(filled) / len(values) if values else 0.0,
        distinct=len(set(filled)),
        sampled=len(values),
        shapes=classify.shapes(filled),
    )


def _score(columns: Sequence[Column], record: Record) -> float:
    """How much of a record's fields the columns are called after; a required field that is missing counts against it."""
    found = {name: max((_called(one, record, name) for one in columns), default=0.0) for name in record.fields}
    needed = [name for name, entry in record.fields.items() if entry.input.required]
    score = sum(found.values()) - 2.0 * sum(found[name] == 0 for name in needed)
    people = any(_identifier_of(one, record) is not None for one in columns)
    return score + (0.5 if people and record.people else -1.0 if people or record.people else 0.0)


def _called(column: Column, record: Record, name: str) -> float:
    """How surely a column is called after a field and holds what the field can be read from."""
    if column.kind.name != "empty" and column.kind.name not in _FITS[record.fields[name].type]:
        return 0.0
    words = [name, name.removesuffix("_minor").removesuffix("_milli"), *headers()["records"].get(record.name, {}).get(name, ())]
    return _likeness(column.name, words)


def _likeness(header: str, words: Iterable[str]) -> float:
    """1 for a name that is one of the words, 0.6 for one that has a word in it, 0 otherwise."""
    name = snake(header.rpartition(".")[2])
    parts = f"_{name}_"
    best = 0.0
    for word in words:
        if name == word:
            return 1.0
        inside = f"_{word}_" in parts if word.isascii() else len(word) > 1 and word in name
        best = max(best, 0.6 if inside else 0.0)
    return best


def _identifier_of(column: Column, record: Record) -> tuple[str, float, str] | None:
    """(type, confidence, reason): by values where they can tell, else by the name."""
    kind, known = column.kind, record.identifiers
    named = max(((_likeness(column.name, words), type_) for type_, words in headers()["identifiers"].items()), default=(0.0, ""))
    by_value = {"uuid": "device" if named[1] == "device" else "cookie", "openid": "unionid" if "union" in snake(column.name) else "openid"}
    type_ = by_value.get(kind.name, kind.name)
    if kind.name == "uuid" and named[0] == 0:
        return None
    if type_ in known and kind.name in ("phone", "email", "national_id", "uuid", "openid"):
        return type_, min(1.0, kind.share * (1.0 if named[1] == type_ else 0.8)), "values_are_" + type_
    if named[0] == 1.0 and named[1] in known and kind.name in ("code", "int", "word") and named[1] not in ("phone", "email", "national_id"):
        return named[1], 0.7, "name_says_" + named[1]
    return None


def _name_columns(columns: Sequence[Column], record: Record, catalogue: Catalogue) -> None:
    """Gives identifiers and fields their columns, the surest first; each is given once."""
    for column in columns:
        found = _identifier_of(column, record)
        rival = next((one for one in columns if found and one.identifier == found[0]), None)
        if found and rival is None and record.people:
            column.identifier, column.confidence = found[0], found[1]
            column.class_, column.becomes = "direct_identifier", ("link",)
            column.reasons.append(found[2])
    pairs = sorted(
        ((_called(column, record, name), -place, name) for place, column in enumerate(columns) for name in record.fields), reverse=True
    )
    given: set[str] = set()
    for score, place, name in pairs:
        column = columns[-place]
        if (
            score > 0
            and name not in given
            and column.field is None
            and column.identifier is None
            and _readable_number(column, record.fields[name])
        ):
            given.add(name)
            _give(column, record.fields[name], score)
    for column in columns:
        _settle(column, record, catalogue)


def _readable_number(column: Column, entry: Field) -> bool:
    """Numbers with thousands or a decimal comma cannot be read by a mapping: better none than a wrong one."""
    return entry.type not in _NUMBERS or column.kind.note not in ("thousands_separators", "decimal_comma")


def _give(column: Column, entry: Field, score: float) -> None:
    column.field, column.class_ = entry.name, entry.class_
    column.becomes = tuple(f"{one.table}.{one.column}: {one.treatment}" for one in entry.becomes) or ("drop",)
    column.confidence = score * (column.kind.share or 0.5) * (0.6 if column.kind.note == "day_and_month_ambiguous" else 1.0)
    column.reasons.append("name_says_" + entry.name)
    if entry.category == CHILD:
        column.becomes = ("refuse the row",)


def _settle(column: Column, record: Record, catalogue: Catalogue) -> None:
    """What is left to say: what must not come in, what names a person, what speaks of consent."""
    if column.kind.note is not None:
        column.reasons.append(column.kind.note)
    if record.people and catalogue.forbidden(column.name) is not None:
        column.class_, column.becomes, column.field, column.confidence = "forbidden", ("refuse the row",), None, 1.0
        column.reasons.append("forbidden_category")
    elif column.field is None and column.identifier is None:
        direct = max((_likeness(column.name, words) for words in headers()["direct"].values()), default=0.0)
        if column.kind.name in ("phone", "email", "national_id", "card", "ip", "openid"):
            column.class_, column.confidence = "direct_identifier", column.kind.share
            column.reasons.append("values_are_" + column.kind.name)
        elif _likeness(column.name, headers()["consent"]["names"]):
            column.class_, column.confidence = "consent", 0.5
            column.reasons.append("say_which_purpose")
        elif direct:
            column.class_, column.confidence = "direct_identifier", 0.9 * direct
            column.reasons.append("name_says_person")


@cache
def headers() -> dict[str, Any]:
    """What columns are called."""
    return tomllib.loads(Path(__file__).with_name("headers.toml").read_text("utf-8"))


# ── writing it down ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _toml(columns: Sequence[Column], record: Record, form: Form, zone: str, currency: str, seen: Sample) -> str:
    lines = [f"record    = {_quoted(record.name)}"]
    named = [one for one in columns if one.field is not None]
    if any(record.fields[one.field or ""].type == "instant" and not one.kind.zoned for one in named):
        lines.append(f"zone      = {_quoted(zone)}")
    if "currency" in record.fields and all(one.field != "currency" for one in named):
        lines.append(f"currency  = {_quoted(currency)}")
    if form.encoding != "utf8":
        lines.append(f"encoding  = {_quoted(form.encoding)}")
    if form.delimiter is not None:
        lines.append(f"delimiter = {_quoted(form.delimiter)}")
    key = _key(columns, seen)
    if key:
        lines.append(f"id        = [{', '.join(map(_quoted, key))}]")
    identifiers = [one for one in columns if one.identifier is not None]
    if identifiers:
        lines += ["", "[identifiers]", *(f"{one.identifier} = {_quoted(one.name)}" for one in identifiers)]
    lines += ["", "[fields]", *(f"{one.field} = {_rule(one, record.fields[one.field or ''], seen)}" for one in named)]
    return "\n".join(lines) + "\n"


def _key(columns: Sequence[Column], seen: Sample) -> list[str]:
    """Columns that name a row: an order and its line, or one that is called after an id and never repeats in the sample."""
    by_field = {one.field: one.name for one in columns if one.field is not None and one.filled == 1}
    for pair in (("order_id", "line"), ("order_id", "product_id"), ("id",)):
        if all(name in by_field for name in pair):
            chosen = [by_field[name] for name in pair]
            rows = list(zip(*(seen.columns[name] for name in chosen), strict=True))
            if len(set(rows)) == len(rows):
                return chosen
    for one in columns:
        if (
            one.filled == 1
            and one.distinct == one.sampled
            and snake(one.name).endswith(("id", "no", "号", "编号"))
            and one.identifier is None
        ):
            return [one.name]
    return []


def _rule(column: Column, entry: Field, seen: Sample) -> str:
    parts = []
    if entry.type in ("date", "instant") and column.kind.form is not None:
        parts.append(f"format = {_quoted(column.kind.form)}")
    if entry.name.endswith("_milli"):
        parts.append("times = 1000")
    elif entry.type == "minor" and not any(word in snake(column.name) for word in ("minor", "cent", "分")):
        parts.append("times = 100")
    words = headers()["words"].get(entry.name, {})
    if entry.input.values and words:
        there = sorted(
            {value for value in seen.columns[column.name] if value is not None and words.get(value.lower()) in entry.input.values}
        )
        parts.append("values = { " + ", ".join(f"{_quoted(one)} = {_quoted(words[one.lower()])}" for one in there) + " }")
    return _quoted(column.name) if not parts else f"{{ from = {_quoted(column.name)}, {', '.join(parts)} }}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _readable(text: str, catalogue: Catalogue) -> bool:
    try:
        parse(text, catalogue)
    except Invalid:
        return False
    return True
