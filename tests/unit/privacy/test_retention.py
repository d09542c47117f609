"""The door of time: a person whom the consent ledger does not know goes, with identifiers and keys; everybody else stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from privacy.errors import Unavailable
from privacy.identity import vault
from privacy.identity.keys import Keyring
from privacy.records import Log
from privacy.retention import Retention
from tests.conftest import NOW
from tests.fakes.log import RecordingLog, RefusingLog
from tests.stores import sqlite_stores
from tests.unit.privacy.admission.desk import ANNA, BO, Desk, row

AGE = timedelta(hours=6)


@pytest.fixture
def desk(tmp_path: Path, keyring: Keyring) -> Iterator[Desk]:
    with sqlite_stores(tmp_path) as stores:
        yield Desk(stores, keyring)


def door(desk: Desk, log: Log | None = None) -> Retention:
    stores = desk.stores
    return Retention(
        begin_vault=stores.begin_vault,
        begin_platform=stores.begin_platform,
        read_platform=stores.read_platform,
        keyring=desk.keyring,
        log=log or desk.log,
        clock=desk.clock,
    )


def orphan(desk: Desk, *phones: str) -> None:
    """People whose batch died between the vault and the platform."""
    with desk.stores.begin_vault() as tx:
        found = vault.resolve(tx, desk.keyring, {"phone": pa.array(phones)}, may_link_strong=True, random=os.urandom)
        keep = pa.array([True] * len(phones))
        vault.store(tx, desk.keyring, found, keep, batch_id=b"b" * 16, now=desk.clock(), random=os.urandom)


def test_who_never_reached_the_platform_goes_and_who_said_anything_stays(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.say(BO, "denied")
    orphan(desk, "+8613900139000", "+8613900139001")
    desk.clock.at += AGE + timedelta(seconds=1)
    assert (desk.people(), door(desk).sweep_orphans(AGE), desk.people(), desk.identifiers()) == (4, 2, 2, 2)
    assert door(desk).sweep_orphans(AGE) == 0


def test_a_batch_that_may_still_run_is_left_alone(desk: Desk) -> None:
    orphan(desk, "+8613900139000")
    desk.clock.at += AGE - timedelta(seconds=1)
    assert door(desk).sweep_orphans(AGE) == 0


def test_a_merged_person_who_is_known_by_the_others_consent_stays_whole(desk: Desk) -> None:
    desk.allow(ANNA, BO)
    desk.send(row(ANNA, BO))
    desk.clock.at += 2 * AGE
    assert door(desk).sweep_orphans(AGE) == 0
    assert desk.send(row(BO, at=desk.clock.at)).stored == 1


def test_somebody_swept_comes_back_as_somebody_new(desk: Desk) -> None:
    orphan(desk, "+8613800138000")
    before = desk.person(ANNA)
    desk.clock.at = NOW + 2 * AGE
    door(desk).sweep_orphans(AGE)
    assert desk.person(ANNA) is None
    desk.allow(ANNA)
    assert desk.person(ANNA) not in (None, before)


def test_the_sweep_is_logged_first_and_does_not_happen_without_its_entry(desk: Desk) -> None:
    orphan(desk, "+8613900139000")
    desk.clock.at += 2 * AGE
    with pytest.raises(Unavailable):
        door(desk, RefusingLog()).sweep_orphans(AGE)
    assert desk.people() == 1
    log = RecordingLog()
    door(desk, log).sweep_orphans(AGE)
    assert [(entry.kind, entry.action) for entry in log.entries] == [("erasure", "orphans.sweep")]
