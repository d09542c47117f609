"""Backups, and what becomes of those who were erased since: a restored node serves nobody before they are gone again (attack 36)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa

from app import backups, erasing, journal, restored, restoring
from app.settings import load
from app.stores import open_stores
from app.wiring import Services
from migrations import grants, run
from privacy.errors import Conflict, Invalid, Locked
from tests.conftest import NOW
from tests.flow.test_erasure import ANNA, BO, erase, handle_of, lived_in, rows_in_lake
from tests.house import House, postgres_environment, track
from tests.stores import postgres_database

OFFICER = "usr_officer00001"


def makers() -> dict[str, Any]:
    def make(store: run.StoreName) -> Any:
        def tables(tx: sa.Connection) -> None:
            run.upgrade(tx, store)
            grants.apply(tx, store)

        return tables

    return {name: make(name) for name in run.STORES}


def restore(
    house: House,
    folder: Path,
    home: Path,
    *,
    keys: Path | None,
    data_keys: Path | None,
    tombstones: Path | None,
    replayed: bool = True,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Services:
    """What `piying restore` does, with the house's clock, into another home; without an environment on SQLite."""
    settings = load(home, environment)
    for place in (home, settings.keys_path.parent, settings.lake_path, settings.temp_path):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest = restoring.check(folder)
    restoring.put_keys(settings, keys, tombstones, manifest["deployment"])
    with closing(open_stores(settings)) as stores:
        restoring.put_stores(settings, stores, folder, manifest, makers())
    services = opened(house, home, environment)
    restoring.put_rest(services, folder, manifest, data_keys)
    if replayed:
        restoring.replay(services)
    return services


@pytest.fixture
def elsewhere(house: House, request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """The environment of a deployment with empty stores, on the same kind of database as the house."""
    if house.services.stores.vault_owner.on_sqlite:
        yield {}
        return
    server = request.getfixturevalue("postgres_server")
    with postgres_database(server) as vault, postgres_database(server) as platform:
        yield postgres_environment(vault, platform)


def opened(house: House, home: Path, environment: Mapping[str, str] = MappingProxyType({})) -> Services:
    from privacy import custody

    settings = load(home, environment)
    services = Services(settings, open_stores(settings), lock=None, keyring=None, clock=house.clock)
    services._keyring = custody.open_keyring(settings.keys_path, services.stores.read_vault)
    return services


def test_a_backup_keeps_keys_apart_and_comes_back_whole(house: House, elsewhere: Mapping[str, str], tmp_path: Path) -> None:
    lived_in(house)
    folder = tmp_path / "copy"
    told = backups.make(house.services, folder, actor="test")
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy", "copy.data-keys", "copy.keys"]
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    with house.services.stores.read_vault() as tx:
        wrapped = [
            bytes(one) for one in tx.execute(sa.text("SELECT wrapped FROM data_key UNION SELECT wrapped FROM ephemeral_key")).scalars()
        ]
    assert wrapped
    assert not any(one in held for one in wrapped)
    with pytest.raises(Conflict):
        backups.make(house.services, folder, actor="test")
    journal.keep(house.services.settings.keys_path, [])
    with closing(
        restore(
            house,
            folder,
            tmp_path / "new",
            keys=Path(told["keys"]),
            data_keys=Path(told["data_keys"]),
            tombstones=journal.place(house.services.settings.keys_path),
            environment=elsewhere,
        )
    ) as services:
        services.check_erased()
        seen = services.cases.open(*ANNA, purpose="rights_request", reason="looked", actor=OFFICER, namespace="web")
        assert [one["type"] for one in seen["identifiers"]] == ["customer_no"]
        assert services.preferences.population("analytics.statistics").run_ids.size == 2
        other = House(services, house.app, house.clock, {})
        other.flush()
        house.flush()
        assert rows_in_lake(other) == rows_in_lake(house)


def test_attack_36_a_backup_from_before_an_erasure_is_not_served_and_brings_nobody_back(
    house: House, elsewhere: Mapping[str, str], tmp_path: Path
) -> None:
    key = lived_in(house)
    told = backups.make(house.services, tmp_path / "copy", actor="test")
    erasure = erase(house, ANNA)
    home = tmp_path / "fresh"
    remembered = journal.place(house.services.settings.keys_path)
    services = restore(
        house,
        tmp_path / "copy",
        home,
        keys=Path(told["keys"]),
        data_keys=Path(told["data_keys"]),
        tombstones=remembered,
        replayed=False,
        environment=elsewhere,
    )
    with closing(services):
        with pytest.raises(Locked) as locked:
            services.check_erased()
        assert locked.value.code == "restore_unfinished"
        found = services.cases.open(*ANNA, purpose="rights_request", reason="looked", actor=OFFICER, namespace="web")
        assert found["state"] == "known", "the copy still has her"
        assert restoring.replay(services) == {"replayed": 1}
        services.check_erased()
        found = services.cases.open(*ANNA, purpose="rights_request", reason="looked", actor=OFFICER, namespace="web")
        assert (found["state"], found["handle"]) == ("erased", None)
        told_again = erasing.state(services, erasure)
        assert (told_again["state"], told_again["replay"]) == ("done", True)
        other = House(services, house.app, house.clock, {})
        other.flush()
        house.flush()
        assert rows_in_lake(other) == rows_in_lake(house)
        assert services.preferences.population("analytics.statistics").run_ids.size == 1
    assert key


def test_peoples_keys_that_are_over_their_time_are_not_taken(sqlite_only: House, tmp_path: Path) -> None:
    house = sqlite_only
    lived_in(house)
    told = backups.make(house.services, tmp_path / "copy", actor="test")
    house.clock.forward(days=8)
    remembered = journal.place(house.services.settings.keys_path)
    with (
        closing(
            restore(
                house,
                tmp_path / "copy",
                tmp_path / "late",
                keys=Path(told["keys"]),
                data_keys=Path(told["data_keys"]),
                tombstones=remembered,
            )
        ) as services,
        services.stores.read_vault() as tx,
    ):
        assert tx.execute(sa.text("SELECT count(*) FROM data_key")).scalar() == 0
        assert tx.execute(sa.text("SELECT count(*) FROM person")).scalar() == 2


def test_an_old_store_that_was_put_back_by_hand_is_seen(sqlite_only: House, tmp_path: Path) -> None:
    house = sqlite_only
    lived_in(house)
    told = backups.make(house.services, tmp_path / "copy", actor="test")
    erase(house, ANNA)
    house.services.close()
    for path in house.home.glob("platform.db*"):
        path.unlink()
    shutil.copy(tmp_path / "copy" / "platform.db", house.home / "platform.db")
    with closing(opened(house, house.home)) as services:
        with pytest.raises(Locked) as locked:
            services.check_erased()
        assert locked.value.code == "erasures_behind"
        house.clock.forward(minutes=15)  # the copy was made under the lake's lease, and its holder is this very process
        restoring.replay(services)
        services.check_erased()
        assert services.preferences.population("analytics.statistics").run_ids.size == 1
    assert told["files"]


def test_a_changed_backup_and_a_full_home_are_refused(sqlite_only: House, tmp_path: Path) -> None:
    house = sqlite_only
    lived_in(house)
    backups.make(house.services, tmp_path / "copy", actor="test")
    manifest = restoring.check(tmp_path / "copy")
    with pytest.raises(Conflict) as full:
        restoring.put_stores(house.services.settings, house.services.stores, tmp_path / "copy", manifest, makers())
    assert full.value.code == "restore_not_empty"
    assert not restored.waits(house.home)
    (tmp_path / "copy" / "platform.db").write_bytes(b"x")
    with pytest.raises(Invalid) as damaged:
        restoring.check(tmp_path / "copy")
    assert damaged.value.code == "backup_damaged"
    assert json.loads((tmp_path / "copy.data-keys").read_text("utf-8"))["until"] == (NOW + timedelta(days=7)).isoformat()


def test_fifty_drills_bring_nobody_back(sqlite_only: House, tmp_path: Path) -> None:
    """Ten people erased, and for each five ways of coming back: late, replayed, merged, by consent, out of a backup."""
    house = sqlite_only
    people = tuple(("customer_no", f"d-{number}") for number in range(10))
    key = lived_in(house, (*people, BO))
    told = backups.make(house.services, tmp_path / "copy", actor="test")
    for who in people:
        erasing.begin(house.services, handle_of(house, who), actor=OFFICER, approved_by="usr_officer00002")
    assert erasing.run(house.services)["certified"] == 10
    back = 0
    for number, (_, user) in enumerate(people):
        late, merged = track(500 + number, user=user), {**track(600 + number, user=user), "anonymousId": "device-of-bo"}
        back += sum(house.batch([one], key)["stored"] for one in (late, track(number, user=user), merged))
        back += sum(one["verdict"] == "stored" for one in house.grant(key, [("customer_no", user)]).get_json()["items"])
    house.flush()
    with closing(
        restore(
            house,
            tmp_path / "copy",
            tmp_path / "drilled",
            keys=Path(told["keys"]),
            data_keys=Path(told["data_keys"]),
            tombstones=journal.place(house.services.settings.keys_path),
        )
    ) as services:
        back += sum(handle_of(House(services, house.app, house.clock, {}), who) != "None" for who in people)
        assert services.preferences.population("analytics.statistics").run_ids.size == 1
        assert rows_in_lake(House(services, house.app, house.clock, {})) == 2, "Bo's rows alone"
    assert back == 0
    assert house.services.preferences.population("analytics.statistics").run_ids.size == 1
