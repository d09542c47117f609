"""Imports that are taken back: what they stored goes, what stands on them keeps them, and whoever dies in between is finished by the next."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from app import asking, housekeeping, imports, intake, undoing, uploads
from app.stores import Role
from ingestion import inbox
from ingestion.inbox import Inbox
from tests.flow.importer import EXPECTED, Killed, announce, numbers, put, run_jobs, shop, state, stored_rows, till_file, uploaded
from tests.house import House, bearer

UNCHANGING = ("seen_run", "seen_part", "seen_generation", "inbox", "import_part", "import_file", "quarantine_item", "sealed_payload")


def kept_counts(house: House) -> dict[str, int]:
    """Rows of the tables that an undo has to bring back to what they were."""
    return {name: number for name, number in house.counts().items() if any(part in name for part in UNCHANGING)}


def undo(house: House, token: str, made: str) -> Any:
    answer = house.client.post(f"/api/imports/{made}/undo", headers=bearer(token))
    run_jobs(house, "undo")
    return answer


@pytest.mark.parametrize("flushed", ["in the inbox", "in the lake", "half in each", "in the lake, and the mark died"])
def test_an_undone_import_leaves_what_was_there_before_and_may_come_again(house: House, flushed: str) -> None:
    """Beside another import's rows, which stay; compaction in between joins nothing that may still be taken back."""
    token = shop(house)
    other = uploaded(house, token, till_file(300, first=5_000))
    house.flush()
    before, rows = kept_counts(house), stored_rows(house)
    made = uploaded(house, token, till_file())
    if flushed == "half in each":
        with house.services.lake_lease():
            with house.services.read_jobs() as tx:
                waiting = inbox.pending(tx, limit=4)
                apart = imports.owners(tx, waiting[0].seq, waiting[-1].seq)
            house.services.writer.flush(waiting, apart=apart, announce=partial(intake.note_files, house.services))
            with house.services.begin_jobs() as tx:
                inbox.mark_done(tx, waiting[-1].seq)
    elif flushed != "in the inbox":
        copy: list[Any] = []
        if flushed.endswith("died"):
            with house.services.read_jobs() as tx:
                copy = [dict(row) for row in tx.execute(sa.select(Inbox.__table__)).mappings()]
        house.flush()
        if copy:
            with house.services.stores.platform_owner.begin() as tx:
                tx.execute(sa.insert(Inbox.__table__), copy)
    housekeeping.upkeep(house.services)
    if not flushed.endswith("died"):
        assert stored_rows(house) == rows + EXPECTED["stored"]
    answer = undo(house, token, made)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert state(house, token, made)["state"] == "undone"
    assert stored_rows(house) == rows
    assert kept_counts(house) == before
    assert house.flush()["rows"] == 0, "something of the import came after its undo"
    assert undo(house, token, made).status_code == 202, "asking twice is no error"
    again = uploaded(house, token, till_file())
    assert numbers(state(house, token, again)) == EXPECTED
    house.flush()
    assert stored_rows(house) == rows + EXPECTED["stored"]
    same = uploaded(house, token, till_file(300, first=5_000))
    assert numbers(state(house, token, same))["duplicate"] == numbers(state(house, token, other))["stored"]


def test_an_undo_that_dies_anywhere_is_finished_by_the_next_one(sqlite_only: House) -> None:
    house = sqlite_only
    token = shop(house)
    before = kept_counts(house)
    made = uploaded(house, token, till_file())
    house.flush()
    undoing.begin(house.services, made, actor="test")
    waiting = announce(house, token, till_file())["import"]
    put(house, token, waiting, till_file(), 0)
    run_jobs(house, "import")
    assert state(house, token, waiting)["error_code"] == "import_undoing", "nothing of the source comes in while one is being undone"
    begin, left = house.services.stores.begin_platform, [0]

    def dying(*role: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return begin(*role)

    for steps in range(8):
        left[0] = steps
        house.services.begin_intake = lambda: dying(Role.INTAKE)  # type: ignore[method-assign]
        try:
            undoing.finish(house.services, made, actor="test")
        except Killed:
            continue
        finally:
            del house.services.begin_intake
    assert state(house, token, made)["state"] == "undone"
    assert kept_counts(house) == {
        **before,
        **{name: kept_counts(house)[name] for name in before if "quarantine" in name or "sealed" in name},
    }
    assert stored_rows(house) == 0


@pytest.mark.parametrize("reason", ["a day passed", "its month was charged", "its month was closed", "it is not over", "a year passed"])
def test_an_import_that_something_stands_on_is_not_undone(sqlite_only: House, reason: str) -> None:
    house = sqlite_only
    token = shop(house)
    made = uploaded(house, token, till_file(200)) if reason != "it is not over" else announce(house, token, till_file(200))["import"]
    house.flush()
    code = "import_in_use"
    if reason in ("a day passed", "a year passed"):
        house.clock.now += timedelta(days=1 if reason == "a day passed" else 365, microseconds=1)
        uploads.expire(house.services)
        token, code = house.token("integrator"), "too_late_to_undo"
    elif reason == "its month was charged":
        with house.services.read_jobs() as tx:
            month = tx.execute(sa.select(imports.ImportFile.month)).scalars().first()
        with house.services.stores.platform_owner.begin() as tx:
            tx.execute(
                sa.text("INSERT INTO charge (release_id, month, rho_nano, delta_units, charged_at) VALUES ('rel_1', :month, 1, 0, :at)"),
                {"month": month, "at": int(house.clock().timestamp() * 1_000_000)},
            )
    elif reason == "its month was closed":
        months = house.services.reader.months_held("order_lines")
        house.clock.forward(days=1 - 1)
        with house.services.begin_jobs() as tx:
            assert imports.mark_used(tx, months[0], months[-1]) == 1
    else:
        code = "import_not_ready"
    rows = stored_rows(house)
    answer = undo(house, token, made)
    assert (answer.status_code, answer.get_json()["code"]) == (409, code)
    assert stored_rows(house) == rows


def test_closing_a_month_marks_the_imports_that_it_reads(sqlite_only: House) -> None:
    house = sqlite_only
    token = shop(house)
    made = uploaded(house, token, till_file(200))
    house.flush()
    month = max(house.services.reader.months_held("order_lines"))
    year, number = divmod(month, 100)
    house.clock.now = house.clock.now.replace(year=year + number // 12, month=number % 12 + 1, day=9)
    asking.close_month(house.services, month, actor="test")
    with house.services.read_intake() as tx:
        assert imports.get(tx, made).used
