"""The payload of an item that failed is what came, for the sealed quarantine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa

from ingestion.source import FAULT_COLUMN, TEXT_COLUMN, Reading, payload
from privacy.records import RawBatch, SourceFacts

SOURCE = SourceFacts("src_a", "pos", "file", public=False, purposes=frozenset())
NOW = datetime(2026, 6, 15, tzinfo=UTC)


def test_an_items_payload_is_the_item() -> None:
    raw = RawBatch(SOURCE, NOW, items=[{"a": 1}, Reading("m", original={"b": float("inf")})], first=7)
    assert payload(raw, 7) == b'{"a":1}'
    assert json.loads(payload(raw, 8)) in ({"b": float("inf")}, {"b": None})


def test_a_rows_payload_is_the_row_or_its_text() -> None:
    table = pa.table({"店": ["S1", None], FAULT_COLUMN: [None, "bad_text"], TEXT_COLUMN: pa.array([None, "S1,,x"], pa.string())})
    raw = RawBatch(SOURCE, NOW, table=table)
    assert json.loads(payload(raw, 0)) == {"店": "S1"}
    assert json.loads(payload(raw, 1)) == {"text": "S1,,x"}
