"""Addresses with passwords: by name, from the environment or a private file, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import addresses
from app.settings import load
from privacy.errors import Invalid, NotConfigured


@pytest.mark.parametrize(("source", "name"), [("crm", "CRM"), ("shop db-2", "SHOP_DB_2"), ("till.north", "TILL_NORTH")])
def test_a_sources_name_gives_its_addresss_name(source: str, name: str) -> None:
    assert addresses.name_for(source) == name
    assert addresses.is_address(addresses.variable_of(name))


@pytest.mark.parametrize("name", ["会员", "9", "", "a" * 60])
def test_a_name_that_could_be_none_of_a_variable_asks_for_another(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        addresses.name_for(name)
    assert refused.value.code == "address_name"


def test_an_address_is_no_setting_and_another_variable_of_ours_still_stops_the_start(tmp_path: Path) -> None:
    load(tmp_path, {"PIYING_SOURCE_CRM_URL": "postgresql://u:secret@db/x"})
    for wrong in ("PIYING_SOURCE_CRM", "PIYING_SOURCE__URL", "PIYING_SOURCE_crm_URL"):
        with pytest.raises(Invalid, match="unknown setting"):
            load(tmp_path, {wrong: "x"})


def test_the_environment_goes_before_the_file_and_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured) as missing:
        addresses.find("CRM", tmp_path, {})
    assert missing.value.code == "address_missing"
    file = tmp_path / "sources" / "CRM.url"
    file.parent.mkdir()
    file.write_text("from-the-file\n", encoding="utf-8")
    file.chmod(0o640)
    with pytest.raises(Invalid) as refused:
        addresses.find("CRM", tmp_path, {})
    assert refused.value.code == "address_not_private"
    file.chmod(0o600)
    assert addresses.find("CRM", tmp_path, {}) == "from-the-file"
    assert addresses.find("CRM", tmp_path, {"PIYING_SOURCE_CRM_URL": "from-outside"}) == "from-outside"
    with pytest.raises(Invalid):
        addresses.find("../CRM", tmp_path, {})
