"""Keys of either profile, as commands make, show and use them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.wiring import open_services
from tests.unit.app.commands import run, told

COMMERCIAL: Mapping[str, str] = {"PIYING_KEYS_PROFILE": "commercial"}
USED = {
    "international": {"kek": "AES-256-GCM-SIV", "index": "HKDF-SHA-256, HMAC-SHA-256", "lake": "HKDF-SHA-256, AES-256"},
    "commercial": {"kek": "SM4-GCM", "index": "HKDF-SM3, HMAC-SM3", "lake": "HKDF-SM3, SM4"},
}


@pytest.mark.slow
@pytest.mark.parametrize("profile", USED)
def test_the_list_of_keys_says_what_each_is_used_with_and_which_is_current(tmp_path: Path, profile: str) -> None:
    """A home of either profile is made, opened without the setting, and rotated; its inventory answers what was made with what."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "piying.toml").write_text(f'[keys]\nprofile = "{profile}"\n')
    assert run(home, "init", "--json").code == 0
    told(home, "keys", "rotate", "kek")
    listed = told(home, "keys", "list")
    assert listed["profile"] == profile
    algorithms = {item["kind"]: item["algorithm"] for item in listed["items"]}
    assert {kind: algorithms[kind] for kind in USED[profile]} == USED[profile]
    assert [(item["version"], item["current"]) for item in listed["items"] if item["kind"] == "kek"] == [(1, False), (2, True)]
    shown = run(home, "keys", "list").out
    assert f"profile: {profile}" in shown
    checks = {check["name"]: check["ok"] for check in run(home, "doctor", "--json").json["checks"]}
    assert checks["keys"]


@pytest.mark.slow
def test_a_profile_is_chosen_once(tmp_path: Path) -> None:
    """Repeating `init` with another profile is a conflict that changes nothing; the file's word counts for every other command."""
    assert run(tmp_path, "init", "--json", environment=COMMERCIAL).code == 0
    answer = run(tmp_path, "init", "--json")
    assert answer.code != 0
    assert answer.error["code"] == "keys_profile"
    assert told(tmp_path, "keys", "list")["profile"] == "commercial"


@pytest.mark.slow
def test_people_are_met_again_in_a_home_of_the_commercial_profile(tmp_path: Path) -> None:
    assert run(tmp_path, "init", "--json", environment=COMMERCIAL).code == 0
    person = ("--type", "phone", "--purpose", "analytics.statistics", "--state", "granted")
    assert run(tmp_path, "consent", "record", *person, "--json", typed="13800138000\n").code == 0
    shown = run(tmp_path, "consent", "show", "--type", "phone", "--json", typed="+86 138 0013 8000\n").json
    assert shown["purposes"]["analytics.statistics"]["allowed"]
    services = open_services(home=tmp_path)
    try:
        assert services.preferences.population("analytics.statistics").bridge([202605]).num_rows == 1
    finally:
        services.close()
