"""The rate of a source over several processes: what gets in, what is told to those who do not, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app import rates
from app.stores import Stores
from tests.conftest import NOW
from tests.house import Clock


class Counting:
    """Transactions, counted."""

    def __init__(self, begin: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self.begin = begin
        self.number = 0

    def __call__(self) -> AbstractContextManager[sa.Connection]:
        self.number += 1
        return self.begin()


def let_in(limiters: list[rates.Limiter], times: int, rate: int) -> int:
    """How many of so many requests get in, dealt out to the processes in turn."""
    return sum(limiters[number % len(limiters)].allow("src_a", rate) == 0 for number in range(times))


@pytest.mark.parametrize("rate", [1, 7, 40, 200])
def test_over_all_processes_no_more_gets_in_than_the_rate_and_what_they_hold(stores: Stores, rate: int) -> None:
    """The documented bound, at every length of time, with a rate that is no multiple of a slice too."""
    clock, processes = Clock(), 3
    limiters = [rates.Limiter(stores.begin_platform, clock) for _ in range(processes)]
    inside = let_in(limiters, 3 * rate, rate)
    assert 1 <= inside <= rate
    for step in range(1, 41):
        clock.forward(milliseconds=125)
        inside += let_in(limiters, rate, rate)
        assert inside <= rate * (step * 0.125 + 1) + processes * rates.slice_of(rate)
    assert inside >= 5 * rate - rates.slice_of(rate), "who keeps to the rate is let in"


def test_a_process_asks_the_database_a_few_times_a_second_and_not_at_all_for_those_it_turns_away(stores: Stores) -> None:
    clock, begin = Clock(), Counting(stores.begin_platform)
    limiter = rates.Limiter(begin, clock)
    assert sum(limiter.allow("src_a", 1_000) == 0 for _ in range(5_000)) == 1_000
    assert begin.number <= 2 * rates.SLICES
    asked = begin.number
    assert all(limiter.allow("src_a", 1_000) for _ in range(5_000))
    assert begin.number == asked


def test_the_more_are_turned_away_the_longer_they_are_told_to_wait_up_to_a_minute(stores: Stores) -> None:
    limiter = rates.Limiter(stores.begin_platform, Clock())
    told = [limiter.allow("src_a", 2) for _ in range(1_000)]
    assert told[:6] == [0, 0, 1, 1, 2, 2]
    assert told[-1] == rates.LONGEST_WAIT
    assert told == sorted(told)


def test_one_sources_flood_is_nobody_elses(stores: Stores) -> None:
    limiter = rates.Limiter(stores.begin_platform, Clock())
    assert [limiter.allow("src_a", 1) for _ in range(3)] == [0, 1, 2]
    assert limiter.allow("src_b", 1) == 0


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1), timedelta(seconds=-30)])
def test_a_clock_that_jumps_neither_opens_the_gate_nor_shuts_it(stores: Stores, jump: timedelta) -> None:
    clock = Clock()
    limiter = rates.Limiter(stores.begin_platform, clock)
    assert let_in([limiter], 100, 10) == 10
    clock.now += jump
    assert let_in([limiter], 100, 10) <= 10
    if abs(jump) > rates.CLOCK_JUMP:
        clock.forward(seconds=1)
        assert let_in([limiter], 100, 10) >= 1


def test_a_bucket_never_holds_more_than_a_second(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        rates.create(tx, "src_a", 8, now=NOW)
        rates.create(tx, "src_a", 8_000, now=NOW)
        later: datetime = NOW + timedelta(days=3)
        assert sum(rates.take(tx, "src_a", 8, now=later) for _ in range(20)) == 8
        assert tx.execute(sa.select(rates.RateBucket.remaining)).scalar_one() == 0
