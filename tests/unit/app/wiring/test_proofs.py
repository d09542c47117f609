"""Evidence, wired (app.wiring.proofs): the witnesses of the settings, the tools as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from privacy.audit import witness
from privacy.errors import Invalid
from tests.house import sqlite_house


def test_the_witnesses_are_those_of_the_settings_and_a_wrong_key_is_named(template_home: Path, tmp_path: Path) -> None:
    vkey = witness.make_key(tmp_path / "key", "witness.example/w1")
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LOG_WITNESSES": vkey}) as house:
        assert house.services.witnesses == (vkey,)
        assert house.services.tool("witness.py").startswith(b'"""The witness')
    for wrong in ("witness.example/w1", "a+00000000+AAAA"):
        with sqlite_house(template_home, tmp_path / wrong[:1] / "home", {"PIYING_LOG_WITNESSES": wrong}) as house:
            with pytest.raises(Invalid) as caught:
                _ = house.services.witnesses
            assert caught.value.field == "log.witnesses"


def test_the_office_is_that_of_the_settings(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LOG_OFFICE_FROM": "9", "PIYING_ZONE": "Europe/Berlin"}) as house:
        office = house.services.office()
        assert (office.opens, office.closes, str(office.zone)) == (9, 20, "Europe/Berlin")
