"""A part on its way: refusals before faults, and rows that leave take everything of theirs with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from ingestion.columns import INSTANT
from ingestion.draft import Draft, Window, finish, keep
from privacy.dictionary.catalogue import load
from privacy.records import ConsentClaim
from privacy.vocabulary import FormRule

WINDOW = Window(earliest=100, latest=200, received=150, zone="UTC")


def draft(record: str, times: list[int | None], **fields: Any) -> Draft:
    length = len(times)
    claim = ConsentClaim("analytics.statistics", pa.array([True] * length), pa.array(times, INSTANT), None, explicit=True)
    return Draft(
        record=load().record(record),
        positions=np.arange(length, dtype=np.int64),
        message_ids=pa.array([f"m{index}" for index in range(length)]),
        times=pa.array(times, INSTANT),
        fields={name: pa.array(values) for name, values in fields.items()},
        identifiers={"cookie": pa.array(["c"] * length)},
        consents=[claim],
        refuse=pa.nulls(length, pa.string()),
    )


def test_times_outside_the_window_and_required_fields_are_faults() -> None:
    made = draft("event", [99, 100, 200, 201, None], event=["other"] * 4 + [None])
    finish(made, WINDOW)
    assert made.faults == [
        (4, "occurred_at", FormRule.MISSING),
        (3, "occurred_at", FormRule.TIME_FUTURE),
        (0, "occurred_at", FormRule.TIME_TOO_OLD),
        (4, "event", FormRule.MISSING),
    ]
    assert made.times[4].value == 150


def test_an_unreadable_field_about_a_child_refuses_too() -> None:
    made = draft("member", [150, 150], school=["x", None], sex=["male", "male"])
    made.faults = [(1, "child_birth_date", FormRule.BAD_TIME)]
    finish(made, WINDOW)
    assert made.refuse.to_pylist() == ["child_field", "child_field"]
    assert list(made.fields) == ["sex"]


def test_rows_leave_with_everything_of_theirs() -> None:
    made = draft("event", [150, 151, 152], event=["a", "b", "c"])
    made.faults = [(0, "x", FormRule.MISSING), (2, "y", FormRule.MISSING)]
    keep(made, np.array([False, True, True]))
    assert made.positions.tolist() == [1, 2]
    assert made.faults == [(1, "y", FormRule.MISSING)]
    assert made.fields["event"].to_pylist() == ["b", "c"]
    assert len(made.times) == len(made.refuse) == len(made.identifiers["cookie"]) == len(made.consents[0].granted) == 2
