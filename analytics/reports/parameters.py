"""How a filter is written, and public constants that a question names and that are no column, such as threshold=99 or experiment=x12.

Promise: a parameter is in every question of its report, with its usual value where the asker named none, so that leaving the usual one out
is the same question (and not a cheap second answer). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from privacy import errors

if TYPE_CHECKING:
    from privacy.records import Question

Filters = tuple[tuple[str, str, str], ...]

EQUAL, UNEQUAL, ONE_OF = "=", "!=", "in"
_FILTER = re.compile(r"([a-z_]{1,40})\s*(!=|=)\s*(\S(?:.{0,998}\S)?)")
_VALUES_LIMIT = 2_000
_VALUE_LENGTH = 200


def written(text: str) -> tuple[str, str, str]:
    """`channel=pos`, `channel!=pos` or `channel=pos|delivery` as (field, operator, values in their order); raises Invalid."""
    found = _FILTER.fullmatch(text.strip())
    if found is None:
        raise errors.Invalid("a filter is written field=value, field!=value or field=one|another", code="bad_filter", field="where")
    name, operator, value = found.groups()
    values = sorted({part.strip() for part in value.split("|")})
    if not all(values) or len(values) > _VALUES_LIMIT or any(len(part) > _VALUE_LENGTH for part in values):
        raise errors.Invalid("a filter's values are short and not empty", code="bad_filter", field="where")
    if operator == EQUAL and len(values) > 1:
        operator = ONE_OF
    elif len(values) > 1:
        raise errors.Invalid("a filter excludes one value", code="bad_filter", field="where")
    return name, operator, "|".join(values)


def holds(said: str, operator: str, values: str) -> bool:
    """Whether a filter leaves a row that says this."""
    return (said in values.split("|")) != (operator == UNEQUAL)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Its form, its usual value and the values that a form offers. Without a usual value it must be named."""

    pattern: str
    default: str = ""
    choices: tuple[str, ...] = ()


def complete(parameters: Mapping[str, Parameter], where: Filters) -> Filters:
    """A question's filters with every parameter; raises Invalid for one in a wrong form, twice, or missing."""
    if not parameters:
        return where
    said = [(name, operator, value) for name, operator, value in where if name in parameters]
    named = {name: (operator, value) for name, operator, value in said}
    if len(named) < len(said):
        raise errors.Invalid("a parameter has one value", code="bad_filter", field="where")
    for name, parameter in parameters.items():
        operator, value = named.setdefault(name, ("=", parameter.default))
        if operator != "=" or not re.fullmatch(parameter.pattern, value):
            raise errors.Invalid(f"the report needs {name}=… in its form", code="bad_filter", field="where")
    return tuple(sorted({*where, *((name, operator, value) for name, (operator, value) in named.items())}))


def value(question: Question, name: str) -> str:
    """What a question says of a parameter."""
    return next(said for field, _, said in question.where if field == name)


def filters(question: Question, *names: str) -> Filters:
    """A question's filters without its parameters."""
    return tuple(one for one in question.where if one[0] not in names)


def left(question: Question, name: str, known: Sequence[str]) -> tuple[str, ...]:
    """The values of a grouping that a question's filters leave of those that are known, or that they name themselves."""
    said = [text.split("|") for field, operator, text in question.where if field == name and operator != "!="]
    excluded = {text for field, operator, text in question.where if field == name and operator == "!="}
    found = [one for one in (said[0] if said else known) if one not in excluded and all(one in some for some in said)]
    if not found:
        raise errors.NotConfigured(
            f"the values of {name} are not known beforehand: name them in a filter, or load the table that lists them",
            code="no_public_cells",
            field="by",
        )
    return tuple(dict.fromkeys(found))
