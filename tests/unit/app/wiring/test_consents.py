"""The consent log, wired: the controller of the settings stands in its receipts."""

from __future__ import annotations

from pathlib import Path

from tests.house import House, bearer, sqlite_house


def test_a_receipt_names_the_controller_of_the_settings(template_home: Path, tmp_path: Path) -> None:
    told = {"PIYING_CONTROLLER_NAME": "Tea House", "PIYING_CONTROLLER_CONTACT": "privacy@tea.example"}
    with sqlite_house(template_home, tmp_path / "home", told) as house:
        assert statement(house)["controller"] == {"name": "Tea House", "contact": "privacy@tea.example"}


def test_without_a_name_in_the_settings_none_is_claimed(house: House) -> None:
    said = statement(house)
    assert "controller" not in said
    assert said["jurisdiction"] == house.services.settings.jurisdiction
    with house.services.read_console() as tx:
        assert list(house.services.notices(tx)) == []
    assert house.services.consent_filter(state="granted").named() == ["state"]


def statement(house: House) -> dict[str, object]:
    _, key = house.source("shop")
    item = {"identifier": {"type": "phone", "value": "13912345678"}, "purpose": "analytics.statistics", "state": "granted"}
    told = house.client.post("/v1/consents", json={"consents": [item]}, headers=bearer(key)).get_json()["items"][0]
    return dict(house.services.consent_log.receipt(told["receipt"], actor="test").statement)
