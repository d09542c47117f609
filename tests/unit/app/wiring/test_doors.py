"""The doors are made when they are used, each with the transactions of its role, and none without keys."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import load
from app.stores import open_stores
from app.wiring import Services, open_services
from app.wiring.doors import utc_now
from privacy.audit.reading import Filter, lines
from privacy.errors import Invalid, Locked, NotFound, WrongSchema
from tests.house import House

DOORS = ("box", "intake", "preferences", "oversight")


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_made_once_and_not_without_keys(house: House, door: str) -> None:
    assert getattr(house.services, door) is getattr(house.services, door)
    locked = Services(
        house.services.settings, house.services.stores, lock=Locked("gone", code="keys_missing"), keyring=None, clock=house.clock
    )
    with pytest.raises(Locked) as refused:
        getattr(locked, door)
    assert refused.value.code == "keys_missing"


def test_reading_transactions_cannot_write(house: House) -> None:
    from app.access import add_account
    from privacy.errors import Unavailable

    for read in (house.services.read_console, house.services.read_intake, house.services.read_jobs):
        with pytest.raises(Unavailable), read() as tx:
            add_account(tx, "ada@example.com", "officer", now=house.clock())


def test_a_rotated_key_is_logged_and_what_is_stored_follows(house: House) -> None:
    before = len(house.services.open_keyring().versions("index"))
    version = house.services.rotate_key("index", actor="test")
    assert len(house.services.open_keyring().versions("index")) == before + 1
    with house.services.read_console() as tx:
        first = lines(tx, Filter(), limit=1).items[0]
    assert (first.action, first.facts) == ("keys.rotate", {"key": "index", "version": version})
    assert house.services.renew_keys() == 0


def test_the_house_has_no_month_over_its_cap_and_an_empty_inbox(house: House) -> None:
    assert house.services.over_budget() == []
    assert house.services.inbox_age() == 0
    assert house.services.sweep_orphans(timedelta(hours=1)) == 0
    assert house.services.destroy_ephemeral_keys() == 0


def test_a_page_of_the_log_goes_back_from_its_cursor(house: House) -> None:
    for _ in range(3):
        house.services.rotate_key("index", actor="test")
    page = house.services.log_page(before=None, actor="test")
    older = house.services.log_page(before=page["items"][1]["seq"], actor="test")
    assert older["items"][0]["seq"] == page["items"][1]["seq"] - 1


def test_without_a_home_nothing_opens_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as missing:
        open_services(home=tmp_path / "none")
    assert missing.value.code == "home_unknown"
    assert "piying init" in missing.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_schema_stops_everybody_but_the_doctor(house: House) -> None:
    with house.services.stores.platform_owner.begin() as tx:
        tx.exec_driver_sql("DELETE FROM schema_version")
    with pytest.raises(WrongSchema):
        open_services(home=house.home)
    with pytest.raises(WrongSchema):
        open_services(home=house.home, serving=True)
    with closing(open_services(home=house.home, checking=True)) as looked:
        assert looked.lock is None


def test_missing_keys_stop_commands_and_lock_servers(house: House) -> None:
    house.services.settings.keys_path.unlink()
    with pytest.raises(Locked):
        open_services(home=house.home)
    for serving, checking in ((True, False), (False, True)):
        with closing(open_services(home=house.home, serving=serving, checking=checking)) as opened:
            assert opened.lock is not None
            with pytest.raises(Locked):
                opened.open_keyring()


@pytest.mark.parametrize("at", ["yesterday", "2026-06-15", "2026-06-15T04:30:00"])
def test_an_instant_needs_a_date_a_time_and_a_zone(house: House, at: str) -> None:
    with pytest.raises(Invalid) as wrong:
        open_services(home=house.home, at=at)
    assert wrong.value.code == "bad_instant"


def test_a_pretended_instant_stands_still(house: House) -> None:
    with closing(open_services(home=house.home, at="2026-12-08T00:00:00+08:00")) as opened:
        assert opened.clock() == opened.clock()
        assert opened.clock().isoformat() == "2026-12-08T00:00:00+08:00"


def test_the_clock_knows_its_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_every_planned_job_has_a_handler(house: House) -> None:
    assert set(house.services.schedule) <= set(house.services.handlers)


def test_the_address_for_browsers_is_set_or_the_servers_own(house: House) -> None:
    assert house.services.base_url == "http://127.0.0.1:8700"
    settings = load(house.home, {"PIYING_SERVER_BASE_URL": "https://cdp.example.com"})
    with closing(open_stores(settings)) as stores:
        assert Services(settings, stores, lock=None, keyring=None, clock=house.clock).base_url == "https://cdp.example.com"
