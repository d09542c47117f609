"""Counts of one person's rows: of the names that were handed in, and of nobody else."""

from __future__ import annotations

import pyarrow as pa

from analytics.lake.subject import Counted, SubjectCounts
from tests.fakes.lake import HOUR, Lake
from tests.fakes.population import virtual_id
from tests.unit.analytics.lake.test_reader import line


def names(*people: tuple[str, int]) -> pa.Table:
    ids = [virtual_id(person, month) for person, month in people]
    return pa.table({"month": pa.array([month for _, month in people], pa.int32()), "virtual_id": pa.array(ids, pa.int64())})


def test_rows_are_counted_by_table_month_and_hour_whatever_the_person_allows(lake: Lake) -> None:
    lake.put("order_lines", [line("anna"), line("anna"), line("bo"), line("anna", 202602)])
    lake.put("events", [{"person": "anna", "month": 202601, "event": "product_viewed"}])
    counts = SubjectCounts(lake.reader, lake.dictionary, lake.engine)
    assert sorted(counts.of(names(("anna", 202601), ("anna", 202602)))) == [
        Counted("events", 202601, HOUR, 1),
        Counted("order_lines", 202601, HOUR, 2),
        Counted("order_lines", 202602, HOUR, 1),
    ]
    assert counts.of(names(("stranger", 202601))) == []


def test_a_name_of_another_month_is_nobody(lake: Lake) -> None:
    lake.put("order_lines", [line("anna")])
    other = pa.table({"month": pa.array([202602], pa.int32()), "virtual_id": pa.array([virtual_id("anna", 202601)], pa.int64())})
    assert SubjectCounts(lake.reader, lake.dictionary, lake.engine).of(other) == []
    assert SubjectCounts(lake.reader, lake.dictionary, lake.engine).of(names()) == []
