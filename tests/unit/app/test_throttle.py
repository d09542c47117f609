"""A try is counted before it is looked at; waits double up to a quarter of an hour; nothing in the table names anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app import throttle
from app.stores import Stores
from app.throttle import Counted, Throttle
from privacy.errors import Refused

ME, OFFICE = Counted(b"m" * 32, 5), Counted(b"o" * 32, 50)


def test_waits_double_and_end_at_a_quarter_of_an_hour() -> None:
    minutes = [throttle.wait_after(tries, 5) // timedelta(minutes=1) for tries in (1, 4, 5, 6, 7, 8, 9, 10, 1_000_000)]
    assert minutes == [0, 0, 1, 2, 4, 8, 15, 15, 15]


def test_a_try_within_the_wait_is_not_counted_and_says_how_long(stores: Stores, now: datetime) -> None:
    for _ in range(5):
        with stores.begin_platform() as tx:
            throttle.take(tx, [ME, OFFICE], now=now)
    for _ in range(3):
        with pytest.raises(Refused) as refused, stores.begin_platform() as tx:
            throttle.take(tx, [ME, OFFICE], now=now + timedelta(seconds=20))
        assert (refused.value.code, refused.value.retry_after) == ("too_many_tries", 40)
    with stores.begin_platform() as tx:
        assert throttle.take(tx, [ME, OFFICE], now=now + timedelta(seconds=60)) == 6


def test_a_shared_count_gives_one_try_back_and_keeps_the_rest(sqlite: Stores, now: datetime) -> None:
    with sqlite.begin_platform() as tx:
        throttle.PlatformBase.metadata.create_all(tx)
        for _ in range(3):
            throttle.take(tx, [OFFICE], now=now)
        throttle.give_back(tx, OFFICE, now=now)
        throttle.clear(tx, ME.digest)
        assert throttle.take(tx, [OFFICE], now=now) == 3


def test_tries_of_a_quiet_quarter_of_an_hour_ago_no_longer_count_and_rows_are_forgotten(sqlite: Stores, now: datetime) -> None:
    with sqlite.begin_platform() as tx:
        throttle.PlatformBase.metadata.create_all(tx)
        for _ in range(4):
            throttle.take(tx, [ME], now=now)
        assert throttle.take(tx, [ME], now=now + throttle.WINDOW) == 1
        throttle.take(tx, [OFFICE], now=now + throttle.WINDOW + throttle.FORGOTTEN)
        assert tx.execute(sa.select(Throttle.digest)).scalars().all() == [OFFICE.digest]
