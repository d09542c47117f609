"""The self-check ends with 1 while something is broken; a pack is written once, is the same bytes again, and is checked without a home."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.app.commands import run


@pytest.fixture
def bare(template_home: Path, tmp_path: Path) -> Path:
    """A home as `piying init` leaves it."""
    shutil.copytree(template_home, tmp_path / "home")
    return tmp_path / "home"


def test_a_broken_control_ends_with_1_and_says_which(bare: Path) -> None:
    told = run(bare, "controls", "--json")
    assert told.code == 1
    states = {one["id"]: one["state"] for one in json.loads(told.out)["items"]}
    assert states["controller_named"] == "broken"
    assert states["purpose_ground"] == "ok"


def test_a_pack_is_written_again_with_the_same_bytes_and_checked_offline(bare: Path, tmp_path: Path) -> None:
    name = json.loads(run(bare, "pack", "take", "--json").out)["pack"]
    first, second, keys = tmp_path / "first.zip", tmp_path / "second.zip", tmp_path / "jwks.json"
    assert run(bare, "pack", "write", name, str(first)).code == 0
    assert run(bare, "pack", "write", name, str(second)).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mode & 0o077 == 0
    assert json.loads(run(bare, "pack", "write", name, str(first), "--json").err)["code"] == "file_exists"
    keys.write_text(run(bare, "receipt", "keys").out, encoding="utf-8")
    assert json.loads(run(None, "pack", "check", str(first), "--keys", str(keys), "--json").out)["ok"] is True
    first.write_bytes(first.read_bytes().replace(b'"answer"', b'"Answer"'))
    changed = run(None, "pack", "check", str(first), "--keys", str(keys), "--json")
    assert (changed.code, json.loads(changed.out)["ok"]) == (1, False)
