"""Databases that we read ourselves (app.wiring.pulled): every row once, whatever dies when, and no address anywhere."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import pulls
from privacy.errors import Conflict, Invalid, NotConfigured, PiyingError
from tests.flow.pulling import (
    MAPPING,
    PASSWORD,
    WORDS,
    Shop,
    added,
    free,
    in_lake,
    member,
    run,
    shop,
    small_chunks,
    tallied,
)
from tests.house import House
from tests.stores import postgres_database
from tests.unit.migrations.test_run import Cut, cut_after


@pytest.fixture
def shops(request: pytest.FixtureRequest, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop's database of the same kind as the house's own, whose address the environment names."""
    if house.services.stores.vault.on_sqlite:
        with shop(f"sqlite+pysqlite3:///{tmp_path / 'shop.db'}") as made:
            monkeypatch.setenv("PIYING_SOURCE_CRM_URL", f"sqlite:///{tmp_path / 'shop.db'}")
            yield made
    else:
        with postgres_database(request.getfixturevalue("postgres_server")) as address, shop(address) as made:
            monkeypatch.setenv("PIYING_SOURCE_CRM_URL", address)
            yield made


# ── databases ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_with_equal_watermarks_are_neither_lost_nor_doubled_and_a_second_look_takes_what_is_new(house: House, shops: Shop) -> None:
    small_chunks(house)
    source = added(house, "crm", "database", WORDS)
    shops.put([member(number, f"2026-06-10 09:00:{number // 170:02d}") for number in range(1, 451)])
    done = run(house, "crm")
    assert (done["stored"], done["duplicate"], done["more"]) == (450, 0, False)
    shops.put([member(451, "2026-06-10 09:00:02"), member(452, "2026-06-11 00:00:00")])
    assert run(house, "crm")["stored"] == 2
    assert run(house, "crm")["received"] == 0
    assert tallied(house, source) == {"stored": 452}
    assert len(set(in_lake(house, "profiles", "virtual_id"))) == 452
    with house.services.read_console() as tx:
        text = str(tx.execute(sa.text("SELECT * FROM pull")).all() + tx.execute(sa.text("SELECT * FROM pull_cursor")).all())
    assert "CARD" not in text
    assert "2026-06-11 00:00:00" not in text


def test_a_changed_row_is_a_new_one_and_the_same_version_is_not(house: House, shops: Shop) -> None:
    source = added(house, "crm", "database", WORDS)
    shops.put([member(1)])
    run(house, "crm")
    with shops.engine.begin() as tx:
        tx.execute(sa.text("UPDATE members SET tier = 'silver', changed = '2026-06-12 00:00:00' WHERE id = 1"))
    assert run(house, "crm")["stored"] == 1
    pulls.remove(house.services, "crm", actor="test")
    pulls.add(house.services, "crm", WORDS, every=60, actor="test")
    done = run(house, "crm")
    assert (done["stored"], done["duplicate"]) == (0, 1), "from the beginning again: the version is known"
    assert tallied(house, source) == {"stored": 2, "duplicate": 1}


def test_whatever_stops_it_at_any_statement_the_next_look_goes_on_behind_the_last_stored_row(house: House, shops: Shop) -> None:
    """No duplicate is counted: the position moved with the rows, so nothing was ever read twice."""
    small_chunks(house)
    source = added(house, "crm", "database", WORDS)
    shops.put([member(number) for number in range(1, 601)])
    cut = 0
    for statements in (1, 7, 9, 12, 15, 17, 18, 19, 20, 21, 22, 24, 27, 31, 36, 42):
        try:
            with cut_after(statements):
                run(house, "crm")
        except (Cut, PiyingError):
            cut += 1
        free(house, source)
    run(house, "crm")
    assert cut > 10
    assert tallied(house, source) == {"stored": 600}
    assert len(in_lake(house, "profiles", "virtual_id")) == 600


def test_late_rows_come_by_looking_back_as_long_as_repeated_ones_are_known(house: House, shops: Shop) -> None:
    source = added(house, "crm", "database", {**WORDS, "lookback": 3600})
    shops.put([member(1, "2026-06-10 09:00:00"), member(2, "2026-06-10 10:00:00")])
    run(house, "crm")
    shops.put([member(3, "2026-06-10 09:30:00"), member(4, "2026-06-10 08:00:00")])
    done = run(house, "crm")
    assert (done["stored"], done["duplicate"]) == (1, 2), "an hour back, and no further"
    house.clock.forward(days=40)
    assert run(house, "crm")["received"] == 0, "what nobody remembers any more is not read again"
    assert tallied(house, source) == {"stored": 3, "duplicate": 2}


def test_two_readers_of_one_source_cannot_both_store(sqlite_only: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that overslept its lease finds the position moved, and nothing of its batch is kept."""
    house = sqlite_only
    small_chunks(house)
    with shop(f"sqlite+pysqlite3:///{tmp_path / 'shop.db'}") as shops:
        monkeypatch.setenv("PIYING_SOURCE_CRM_URL", f"sqlite:///{tmp_path / 'shop.db'}")
        source = added(house, "crm", "database", WORDS)
        shops.put([member(number) for number in range(1, 301)])
        with house.services.read_intake() as tx:
            config = pulls.config_of(tx, source)
            facts = pulls.registry.get(tx, source).facts
        slow = house.services.pulled(facts, config or {}, {}, [])
        step = next(slow)
        assert isinstance(step, pulls.cursors.Step)
        run(house, "crm")
        assert step.raw is not None
        with pytest.raises(Conflict) as refused:
            pulls.pipeline.ingest(step.raw, step.mapping, house.services.intake, also=step.settle)
        slow.close()
        assert refused.value.code == "pull_overtaken"
        assert tallied(house, source) == {"stored": 300}


def test_an_address_is_in_no_store_no_log_no_message_and_no_argument(
    sqlite_only: House, monkeypatch: pytest.MonkeyPatch, every_line: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    house = sqlite_only
    source = added(house, "crm", "database", WORDS)
    with pytest.raises(NotConfigured):
        run(house, "crm")
    said = []
    for address in (
        f"postgresql+psycopg://shop:{PASSWORD}@127.0.0.1:9/shop",
        f"nonsense {PASSWORD}",
        f"horse+cart://shop:{PASSWORD}@stable/shop",
        f"sqlite:////nowhere/{PASSWORD}.db",
        f"kafka://shop:{PASSWORD}@127.0.0.1:9",
    ):
        monkeypatch.setenv("PIYING_SOURCE_CRM_URL", address)
        with pytest.raises(PiyingError) as refused:
            run(house, "crm")
        said.append("".join(traceback.format_exception(refused.value)) + repr(refused.value))
        assert refused.value.code in ("pull_unavailable", "pull_address_invalid", "pull_driver_missing")
    listed = pulls.listing(house.services)
    assert (listed[0]["source"], listed[0]["failures"]) == (source, 6)
    assert PASSWORD not in " ".join(
        (*said, json.dumps(listed), every_line.text, *capfd.readouterr(), str(house.services.settings.listing()))
    )
    for path in house.home.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def test_an_address_may_stand_in_a_private_file(sqlite_only: House, tmp_path: Path) -> None:
    with shop(f"sqlite+pysqlite3:///{tmp_path / 'shop.db'}") as shops:
        added(sqlite_only, "crm", "database", {**WORDS, "address": "TILLS"})
        shops.put([member(1)])
        file = sqlite_only.services.settings.keys_path.parent / "sources" / "TILLS.url"
        file.parent.mkdir()
        file.write_text(f"sqlite:///{tmp_path / 'shop.db'}\n", encoding="utf-8")
        file.chmod(0o644)
        with pytest.raises(Invalid, match="0600"):
            run(sqlite_only, "crm")
        file.chmod(0o600)
        assert run(sqlite_only, "crm")["stored"] == 1


# ── definitions and the schedule ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("segment", {}, "source"),
        ("database", {"name": "members", "mapping": MAPPING}, "watermark"),
        ("database", {**WORDS, "topic": "t"}, "topic"),
        ("database", {**WORDS, "lookback": -1}, "lookback"),
        ("database", {**WORDS, "address": "a/../b"}, "address"),
        ("database", {**WORDS, "mapping": ""}, "mapping"),
        ("stream", {"topic": "a b"}, "topic"),
        ("file", {"path": "drop", "mapping": MAPPING}, "path"),
        ("file", {"path": "/drop", "mapping": MAPPING, "then": "eat"}, "then"),
        ("file", {"path": "/drop", "mapping": MAPPING, "address": "A"}, "address"),
        ("file", {"path": "/drop", "mapping": MAPPING.replace("analytics.statistics", "a.b")}, "consent"),
    ],
)
def test_a_definition_with_a_wrong_word_names_it(kind: str, config: dict[str, Any], field: str, sqlite_only: House) -> None:
    with pytest.raises(Invalid) as refused:
        added(sqlite_only, "one", kind, config)
    assert refused.value.field == field
