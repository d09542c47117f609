"""How many customers are likely to come back, and what the purchases of the next year are worth: BG/NBD and Gamma-Gamma on released counts.

Promise: two small tables of people over public bands of `person_month` of one closed month are released (further days with a purchase by
the time since the last one and since the first one; and by what a day was worth). The models are fitted on them, and every number of the
page is made of them. No model is fitted on rows of people, and nobody has a score of their own: cells have. It must never learn a person
beyond the run of one question.

Argument (dp_rules P-3, P-6, P-15). Bands are functions of the person's own rows within the look-back and of public edges; the person adds
.707 to one cell of each table, a vector of norm below 1, the bound, and the released counts are divided by that: nothing is hidden.
Parameters fitted on exact rows would depend on everybody, and so would every cell cut by them; fitted on a release they are
post-processing, and so are the chance to come back, the expected purchases and what they are worth (`analytics.reports.lifetimes`). Which
cells make a band of churn or value is decided by those parameters, on released numbers alone.

Time begins with the first purchase that the look-back holds. The models take it that customers who came earlier are like later ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, numbers
from analytics.reports.lifetimes import BACK, CHURN, FURTHER, TENURES, TICKETS, VALUE, WORTH, Scored, scored, timing
from analytics.reports.shares import part_of_one, told
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

FURTHER_DAYS, RECENCY, TENURE, TICKET = "further", "recency", "tenure", "ticket"
NAMES = (FURTHER_DAYS, RECENCY, TENURE, TICKET)
CHURN_BAND, VALUE_BAND = "churn", "value_band"
AMOUNT, UNIT = 7_071, 10_000
"""A person counts in two tables with a weight of .7071 in each, so that both together have a norm below 1."""
PEOPLE = Measure("people", UNIT)
EACH = 0.707
"""What of a person arrives in a cell: whole thousandths, cut downward."""
ANY = "any"
PURCHASES, MONEY = "purchases", "worth"
TENURE_WORDS = tuple(f"{first}-{last}" if first != last else str(first) for first, last in TENURES)


def every_cell() -> list[dict[str, str]]:
    """The public cells of both tables; what a table does not look at is "any"."""
    when = [
        {FURTHER_DAYS: str(further), RECENCY: str(recency), TENURE: TENURE_WORDS[tenure], TICKET: ANY}
        for further, recency, tenure in timing()
    ]
    return when + [
        {FURTHER_DAYS: str(further), RECENCY: ANY, TENURE: ANY, TICKET: str(ticket)}
        for further in range(len(FURTHER))
        for ticket in range(1, len(TICKETS) + 1)
    ]


def public_cells(question: Question, house: House) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(cell[name] for name in question.by) for cell in every_cell())


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """Two rows a person who bought within the look-back, one for each table, each with the same weight."""
    import ibis

    rows = filtered(view.people("person_month"), question.where)
    names = ("further_band", "recency_band", "ticket_band")
    one = rows.group_by(PERSON).agg(first=rows.first_purchase_month.min(), **{name: rows[name].max() for name in names})
    one = one.filter((one.recency_band > 0) & (one.ticket_band > 0) & one["first"].notnull())
    (month,) = question.months
    since = month // 100 * 12 + month % 100 - (one["first"] // 100 * 12 + one["first"] % 100)
    tenure = [((since >= first) & (since <= last), word) for (first, last), word in zip(TENURES, TENURE_WORDS, strict=True)]
    further, each, some = one.further_band.cast("string"), ibis.literal(AMOUNT, "int64"), ibis.literal(ANY)
    recency, ticket = one.recency_band.cast("string"), one.ticket_band.cast("string")
    when = one.select(PERSON, further=further, recency=recency, tenure=ibis.cases(*tenure), ticket=some, people=each)
    return when.union(one.select(PERSON, further=further, recency=some, tenure=some, ticket=ticket, people=each))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """All together, then people by the chance to come back and by what they are worth in the next year. Too few people have one row."""
    half = margin(release) / release.question.bounds.scale / EACH
    found = scored(*released(release))
    whole = np.ones_like(found.worth)
    everybody = _people(found, whole, half) | {"marginal": "all"}
    if everybody["low"] <= 0:
        return [everybody]
    rows = [everybody, *(_expected(found, name, whole, half) | {"marginal": "all"} for name in (PURCHASES, MONEY))]
    churn = np.repeat(np.searchsorted(BACK, found.back, side="right")[:, None], len(TICKETS), axis=1)
    value = np.searchsorted(WORTH, found.worth, side="right")
    for name, words, bands, measure in ((CHURN_BAND, CHURN, churn, PURCHASES), (VALUE_BAND, VALUE, value, MONEY)):
        inside = [(word, (bands == place).astype(np.float64)) for place, word in enumerate(words)]
        head = {"marginal": name}
        rows += [{name: word} | _people(found, some, half) | head for word, some in inside]
        rows += [{name: word} | _share(found, some, half) | head for word, some in inside]
        rows += [{name: word} | _expected(found, measure, some, half) | head for word, some in inside]
    return rows


def released(release: Release) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Released people of both tables in their order, whatever the order of the question's groupings."""
    by, parts = release.question.by, release.question.bounds.scale * EACH
    counts = dict(zip(release.cells, release.values, strict=True))
    found = [counts[tuple(cell[name] for name in by)] / parts for cell in every_cell()]
    return tuple(found[: len(timing())]), tuple(found[len(timing()) :])


def _people(found: Scored, inside: np.ndarray, half: float) -> dict[str, Any]:
    """People of some cells."""
    value, length = found.sum(np.ones_like(inside), inside)
    return {"measure": PEOPLE.name} | numbers(value, half * length, Measure(PEOPLE.name), Bounds(1, 1))


def _share(found: Scored, inside: np.ndarray, half: float) -> dict[str, Any]:
    """The share of some cells' people among all: p moves with every count by its own slope less p times the whole's."""
    value, whole = float((found.people * (found.parts * inside).sum(axis=1)).sum()), float(found.people.sum())
    part = value / whole
    _, length = found.sum(np.ones_like(inside), inside - part)
    width = half * length / whole
    return {"measure": "share"} | part_of_one(part, max(0.0, part - width), min(1.0, part + width))


def _expected(found: Scored, measure: str, inside: np.ndarray, half: float) -> dict[str, Any]:
    """A sum of scores over some cells."""
    value, length = found.sum(found.worth if measure == MONEY else found.purchases, inside)
    return {"measure": measure} | told(value, value - half * length, value + half * length)


REPORT = Report(
    kind="lifetime",
    version=1,
    table="person_month",
    by=NAMES,
    measures=(PEOPLE,),
    bounds=Bounds(clip=1),
    rho_nano=3_000_000,
    contributions=contributions,
    render=render,
    own={
        FURTHER_DAYS: tuple(str(place) for place in range(len(FURTHER))),
        RECENCY: (ANY, "1", "2", "3", "4", "5"),
        TENURE: (ANY, *TENURE_WORDS),
        TICKET: (ANY, *(str(place) for place in range(1, len(TICKETS) + 1))),
    },
    filters=("sex", "age_band", "occupation", "region", "tier"),
    hides_nothing=True,
    in_units=True,
    terms=2 * len(timing()),
    needs_close=True,
    public_cells=public_cells,
)
