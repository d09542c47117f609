"""What came is counted before any rule takes a row out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ingestion import census
from ingestion.draft import Draft
from privacy.dictionary import catalogue
from privacy.vocabulary import FormRule


def draft(**more: object) -> Draft:
    columns = {
        "record": catalogue.load().record("event"),
        "positions": np.arange(4),
        "message_ids": None,
        "times": pa.array([1, 2, 3, 4], pa.timestamp("us", tz="UTC")),
        "fields": {"product_id": pa.array(["a", None, "c", "d"]), "quantity": pa.array([1, 2, None, None], pa.int64())},
        "identifiers": {"customer_no": pa.array(["u", None, None, "v"])},
        "consents": [],
        "refuse": pa.nulls(4, pa.string()),
    }
    return Draft(**(columns | more))  # type: ignore[arg-type]


def test_a_broken_value_was_there_and_was_not_valid() -> None:
    faults = [(2, "quantity", FormRule.WRONG_TYPE), (2, "quantity", FormRule.OUT_OF_RANGE), (0, "quantity", FormRule.OUT_OF_RANGE)]
    counts = census.of([draft(faults=[*faults, (1, "product_id", FormRule.MISSING)])])
    record = draft().record
    assert counts[record.name, census.ROWS] == (4, 1)
    assert counts[record.name, "product_id"] == (3, 3), "what is missing was not there"
    assert counts[record.name, "quantity"] == (3, 1), "a value that broke two rules is one value"
    assert counts[record.name, "identifiers.customer_no"] == (2, 2)


def test_times_are_counted_with_their_faults_and_parts_of_one_record_together() -> None:
    record = draft().record
    assert record.time is not None
    first = draft(faults=[(0, record.time, FormRule.MISSING), (1, record.time, FormRule.TIME_FUTURE)])
    counts = census.of([first, draft()])
    assert counts[record.name, record.time] == (7, 6)
    assert counts[record.name, census.ROWS] == (8, 6)
    assert census.of([]) == {}
