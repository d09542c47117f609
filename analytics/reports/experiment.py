"""An experiment read: people by arm, who bought, what they spent, whether the arms have the sizes that were planned, and the differences.

Promise: each comparison's interval holds both kinds of chance, that of who fell into which arm and that of the noise; the sizes of the arms
are checked before any difference is believed; arms are public words. Reading earlier (other months) or again at another price is another
question with its own price, so a peek is never free. It must never learn a person beyond the run of one question.

Argument (dp_rules §3 A/B, P-7). A person adds to one arm 1 (there), 0 or 1 (bought), and y and y² of what they spent as a part y of the cap,
both between 0 and 1: a vector of norm at most 2, the clip, so nobody is weighed down and means stay means. Everything else is arithmetic on
the released sums: rates and means with their variance among people, estimated from the same sums, plus the known variance of the noise.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from analytics.aggregate import PERSON
from analytics.reports import arms
from analytics.reports.arms import ARM, CAP, CONTROL, EXPERIMENT, SEVERAL, WHOLE
from analytics.reports.base import House, Margin, Report, numbers
from analytics.reports.parameters import Parameter, value
from analytics.reports.shares import told
from privacy import errors
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

PEOPLE, BUYERS, SPENT, SQUARES = (
    Measure("people"),
    Measure("buyers"),
    Measure("spent", WHOLE),
    Measure("squares", WHOLE),
)
SPLIT, EQUAL = "split", "equal"
ALARM = 0.001
"""A sample-ratio check rings by chance in one of a thousand experiments."""


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    """The arms, and those who were in several; refuses a planned split of another number of arms."""
    named = names(question)
    if len(planned(question, named)) != len(named):
        raise errors.Invalid("the split names a share for every arm", code="bad_filter", field="where")
    return tuple((name,) for name in (*named, SEVERAL))


def names(question: Question) -> tuple[str, ...]:
    """The arms that the question names, in the order of the alphabet; the one to compare with first."""
    found = next((said.split("|") for field, operator, said in question.where if field == ARM and operator != "!="), list(arms.ARMS))
    return tuple(sorted(found, key=lambda name: (name != CONTROL, name)))


def planned(question: Question, named: tuple[str, ...]) -> list[float]:
    """The share of people that each arm was to get."""
    said = value(question, SPLIT)
    parts = [1.0] * len(named) if said == EQUAL else [float(part) for part in said.split(":")]
    return [part / sum(parts) for part in parts] if sum(parts) else []


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person: arm, 1, whether they bought at or after the first touch, and what they spent since."""
    import ibis

    people = arms.enrolled(view, question)
    lines = arms.bought(view, question, house)
    after = people.inner_join(lines, people[PERSON] == lines.buyer)
    after = after.filter(after.hour >= after.since)
    spent = after.group_by("buyer").agg(buyers=after.sale.max().cast("int64"), paid=after.paid.sum())
    joined = people.left_join(spent, people[PERSON] == spent.buyer)
    part = arms.outcome(joined.paid.coalesce(0), question, house)
    return joined.select(
        PERSON,
        ARM,
        people=ibis.literal(1, "int64"),
        buyers=joined.buyers.coalesce(0),
        spent=part.cast("int64"),
        squares=(part * part // WHOLE).cast("int64"),
    )


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Each arm's sums and rates; the planned sizes; each arm against the first one."""
    scale, half, question = release.question.bounds.scale, margin(release), release.question
    noise, cap = half / arms.Z / scale, arms.cap_minor(question, house)
    values = iter(release.values)
    found = {cell[0]: {name: next(values) for name in release.measures} for cell in release.cells}
    rows: list[dict[str, Any]] = []
    for measure in (PEOPLE, BUYERS):
        for name, sums in found.items():
            head = {ARM: name, "measure": measure.name, "marginal": ARM}
            rows.append(head | numbers(sums[measure.name], half, measure, question.bounds))
    named = names(question)
    people = {name: found[name][PEOPLE.name] / scale for name in named}
    rates = {name: _mean(people[name], found[name][BUYERS.name] / scale, found[name][BUYERS.name] / scale, noise) for name in named}
    means = {name: _mean(people[name], found[name][SPENT.name] / scale, found[name][SQUARES.name] / scale, noise) for name in named}
    rows += _sizes(people, planned(question, named), noise)
    comparisons = len(named) - 1
    wider = NormalDist().inv_cdf(1 - 0.025 / max(1, 2 * comparisons)) / arms.Z
    for name_of, estimates, unit in (("rate_difference", rates, 1.0), ("spent_difference", means, float(cap))):
        for name in named[1:]:
            one, other = ((unit * middle, unit * error) for middle, error in (estimates[name], estimates[named[0]]))
            rows.append({ARM: name, "measure": name_of, "marginal": "comparison"} | arms.difference(one, other, wider=wider))
    return rows


def _mean(people: float, total: float, squares: float, noise: float) -> tuple[float, float]:
    """Total ÷ people with its standard error: variance among people, estimated from the sums, and the noise on both sums."""
    if people <= arms.Z * noise:
        return 0.5, 1.0  # nothing is known: half, with an interval as wide as everything
    mean = min(1.0, max(0.0, total / people))
    among = max(0.0, min(mean, squares / people) - mean * mean)
    return mean, math.sqrt(among / people + noise * noise * (1 + mean * mean) / people**2)


def _sizes(people: dict[str, float], wanted: list[float], noise: float) -> list[dict[str, Any]]:
    """The sample-ratio check: each arm's share of people, in an interval that a right split leaves only in one of a thousand experiments."""
    whole, reach = sum(people.values()), NormalDist().inv_cdf(1 - ALARM / (2 * len(people)))
    rows = []
    for (name, count), share in zip(people.items(), wanted, strict=True):
        middle, half = share, 1.0
        if whole > reach * noise * math.sqrt(len(people)):
            middle = min(1.0, max(0.0, count / whole))
            drawn = noise * noise * ((1 - share) ** 2 + share * share * (len(people) - 1))
            half = reach * math.sqrt(share * (1 - share) * whole + drawn) / whole
        reading = told(middle, middle - half, middle + half, floor_is_zero=False)
        rows.append({ARM: name, "measure": "sample_share", "marginal": "sizes", "expected": round(share, 6)} | reading)
    return rows


REPORT = Report(
    kind="experiment",
    version=1,
    table="touches",
    by=(ARM,),
    measures=(PEOPLE, BUYERS, SPENT, SQUARES),
    bounds=Bounds(clip=2),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={ARM: ()},
    filters=(ARM,),
    public_cells=public_cells,
    parameters={
        EXPERIMENT: arms.NAMED,
        CAP: arms.CAPPED,
        SPLIT: Parameter(r"equal|[0-9]{1,4}(?::[0-9]{1,4}){1,9}", EQUAL, (EQUAL, "1:1", "1:9")),
    },
    in_units=True,
    hides_nothing=True,
)
