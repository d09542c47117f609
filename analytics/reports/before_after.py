"""What a campaign changed: everybody it touched against its holdout, in the month of the campaign against the month before, with a placebo.

Promise: the effect is the change of those who were touched minus the change of the holdout, so that what would have happened anyway (a
season, a holiday) is taken off; the same difference between the two months before the campaign, where there was nothing to find, is printed
beside it and must hold zero; so is the naive before/after, which says what the season alone would have made one believe. All three months
are charged in full. It must never learn a person beyond the run of one question.

Argument (dp_rules §3 before/after, P-2, P-7). A person adds 1 to one group, and in each of three months 0 or 1 (bought) and a part of the cap
between 0 and 1 (spent): seven entries of at most 1, a norm below 3, the clip. People are those whom the campaign touched in the last of the
three months; their months are joined by the run of this one question. The differences are arithmetic on released sums.
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
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

GROUP, PERIOD, HOLDOUT, TOUCHED = "group", "period", "holdout", "touched"
GROUPS = (HOLDOUT, TOUCHED)
PERIODS = ("before_2", "before_1", "after")
PEOPLE, BUYERS, SPENT = Measure("people"), Measure("buyers"), Measure("spent", WHOLE)
COMPARISON = "comparison"
COMPARISONS = (("effect", 2, 1, True), ("placebo", 1, 0, True), ("naive", 2, 1, False))
"""Name, later month, earlier month, and whether the holdout's change is taken off."""


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person and month: whether they bought and what they spent; in the last month also that they are there."""
    import ibis

    months = tuple(sorted(question.months))
    people = arms.enrolled(view, question, months[-1:])
    people = people.filter(people[ARM] != SEVERAL)
    group = ibis.cases((people[ARM] == value(question, HOLDOUT), HOLDOUT), else_=TOUCHED)
    people = people.select(PERSON, group=group)
    lines = arms.bought(view, question, house)
    spent = lines.group_by(["buyer", "month"]).agg(sold=lines.sale.max().cast("int64"), paid=lines.paid.sum())
    joined = people.join(spent, people[PERSON] == spent.buyer)
    period = ibis.cases(*[(joined.month == month, name) for month, name in zip(months, PERIODS, strict=True)])
    did = joined.select(
        PERSON,
        GROUP,
        period=period,
        people=ibis.literal(0, "int64"),
        buyers=joined.sold,
        spent=arms.outcome(joined.paid, question, house).cast("int64"),
    )
    nought = ibis.literal(0, "int64")
    there = people.select(PERSON, GROUP, period=ibis.literal(PERIODS[-1]), people=ibis.literal(1, "int64"), buyers=nought, spent=nought)
    return there.union(did)


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """People of both groups, who bought in each month, then effect, placebo and the naive difference."""
    question, half = release.question, margin(release)
    scale = question.bounds.scale
    values = iter(release.values)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for cell in release.cells:
        named = dict(zip(question.by, cell, strict=True))
        found[named[GROUP], named[PERIOD]] = {name: next(values) for name in release.measures}
    rows: list[dict[str, Any]] = []
    for group in GROUPS:
        head = {GROUP: group, "measure": PEOPLE.name, "marginal": GROUP}
        rows.append(head | numbers(found[group, PERIODS[-1]][PEOPLE.name], half, PEOPLE, question.bounds))
    for group in GROUPS:
        for period in PERIODS:
            head = {GROUP: group, PERIOD: period, "measure": BUYERS.name, "marginal": PERIOD}
            rows.append(head | numbers(found[group, period][BUYERS.name], half, BUYERS, question.bounds))
    people = {group: found[group, PERIODS[-1]][PEOPLE.name] / scale for group in GROUPS}
    noise = half / arms.Z / scale
    wider = NormalDist().inv_cdf(1 - 0.025 / (2 * len(COMPARISONS))) / arms.Z
    for measure, of, unit in (("rate_difference", BUYERS, 1.0), ("spent_difference", SPENT, float(arms.cap_minor(question, house)))):
        sums = {key: entry[of.name] / scale for key, entry in found.items()}
        for name, later, earlier, against in COMPARISONS:
            ends = [_change(people[one], sums[one, PERIODS[later]], sums[one, PERIODS[earlier]], noise, unit) for one in (TOUCHED, HOLDOUT)]
            told_ = arms.difference(ends[0], ends[1] if against else (0.0, 0.0), wider=wider)
            rows.append({COMPARISON: name, "measure": measure, "marginal": COMPARISON} | told_)
    return rows


def _change(people: float, later: float, earlier: float, noise: float, unit: float) -> tuple[float, float]:
    """The change of a group's mean with its standard error.

    Each person's change lies between -1 and 1, so its square is at most what they did in both months together: that bounds the variance
    among people from sums that are there anyway. The noise of both sums and of the number of people comes on top.
    """
    if people <= arms.Z * noise:
        return 0.0, unit
    change = (later - earlier) / people
    among = max(0.0, min(1.0, (max(0.0, later) + max(0.0, earlier)) / people) - change * change)
    return unit * change, unit * math.sqrt(among / people + noise * noise * (2 + change * change) / people**2)


REPORT = Report(
    kind="before_after",
    version=1,
    table="touches",
    by=(GROUP, PERIOD),
    measures=(PEOPLE, BUYERS, SPENT),
    bounds=Bounds(clip=3),
    rho_nano=2_000_000,
    contributions=contributions,
    render=render,
    own={GROUP: GROUPS, PERIOD: PERIODS},
    parameters={EXPERIMENT: arms.NAMED, HOLDOUT: Parameter(r"[^|]{1,64}", CONTROL), CAP: arms.CAPPED},
    months=len(PERIODS),
    in_units=True,
    hides_nothing=True,
)
