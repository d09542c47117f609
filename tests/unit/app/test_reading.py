"""The access log as its page shows it: logged before read, counted, and one's own acts for whoever may see no more."""

from __future__ import annotations

import pytest

from app import access, reading
from app.access import Caller
from privacy.errors import Invalid
from tests.house import House


def _caller(house: House, role: str) -> Caller:
    with house.services.begin_console() as tx:
        account, _ = access.add_account(tx, f"{role}@example.com", role, now=house.clock())
    return Caller(account, role, access.matrix()[role], "")


def test_an_officer_sees_every_entry_and_that_they_looked(house: House) -> None:
    house.source("web")
    officer = _caller(house, "officer")
    first = reading.page(house.services, {}, caller=officer)
    assert first.rows[0]["action"] == "log.read"
    assert first.rows[0]["actor"] == "officer@example.com"
    assert "source.add" in [row["action"] for row in first.rows]
    assert first.total == len(first.rows) == first.size
    assert reading.page(house.services, {}, caller=officer).total == first.total + 1


def test_a_filter_names_acts_days_and_actors_and_the_next_page_goes_on(house: House) -> None:
    for number in range(60):
        house.source(f"s{number}")
    officer = _caller(house, "officer")
    found = reading.page(house.services, {"action": "source.add", "since": "2026-06-15", "until": "2026-06-15"}, caller=officer)
    assert (found.total, len(found.rows)) == (60, reading.PAGE)
    rest = reading.page(house.services, {"action": "source.add"}, caller=officer, after=found.next)
    assert len(rest.rows) == 60 - reading.PAGE
    assert rest.next is None
    assert reading.page(house.services, {"since": "2026-06-16"}, caller=officer).total == 0
    with pytest.raises(Invalid) as raised:
        reading.page(house.services, {}, caller=officer, after="x")
    assert raised.value.code == "bad_cursor"


def test_whoever_may_read_only_their_own_acts_gets_those_whatever_they_ask(house: House) -> None:
    house.source("web")
    marketer = _caller(house, "marketer")
    found = reading.page(house.services, {"actor": "test"}, caller=marketer)
    assert {row["actor"] for row in found.rows} == {"marketer@example.com"}
    assert {row["seq"] for row in found.rows} == {None}, "two positions would tell how many entries others made"
    assert found.own
    assert reading.actors(house.services, marketer) == ((marketer.account_id, "marketer@example.com"),)


def test_busy_hours_are_those_of_the_controllers_day(house: House) -> None:
    officer = _caller(house, "officer")
    reading.page(house.services, {}, caller=officer)
    busy = {one["actor"]: one["counts"] for one in reading.page(house.services, {}, caller=officer).hours}
    assert busy["officer@example.com"][12] == 2  # 04:30 UTC is 12:30 in Shanghai


def test_a_file_of_entries_is_an_export_in_the_log_before_its_first_line(house: House) -> None:
    house.source("web")
    officer = _caller(house, "officer")
    rows = reading.every(house.services, {"kind": "config"}, caller=officer)
    newest = reading.page(house.services, {}, caller=officer).rows[1]
    assert (newest["action"], newest["kind"]) == ("log.extract", "export")
    assert next(row["action"] for row in rows) == "source.add"


def test_a_verification_says_how_large_the_tree_is(house: House) -> None:
    told = reading.verify(house.services, caller=_caller(house, "officer"))
    assert told["ok"]
    assert told["size"] > 0
