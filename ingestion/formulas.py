"""What the rules of a mapping do to the rows of a file: words, arithmetic between columns, cases.

Promise: arithmetic is exact in decimals, and what is not exact is a fault of its row; of the cases the first that holds decides. Nothing is
rounded unless the mapping says for how many decimals a binary fraction stands. Whole columns at once; only a chunk with a number of
unusual size is looked at row by row. Pure. Never shows a value.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import Typed, check, from_text, repeated, whole
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from ingestion.fieldrules import Condition, FieldRule
    from privacy.dictionary.catalogue import Field

_SCALE = 10_000
_ROOM = 2**62
_DIGITS = 60
"""Digits and size of a number in a file; the arithmetic has room for the product of any two."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


class Sheet(NamedTuple):
    """What the rules are applied to: text columns by the source's names, how many rows, and how times are read."""

    columns: Dict[str, pa.Array]
    length: int
    zone: str | None
    calendar: str


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


def typed(rule: FieldRule, entry: Field, sheet: Sheet) -> Typed:
    """One field of all rows: converted and checked as the dictionary says, by the first case that holds."""
    found = _one(rule, entry, sheet)
    free = np.ones(sheet.length, dtype=bool)
    for case in rule.cases:
        chosen = holds(case.test, sheet.columns) & free
        free &= ~chosen
        if chosen.any():
            other = _one(case.rule, entry, sheet)
            values = pc.if_else(pa.array(chosen), other.values, found.values)
            faults = [fault for fault in found.faults if not chosen[fault[0]]] + [fault for fault in other.faults if chosen[fault[0]]]
            found = Typed(values, faults)
    return found


def _one(rule: FieldRule, entry: Field, sheet: Sheet) -> Typed:
    if rule.arithmetic:
        made = computed(rule, sheet.columns)
        return Typed(made.values, made.faults + check(entry, made.values))
    length = sheet.length if rule.column is not None else min(sheet.length, 1)
    worded = field_text(rule, sheet.columns, length)
    made = from_text(entry, worded.values, calendar=sheet.calendar, zone=sheet.zone, form=rule.form, times=rule.times)
    if length < sheet.length:
        made = repeated(made, sheet.length)
    return Typed(made.values, worded.faults + made.faults)


def holds(test: Condition, columns: Dict[str, pa.Array]) -> Mask:
    """The rows of which the test is true. A cell that is no number is neither below nor above one."""
    text = columns[test.column]
    if test.empty is not None:
        absent = np.asarray(pc.is_null(text), dtype=bool)
        return absent if test.empty else ~absent
    if test.words:
        passed = pc.is_in(text, pa.array(test.words, pa.string()))
    elif test.begins:
        passed = pc.starts_with(text, test.begins[0])
        for word in test.begins[1:]:
            passed = pc.or_(passed, pc.starts_with(text, word))
    else:
        encoded = pc.dictionary_encode(text)
        verdicts = pa.array([_beyond(value, test) for value in encoded.dictionary.to_pylist()], pa.bool_())
        passed = pc.take(verdicts, encoded.indices)
    return np.asarray(pc.fill_null(passed, fill_value=False), dtype=bool)


def _beyond(value: str, test: Condition) -> bool:
    number = _decimal(value)
    if number is None:
        return False
    return number < test.below if test.below is not None else test.above is not None and number > test.above


def _decimal(value: str) -> Decimal | None:
    """A number as it is written, if it is one of reasonable size."""
    if len(value) > _DIGITS or not value.isascii() or "_" in value:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _DIGITS else None


# ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def computed(rule: FieldRule, columns: Dict[str, pa.Array]) -> Typed:
    """(from + plus − minus) × times_column × times as exact integers. An empty cell adds nothing; without `from` or factor there is no value."""
    assert rule.column is not None
    order = (rule.column, *rule.plus, *rule.minus, *([rule.times_column] if rule.times_column is not None else []))
    texts = [columns[name] for name in order]
    if rule.decimals is not None:
        texts = [_meant(text, rule.decimals) for text in texts]
    absent = np.asarray(pc.is_null(texts[0]), dtype=bool)
    if rule.times_column is not None:
        absent |= np.asarray(pc.is_null(texts[-1]), dtype=bool)
    quick = _quickly(rule, texts, absent)
    return quick if quick is not None else _slowly(rule, texts, absent)


def _quickly(rule: FieldRule, texts: Sequence[pa.Array], absent: Mask) -> Typed | None:
    """As 64-bit integers, where every number and every step surely fits; otherwise None."""
    numbers = []
    for text in texts:
        units = whole(text, Decimal(_SCALE))
        if units.faults:
            return None
        numbers.append(np.asarray(pc.fill_null(units.values, 0)))
    factors = numbers[1 + len(rule.plus) + len(rule.minus) :]
    terms = numbers[: 1 + len(rule.plus) + len(rule.minus)]
    top, bottom = rule.times.as_integer_ratio()
    below = bottom * _SCALE ** (1 + len(factors))
    shared = int(np.gcd.reduce(np.array([top, below], dtype=object)))
    top, below = top // shared, below // shared
    largest = sum(_largest(term) for term in terms) * abs(top)
    for factor in factors:
        largest *= _largest(factor)
    if largest >= _ROOM or below >= _ROOM:
        return None
    total = terms[0].copy()
    for index, term in enumerate(terms[1:]):
        total = total + term if index < len(rule.plus) else total - term
    for factor in factors:
        total = total * factor
    total = np.where(absent, 0, total * np.int64(top))
    broken = np.flatnonzero(total % below)
    return Typed(pa.array(total // below, pa.int64(), mask=absent), [(int(index), FormRule.WRONG_TYPE) for index in broken])


def _largest(numbers: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    return max(abs(int(numbers.max())), abs(int(numbers.min())), 1) if len(numbers) else 1


def _slowly(rule: FieldRule, texts: Sequence[pa.Array], absent: Mask) -> Typed:
    """Row by row in decimals: for chunks that hold a number of unusual size or a fault."""
    faults: list[tuple[int, FormRule]] = []
    found: list[int | None] = []
    lists = [text.to_pylist() for text in texts]
    with localcontext() as context:
        context.prec = 4 * _DIGITS
        for row, cells in enumerate(zip(*lists, strict=True)):
            outcome = None if absent[row] else _exactly(rule, cells)
            if isinstance(outcome, FormRule):
                faults.append((row, outcome))
                outcome = None
            found.append(outcome)
    return Typed(pa.array(found, pa.int64()), faults)


def _exactly(rule: FieldRule, cells: Sequence[str | None]) -> int | FormRule:
    numbers = [Decimal(0) if cell is None else _decimal(cell) for cell in cells]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return FormRule.WRONG_TYPE
    total = known[0] + sum(known[1 : 1 + len(rule.plus)])
    total -= sum(known[1 + len(rule.plus) : 1 + len(rule.plus) + len(rule.minus)])
    if rule.times_column is not None:
        total *= known[-1]
    total *= rule.times
    if not -(2**63) <= total < 2**63:
        return FormRule.OUT_OF_RANGE
    return int(total) if total == total.to_integral_value() else FormRule.WRONG_TYPE


def _meant(text: pa.Array, decimals: int) -> pa.Array:
    """Binary fractions as the decimal numbers that they stand for: what is no farther from one than a ten-thousandth of its last place."""
    plain = rf"^[+-]?[0-9]+(?:\.[0-9]{{1,{decimals}}})?$" if decimals else r"^[+-]?[0-9]+$"
    odd = pc.invert(pc.match_substring_regex(text, plain))
    if not pc.any(odd).as_py():
        return text
    encoded = pc.dictionary_encode(text)
    return pc.take(pa.array([_nearest(value, decimals) for value in encoded.dictionary.to_pylist()], pa.string()), encoded.indices)


def _nearest(value: str, decimals: int) -> str:
    number = _decimal(value)
    if number is None or number.adjusted() > 15:
        return value
    near = number.quantize(Decimal(1).scaleb(-decimals))
    return f"{near:f}" if abs(near - number) <= Decimal(1).scaleb(-decimals - 4) else value
