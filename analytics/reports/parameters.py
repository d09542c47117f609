"""Public constants that a question names and that are no column, such as threshold=99 or experiment=x12.

Promise: a parameter is in every question of its report, with its usual value where the asker named none, so that leaving the usual one out
is the same question (and not a cheap second answer). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from privacy import errors

if TYPE_CHECKING:
    from privacy.records import Question

Filters = tuple[tuple[str, str, str], ...]


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
