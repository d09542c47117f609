"""Commands about the log: it is verified, taken away as a bundle, and a broken one is told."""

from __future__ import annotations

import stat
from pathlib import Path

from privacy.audit import witness
from privacy.audit.verify import verify_bundle
from tests.unit.app.commands import run, told


def test_a_bundle_is_a_private_file_that_verifies_offline(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    answer = told(home, "audit", "bundle", str(file), "--with", "policies", "--language", "zh")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = told(home, "audit", "keys")["log"]
    checked = verify_bundle(file, keys=keys)
    assert (checked["ok"], checked["complete"], checked["size"]) == (True, True, answer["entries"])
    assert (answer["scope"], answer["signer"]) == ("whole", keys[0])
    assert told(home, "audit", "check", str(file), "--key", keys[0]) == checked
    again = tmp_path / "again.zip"
    told(home, "audit", "bundle", str(again), "--with", "policies", "--language", "zh", "--size", str(answer["entries"]))
    assert again.read_bytes() == file.read_bytes()
    file.write_bytes(file.read_bytes()[:-50])
    assert run(home, "audit", "check", str(file), "--json").code == 1


def test_a_bundle_of_somebody_takes_the_identifier_from_stdin(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    why = ("--subject", "phone", "--purpose", "complaint", "--reason", "asks what is held")
    answer = run(home, "audit", "bundle", str(file), *why, "--hashes", "--json", typed="13912345678\n")
    assert (answer.code, answer.json["scope"]) == (0, "subject")
    checked = verify_bundle(file)
    assert (checked["ok"], checked["complete"], checked["closed"]) == (True, None, {})
    both = run(home, "audit", "bundle", str(tmp_path / "b"), "--case", "cas_x", "--request", "req_x", "--json")
    assert both.error["code"] == "evidence_scope"


def test_a_proof_goes_to_a_witness_and_its_line_comes_back(home: Path, tmp_path: Path) -> None:
    vkey = witness.make_key(tmp_path / "key", "witness.example/w1")
    with (home / "piying.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\n[log]\nwitnesses = ["{vkey}"]\n')
    told(home, "audit", "checkpoint")
    text = run(home, "audit", "proof").out
    keys = told(home, "audit", "keys")
    assert keys["witnesses"] == [vkey]
    note = witness.check(tmp_path / "state", text, keys["log"], witness.open_key(tmp_path / "key"), now=1_781_497_800, first=True)
    (tmp_path / "note").write_text(note, encoding="utf-8")
    assert told(home, "audit", "cosign", str(tmp_path / "note"))["new"] == 1
    assert run(home, "audit", "cosign", str(tmp_path / "none"), "--json").error["code"] == "file_unreadable"


def test_a_bundle_overwrites_nothing_and_a_refused_one_leaves_no_file(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
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
