"""Scores of released counts: they come out as the truth has them, and move as their margins say."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analytics.models.repurchase import Repurchase
from analytics.reports.lifetimes import AGES, AHEAD, FURTHER, SINCE, TENURES, TICKETS, WEEK, scored, timing
from tests.fakes.buyers import MONTH, bought, closed

MODEL = {"r": 0.9, "alpha": 5.0, "a": 0.5, "b": 3.0}
PEOPLE = 12_000


@cache
def counts() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Buyers who follow the models, as both tables count them."""
    place = {cell: number for number, cell in enumerate(timing())}
    when, what = np.zeros(len(place)), np.zeros((len(FURTHER), len(TICKETS)))
    for row in closed(PEOPLE, 3, **MODEL):
        first = row["first_purchase_month"]
        since = MONTH // 100 * 12 + MONTH % 100 - (first // 100 * 12 + first % 100)
        tenure = next(number for number, (low, high) in enumerate(TENURES) if low <= since <= high)
        when[place[row["further_band"], row["recency_band"], tenure]] += 1
        what[row["further_band"], row["ticket_band"] - 1] += 1
    return tuple(when.tolist()), tuple(what.ravel().tolist())


def test_bands_that_cannot_stand_together_are_no_cells() -> None:
    for further, recency, tenure in timing():
        assert SINCE[recency - 1][0] < AGES[tenure][1] + 4
        assert further or SINCE[recency - 1][1] > AGES[tenure][0] - 4
    assert len(set(timing())) == len(timing()) < 100


def test_what_is_expected_agrees_with_the_models_that_the_buyers_follow() -> None:
    """Of 12,000 buyers the sampling error of parameters is a few per cent; 15 per cent would be five of its deviations."""
    found = scored(*counts())
    further, last, age = bought(PEOPLE, 3, **MODEL)
    truth = float(Repurchase(**MODEL).expected(AHEAD / WEEK, further, last / WEEK, age / WEEK).sum())
    whole = np.ones_like(found.worth)
    purchases, worth = found.sum(found.purchases, whole)[0], found.sum(found.worth, whole)[0]
    assert purchases == pytest.approx(truth, rel=0.15)
    assert worth / purchases == pytest.approx(4.0 * 2_000 / 3.0, rel=0.15)  # the mean of Gamma-Gamma: pγ/(q − 1)


def test_people_of_all_cells_are_all_people_whatever_tickets_say() -> None:
    found = scored(*counts())
    value, length = found.sum(np.ones_like(found.worth), np.ones_like(found.worth))
    assert value == pytest.approx(PEOPLE)
    assert length == pytest.approx(np.sqrt(len(timing())))  # a sum of so many counts, and nothing else


def test_a_sum_moves_with_the_counts_as_far_as_its_margin_says() -> None:
    """The counts are moved a little, everything is fitted again, and the change is divided by what the margin says of such a move: five draws
    of about one deviation each. Seeds are fixed."""
    when, what = (np.array(one) for one in counts())
    found = scored(*counts())
    inside, chance = np.ones_like(found.worth), np.random.default_rng(1)
    drawn = [scored(tuple(when + chance.normal(0, 2, when.shape)), tuple(what + chance.normal(0, 2, what.shape))) for _ in range(5)]
    for score in ("purchases", "worth"):
        middle, length = found.sum(getattr(found, score), inside)
        moved = [(again.sum(getattr(again, score), inside)[0] - middle) / (2 * length) for again in drawn]
        assert 0.2 < float(np.sqrt(np.mean(np.square(moved)))) < 2.5
