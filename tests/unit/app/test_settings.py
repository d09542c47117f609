"""Tests of `app.settings`: what is unknown or wrong stops the start, and says which key without its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from privacy import errors


def write(home: Path, text: str) -> Path:
    (home / settings.FILE_NAME).write_text(text, encoding="utf-8")
    return home


def refused(home: Path, environment: dict[str, str] | None = None) -> errors.Invalid:
    with pytest.raises(errors.Invalid) as caught:
        settings.load(home, environment or {})
    return caught.value


def test_an_empty_home_has_the_safe_defaults(tmp_path: Path) -> None:
    found = settings.load(tmp_path, {})
    assert found.server.host == "127.0.0.1"
    assert found.jurisdiction == "CN"
    assert found.time_zone.key == "Asia/Shanghai"
    assert found.privacy.rho_per_month == 50_000_000
    assert found.vault_url != found.platform_url != found.catalogue_url
    assert all(url.startswith("sqlite+pysqlite3:///") for url in (found.vault_url, found.platform_url, found.catalogue_url))


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'currency = "EUR"\nlanguages = ["en"]\n[server]\nport = 9000\nworkers = 2\n')
    found = settings.load(tmp_path, {"PIYING_SERVER_PORT": "9001", "PIYING_LANGUAGES": "en, zh", "OTHER": "x"})
    assert (found.server.port, found.server.workers, found.currency, found.languages) == (9001, 2, "EUR", ("en", "zh"))


@pytest.mark.parametrize("text", ["port = 1", "[server]\nprot = 1", "[servers]\nport = 1", "[server.port]\na = 1", 'home = "x"'])
def test_an_unknown_key_in_the_file_stops_the_start(tmp_path: Path, text: str) -> None:
    assert refused(write(tmp_path, text)).code in ("setting_unknown", "setting_invalid")


def test_an_unknown_key_in_the_environment_stops_the_start(tmp_path: Path) -> None:
    error = refused(tmp_path, {"PIYING_SERVER_PROT": "1"})
    assert (error.code, error.field) == ("setting_unknown", "PIYING_SERVER_PROT")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[server]\nport = 70000", "server.port"),
        ('[server]\nport = "canary"', "server.port"),
        ("[server]\nport = true", "server.port"),
        ("[server]\nport = 1.5", "server.port"),
        ("[privacy]\nrho_per_month = 250000001", "privacy.rho_per_month"),
        ("[retention]\nquarantine_days = 8", "retention.quarantine_days"),
        ("[retention]\ndedupe_days = 29", "retention.dedupe_days"),
        ("[limits]\nbusy_timeout = 100", "limits.busy_timeout"),
        ('jurisdiction = "XX"', "jurisdiction"),
        ('zone = "Canary/Nowhere"', "zone"),
        ('currency = "yuan"', "currency"),
        ('languages = ["zh", "fr"]', "languages"),
        ("languages = []", "languages"),
        ('[vault]\nurl = "sqlite:///canary.db"', "vault.url"),
        ('[lake]\ncatalogue = "sqlite:///canary.db"', "lake.catalogue"),
        ('[vault]\nurl = "mysql://canary"', "vault.url"),
    ],
)
def test_a_value_out_of_its_limits_is_refused_by_key_and_without_the_value(tmp_path: Path, text: str, key: str) -> None:
    error = refused(write(tmp_path, text))
    assert error.field == key
    assert "canary" not in error.message.lower()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[vault]\nurl = "postgresql+psycopg://a@b/c"\n[platform]\nurl = "postgresql+psycopg://d:e@b/c"', "vault.url"),
        ('[platform]\nintake_url = "postgresql+psycopg://a@b/c"', "platform.intake_url"),
        ('[vault]\nowner_url = "postgresql+psycopg://a@b/c"', "vault.owner_url"),
        ("[privacy]\ndelta = 1e-5\ndeclared_members = 1000000", "privacy.delta"),
        ("[limits]\nitem_bytes = 1048576\nrequest_bytes = 1024", "limits.item_bytes"),
    ],
)
def test_settings_that_do_not_go_together_stop_the_start(tmp_path: Path, text: str, key: str) -> None:
    assert refused(write(tmp_path, text)).field == key


@pytest.mark.parametrize("content", [b"\xff\xfe", b"port = = 1"])
def test_a_file_that_cannot_be_read_as_toml_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / settings.FILE_NAME).write_bytes(content)
    assert refused(tmp_path).code == "settings_unreadable"


def test_every_setting_is_listed_with_unit_and_reason_and_no_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://piying_vault:canary@db:5432/vault?password=canary"
    found = settings.load(tmp_path, {"PIYING_VAULT_URL": url})
    listing = found.listing()
    assert len(listing) > 40
    assert all(row["unit"] and row["reason"] for row in listing)
    assert {row["key"] for row in listing} >= {"vault.url", "server.port", "limits.request_bytes", "retention.lake_months", "zone"}
    assert "canary" not in repr(listing) + repr(found)


def test_every_setting_has_a_variable_of_its_own(tmp_path: Path) -> None:
    keys = [row["key"] for row in settings.load(tmp_path, {}).listing()]
    assert len({settings.variable_of(key) for key in keys}) == len(keys)


def test_the_home_folder_comes_from_the_environment() -> None:
    assert settings.home_folder({"PIYING_HOME": "/srv/piying"}) == Path("/srv/piying")
    assert settings.home_folder({}) == Path.cwd() / ".piying"
