"""Commands about the log: it is verified, taken away as a bundle, and a broken one is told."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from privacy.audit.verify import verify_bundle
from tests.unit.app.commands import run, told


@pytest.mark.parametrize("payloads", [False, True])
def test_a_bundle_is_a_private_file_that_verifies_offline(payloads: bool, home: Path, tmp_path: Path) -> None:
    told(home, "audit", "checkpoint")
    file = tmp_path / "bundle.jsonl"
    answer = told(home, "audit", "bundle", str(file), *(["--payloads"] if payloads else []))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text(encoding="utf-8").splitlines()
    assert answer == {"file": str(file), "lines": len(lines)}
    assert json.loads(lines[0])["withheld"] is not payloads
    assert any("checkpoint" in json.loads(line) for line in lines)
    checked = verify_bundle(lines)
    assert checked["ok"], checked


def test_a_bundle_overwrites_nothing_and_a_refused_one_leaves_no_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.jsonl"
    file.write_text("mine", encoding="utf-8")
    size = told(home, "audit", "verify")["size"]
    assert run(home, "audit", "bundle", str(file), "--json").error["code"] == "file_exists"
    assert file.read_text(encoding="utf-8") == "mine"
    assert run(home, "audit", "bundle", str(tmp_path / "none" / "b"), "--json").error["code"] == "file_unwritable"
    assert told(home, "audit", "verify")["size"] == size + 1, "a bundle that was not made is not in the log"


def test_a_broken_log_is_told_and_ends_with_1(home: Path) -> None:
    from app.settings import load
    from app.stores import open_stores

    owner = open_stores(load(home)).platform_owner
    with owner.begin() as tx:
        for name in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_entry'").scalars().all():
            tx.exec_driver_sql(f"DROP TRIGGER {name}")
        tx.exec_driver_sql("UPDATE log_entry SET kind = 'system' WHERE seq = 2")
    owner.close()
    answer = run(home, "audit", "verify", "--json")
    assert (answer.code, answer.json["ok"], answer.json["first_bad"]) == (1, False, 2)
