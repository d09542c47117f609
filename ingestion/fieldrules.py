"""What a mapping may say about one field: a column or a constant, arithmetic between columns, and cases.

Promise: a rule is checked whole before the first row, and whatever is wrong in it is named by its place. What rules do to rows is
`ingestion.formulas`. Pure. It must never learn a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from privacy.errors import Invalid

_ARITHMETIC = {"plus", "minus", "times_column", "decimals"}
_PLAIN = {"from", "const", "values", "format", "times"} | _ARITHMETIC
_FIELD = _PLAIN | {"cases"}
_TESTS = ("in", "begins", "below", "above", "empty")
_TEST = {"if", *_TESTS}


@dataclass(frozen=True, slots=True)
class Condition:
    """What is asked of one column: exactly one of `words`, `begins`, `below`, `above` and `empty` is set. An empty cell passes only `empty`."""

    column: str
    words: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    below: Decimal | None = None
    above: Decimal | None = None
    empty: bool | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Where the test holds the field is what `rule` says."""

    test: Condition
    rule: FieldRule


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one field comes from: a column, or a constant; neither means that the field is absent."""

    column: str | None
    const: str | None = None
    values: Dict[str, str] | None = None
    form: str | None = None
    times: Decimal = Decimal(1)
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    times_column: str | None = None
    decimals: int | None = None
    cases: tuple[Case, ...] = ()

    @property
    def columns(self) -> Iterator[str]:
        """Every column that the rule reads."""
        for column in (self.column, *self.plus, *self.minus, self.times_column):
            if column is not None:
                yield column
        for case in self.cases:
            yield case.test.column
            yield from case.rule.columns

    @property
    def arithmetic(self) -> bool:
        """Whether it needs more than one column's text."""
        return bool(self.plus or self.minus or self.times_column is not None or self.decimals is not None)


# ── reading a rule ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse(name: str, rule: Any, kind: str | None) -> FieldRule:
    """A field's rule out of a mapping; `kind` is the field's type in the dictionary. Raises Invalid with its place."""
    place = f"fields.{name}"
    if isinstance(rule, str):
        return FieldRule(named(rule, place))
    if not isinstance(rule, dict):
        raise wrong(place, "a field is a column, or a table with from or const")
    only(rule, _FIELD, place)
    cases = rule.get("cases", [])
    if not isinstance(cases, list) or ("cases" in rule and not cases):
        raise wrong(f"{place}.cases", "cases is a list of tables")
    plain = _plain({key: value for key, value in rule.items() if key != "cases"}, kind, place)
    return replace(plain, cases=tuple(_case(case, kind, f"{place}.cases[{index}]") for index, case in enumerate(cases)))


def _case(case: Any, kind: str | None, place: str) -> Case:
    if not isinstance(case, dict):
        raise wrong(place, "a case is a table")
    only(case, _PLAIN | _TEST | {"absent"}, place)
    test = parse_condition({key: value for key, value in case.items() if key in _TEST}, place)
    rest = {key: value for key, value in case.items() if key not in _TEST}
    if "absent" in rest:
        if rest != {"absent": True}:
            raise wrong(f"{place}.absent", "absent = true stands alone")
        return Case(test, FieldRule(None))
    return Case(test, _plain(rest, kind, place))


def parse_condition(raw: Any, place: str) -> Condition:
    """A test out of a mapping."""
    if not isinstance(raw, dict):
        raise wrong(place, "a test is a table with if")
    only(raw, _TEST, place)
    asked = [key for key in _TESTS if key in raw]
    if len(asked) != 1:
        raise wrong(place, "a test has if and exactly one of in, begins, below, above, empty")
    key = asked[0]
    column, value = named(raw.get("if"), f"{place}.if"), raw[key]
    if key == "empty":
        if not isinstance(value, bool):
            raise wrong(f"{place}.empty", "empty is true or false")
        return Condition(column, empty=value)
    if key in ("below", "above"):
        edge = _number(value, f"{place}.{key}")
        return Condition(column, below=edge) if key == "below" else Condition(column, above=edge)
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise wrong(f"{place}.{key}", "this must be a list of words")
    return Condition(column, words=tuple(value)) if key == "in" else Condition(column, begins=tuple(value))


def _plain(rule: Dict[str, Any], kind: str | None, place: str) -> FieldRule:
    """A rule without cases."""
    if ("from" in rule) == ("const" in rule):
        raise wrong(place, "exactly one of from and const")
    values = rule.get("values")
    if values is not None and not (isinstance(values, dict) and all(isinstance(value, str) for value in values.values())):
        raise wrong(f"{place}.values", "values maps text to text")
    for key in _ARITHMETIC & rule.keys():
        if kind not in ("int", "minor") or "const" in rule or values is not None:
            raise wrong(f"{place}.{key}", "only the number in a column can be calculated with")
    times = Decimal(1)
    if "times" in rule:
        times = _number(rule["times"], f"{place}.times")
        if times == 0:
            raise wrong(f"{place}.times", "times is a number, and not zero")
    decimals = rule.get("decimals")
    if decimals is not None and (isinstance(decimals, bool) or not isinstance(decimals, int) or not 0 <= decimals <= 9):
        raise wrong(f"{place}.decimals", "decimals is a whole number from 0 to 9")
    form = rule.get("format")
    if form is not None and (not isinstance(form, str) or not form):
        raise wrong(f"{place}.format", "this must be text")
    return FieldRule(
        column=named(rule["from"], f"{place}.from") if "from" in rule else None,
        const=_constant(rule["const"], f"{place}.const") if "const" in rule else None,
        values=values,
        form=form,
        times=times,
        plus=tuple(names(rule, "plus", f"{place}.plus")),
        minus=tuple(names(rule, "minus", f"{place}.minus")),
        times_column=named(rule["times_column"], f"{place}.times_column") if "times_column" in rule else None,
        decimals=decimals,
    )


def only(table: Dict[str, Any], known: set[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise wrong(f"{place}.{key}" if place else key, "the mapping has no such key")


def names(raw: Dict[str, Any], key: str, place: str) -> Sequence[str]:
    found = raw.get(key, [])
    if not isinstance(found, list) or not all(isinstance(name, str) and name for name in found):
        raise wrong(place, "this must be a list of columns")
    return found


def named(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise wrong(place, "this must be the name of a column")
    return value


def _number(value: Any, place: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise wrong(place, f"{place.rsplit('.', 1)[-1]} is a number")
    return number


def _constant(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise wrong(place, "a constant is text, a number or a truth value")
    return str(value)


def wrong(place: str, message: str) -> Invalid:
    return Invalid(f"{place}: {message}", code="mapping_invalid", field=place)
