"""Invented buyers who follow the two models exactly, as a month's close would band them. Tests only."""

from __future__ import annotations

from typing import Any

import numpy as np

from analytics import metrics

MONTH = 202612
DAYS = 365


def bought(people: int, seed: int, *, r: float, alpha: float, a: float, b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Further purchases, age of the last one and age of the relationship in days; α is in weeks. First purchases are spread evenly."""
    chance = np.random.default_rng(seed)
    rate, leaves = chance.gamma(r, 1 / alpha, people) / 7, chance.beta(a, b, people)
    age = chance.uniform(0, DAYS, people)
    number, last, now, there = np.zeros(people, dtype=np.int64), np.zeros(people), np.zeros(people), np.ones(people, dtype=bool)
    while there.any():
        now = np.where(there, now + chance.exponential(1 / np.maximum(rate, 1e-12)), now)
        there &= now <= age
        number, last = number + there, np.where(there, now, last)
        there &= chance.random(people) > leaves
    return number, last, age


def closed(people: int, seed: int, *, p: float = 4.0, q: float = 4.0, gamma: float = 2_000.0, **model: float) -> list[dict[str, Any]]:
    """Rows of `person_month` of December 2026."""
    number, last, age = bought(people, seed, **model)
    chance = np.random.default_rng(seed + 1)
    own = chance.gamma(q, 1 / gamma, people)
    ticket = chance.gamma(p * (number + 1), 1 / (own * (number + 1)))
    month = [metrics.month_after(MONTH, -int(days // 30.42)) for days in age]
    return [
        {
            "run_id": person,
            "month": MONTH,
            "further_band": metrics.band(int(number[person]), metrics.FURTHER_DAYS),
            "recency_band": metrics.recency_band(float(age[person] - last[person])),
            "first_purchase_month": month[person],
            "ticket_band": 1 + metrics.band(int(ticket[person]), metrics.TICKET_MINOR),
        }
        for person in range(people)
    ]
