"""Each check of the doctor is broken once, exactly, and turns red; nothing else does but what hangs on it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from app import doctor
from app.settings import load
from app.stores import Store, open_stores
from app.wiring import Services
from tests.house import House, postgres_environment
from tests.stores import postgres_database
from tests.unit.app.commands import Told, run

Breaking = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Break:
    """One way to break a check, and which other checks cannot look any more."""

    check: str
    how: Breaking
    also: frozenset[str]


BREAKS: dict[str, Break] = {}


def breaks(check: str, *also: str) -> Callable[[Callable[[Path, pytest.MonkeyPatch], Iterator[None]]], None]:
    def keep(how: Callable[[Path, pytest.MonkeyPatch], Iterator[None]]) -> None:
        BREAKS[how.__name__] = Break(check, contextmanager(how), frozenset(also))

    return keep


def owner(home: Path, store: str) -> Store:
    return cast(Store, getattr(open_stores(load(home)), f"{store}_owner"))


def change(home: Path, store: str, *statements: str, **values: Any) -> None:
    """Does to a store what no part of the program does."""
    opened = owner(home, store)
    with opened.begin() as tx:
        for statement in statements:
            tx.execute(sa.text(statement), values if ":" in statement else {})
    opened.close()


# ── the ways to break ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@breaks("keys", "access log", "erasures")
def the_key_file_is_gone(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (home / "keys" / "keyring.json").unlink()
    yield


@breaks("keys", "access log", "erasures")
def the_key_file_is_another_deployments(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    other = home / "other"
    assert run(other, "init").code == 0
    (other / "keys" / "keyring.json").replace(home / "keys" / "keyring.json")
    shutil.rmtree(other)
    yield


@breaks("private files")
def the_home_can_be_read_by_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    home.chmod(0o750)
    yield


@breaks("private files")
def the_lake_can_be_read_by_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (home / "lake").chmod(0o705)
    yield


@breaks("private files", "keys", "access log", "erasures")
def the_key_file_can_be_read_by_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (home / "keys" / "keyring.json").chmod(0o640)
    yield


@breaks("vault schema")
def the_vault_is_of_another_program_version(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    change(home, "vault", "UPDATE schema_version SET version_num = '9999'")
    yield


@breaks("vault schema", "keys", "access log", "erasures")
def the_vault_is_empty(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for path in home.glob("vault.db*"):
        path.unlink()
    yield


@breaks("platform schema")
def the_platform_store_is_of_another_program_version(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    change(home, "platform", "UPDATE schema_version SET version_num = '9999'")
    yield


@breaks("stores writable")
def somebody_holds_the_vault(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    holder = owner(home, "vault")
    with holder.begin():
        yield
    holder.close()


def without_locks(home: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network disk that cannot lock: SQLite gives up the WAL and says nothing."""
    from pysqlite3 import dbapi2

    connection = dbapi2.connect(str(home / f"{store}.db"))
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    monkeypatch.setenv(f"PIYING_{store.upper()}_URL", f"sqlite+pysqlite3:///file:{home / store}.db?nolock=1&uri=true")
    spare = home.parent / "spare"
    spare.mkdir(exist_ok=True)
    monkeypatch.chdir(spare)


@breaks("database engine")
def the_vault_has_no_wal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    without_locks(home, "vault", monkeypatch)
    yield


@breaks("database engine")
def the_platform_store_has_no_wal(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    without_locks(home, "platform", monkeypatch)
    yield


@breaks("database engine")
def sqlite_is_old(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def pretend(connection: Any, _record: Any) -> None:
        connection.create_function("sqlite_version", 0, lambda: "3.49.2")

    sa.event.listen(sa.pool.Pool, "connect", pretend)
    yield
    sa.event.remove(sa.pool.Pool, "connect", pretend)


@breaks("access log")
def an_entry_was_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened = owner(home, "platform")
    with opened.begin() as tx:
        guards = tx.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_entry'")).scalars()
        for guard in list(guards):
            tx.execute(sa.text(f"DROP TRIGGER {guard}"))
        tx.execute(sa.text("UPDATE log_entry SET kind = 'system' WHERE seq = (SELECT min(seq) + 3 FROM log_entry)"))
    opened.close()
    yield


@breaks("lake")
def the_catalogue_is_gone(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for path in home.glob("catalogue.db*"):
        path.unlink()
    yield
    assert not (home / "catalogue.db").exists(), "the doctor made what was missing"


@breaks("lake")
def a_table_has_lost_its_metadata(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for path in (home / "lake").rglob("*.metadata.json"):
        if "order_line" in str(path):
            path.unlink()
    yield


@breaks("inbox")
def a_batch_waits_for_days(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = int((time.time() - 2 * 86_400) * 1_000_000)
    change(
        home,
        "platform",
        "INSERT INTO inbox (batch_id, source_id, lake_table, row_count, received_at, payload) VALUES (x'00', 'src_a', 'event', 1, :at, x'00')",
        at=before,
    )
    yield


@breaks("disk")
def the_disk_has_a_hundred_mebibytes(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(total=2**40, used=2**40, free=100 * 2**20))
    yield


@breaks("temporary files")
def a_spilled_file_was_left(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    left = home / "temp" / "query-1" / "spill.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"rows")
    os.utime(left, (time.time() - 86_400,) * 2)
    yield


@breaks("budget")
def a_month_is_over_its_cap(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    change(home, "platform", "PRAGMA ignore_check_constraints = ON", "UPDATE budget_month SET spent_nano = cap_nano + 1")
    yield


@breaks("ledger", "keys")
def an_old_backup_was_restored(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    assert run(home, "audit", "checkpoint").code == 0
    path = home / "keys" / "checkpoint.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"charges": ', '"charges": 1'), encoding="utf-8")
    yield


@breaks("erasures", "keys")
def a_store_is_older_than_an_erasure(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    line = '{"erasure":"era_1","at":"2026-06-01T00:00:00+00:00","people":[],"digests":[]}'
    (home / "keys" / "erased.jsonl").write_text(line + "\n", encoding="ascii")
    yield


@breaks("accounting")
def an_item_is_missing_from_a_minute(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    columns = (
        "source_id, grain, at, received, stored, duplicate, quarantined, refused, lag_minute, lag_ten_minutes, lag_hour, lag_six_hours"
    )
    later = "lag_day, lag_week, lag_month, lag_more, last_event_at, last_received_at"
    numbers = ", ".join(["0"] * 14)
    change(home, "platform", f"INSERT INTO delivery ({columns}, {later}) VALUES ('src_a', 'minute', 0, 1, {numbers})")
    yield


@breaks("pulls")
def a_pull_failed_three_times(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    change(
        home,
        "platform",
        "INSERT INTO pull (source_id, config, every_seconds, next_at, paused, created_at, last_counts, failures, error_code)"
        " VALUES ('src_a', '{}', 60, 0, 0, 0, '{}', 3, 'pull_unavailable')",
    )
    yield


# ── the tests ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def examined(home: Path, **environment: str) -> tuple[Told, dict[str, str]]:
    """The doctor's answer, and what each red check says."""
    answer = run(home, "doctor", "--json", environment=environment)
    assert set(answer.json) == {"ok", "checks"}
    assert [check["name"] for check in answer.json["checks"]] == list(doctor.CHECKS)
    red = {check["name"]: check["detail"] for check in answer.json["checks"] if not check["ok"]}
    assert answer.json["ok"] == (not red)
    return answer, red


def test_a_healthy_home_is_green(home: Path) -> None:
    answer, red = examined(home)
    assert red == {}
    assert answer.code == 0
    assert all(check["detail"] for check in answer.json["checks"])


@pytest.mark.parametrize("way", sorted(BREAKS))
def test_what_is_broken_turns_red_and_the_command_fails(way: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = BREAKS[way]
    with broken.how(home, monkeypatch):
        answer, red = examined(home)
    assert set(red) == {broken.check, *broken.also}, red
    assert answer.code == 1
    assert str(home) not in answer.out, "a detail names a path"


def test_every_check_has_a_test_that_breaks_it() -> None:
    assert {broken.check for broken in BREAKS.values()} | {"separation"} == set(doctor.CHECKS)


def test_on_postgresql_two_roles_with_one_address_turn_separation_red(postgres_server: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with postgres_database(postgres_server) as vault, postgres_database(postgres_server) as platform:
        environment = postgres_environment(vault, platform)
        made = run(home, "init", "--json", environment=environment)
        assert made.code == 0, made.err
        answer, red = examined(home, **environment)
        assert red == {}
        assert answer.code == 0
        same = {**environment, "PIYING_PLATFORM_JOBS_URL": environment["PIYING_PLATFORM_CONSOLE_URL"]}
        none = {**environment, "PIYING_PLATFORM_INTAKE_URL": ""}
        for wrong in (same, none):
            answer, red = examined(home, **wrong)
            assert "roles_not_separate" in red.pop("separation")
            assert answer.code == 1


def test_a_spilled_file_of_a_running_query_is_nobodys_fault(home: Path) -> None:
    (home / "temp" / "now.tmp").write_bytes(b"rows")
    assert examined(home)[1] == {}


def test_a_check_that_cannot_look_is_red_and_quotes_nothing() -> None:
    found = doctor.examine(cast(Services, SimpleNamespace(secret="13800138000")))
    assert not found["ok"]
    assert all(not check["ok"] for check in found["checks"])
    assert {check["detail"] for check in found["checks"]} == {"the check itself failed: AttributeError"}


def test_the_doctor_writes_nothing(house: House) -> None:
    house.services.make_lake()
    before = house.counts()
    doctor.examine(house.services)
    assert house.counts() == before


def test_the_doctor_looks_at_a_home_that_no_other_command_opens(home: Path) -> None:
    change(home, "platform", "UPDATE schema_version SET version_num = '9999'")
    assert run(home, "source", "list", "--json").error["code"] == "schema_unknown"
    assert run(home, "doctor").code == 1
