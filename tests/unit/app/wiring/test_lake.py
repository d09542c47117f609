"""The lake's parts are made when they are used, and one process writes at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app import housekeeping
from app.wiring.lake import LEASE
from privacy.dictionary import catalogue
from privacy.errors import NotFound, Unavailable
from tests.house import House

ASKED: dict[str, Any] = {"first": None, "last": None, "by": [], "where": []}


def test_looking_at_a_lake_that_is_not_there_makes_none(house: House) -> None:
    with pytest.raises(NotFound) as missing:
        house.services.lake_tables()
    assert missing.value.code == "lake_unknown"
    assert not (house.home / "catalogue.db").exists()


def test_a_lake_is_made_once_with_every_table_of_the_dictionary(house: House) -> None:
    house.services.make_lake()
    house.services.make_lake()
    assert house.services.lake_tables() == len(catalogue.load().tables)


def test_reader_and_writer_share_one_catalogue_and_close(house: House) -> None:
    assert house.services.writer is house.services.writer
    assert house.services.reader is house.services.reader
    assert house.services.maintenance is house.services.maintenance
    house.services.close_lake()
    assert house.services.lake_tables() == len(catalogue.load().tables)


def test_one_writer_at_a_time(house: House) -> None:
    with house.services.lake_lease():
        with pytest.raises(Unavailable) as busy, house.services.lake_lease():
            pass
        assert (busy.value.code, busy.value.retry_after) == ("lake_busy", 5)
    with house.services.lake_lease():
        pass


def test_a_lease_is_given_back_after_a_failure(house: House) -> None:
    with pytest.raises(ZeroDivisionError), house.services.lake_lease():
        raise ZeroDivisionError
    with house.services.begin_jobs() as tx:
        assert housekeeping.take_lease(tx, LEASE, "other", now=house.clock())


@pytest.mark.parametrize(
    ("today", "month"),
    [
        (datetime(2026, 6, 15, tzinfo=UTC), 202605),
        (datetime(2026, 6, 8, tzinfo=UTC), 202605),
        (datetime(2026, 6, 7, tzinfo=UTC), 202604),
        (datetime(2026, 1, 5, tzinfo=UTC), 202511),
        (datetime(2026, 1, 20, tzinfo=UTC), 202512),
        (datetime(2026, 3, 1, tzinfo=UTC), 202601),
        (datetime(2026, 6, 7, 20, tzinfo=UTC), 202605),
    ],
)
def test_without_a_period_the_last_month_is_meant_that_the_calendar_closed(house: House, today: datetime, month: int) -> None:
    """Months close on the seventh of the next one, by the controller's day."""
    house.clock.now = today
    options = house.services.report_options(ASKED)
    assert (options.start, options.end) == (month, month)


def test_a_period_is_taken_as_it_is_asked(house: House) -> None:
    options = house.services.report_options({**ASKED, "first": "2026-01", "last": "2026-03", "by": ["channel"], "where": ["channel=pos"]})
    assert (options.start, options.end, options.by, options.where) == (202601, 202603, ("channel",), ("channel=pos",))
