"""The lake's writer: once, unordered, without statistics of people."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.lake.tables import load, local_path
from analytics.lake.writer import HELD, THROUGH, LakeWriter, carried, held_sequences, ranges
from privacy import errors
from tests.fakes.lake import Batch, Lake, arrow_rows, payload


def lines(count: int, month: int = 202601) -> list[dict[str, object]]:
    return [
        {"person": f"p{number % 7}", "month": month, "order_key": number, "kind": "sale", "store_id": "S1", "net_minor": 100}
        for number in range(count)
    ]


def files(lake: Lake, table: str) -> list[Path]:
    return [Path(local_path(task.file.file_path)) for task in load(lake.catalog, table).scan().plan_files()]


def stored(lake: Lake, table: str) -> int:
    return sum(pq.read_metadata(path).num_rows for path in files(lake, table))


def test_a_flush_moves_every_batch_into_its_table_and_says_which(lake: Lake) -> None:
    batches = [lake.batch("order_lines", lines(5)), lake.batch("stores", [{"id": "S1"}]), lake.batch("order_lines", lines(3, 202602))]
    result = lake.writer.flush(batches)
    assert (result.batches, result.rows, result.sequences) == (3, 9, (1, 2, 3))
    assert stored(lake, "order_lines") == 8
    assert set(result.snapshots) == {"order_lines", "stores"}


def test_a_batch_that_was_flushed_and_not_marked_done_is_not_doubled(lake: Lake) -> None:
    """kill -9 between the commit and the mark: the inbox hands the same batch out again, with a new one beside it."""
    first = lake.batch("order_lines", lines(5))
    lake.writer.flush([first])
    second = lake.batch("order_lines", lines(2))
    again = lake.writer.flush([first, second])
    assert (again.rows, again.sequences) == (2, (1, 2))
    assert lake.writer.flush([first, second]).rows == 0
    assert stored(lake, "order_lines") == 7


def test_a_batch_that_shows_late_under_a_lower_position_is_not_lost(lake: Lake) -> None:
    lower, higher = lake.batch("order_lines", lines(5)), lake.batch("order_lines", lines(3))
    lake.writer.flush([higher])
    assert lake.writer.flush([lower]).rows == 5
    assert stored(lake, "order_lines") == 8


def test_the_positions_stand_in_the_snapshots_own_summary(lake: Lake) -> None:
    lake.writer.flush([lake.batch("order_lines", lines(1)) for _ in range(3)])
    table = load(lake.catalog, "order_lines")
    assert carried(table) == {THROUGH: "3", HELD: "1-3"}
    assert held_sequences(table) == {1, 2, 3}


def test_ranges_are_short() -> None:
    assert ranges([3, 4, 5, 9, 11, 12]) == "3-5,9,11-12"
    assert ranges([]) == ""


def test_identifying_columns_have_no_statistics_and_no_dictionary_anywhere(lake: Lake) -> None:
    """law_rules E-2: neither the footer nor the manifest tells a smallest or a largest virtual ID."""
    lake.put("order_lines", lines(200))
    lake.put("events", [{"person": "p1", "event": "product_viewed", "visit": 9, "step": 1}])
    for table in ("order_lines", "events"):
        for task in load(lake.catalog, table).scan().plan_files():
            numbers = {f.name: f.field_id for f in load(lake.catalog, table).schema().fields}
            hidden = [numbers[name] for name in ("virtual_id", "order_key", "visit", "source", "store_id") if name in numbers]
            for facts in (task.file.lower_bounds, task.file.upper_bounds, task.file.value_counts, task.file.null_value_counts):
                assert not set(hidden) & set(facts or {})
            group = pq.read_metadata(local_path(task.file.file_path)).row_group(0)
            for column in (group.column(number) for number in range(group.num_columns)):
                if column.path_in_schema in ("virtual_id", "order_key", "visit"):
                    assert column.statistics is None
                    assert column.dictionary_page_offset is None
                if column.path_in_schema not in ("month", "hour"):
                    assert not column.is_stats_set


def test_the_order_of_arrival_is_not_kept(lake: Lake) -> None:
    rows = arrow_rows("order_lines", lines(50))
    lake.writer.flush([Batch(1, "order_lines", payload(rows))])
    lake.writer.flush([Batch(2, "order_lines", payload(rows.take(list(reversed(range(50))))))])
    first, second = (pq.ParquetFile(path).read() for path in files(lake, "order_lines"))
    assert first.equals(second)
    assert first["virtual_id"].to_pylist() == sorted(first["virtual_id"].to_pylist())


def test_each_month_has_files_of_its_own(lake: Lake) -> None:
    lake.put("order_lines", lines(4) + lines(4, 202602))
    assert sorted(path.parent.name for path in files(lake, "order_lines")) == ["month=202601", "month=202602"]


def test_a_table_without_people_gets_the_position_as_its_age(lake: Lake) -> None:
    lake.put("stores", [{"id": "S1"}])
    lake.put("stores", [{"id": "S1"}])
    assert sorted(pq.ParquetFile(path).read()["loaded"][0].as_py() for path in files(lake, "stores")) == [1, 2]


def test_an_unknown_column_stops_the_writer_and_nothing_is_committed(lake: Lake) -> None:
    rows = arrow_rows("order_lines", lines(1)).append_column("phone", pa.array(["x"]))
    with pytest.raises(errors.Invalid) as refused:
        lake.writer.flush([Batch(1, "order_lines", payload(rows))])
    assert refused.value.code == "unknown_column"
    assert files(lake, "order_lines") == []


def test_a_disk_that_is_full_is_unavailable_and_the_batch_can_be_flushed_later(lake: Lake) -> None:
    batch = lake.batch("order_lines", lines(1))
    folder = Path(local_path(load(lake.catalog, "order_lines").location())) / "data"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    with pytest.raises(errors.Unavailable):
        lake.writer.flush([batch])
    folder.unlink()
    assert lake.writer.flush([batch]).rows == 1


def test_a_second_committer_is_refused_and_not_retried_into_a_double(lake: Lake) -> None:
    """Both writers read the table, then both commit: the lease should prevent it, and if it fails, the commit does."""
    batch = lake.batch("order_lines", lines(3))
    other = lake.batch("order_lines", lines(2))

    def interfering(count: int) -> bytes:
        if not interfered:
            interfered.append(True)
            lake.writer.flush([other])
        return bytes(count)

    interfered: list[bool] = []
    with pytest.raises(errors.Conflict):
        LakeWriter(lake.catalog, lake.dictionary, interfering).flush([batch])
    assert stored(lake, "order_lines") == 2


def test_a_month_is_closed_once(lake: Lake) -> None:
    rows = arrow_rows("person_month", [{"person": "p1", "stage": "active"}])
    assert lake.writer.close_month("person_month", 202601, rows, "retail-1")
    assert not lake.writer.close_month("person_month", 202601, rows, "retail-1")
    assert stored(lake, "person_month") == 1


def test_a_month_without_anybody_is_closed_too(lake: Lake) -> None:
    assert lake.writer.close_month("person_month", 202601, arrow_rows("person_month", []), "retail-1")
    assert lake.reader.month_closed("person_month", 202601)
    assert not lake.reader.month_closed("person_month", 202602)


def test_rows_of_another_month_are_no_part_of_a_close(lake: Lake) -> None:
    rows = arrow_rows("person_month", [{"person": "p1", "month": 202602}])
    with pytest.raises(errors.Invalid):
        lake.writer.close_month("person_month", 202601, rows, "retail-1")
