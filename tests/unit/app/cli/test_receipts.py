"""`piying receipt`: shown out of a home, verified without one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.app.commands import PHONE, run, told


def _recorded(home: Path) -> str:
    kept = told(home, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "granted", typed=PHONE + "\n")
    return str(kept["receipt"])


def test_a_receipt_is_shown_and_verified_by_the_printed_keys(home: Path, tmp_path: Path) -> None:
    number = _recorded(home)
    shown = run(home, "receipt", "show", number)
    assert shown.code == 0, shown.err
    assert PHONE not in shown.out
    assert "opening" not in json.loads(shown.out)
    own = run(home, "receipt", "show", number, "--own")
    assert json.loads(own.out)["jws"] == json.loads(shown.out)["jws"]
    (tmp_path / "keys").write_text(run(home, "receipt", "keys").out, encoding="utf-8")
    for name, text in (("shown", shown.out), ("own", own.out)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        done = run(None, "receipt", "verify", str(tmp_path / name), "--keys", str(tmp_path / "keys"), "--json")
        assert (done.code, done.json["receipt"], done.json["subject"]) == (0, number, "opens" if name == "own" else "closed")
    assert f"receipt: {number}" in run(None, "receipt", "verify", str(tmp_path / "own"), "--keys", str(tmp_path / "keys")).out


def test_a_number_of_nothing_and_a_broken_file_are_said_plainly(home: Path, tmp_path: Path) -> None:
    unknown = run(home, "receipt", "show", "rcp_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert unknown.code == 1
    assert "receipt_unknown" in unknown.err
    (tmp_path / "broken").write_text("a.b.c", encoding="utf-8")
    (tmp_path / "keys").write_text('{"keys": []}', encoding="utf-8")
    broken = run(None, "receipt", "verify", str(tmp_path / "broken"), "--keys", str(tmp_path / "keys"))
    assert broken.code == 1
    assert "does not hold: receipt_form" in broken.out
    assert run(home, "receipt", "verify", str(tmp_path / "broken")).code == 2
