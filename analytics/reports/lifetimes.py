"""Churn and lifetime value of released counts: the two models fitted on them, scores of cells, sums over bands with their margins.

Promise: everything here is made of a stored release and of public constants, so it costs nothing and repeats like the release; a score belongs
to a cell of public bands, and who stands in the cell is not known here (dp_rules P-6, P-15). Pure.

How often somebody buys and what a purchase is worth are independent in the models, so two small tables are enough: when people buy, and what
their purchases are worth by how many they made. Somebody with x purchases is taken to spend like all with x purchases.

Margins. A sum over cells moves with the released counts in three ways: with the people of a cell, with the shares of tickets, and with the
parameters, which were fitted on the same counts and move to first order by H⁻¹·Σ gᶜ·dnᶜ when counts move by dn (gᶜ: the gradient of a cell's
log likelihood; H = Σ nᶜ·gᶜ·gᶜᵀ). The margin of a sum is that of one count times the length of the vector of all these slopes (the delta
method). That the next year is like the last one is the models' word and in no margin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from analytics import metrics
from analytics.models import grouped
from analytics.models.repurchase import Repurchase
from analytics.models.spend import Spend
from analytics.reports.shares import shares

Further = tuple[int, int | None]
Edges = tuple[float, float]

FURTHER: tuple[Further, ...] = tuple(zip((0, *metrics.FURTHER_DAYS), (*metrics.FURTHER_DAYS, None), strict=True))
"""Bands of further days with a purchase: the least, and the first number above."""
_MONTH, _YEAR = 30.4, 365.3
TENURES: tuple[tuple[int, int], ...] = ((0, 0), (1, 2), (3, 5), (6, 11))
"""Months since that of the first purchase, from and to."""
AGES: tuple[Edges, ...] = tuple((first * _MONTH, min((last + 1) * _MONTH, _YEAR)) for first, last in TENURES)
_RECENT = (0, *metrics.RECENCY_DAYS, _YEAR)
SINCE: tuple[Edges, ...] = tuple((float(low), float(high)) for low, high in pairwise(_RECENT))[::-1]
"""Days since the last purchase, for recency bands 1 to 5."""
_SLACK = 3.0
"""Months differ in length: cells that only just meet are there, too."""
TICKETS: tuple[Edges, ...] = tuple(
    zip((100.0, *map(float, metrics.TICKET_MINOR)), (*map(float, metrics.TICKET_MINOR), 6.0 * metrics.TICKET_MINOR[-1]), strict=True)
)
"""What a day with a purchase was worth, for ticket bands 1 to 6, in minor units; the last one is taken to end at six times its edge."""

WEEK, SOON, AHEAD = 7.0, 90.0, 364.0
"""Days: the models' unit of time, the time in which somebody who is not lost buys, and the time that is looked ahead."""
BACK = (0.1, 0.3, 0.6)
CHURN = ("gone", "at_risk", "open", "likely")
"""Bands of the chance to buy within ninety days, by their edges."""
WORTH = (5_000, 20_000, 50_000, 150_000)
VALUE = ("0-4999", "5000-19999", "20000-49999", "50000-149999", "150000+")
"""Bands of what purchases of the next 52 weeks are expected to be worth, by their edges in minor units."""


@cache
def timing() -> tuple[tuple[int, int, int], ...]:
    """Bands (further, recency, tenure) that can stand together, in a fixed order. Who bought on one day has the same age and recency."""
    found = []
    for further, (low, _) in enumerate(FURTHER):
        for tenure, age in enumerate(AGES):
            for band, since in enumerate(SINCE, 1):
                meets = since[0] < age[1] + _SLACK and (low > 0 or since[1] > age[0] - _SLACK)
                if meets:
                    found.append((further, band, tenure))
    return tuple(found)


@cache
def _points() -> tuple[grouped.Points, grouped.Points]:
    when = []
    for further, band, tenure in timing():
        since, age = SINCE[band - 1], AGES[tenure]
        if further == 0 and min(since[1], age[1]) > max(since[0], age[0]):
            age = (max(since[0], age[0]), min(since[1], age[1]))
        when.append((*FURTHER[further], _weeks(age), _weeks(since)))
    return grouped.timing(when), grouped.worth([(*further, ticket) for further in FURTHER for ticket in TICKETS])


def _weeks(days: Edges) -> Edges:
    return days[0] / WEEK, days[1] / WEEK


@dataclass(frozen=True, slots=True)
class Scored:
    """The fitted models, the released counts and the scores of every cell of timing and ticket, with how scores move with counts."""

    repurchase: Repurchase
    spend: Spend
    people: np.ndarray
    """Released counts by timing. Negative ones stay."""
    parts: np.ndarray
    """Of those with as many purchases the share at each ticket: timing × ticket."""
    back: np.ndarray
    """The chance to buy within ninety days, by timing."""
    purchases: np.ndarray
    worth: np.ndarray
    """Expected of the next 52 weeks: timing × ticket."""
    _bought: np.ndarray
    _slopes_bought: np.ndarray
    _slopes_worth: np.ndarray

    def sum(self, scores: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
        """Σ people · score over some cells (timing × ticket), and the length of the vector by which it moves with the released counts.

        `scores` is `purchases`, `worth` or ones: that decides which parameters move it.
        """
        kept = np.asarray(scores * inside)
        mean = (self.parts * kept).sum(axis=1)
        value = float((self.people * mean).sum())
        weight = self.people[:, None] * self.parts * inside
        by_timing, by_ticket = mean.copy(), self._of_parts(kept, mean)
        if scores is self.purchases or scores is self.worth:
            rate = np.ones_like(kept) if scores is self.purchases else self.worth / np.maximum(self.purchases, 1e-12)
            by_timing += (weight * rate).sum(axis=1) @ self._slopes_bought
        if scores is self.worth:
            by_ticket += _by_further(weight * self.purchases).ravel() @ self._slopes_worth
        return value, float(np.sqrt((by_timing**2).sum() + (by_ticket**2).sum()))

    def _of_parts(self, kept: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """How a sum moves with each count of tickets, by way of the shares: none where all tickets score alike."""
        return np.asarray(_by_further(self.people[:, None] * (kept - mean[:, None])) / self._bought[:, None]).ravel()


@lru_cache(maxsize=32)
def scored(by_timing: tuple[float, ...], by_ticket: tuple[float, ...]) -> Scored:
    """The scores of two released tables: people by `timing`, and by further purchases × ticket."""
    people, tickets = np.array(by_timing), np.array(by_ticket).reshape(len(FURTHER), len(TICKETS))
    when, what = _points()
    whole = max(float(people.sum()), 1.0)
    held, sold = np.array(shares(people.tolist())) * whole, np.array(shares(tickets.ravel().tolist())) * whole
    middle = np.log([low * high for low, high in TICKETS]) / 2
    again = grouped.fit_timing(when, held)
    paid = grouped.fit_worth(what, sold, float(np.exp((sold.reshape(tickets.shape).sum(axis=0) * middle).sum() / whole)))
    of_again, of_paid = (again.r, again.alpha, again.a, again.b), (paid.p, paid.q, paid.gamma)
    moved_again = _influence(lambda some: when.log_likelihood(Repurchase(*some).log_likelihood), of_again, held)
    moved_paid = _influence(lambda some: what.log_likelihood(Spend(*some).log_likelihood), of_paid, sold)
    purchases = _purchases(again)
    further = np.array([cell[0] for cell in timing()])
    parts = np.array([shares(row) for row in tickets.tolist()])[further]
    return Scored(
        again,
        paid,
        people,
        parts,
        when.average(again.log_likelihood, _back(again, *when.columns)),
        np.repeat(purchases[:, None], len(TICKETS), axis=1),
        purchases[:, None] * _worth(paid)[further],
        np.maximum(tickets.sum(axis=1), 1.0),
        np.array(_slopes(lambda some: _purchases(Repurchase(*some)), of_again)).T @ moved_again,
        np.array([one.ravel() for one in _slopes(lambda some: _worth(Spend(*some)), of_paid)]).T @ moved_paid,
    )


def _by_further(table: np.ndarray) -> np.ndarray:
    """A table of timing × ticket added up over timings with as many purchases."""
    found = np.zeros((len(FURTHER), len(TICKETS)))
    np.add.at(found, [cell[0] for cell in timing()], table)
    return found


def _back(model: Repurchase, again: Any, recency: Any, age: Any) -> np.ndarray:
    """The chance of a purchase within ninety days: still there, and then not silent."""
    silent = ((model.alpha + age) / (model.alpha + age + SOON / WEEK)) ** (model.r + again)
    return np.asarray(model.alive(again, recency, age) * (1.0 - silent))


def _purchases(model: Repurchase) -> np.ndarray:
    when, _ = _points()
    return when.average(model.log_likelihood, model.expected(AHEAD / WEEK, *when.columns))


def _worth(model: Spend) -> np.ndarray:
    _, what = _points()
    return what.average(model.log_likelihood, model.expected(*what.columns)).reshape(len(FURTHER), len(TICKETS))


def _slopes(of: Callable[[Sequence[float]], np.ndarray], at: Sequence[float], step: float = 1e-4) -> list[np.ndarray]:
    """How a function moves with the logarithm of each of its parameters."""
    found = []
    for place in range(len(at)):
        up, down = (of([one * np.exp(sign * step) if number == place else one for number, one in enumerate(at)]) for sign in (1, -1))
        found.append((up - down) / (2 * step))
    return found


def _influence(likelihood: Callable[[Sequence[float]], np.ndarray], at: Sequence[float], people: np.ndarray) -> np.ndarray:
    """By how much the logarithm of each parameter moves with each count: parameters × cells."""
    slopes = np.array(_slopes(likelihood, at))
    information = (slopes * np.maximum(people, 0.0)) @ slopes.T
    return np.asarray(np.linalg.pinv(information, rcond=1e-10, hermitian=True) @ slopes)
