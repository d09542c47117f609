"""Watched folders, the schedule, commands and the route: every file once, no name told."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import pulls
from privacy.errors import Conflict, NotFound
from tests.flow.pulling import (
    MAPPING,
    added,
    places,
    run,
    small_chunks,
    tallied,
)
from tests.house import House, bearer
from tests.unit.app.commands import run as command
from tests.unit.app.commands import told as told_by

# ── folders ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

HEADER = "card,at,tier,ok\n"


def lines(first: int, last: int) -> str:
    return HEADER + "".join(f"CARD{number:06d},2026-06-10 08:00,gold,yes\n" for number in range(first, last))


@pytest.fixture
def drop(house: House, tmp_path: Path) -> Path:
    """A folder into which others put files; the house's clock is a minute ahead of the files that are put there now."""
    folder = tmp_path / "drop"
    folder.mkdir()
    house.clock.now = datetime.now(UTC)
    house.clock.forward(seconds=60)
    return folder


def test_a_file_is_taken_once_by_its_content_and_what_is_no_whole_plain_file_is_not(house: House, drop: Path, tmp_path: Path) -> None:
    small_chunks(house)
    source = added(house, "tills", "file", {"path": str(drop), "mapping": MAPPING})
    (drop / "13800138000.csv").write_text(lines(0, 250), encoding="utf-8")
    (drop / "half.csv.part").write_text(lines(300, 310), encoding="utf-8")
    (drop / ".hidden.csv").write_text(lines(300, 310), encoding="utf-8")
    (drop / "sub.csv").mkdir()
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text(lines(400, 410), encoding="utf-8")
    (drop / "link.csv").symlink_to(elsewhere)
    done = run(house, "tills")
    assert (done["stored"], done["files_imported"]) == (250, 1)
    shutil.copy(drop / "13800138000.csv", drop / "copy.csv")
    (drop / "half.csv.part").rename(drop / "half.csv")
    done = run(house, "tills")
    assert (done["stored"], done["duplicate"], done["files_imported"], done["files_duplicate"]) == (10, 0, 1, 1)
    assert run(house, "tills")["received"] == 0
    assert tallied(house, source) == {"stored": 260}
    assert places(house, source) == {}, "a taken file needs no place"
    house.clock.now = datetime.now(UTC)
    (drop / "fresh.csv").write_text(lines(500, 510), encoding="utf-8")
    assert run(house, "tills")["received"] == 0, "somebody may still be writing it"
    with house.services.read_console() as tx:
        assert "13800138000" not in str(tx.execute(sa.text("SELECT * FROM pull_file")).all())


def test_a_file_that_fails_stays_with_its_reason_and_the_others_go_on(house: House, drop: Path) -> None:
    added(house, "tills", "file", {"path": str(drop), "mapping": MAPPING, "then": "move"})
    (drop / "13800138000 empty.csv").touch()
    (drop / "13800138000 other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (drop / "13800138000.exe").write_text("a,b\n1,2\n", encoding="utf-8")
    (drop / "good.csv").write_text(lines(0, 5), encoding="utf-8")
    done = run(house, "tills")
    assert (done["stored"], done["files_failed"], done["files_imported"]) == (5, 3, 1)
    (listed,) = pulls.listing(house.services)
    assert sorted(one["code"] for one in listed["files_failed"]) == ["column_missing", "file_empty", "file_kind_unknown"]
    assert "13800138000" not in json.dumps(listed)
    assert sorted(path.name for path in drop.glob("13800138000*")) == ["13800138000 empty.csv", "13800138000 other.csv", "13800138000.exe"]
    assert [path.suffix for path in (drop / "done").iterdir()] == [".csv"]
    assert run(house, "tills")["received"] == 0
    assert run(house, "tills", again=True)["files_failed"] == 3


def test_a_file_that_was_cut_short_goes_on_behind_its_last_stored_row(house: House, drop: Path) -> None:
    small_chunks(house)
    source = added(house, "tills", "file", {"path": str(drop), "mapping": MAPPING, "then": "delete"})
    (drop / "long.csv").write_text(lines(0, 950), encoding="utf-8")
    assert run(house, "tills", seconds=0.0)["stored"] == 100
    assert run(house, "tills", seconds=0.0)["stored"] == 100
    small_chunks(house, 300)
    assert run(house, "tills")["stored"] == 750
    assert tallied(house, source) == {"stored": 950}
    assert list(drop.iterdir()) == []


def test_the_worker_takes_what_is_due_and_one_that_fails_lets_the_others_go_on(house: House, drop: Path) -> None:
    gone = added(house, "gone", "file", {"path": str(drop / "none"), "mapping": MAPPING})
    added(house, "tills", "file", {"path": str(drop), "mapping": MAPPING})
    (drop / "good.csv").write_text(lines(0, 5), encoding="utf-8")
    done = house.services.handlers["pull"](pulls_job())
    assert (done["pulls"], done["failed"], done["stored"]) == (1, 1, 5)
    assert house.services.handlers["pull"](pulls_job()) == {"pulls": 0, "failed": 0}, "nothing is due"
    for _ in range(2):
        house.clock.forward(hours=2)
        house.services.handlers["pull"](pulls_job())
    assert house.services.failing_pulls() == {gone: "folder_unreadable"}
    pulls.pause(house.services, "gone", paused=True, actor="test")
    assert house.services.failing_pulls() == {}
    pulls.remove(house.services, "gone", actor="test")
    with pytest.raises(NotFound):
        run(house, "gone")
    with pytest.raises(Conflict):
        pulls.add(house.services, "tills", {"path": str(drop), "mapping": MAPPING}, every=60, actor="test")


def test_commands_and_the_route_say_how_pulls_stand(home_of_commands: Path, drop_of_commands: Path) -> None:
    home, folder = home_of_commands, drop_of_commands
    (folder.parent / "m.toml").write_text(MAPPING, encoding="utf-8")
    assert told_by(home, "source", "add", "tills", "--kind", "file")["kind"] == "file"
    words = ("--mapping", str(folder.parent / "m.toml"), "--folder", str(folder), "--settle", "0", "--then", "move")
    assert told_by(home, "pull", "add", "tills", *words)["kind"] == "folder"
    (folder / "13800138000.csv").write_text(lines(0, 5), encoding="utf-8")
    (folder / "13900139000.csv").touch()
    done = told_by(home, "pull", "run", "tills")
    assert (done["stored"], done["files_failed"], done["more"]) == (5, 1, False)
    shown = command(home, "pull", "list")
    assert "file_empty" in shown.out
    assert "139001" not in shown.out
    assert told_by(home, "pull", "pause", "tills")["paused"]
    assert told_by(home, "pull", "list")["items"][0]["paused"]
    assert not told_by(home, "pull", "resume", "tills")["paused"]
    assert told_by(home, "pull", "remove", "tills")["removed"]
    assert command(home, "pull", "run", "tills", "--json").error["code"] == "pull_unknown"
    assert command(home, "pull", "add", "tills", "--mapping", "none.toml", "--json").error["code"] == "mapping_unknown"


@pytest.fixture
def home_of_commands(sqlite_only: House) -> Path:
    sqlite_only.services.stores.close()
    return sqlite_only.home


@pytest.fixture
def drop_of_commands(tmp_path: Path) -> Path:
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def test_the_route_is_for_those_who_may_see_exact_numbers(sqlite_only: House) -> None:
    added(sqlite_only, "live", "stream", {"topic": "t", "mapping": MAPPING})
    answer = sqlite_only.client.get("/api/pulls", headers=bearer(sqlite_only.token("integrator")))
    assert [one["kind"] for one in answer.get_json()["items"]] == ["stream"]
    assert sqlite_only.client.get("/api/pulls", headers=bearer(sqlite_only.token("administrator"))).status_code == 403


def pulls_job() -> Any:
    from app.jobs import Claimed

    return Claimed("job_1", "pull", {}, 1, "schedule")
