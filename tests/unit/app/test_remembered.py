"""A store that is older than what this machine saw signed is not served; what was spent never comes back (attack 9).

Names `app.wiring.allocations`, which looks at it before anything is served.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app import remembered
from app.wiring import open_services
from privacy.errors import Locked
from tests.fakes.answered import store_month
from tests.house import sqlite_house
from tests.unit.app.commands import run


def test_what_is_remembered_is_read_again_and_is_its_owners_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keyring.json"
    assert remembered.read(keys) is None
    known = remembered.Remembered("note\n", 3, 4)
    remembered.keep(keys, known)
    assert remembered.read(keys) == known
    assert remembered.place(keys).stat().st_mode & 0o077 == 0
    remembered.place(keys).write_text("{", encoding="utf-8")
    with pytest.raises(Locked):
        remembered.read(keys)


def test_attack_9_a_restored_backup_whose_ledger_is_behind_is_not_served(template_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with sqlite_house(template_home, home) as house:
        house.services.sign_checkpoint()
    backup = tmp_path / "backup.db"
    shutil.copy(home / "platform.db", backup)
    with sqlite_house(home, tmp_path / "later") as house:
        store_month(house.services)
        house.services.sign_checkpoint()
        assert "1 charges" in house.services.check_ledger()
        later = house.home
    for path in later.glob("platform.db*"):
        path.unlink()
    shutil.copy(backup, later / "platform.db")
    with pytest.raises(Locked) as locked:
        open_services(home=later)
    assert locked.value.code == "ledger_behind"
    served = open_services(home=later, serving=True)
    assert served.lock is not None
    assert served.lock.code == "ledger_behind"
    with pytest.raises(Locked):
        served.sign_checkpoint()
    served.close()
    told = run(later, "budget", "--json")
    assert told.code == 1
    assert "ledger_behind" in told.err


def test_a_log_that_was_rolled_back_and_grew_again_differently_is_seen(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        backup = tmp_path / "backup.db"
        shutil.copy(house.home / "platform.db", backup)
        house.source("one")
        house.services.sign_checkpoint()
        later = house.home
        house.services.check_ledger()
    for path in later.glob("platform.db*"):
        path.unlink()
    shutil.copy(backup, later / "platform.db")
    held = remembered.place(later / "keys" / "keyring.json")
    note = held.read_text(encoding="utf-8")
    held.unlink()
    services = open_services(home=later)
    from app import acts

    for name in ("two", "three", "four"):
        acts.add_source(services, actor="test", name=name, kind="segment")
    services.close()
    held.write_text(note, encoding="utf-8")
    with pytest.raises(Locked):
        open_services(home=later)
