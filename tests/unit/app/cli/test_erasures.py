"""Commands of erasure, backup and restore: two officers, one identifier that is typed, and nobody who comes back.

Names `app.cli.erasures`, `app.cli.copies`, `app.backups`, `app.restoring`, `app.dumps`, `app.retaining`, `analytics.lake.archive`.
"""

from __future__ import annotations

from pathlib import Path

from tests.unit.app.commands import PHONE, WHY, run, told

ONE, TWO = "one@example.com", "two@example.com"
ERASE = ("subject", "erase", "--type", "phone", "--reason", "asked to be forgotten", "--officer", ONE)


def test_an_erasure_by_command_needs_two_officers_and_its_certificate_verifies_offline(home: Path, tmp_path: Path) -> None:
    for address in (ONE, TWO):
        told(home, "user", "add", address, "--role", "officer")
    told(home, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "granted", typed=PHONE)
    backup = told(home, "backup", str(tmp_path / "copy"))
    assert Path(backup["keys"]).parent == tmp_path
    planned = told(home, *ERASE, "--dry-run", typed=PHONE)
    assert {one["store"]: one["found"] for one in planned["stores"]}["keys"] == 1
    for second, code in (
        ((), "second_person_needed"),
        (("--second", ONE), "second_person_needed"),
        (("--second", "x@example.com"), "not_an_officer"),
    ):
        refused = run(home, *ERASE, *second, "--json", typed=PHONE)
        assert (refused.code, refused.error["code"]) == (1, code)
    done = told(home, *ERASE, "--second", TWO, "--request", "SR-1", typed=PHONE)
    assert (done["state"], done["error"], done["request"]) == ("done", None, "SR-1")
    file, keys = tmp_path / "certificate.jws", tmp_path / "jwks.json"
    made = told(home, "subject", "certificate", done["erasure"], "--out", str(file))
    assert PHONE not in str(made)
    keys.write_text(run(home, "receipt", "keys").out, encoding="utf-8")
    assert told(home, "receipt", "verify", str(file), "--keys", str(keys))["erasure"] == done["erasure"]
    assert told(home, "subject", "erasure", done["erasure"])["state"] == "done"
    assert told(home, "subject", "find", "--type", "phone", *WHY, typed=PHONE)["state"] == "erased"
    again = run(
        home, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "granted", "--json", typed=PHONE
    )
    assert again.code == 1
    assert told(home, "subject", "lapses")["items"] == []
    _restored(home, tmp_path, backup)
    lifted = told(home, "subject", "welcome", "--type", "phone", "--officer", ONE, "--proof", "contract", typed=PHONE)
    assert lifted == {"lifted": 1}


def _restored(home: Path, tmp_path: Path, backup: dict[str, str]) -> None:
    """The backup from before, put into a fresh home: without the journal it is refused, with it the person is gone."""
    fresh = tmp_path / "fresh"
    files = ("--keys", backup["keys"], "--data-keys", backup["data_keys"])
    refused = run(fresh, "restore", str(tmp_path / "copy"), *files, "--json")
    assert (refused.code, refused.error["code"]) == (1, "tombstones_missing")
    done = told(fresh, "restore", str(tmp_path / "copy"), *files, "--tombstones", str(home / "keys" / "erased.jsonl"))
    assert (done["replayed"], done["data_keys_were"]) == (1, "taken")
    assert told(fresh, "subject", "find", "--type", "phone", *WHY, typed=PHONE)["state"] == "erased"
    assert told(fresh, "restore", "--replay") == {"replayed": 0}
    full = run(fresh, "restore", str(tmp_path / "copy"), *files, "--json")
    assert (full.code, full.error["code"]) == (1, "restore_not_empty")


def test_what_time_ends_is_shown_before_it_is_ended(home: Path) -> None:
    items = told(home, "retention", "--dry-run")["items"]
    assert {"quarantine", "jobs", "lake: events"} <= {one["what"] for one in items}
    assert all(one["law"] for one in items)
    assert told(home, "retention")["quarantine"] == 0
