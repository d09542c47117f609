"""Maintenance: fewer files, the same rows, and what is forgotten is gone from the disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.lake.maintenance import SMALL_FILES
from analytics.lake.tables import load, local_path
from analytics.lake.writer import carried
from privacy.vocabulary import STATISTICS
from tests.fakes.lake import Lake

FUTURE = datetime.now(UTC) + timedelta(hours=1)
PAST = datetime.now(UTC) - timedelta(days=1)


def fill(lake: Lake) -> None:
    lake.allow("anna")
    for number in range(SMALL_FILES):
        row = {"person": "anna", "kind": "sale", "store_id": "S1", "order_key": number, "net_minor": number}
        lake.put("order_lines", [row, row | {"month": 202602}])


def amounts(lake: Lake) -> list[int]:
    with lake.reader.open(STATISTICS, [202601, 202602]) as view:
        return sorted(view.run(view.people("order_lines"))["net_minor"].to_pylist())


def on_disk(lake: Lake) -> set[Path]:
    return set(Path(local_path(load(lake.catalog, "order_lines").location())).rglob("*.parquet"))


def test_compaction_joins_small_files_and_changes_no_row(lake: Lake) -> None:
    fill(lake)
    before = amounts(lake)
    assert lake.maintenance.compact().files_joined == 2 * SMALL_FILES
    assert len(list(load(lake.catalog, "order_lines").scan().plan_files())) == 2
    assert amounts(lake) == before
    assert lake.maintenance.compact().files_joined == 0


def test_compaction_carries_the_inbox_positions_on(lake: Lake) -> None:
    """Otherwise a flush that died before the mark would double its rows after a compaction."""
    fill(lake)
    last = lake.batch("order_lines", [{"person": "anna", "net_minor": 1}])
    lake.writer.flush([last])
    before = carried(load(lake.catalog, "order_lines"))
    lake.maintenance.compact()
    assert carried(load(lake.catalog, "order_lines")) == before
    assert lake.writer.flush([last]).rows == 0


def test_expiry_deletes_the_files_that_only_old_snapshots_named(lake: Lake) -> None:
    fill(lake)
    lake.maintenance.compact()
    assert len(on_disk(lake)) == 2 * SMALL_FILES + 2
    assert lake.maintenance.expire(PAST).snapshots_expired == 0
    done = lake.maintenance.expire(FUTURE)
    assert done.snapshots_expired > 0
    assert len(on_disk(lake)) == 2
    assert len(amounts(lake)) == 2 * SMALL_FILES


def test_the_sweep_deletes_orphans_and_nothing_that_is_named(lake: Lake) -> None:
    fill(lake)
    folder = Path(local_path(load(lake.catalog, "order_lines").location())) / "data" / "month=202601"
    orphan = folder / "0123.parquet"
    orphan.write_bytes(b"half a file")
    assert lake.maintenance.sweep(PAST).files_deleted == 0
    assert lake.maintenance.sweep(FUTURE).files_deleted >= 1
    assert not orphan.exists()
    assert len(amounts(lake)) == 2 * SMALL_FILES
    lake.put("order_lines", [{"person": "anna", "net_minor": 9}])
    assert len(amounts(lake)) == 2 * SMALL_FILES + 1


def test_a_closed_month_stays_closed_through_maintenance(lake: Lake) -> None:
    from tests.fakes.lake import arrow_rows

    lake.writer.close_month("person_month", 202601, arrow_rows("person_month", [{"person": "anna"}]), "retail-1")
    lake.maintenance.compact()
    lake.maintenance.expire(FUTURE)
    lake.maintenance.sweep(FUTURE)
    assert lake.reader.month_closed("person_month", 202601)


def test_months_past_retention_leave_the_table_at_once_and_the_disk_with_their_snapshots(lake: Lake) -> None:
    fill(lake)
    last = lake.batch("order_lines", [{"person": "anna", "net_minor": 1, "month": 202602}])
    lake.writer.flush([last])
    assert lake.maintenance.drop_before(202602).files_deleted == SMALL_FILES
    assert lake.reader.months_held("order_lines") == (202602,)
    assert lake.writer.flush([last]).rows == 0, "the inbox positions were carried on"
    lake.maintenance.expire(FUTURE)
    assert not [path for path in on_disk(lake) if "month=202601" in str(path)]
    assert lake.maintenance.drop_before(202602).files_deleted == 0


def test_files_that_stand_apart_are_not_joined_and_leave_their_table_whole(lake: Lake) -> None:
    """Rows that may be taken back share files with nobody; taking them back is one commit, and the flush after it doubles nothing."""
    fill(lake)
    before = amounts(lake)
    mine = [lake.batch("order_lines", [{"person": "anna", "net_minor": 1_000 + number, "month": 202602}]) for number in range(3)]
    other = lake.batch("order_lines", [{"person": "anna", "net_minor": 7}])
    noted: list[str] = []

    def announce(table: str, whose: str, locations: Sequence[str]) -> None:
        assert (table, whose) == ("order_lines", "imp_1")
        noted.extend(locations)

    lake.writer.flush([*mine, other], apart={one.seq: "imp_1" for one in mine}, announce=announce)
    assert len(noted) == 1
    lake.maintenance.compact(noted)
    assert amounts(lake) == sorted([*before, 7, 1_000, 1_001, 1_002])
    assert lake.maintenance.withdraw("order_lines", [*noted, "file:///nowhere.parquet"]).files_deleted == 1
    assert amounts(lake) == sorted([*before, 7])
    assert lake.maintenance.withdraw("order_lines", noted).files_deleted == 0
    assert lake.writer.flush([*mine, other]).rows == 0, "the inbox positions were carried on"
    lake.maintenance.expire(FUTURE)
    assert not [path for path in on_disk(lake) if path.as_uri() in noted]
