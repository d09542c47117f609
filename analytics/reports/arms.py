"""People by the arm of an experiment, and what each of them did afterwards: the rows of the reports that compare arms.

Promise: a person's arm is the one that all their own touches of the experiment name; who was touched in several stands apart, so that a
leak between arms is seen and not averaged away. What somebody spent is clamped to a public cap before it is squared. It must never learn a
person beyond the run of one question.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision

from analytics.aggregate import PERSON
from analytics.reports.parameters import Parameter, value
from analytics.reports.paths import sales
from analytics.reports.shares import told

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from analytics.reports.base import House
    from privacy.records import Question

ARM, SEVERAL, CONTROL = "arm", "several", "control"
ARMS = ("a", "b", CONTROL)
"""The arms of a question that names none."""
EXPERIMENT, CAP = "experiment", "cap"
WHOLE = 1_000_000
"""Parts of the cap in which what somebody spent is counted."""
NAMED = Parameter(r"[^|]{1,64}")
CAPPED = Parameter("[1-9][0-9]{0,6}", "300", ("100", "300", "1000", "3000", "10000"))
Z = 1.959963984540054
"""Standard errors of a 95 % interval."""


def cap_minor(question: Question, house: House) -> int:
    """The most that one person's purchases count for, in minor units."""
    return int(value(question, CAP)) * 10 ** get_currency_precision(house.currency)


def enrolled(view: View, question: Question, months: tuple[int, ...] | None = None) -> ir.Table:
    """One row for everybody whom the experiment touched: their arm and the hour of the first touch."""
    import ibis

    rows = view.people("touches", months)
    rows = rows.filter((rows.experiment == value(question, EXPERIMENT)) & rows.arm.notnull())
    one = rows.group_by(PERSON).agg(least=rows.arm.min(), most=rows.arm.max(), since=rows.hour.min())
    return one.select(PERSON, "since", arm=ibis.cases((one.least == one.most, one.least), else_=SEVERAL))


def bought(view: View, question: Question, house: House) -> ir.Table:
    """Sales with whether they are one, under a name of the person that can be joined."""
    return sales(view, house).rename(buyer=PERSON)


def outcome(paid: ir.IntegerColumn, question: Question, house: House) -> ir.IntegerColumn:
    """What was spent, in parts of the cap, between nothing and the cap."""
    import ibis

    cap = cap_minor(question, house)
    return ibis.least(ibis.greatest(paid, 0), cap) * WHOLE // cap


def difference(one: tuple[float, float], other: tuple[float, float], *, wider: float = 1.0) -> dict[str, Any]:
    """The difference of two estimates with their standard errors, chance among people and noise both inside the interval."""
    half = Z * wider * math.hypot(one[1], other[1])
    middle = one[0] - other[0]
    return told(middle, middle - half, middle + half, floor_is_zero=False)
