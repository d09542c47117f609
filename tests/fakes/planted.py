"""A chain's released tables in memory, with facts planted or with none, and noise by a seed. Tests only.

Every table of a measure is a sum of the same amounts, as a plan's marginals are; what is planted stands in `Planted`, each fact apart.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from analytics.metrics import month_after
from analytics.reports.cube import Cube, Held
from analytics.reports.families import Dimension, Family, Marginal
from analytics.reports.planrows import WEEKDAYS

SEX: Dimension = ("sex", ("female", "male"))
AGE: Dimension = ("age_band", ("18-19", "20-24", "25-29", "30-34", "35-39", "40-49", "unknown"))
WORK: Dimension = (
    "occupation",
    ("student", "office_worker", "teacher", "retired", "homemaker", "manual_worker", "health_worker", "other", "unknown"),
)
CHANNEL: Dimension = ("channel", ("pos", "delivery", "mini_program", "other"))
PART: Dimension = ("daypart", ("morning", "noon", "afternoon", "evening"))
KIND: Dimension = ("category", ("milk_tea", "fruit_tea", "coffee", "low_sugar", "snack", "other"))
STORE: Dimension = ("store", (*(f"S{number:02d}" for number in range(1, 25)), "other"))
FIRST = 202511
PEOPLE, ORDERS, LINES, ENQUIRIES, WORTH = 40_000.0, 1_200.0, 2_000.0, 4_000.0, 3_000.0
"""People a month, orders and lines a day, enquiries a month, minor units an order."""


@dataclass(frozen=True)
class Planted:
    """Which of the six facts are in the chain."""

    women: bool = False
    students: bool = False
    order: bool = False
    midweek: bool = False
    afternoon: bool = False
    enquiries: bool = False


ALL = Planted(True, True, True, True, True, True)


def even(axis: Dimension) -> np.ndarray:
    """Each named value the same; nothing in what is not listed."""
    known = np.array([value not in ("other", "unknown") for value in axis[1]], dtype=float)
    return known / known.sum()


def year(planted: Planted, months: int = 12, *, sd: float = 0.0, seed: int = 0) -> dict[int, Cube]:
    """So many months. `sd` is the noise of one cell of orders, lines and people; of sales that many orders' worth."""
    chance = np.random.default_rng(seed)
    return {month_after(FIRST, number): _month(planted, number, sd, chance) for number in range(months)}


def _month(planted: Planted, number: int, sd: float, chance: np.random.Generator) -> Cube:
    month = month_after(FIRST, number)
    days = [date(month // 100, month % 100, day) for day in range(1, monthrange(month // 100, month % 100)[1] + 1)]
    pyramid, work = np.outer(even(SEX), even(AGE)), even(WORK)
    if planted.women:
        pyramid = 0.25 * pyramid / pyramid.sum()
        pyramid[0, 1:3] += 0.75 - pyramid[0, 1:3].sum()
        pyramid *= 1 / pyramid.sum()
        rest = np.ones_like(pyramid, bool)
        rest[0, 1:3] = False
        pyramid[0, 1:3] = 0.375
        pyramid[rest] *= 0.25 / pyramid[rest].sum()
    if planted.students:
        work = np.array([0.4, 0.35, *[0.05] * 5, 0.0, 0.0])
    kind = even(KIND)
    worth = np.full(len(WORK[1]), WORTH)
    if planted.order:
        worth[0] = 0.6 * WORTH
    grown = np.full(len(KIND[1]), ENQUIRIES) * kind
    if planted.enquiries:
        grown[3] *= 1.2**number
    rate = np.array([0.65 if planted.midweek and WEEKDAYS[day.weekday()] in ("wed", "thu") else 1.0 for day in days]) * ORDERS
    channel, part = np.array([0.6, 0.25, 0.15, 0.0]), even(PART)
    together = np.outer(channel, part)
    if planted.afternoon:
        share = 0.2
        for place, times in enumerate((1.0, 1.0, 2.5, 1.0)):
            together[1, place] = share * times * part[place]
            left = (1 - share * times) * part[place]
            together[[0, 2], place] = left * np.array([0.8, 0.2])
    daily = np.outer(rate, together.sum(axis=1))
    orders = daily.sum()
    sold = np.outer(work, together.sum(axis=1)) * orders
    lines = np.outer(kind, together.sum(axis=1)) * LINES * len(days)
    weekday = np.array([rate[[WEEKDAYS[day.weekday()] == name for day in days]].sum() for name in WEEKDAYS])
    day_axis: Dimension = ("day", tuple(f"{day.day:02d}" for day in days))
    make = _Maker(sd, chance)
    cube = Cube(month, [])
    cube.__dict__["families"] = (
        make("people", ((SEX, AGE), pyramid * PEOPLE), ((WORK, SEX), np.outer(work, pyramid.sum(axis=1)) * PEOPLE)),
        make(
            "orders",
            ((STORE,), even(STORE) * orders),
            ((CHANNEL, PART), together * orders),
            ((("weekday", WEEKDAYS), PART), np.outer(weekday, together.sum(axis=0))),
            ((WORK, CHANNEL), sold),
            ((SEX, AGE), pyramid * orders),
        ),
        make("sales", ((STORE,), even(STORE) * (sold.sum(axis=1) @ worth)), ((WORK, CHANNEL), sold * worth[:, None]), unit=WORTH),
        make("lines", ((KIND, CHANNEL), lines)),
        make("orders", ((day_axis, CHANNEL), daily)),
        make("enquiries", ((KIND,), grown)),
    )
    return cube


class _Maker:
    def __init__(self, sd: float, chance: np.random.Generator) -> None:
        self._sd, self._chance = sd, chance

    def __call__(self, measure: str, *tables: tuple[tuple[Dimension, ...], Any], unit: float = 1.0) -> Held:
        spread = self._sd * unit
        made = [
            Marginal(axes, np.array(values) + self._chance.normal(0.0, 1.0, np.shape(values)) * spread, max(spread, 1e-6) ** 2)
            for axes, values in tables
        ]
        return Held(measure, Family(tuple(made)), (f"rel_{measure}_{len(tables)}",), adds=True)
