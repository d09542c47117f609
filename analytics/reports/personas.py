"""Personas: groups of customers who buy alike, each with a card that says in words how, how many and which share.

Promise: one histogram of people over a public grid of four traits of `person_month` (how often they buy, what a purchase day is worth, how
much of the price discounts took off, whether they tell others) is released; centres, the number of personas and their names are made
of it alone. Nobody is told which persona they are in, and no segment can be made of it. It must never learn a person beyond the run of one
question.

Argument (dp_rules P-3, P-6, §3 k-means). A raw centroid moves with everybody, and one odd customer may become one. Here a person adds 1 to the
cell of their own bands, whose edges are public: the bound is 1 and hides nothing. Clusters of released cells are post-processing: whatever is
done with them (any number of starts, steps and numbers of clusters, a silhouette) costs nothing more. Noised sums and counts of each step of
Lloyd's method would have to share the price among all steps, fix the steps before, and buy every number of clusters anew; over a grid as
small as this one the noise that reaches a centre is no larger (decision 0032).

Which cells make a persona is decided by the release; a size is the sum of its cells, with the margin of that many.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics import metrics
from analytics.aggregate import PERSON
from analytics.reports.base import House, Margin, Report, filtered, numbers
from analytics.reports.clusters import Clusters, clusters
from analytics.reports.personawords import FREQUENCY, TRAITS, card, named
from analytics.reports.shares import part_of_one, share, told
from privacy.records import Bounds, Measure

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analytics.lake.reader import View
    from privacy.records import Question, Release

PERSONA, TRAIT = "persona", "trait"
PEOPLE = Measure("people")
LEVEL = "level"
BANDS = {
    FREQUENCY: range(1, len(metrics.FREQUENCY_ORDERS) + 1),
    "ticket": range(1, len(metrics.TICKET_MINOR) + 2),
    "discount": range(1, len(metrics.DISCOUNT_PERCENT) + 2),
    "sharing": range(len(metrics.SHARED_TIMES) + 1),
}
"""The public grid, by trait: 360 cells."""
AMONG = (2, 3, 4, 5, 6)
LEAST = 50
"""No persona has fewer people than this, its margin taken off."""
_Z = 1.959963984540054


def grid() -> np.ndarray:
    """Where each cell stands: every trait from 0 to 1, so that all weigh alike."""
    cells = np.array(list(product(*[list(BANDS[name]) for name in TRAITS])), dtype=np.float64)
    return (cells - cells.min(axis=0)) / (cells.max(axis=0) - cells.min(axis=0))


def contributions(view: View, question: Question, house: House) -> ir.Table:
    """One row a person who bought within the look-back: the four bands, and 1."""
    import ibis

    rows = filtered(view.people("person_month"), question.where)
    one = rows.group_by(PERSON).agg(**{name: rows[f"{name}_band"].max() for name in TRAITS})
    one = one.filter(one[FREQUENCY] > 0)
    bands = {name: one[name].coalesce(0).cast("string") for name in TRAITS}
    return one.select(PERSON, **bands, people=ibis.literal(1, "int64"))


def render(release: Release, house: House, margin: Margin) -> list[dict[str, Any]]:
    """Each persona's people and share under its name and card, then its levels by trait: 0 is the lowest band of the grid, 1 the highest."""
    bounds, half = release.question.bounds, margin(release)
    counts = released(release)
    found = _found(counts, half / bounds.scale / _Z)
    values = np.array(counts)
    cards = [card(levels) for levels in found.centres]
    names = named(list(found.centres))
    rows: list[dict[str, Any]] = []
    sizes = [(float(values[found.of == place].sum()), int((found.of == place).sum())) for place in range(found.number)]
    head = [{PERSONA: str(place + 1), "name": names[place], "card": cards[place]} for place in range(found.number)]
    for place, (size, terms) in enumerate(sizes):
        size_row = numbers(size * bounds.scale, margin(release, terms=terms), PEOPLE, bounds)
        rows.append(head[place] | {"measure": PEOPLE.name, "marginal": PERSONA} | size_row)
    whole = float(values.sum())
    for place, (size, terms) in enumerate(sizes):
        low, high = share(size, whole, half / bounds.scale, len(values), terms)
        middle = size / whole if whole > 0 else (low + high) / 2
        rows.append(head[place] | {"measure": "share", "marginal": PERSONA} | part_of_one(middle, low, high))
    points = grid()
    for place in range(found.number):
        inside = found.of == place
        for number, name in enumerate(TRAITS):
            level, width = _level(points[inside, number], values[inside], half / bounds.scale)
            row = {PERSONA: str(place + 1), TRAIT: name, "name": names[place], "measure": LEVEL, "marginal": TRAIT}
            rows.append(row | told(level, max(0.0, level - width), min(1.0, level + width)))
    return rows


def released(release: Release) -> tuple[float, ...]:
    """Released people in the grid's order, whatever the order of the question's groupings."""
    by, scale = release.question.by, release.question.bounds.scale
    place = [by.index(name) for name in TRAITS]
    counts = {tuple(cell[one] for one in place): value / scale for cell, value in zip(release.cells, release.values, strict=True)}
    return tuple(counts[cell] for cell in product(*[[str(band) for band in BANDS[name]] for name in TRAITS]))


@lru_cache(maxsize=64)
def _found(counts: tuple[float, ...], sigma: float) -> Clusters:
    """Every persona has the least number of people even after the margin of all cells is taken off."""
    return clusters(grid(), np.array(counts), AMONG, LEAST + _Z * sigma * float(np.sqrt(len(counts))))


def _level(points: np.ndarray, counts: np.ndarray, half: float) -> tuple[float, float]:
    """The mean level of the people in some cells, with the margin that noise in their counts gives it; the whole range where they are few."""
    whole = float(counts.sum())
    if whole <= half * np.sqrt(len(counts)):
        return 0.5, 0.5
    level = float(np.clip((counts * points).sum() / whole, 0.0, 1.0))
    return level, float(half * np.sqrt(((points - level) ** 2).sum()) / whole)


REPORT = Report(
    kind="personas",
    version=1,
    table="person_month",
    by=TRAITS,
    measures=(PEOPLE,),
    bounds=Bounds(clip=1),
    rho_nano=3_000_000,
    contributions=contributions,
    render=render,
    own={name: tuple(str(band) for band in BANDS[name]) for name in TRAITS},
    filters=("sex", "age_band", "occupation", "region", "tier"),
    once=("people",),
    one_cell=True,
    hides_nothing=True,
    terms=360,
    needs_close=True,
)
