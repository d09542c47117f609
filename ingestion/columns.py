"""From text to typed columns by the dictionary's input rules.

Promise: a value is converted exactly or named as a fault by its row and rule; nothing is rounded, wrapped or guessed. Columns are
converted as vectors; only what the vector path does not understand is looked at value by value. Pure. Never shows a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Field

INSTANT = pa.timestamp("us", "UTC")
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_SCALE = 4
_PLAIN_NUMBER = rf"^[+-]?[0-9]{{1,{18 - _SCALE}}}(?:\.[0-9]{{1,{_SCALE}}})?$"
_NAIVE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?$"
_ZONED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)$"
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TRUE, _FALSE = ("true", "1", "yes", "y", "t", "是"), ("false", "0", "no", "n", "f", "否")
_FRACTION = re.compile(r"\.([0-9]{6})[0-9]+")
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Formats for instants that are counts since 1970 in UTC, with the microseconds of one count."""


class Typed(NamedTuple):
    """A typed column and the rows (index, rule) whose value broke a rule; what stands in such a row must not be used."""

    values: pa.Array
    faults: list[tuple[int, FormRule]]


def from_text(
    field: Field, text: pa.Array, *, calendar: str, zone: str | None = None, form: str | None = None, times: Decimal = Decimal(1)
) -> Typed:
    """Convert and check a text column as the dictionary says. Null means absent."""
    match field.type:
        case "int" | "minor":
            typed = whole(text, times)
        case "bool":
            typed = boolean(text)
        case "date":
            typed = day(text, form, calendar)
        case "instant":
            typed = instant(text, zone=zone, form=form)
        case _:
            typed = Typed(text, [])
    return _with(typed, check(field, typed.values))


def from_python(field: Field, values: Sequence[Any], *, calendar: str) -> Typed:
    """Convert and check a column of JSON values. Numbers in text are read exactly; an object or array is never a value."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if field.type in ("string", "text") and kinds <= {str}:
        column = pa.array(values, pa.string())
        return _with(Typed(column, []), check(field, column))
    if field.type in ("int", "minor") and kinds == {int}:
        column = pa.array(values, pa.int64())
        return _with(Typed(column, []), check(field, column))
    text, faults = as_text(values, kinds)
    return _with(from_text(field, text, calendar=calendar), faults)


def as_text(values: Sequence[Any], kinds: set[type] | None = None) -> Typed:
    """JSON values as text: numbers as they are written, booleans as true and false; objects and arrays are faults."""
    known = (set(map(type, values)) if kinds is None else set(kinds)) - {type(None)}
    if known <= {str}:
        return Typed(pa.array(values, pa.string()), [])
    faults = [(index, FormRule.WRONG_TYPE) for index, value in enumerate(values) if isinstance(value, (dict, list))]
    return Typed(pa.array([_text(value) for value in values], pa.string()), faults)


def tidy(text: pa.Array) -> pa.Array:
    """Text of a file: without white space around it; empty means absent."""
    trimmed = pc.utf8_trim_whitespace(text)
    empty = pc.equal(trimmed, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), trimmed) if pc.any(empty).as_py() else trimmed


def repeated(one: Typed, count: int) -> Typed:
    """A constant, converted and checked once, as a column."""
    return Typed(pa.repeat(one.values[0], count), [(index, rule) for _, rule in one.faults for index in range(count)])


# ── conversions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def whole(text: pa.Array, times: Decimal = Decimal(1)) -> Typed:
    """Text × `times` as exact 64-bit integers. What is not a number, or not whole afterwards, is a fault."""
    top, bottom = times.as_integer_ratio()
    below = bottom * 10**_SCALE
    shared = int(np.gcd(top, below))
    top, below = top // shared, below // shared
    if abs(top) > 9 or not _all(pc.match_substring_regex(text, _PLAIN_NUMBER)):
        return _by_unique(text, pa.int64(), lambda value: _exact(value, times))
    scaled = pc.cast(text, pa.decimal128(20, _SCALE))
    units = np.frombuffer(scaled.buffers()[1], dtype=np.int64)[2 * scaled.offset : 2 * (scaled.offset + len(scaled)) : 2] * np.int64(top)
    absent = np.asarray(pc.is_null(text), dtype=bool)
    units = np.where(absent, 0, units)
    broken = np.flatnonzero(units % below)
    values = pa.array(units // below, pa.int64(), mask=absent)
    return Typed(values, [(int(index), FormRule.WRONG_TYPE) for index in broken])


def boolean(text: pa.Array) -> Typed:
    """Text as true and false, in the few words that tables use for them."""
    lowered = pc.utf8_lower(text)
    true, false = pc.is_in(lowered, pa.array(_TRUE)), pc.is_in(lowered, pa.array(_FALSE))
    known = pc.or_(true, false)
    faults = pc.and_(pc.is_valid(text), pc.invert(known))
    return Typed(pc.if_else(known, true, pa.scalar(None, pa.bool_())), _rows(faults, FormRule.WRONG_TYPE))


def day(text: pa.Array, form: str | None = None, calendar: str = "UTC") -> Typed:
    """Text as calendar days: ISO, or as `form` says. Of an instant with a zone the day in `calendar`."""
    if form is None and _all(pc.match_substring_regex(text, _DAY)):
        try:
            return Typed(pc.cast(text, pa.date32()), [])
        except pa.ArrowInvalid:
            pass
    return _by_unique(text, pa.date32(), lambda value: _one_day(value, form, calendar))


def instant(text: pa.Array, *, zone: str | None = None, form: str | None = None) -> Typed:
    """Text as UTC instants. A time that carries no zone is read in `zone`; without that it is a fault."""
    if form in EPOCHS:
        return _epoch(text, EPOCHS[form])
    try:
        if form is None and _all(pc.match_substring_regex(text, _ZONED)):
            return Typed(pc.cast(text, INSTANT), [])
        if zone is not None and form is None and _all(pc.match_substring_regex(text, _NAIVE)):
            return Typed(_local(pc.cast(text, pa.timestamp("us")), zone), [])
        if zone is not None and form is not None and "%z" not in form and "%Z" not in form and "%f" not in form:
            return Typed(_local(pc.strptime(text, format=form, unit="us"), zone), [])
    except pa.ArrowInvalid:
        pass
    return _by_unique(text, INSTANT, lambda value: _one_instant(value, zone, form))


def _local(naive: pa.Array, zone: str) -> pa.Array:
    """The clock of `zone` as UTC: of an hour that came twice the first, of an hour that did not come the next that did."""
    return pc.cast(pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest"), INSTANT)


def _epoch(text: pa.Array, micros: int) -> Typed:
    counted = whole(text, Decimal(micros))
    far = pc.greater(pc.abs_checked(pc.fill_null(counted.values, 0)), 253_402_300_799_000_000)
    return Typed(pc.cast(counted.values, INSTANT), counted.faults + _rows(far, FormRule.BAD_TIME))


def _exact(value: str, times: Decimal) -> int | FormRule:
    if len(value) > 60 or not re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", value, re.ASCII):
        return FormRule.WRONG_TYPE
    try:
        product = Decimal(value) * times
        if not -(10**20) < product < 10**20:
            return FormRule.OUT_OF_RANGE
        if product != product.to_integral_value():
            return FormRule.WRONG_TYPE
    except InvalidOperation:
        return FormRule.OUT_OF_RANGE
    number = int(product)
    return number if _INT_MIN <= number <= _INT_MAX else FormRule.OUT_OF_RANGE


def _one_day(value: str, form: str | None, calendar: str) -> date | FormRule:
    try:
        if len(value) > 60:
            return FormRule.BAD_TIME
        moment = datetime.strptime(value, form) if form is not None else datetime.fromisoformat(_FRACTION.sub(r".\1", value))  # noqa: DTZ007
        return moment.date() if moment.tzinfo is None else moment.astimezone(_zone(calendar)).date()
    except (ValueError, OverflowError):
        return FormRule.BAD_TIME


def _one_instant(value: str, zone: str | None, form: str | None) -> datetime | FormRule:
    if len(value) > 60:
        return FormRule.BAD_TIME
    try:
        moment = datetime.strptime(value, form) if form is not None else datetime.fromisoformat(_FRACTION.sub(r".\1", value))  # noqa: DTZ007
        if moment.tzinfo is None:
            if zone is None:
                return FormRule.ZONE_MISSING
            moment = moment.replace(tzinfo=_zone(zone))
        return moment if 1900 <= moment.year <= 9998 else FormRule.BAD_TIME
    except (ValueError, OverflowError):
        return FormRule.BAD_TIME


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# ── checks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(field: Field, values: pa.Array) -> list[tuple[int, FormRule]]:
    """The rows of a typed column that break the field's input rules."""
    rules, faults = field.input, []
    if pa.types.is_string(values.type):
        if _may_hold_nul(values):
            faults += _rows(pc.match_substring(values, "\0"), FormRule.BAD_TEXT)
        if rules.max_length is not None and (pc.max(pc.binary_length(values)).as_py() or 0) > rules.max_length:
            faults += _rows(pc.greater(pc.utf8_length(values), rules.max_length), FormRule.TOO_LONG)
        if rules.values:
            faults += _rows(pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, _set(rules.values)))), FormRule.NOT_ALLOWED)
        if rules.pattern is not None:
            faults += _rows(pc.invert(pc.match_substring_regex(values, rules.pattern)), FormRule.BAD_PATTERN)
        return faults
    if rules.min is not None:
        faults += _rows(pc.less(values, _bound(values.type, rules.min)), FormRule.OUT_OF_RANGE)
    if rules.max is not None:
        faults += _rows(pc.greater(values, _bound(values.type, rules.max)), FormRule.OUT_OF_RANGE)
    return faults


def _may_hold_nul(values: pa.Array) -> bool:
    """Whether a NUL stands anywhere in the column's bytes, those of rows beside a slice included: a quick look before the exact one."""
    data = values.buffers()[2]
    return data is not None and b"\0" in data.to_pybytes()


@lru_cache(maxsize=64)
def _set(values: tuple[str, ...]) -> pa.Array:
    return pa.array(values, pa.string())


@lru_cache(maxsize=128)
def _bound(kind: pa.DataType, limit: int | str) -> pa.Scalar:
    return pa.scalar(date.fromisoformat(limit), kind) if isinstance(limit, str) else pa.scalar(limit, kind)


# ── small parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _by_unique(text: pa.Array, kind: pa.DataType, one: Callable[[str], Any]) -> Typed:
    """Convert each distinct value once."""
    encoded = pc.dictionary_encode(text)
    found = [one(value) for value in encoded.dictionary.to_pylist()]
    values = pa.array([None if isinstance(value, FormRule) else value for value in found], kind)
    faults: list[tuple[int, FormRule]] = []
    if any(isinstance(value, FormRule) for value in found):
        places = encoded.indices.to_pylist()
        faults = [(row, found[place]) for row, place in enumerate(places) if place is not None and isinstance(found[place], FormRule)]
    return Typed(pc.take(values, encoded.indices), faults)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else None


def _all(found: pa.Array) -> bool:
    """Whether no row says no (absent rows say nothing)."""
    return pc.all(found, skip_nulls=True).as_py() is not False


def _rows(found: pa.Array, rule: FormRule) -> list[tuple[int, FormRule]]:
    if not pc.any(found).as_py():
        return []
    return [(index, rule) for index in pc.indices_nonzero(pc.fill_null(found, fill_value=False)).to_pylist()]


def _with(typed: Typed, more: list[tuple[int, FormRule]]) -> Typed:
    return typed if not more else Typed(typed.values, typed.faults + more)
