"""Leases, and what time ends: quarantined payloads with their keys, verdicts, digests, jobs, people whose batch never arrived."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from app import housekeeping
from app.housekeeping import Lease, give_lease_back, take_lease
from app.stores import Stores
from ingestion import pipeline, quarantine
from privacy.errors import Unavailable
from privacy.identity import vault
from privacy.orm import PlatformBase
from tests.conftest import NOW
from tests.fakes.log import RefusingLog
from tests.house import Clock, House, make_home, sqlite_house, track


@pytest.fixture
def leases(empty_stores: Stores) -> Stores:
    with empty_stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx, tables=[Lease.__table__])  # type: ignore[list-item]
    return empty_stores


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template") / "home"
    make_home(home, {}, Clock())
    return home


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    with sqlite_house(template, tmp_path / "home") as made:
        yield made


def test_a_lease_has_one_holder_until_it_is_given_back_or_over(leases: Stores) -> None:
    with leases.begin_platform() as tx:
        assert take_lease(tx, "lake", "a", now=NOW)
        assert not take_lease(tx, "lake", "b", now=NOW)
        give_lease_back(tx, "lake", "b")
        assert not take_lease(tx, "lake", "b", now=NOW + housekeeping.LEASE_TIME - timedelta(seconds=1))
        give_lease_back(tx, "lake", "a")
        assert take_lease(tx, "lake", "b", now=NOW)
        assert take_lease(tx, "lake", "c", now=NOW + housekeeping.LEASE_TIME)


def test_of_eight_who_ask_at_once_one_gets_the_lease(leases: Stores) -> None:
    def ask(number: int) -> bool:
        with leases.begin_platform() as tx:
            return take_lease(tx, "lake", f"w{number}", now=NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def test_while_one_writes_the_lake_another_is_told_to_come_again(house: House) -> None:
    with house.services.lake_lease(), pytest.raises(Unavailable) as raised, house.services.lake_lease():
        pass
    assert raised.value.code == "lake_busy"
    with house.services.lake_lease():
        pass


def test_quarantined_payloads_end_with_their_time_and_their_keys(house: House) -> None:
    _, key = house.source()
    house.batch([{"type": "track", "messageId": "m1"}], key)
    before = house.counts()
    assert (before["platform.quarantine_item"], before["vault.sealed_payload"]) == (1, 1)
    assert housekeeping.retention(house.services)["quarantine"] == 0
    house.clock.now += pipeline.KEEP_MALFORMED
    assert housekeeping.retention(house.services)["quarantine"] == 1
    house.clock.forward(days=1)
    housekeeping.retention(house.services)
    after = house.counts()
    assert (after["platform.quarantine_item"], after["vault.sealed_payload"]) == (0, 0)
    with house.services.read_console() as tx:
        assert quarantine.count(tx) == {}
    assert after["vault.ephemeral_key"] <= before["vault.ephemeral_key"] - 1


def test_verdicts_end_after_seven_days_and_digests_after_thirty(house: House) -> None:
    _, key = house.source()
    house.clock.now = NOW - timedelta(days=1)
    house.grant(key, [("customer_no", "u-1")])
    house.clock.now = NOW
    house.batch([track(1)], key)
    assert (house.counts()["platform.request_verdict"], house.counts()["platform.seen_run"]) == (1, 1)
    house.clock.forward(days=7)
    assert {"verdicts": 1, "digests": 0}.items() <= housekeeping.retention(house.services).items()
    house.clock.forward(days=23)
    assert {"verdicts": 0, "digests": 1}.items() <= housekeeping.retention(house.services).items()
    assert house.rows() == 1, "rows that wait for the lake stay"


def orphan(house: House, phone: str) -> None:
    """A person whose batch died between the vault's part and the platform's."""
    with house.services.stores.begin_vault() as tx:
        keyring, random = house.services.open_keyring(), secrets.token_bytes
        found = vault.resolve(tx, keyring, {"phone": pa.array([phone])}, may_link_strong=True, random=random)
        vault.store(tx, keyring, found, pa.array([True]), batch_id=b"b" * 16, now=house.clock(), random=random)


def test_people_whose_batch_never_arrived_are_swept_and_those_with_consent_stay(house: House) -> None:
    _, key = house.source()
    house.grant(key, [("phone", "13800138000")])
    orphan(house, "+8613900139000")
    assert house.counts()["vault.person"] == 2
    assert housekeeping.retention(house.services)["orphans"] == 0, "its batch may still be running"
    house.clock.now += housekeeping.ORPHAN_AGE + timedelta(seconds=1)
    assert housekeeping.retention(house.services)["orphans"] == 1
    after = house.counts()
    assert (after["vault.person"], after["vault.identifier"], after["vault.data_key"]) == (1, 1, 1)


def test_running_it_again_changes_nothing_but_the_log(house: House) -> None:
    _, key = house.source()
    house.batch([{"type": "track"}], key)
    house.clock.forward(days=40)
    housekeeping.retention(house.services)
    first = house.counts()
    assert not any(housekeeping.retention(house.services).values())
    second = house.counts()
    assert {name for name in second if second[name] != first[name]} <= {"platform.log_entry", "platform.log_payload", "platform.log_node"}


def test_without_its_log_entry_nothing_is_ended(house: House) -> None:
    _, key = house.source()
    house.batch([{"type": "track"}], key)
    orphan(house, "+8613900139000")
    house.clock.forward(days=40)
    before = house.counts()
    house.services.log = RefusingLog()  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        housekeeping.retention(house.services)
    assert house.counts() == before


def test_upkeep_of_an_empty_lake_does_nothing(house: House) -> None:
    assert set(housekeeping.upkeep(house.services).values()) == {0}


def test_a_lease_of_a_process_that_was_killed_is_free(leases: Stores) -> None:
    with leases.begin_platform() as tx:
        assert take_lease(tx, "lake", "killed", now=NOW)
        assert not take_lease(tx, "lake", "b", now=NOW, gone=lambda holder: holder == "somebody else")
        assert take_lease(tx, "lake", "b", now=NOW, gone=lambda holder: holder == "killed")
        give_lease_back(tx, "lake", "killed")
        assert not take_lease(tx, "lake", "c", now=NOW)
