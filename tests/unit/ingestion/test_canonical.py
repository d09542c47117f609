"""Only known fields, known types and UTC leave; law comes before form; no item goes on in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import canonical, mapping
from ingestion.source import FAULT_COLUMN, TEXT_COLUMN, Claim, Reading, Row
from privacy.dictionary.catalogue import load
from privacy.records import CanonicalBatch, RawBatch, SourceFacts
from privacy.vocabulary import FormRule

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
AT = int(NOW.timestamp()) * 1_000_000
SOURCE = SourceFacts("src_a", "pos", "file", public=False, purposes=frozenset({"analytics.statistics"}), namespace="pos")
LINES = """
record = "order_line"
zone = "Asia/Shanghai"
currency = "CNY"
[identifiers]
member_card = "card"
[fields]
occurred_at = "at"
product_id = "sku"
net_minor = { from = "amount", times = 100 }
[consent."analytics.statistics"]
from = "ok"
grant = ["1"]
"""
MEMBERS = """
record = "member"
[identifiers]
phone = "phone"
[fields]
sex = "sex"
child_birth_date = "baby"
"""
LINE = {"at": "2026-06-15 12:00:00", "sku": "P1", "amount": "12.5", "card": "M1", "ok": "1"}


def table(*rows: Mapping[str, str | None]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


def mapped(text: str, *, rows: pa.Table | None = None, items: Sequence[Any] | None = None, first: int = 0) -> CanonicalBatch:
    raw = RawBatch(SOURCE, NOW, items=items, table=rows, first=first, chunk=b"c" * 32)
    return canonical.canonicalise(raw, mapping.parse(text, CATALOGUE), CATALOGUE, now=NOW, retention_days=365, zone="Asia/Shanghai")


def read(*items: Reading) -> CanonicalBatch:
    raw = RawBatch(SOURCE, NOW, items=items, request_id="req_1")
    return canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=365)


def failures(batch: CanonicalBatch) -> list[tuple[int, str, str]]:
    return [(one.position, one.path, str(one.rule)) for one in batch.malformed]


def test_a_mapped_table_becomes_the_dictionarys_columns() -> None:
    batch = mapped(LINES, rows=table(LINE, LINE | {"ok": "", "card": ""}, LINE | {"ok": "no", "noise": "x"}), first=100)
    part = batch.parts[0]
    assert batch.received == 3
    assert batch.chunk == b"c" * 32
    assert failures(batch) == []
    assert part.positions.to_pylist() == [100, 101, 102]
    assert part.times.type == pa.timestamp("us", "UTC")
    assert part.times[0].as_py() == datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
    assert part.fields.column("net_minor").to_pylist() == [1250] * 3
    assert part.fields.column("currency").to_pylist() == ["CNY"] * 3
    assert "occurred_at" not in part.fields.column_names
    assert part.identifiers["member_card"].to_pylist() == ["M1", None, "M1"]
    claim = part.consents[0]
    assert claim.granted.to_pylist() == [True, None, False]
    assert claim.at.to_pylist() == [part.times[0].as_py(), None, part.times[0].as_py()]
    assert claim.explicit
    assert batch.dropped_fields == {"noise": 1}


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"at": "2026-06-15 12:36:00"}, "occurred_at", "time_future"),
        ({"at": "2025-06-01 12:00:00"}, "occurred_at", "time_too_old"),
        ({"at": "soon"}, "occurred_at", "bad_time"),
        ({"at": ""}, "occurred_at", "missing"),
        ({"amount": "12.505"}, "net_minor", "wrong_type"),
        ({"amount": "99999999999"}, "net_minor", "out_of_range"),
        ({"sku": "x" * 65}, "product_id", "too_long"),
        ({"sku": "a\0b"}, "product_id", "bad_text"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named_and_its_neighbours_live(change: dict[str, str], path: str, rule: str) -> None:
    batch = mapped(LINES, rows=table(LINE, LINE | change, LINE), first=10)
    assert failures(batch) == [(11, path, rule)]
    assert batch.parts[0].positions.to_pylist() == [10, 12]
    assert batch.parts[0].fields.num_rows == len(batch.parts[0].times) == len(batch.parts[0].consents[0].granted) == 2


def test_five_minutes_of_the_future_are_forgiven() -> None:
    assert failures(mapped(LINES, rows=table(LINE | {"at": "2026-06-15 12:35:00"}))) == []


def test_a_time_without_a_zone_is_a_fault_where_the_mapping_has_none() -> None:
    text = LINES.replace('zone = "Asia/Shanghai"', "")
    assert failures(mapped(text, rows=table(LINE))) == [(0, "occurred_at", "zone_missing")]
    assert failures(mapped(text, rows=table(LINE | {"at": "2026-06-15T12:00:00+08:00"}))) == []


def test_a_forbidden_column_refuses_the_rows_that_fill_it() -> None:
    batch = mapped(LINES, rows=table(LINE, LINE | {"face_image": "aGVsbG8="}, LINE | {"DoorAccess": " "}))
    assert batch.parts[0].fields.column("_refuse").to_pylist() == [None, "forbidden_category", None]


def test_a_forbidden_key_of_an_object_refuses_it_however_deep() -> None:
    items = [LINE, LINE | {"video_url": "v"}, LINE | {"extra": {"a": [{"fingerprint": 1}]}}, LINE | {"extra": {"a": 1}}]
    refused = mapped(LINES, items=items).parts[0].fields.column("_refuse").to_pylist()
    assert refused == [None, "forbidden_category", "forbidden_category", None]


def test_a_field_about_a_child_refuses_the_row_and_is_gone() -> None:
    rows = table({"phone": "1", "sex": "female"}, {"phone": "2", "baby": "2025-01-01"}, {"phone": "3", "baby": "last spring"})
    batch = mapped(MEMBERS, rows=rows)
    assert batch.parts[0].fields.column("_refuse").to_pylist() == [None, "child_field", "child_field"]
    assert batch.parts[0].fields.column_names == ["sex", "_refuse"]
    assert failures(batch) == []


def test_what_must_be_refused_never_counts_as_malformed() -> None:
    """Malformed items are kept for a week; a refused payload must be dropped at once (law_rules L-2)."""
    batch = mapped(MEMBERS, rows=table({"phone": "1", "sex": "nonsense", "baby": "2025-01-01"}, {"phone": "2", "sex": "nonsense"}))
    assert failures(batch) == [(1, "sex", "not_allowed")]
    assert batch.parts[0].positions.to_pylist() == [0]


def test_a_member_without_a_time_is_dated_by_receipt() -> None:
    assert mapped(MEMBERS, rows=table({"phone": "1", "sex": "male", "baby": None})).parts[0].times.to_pylist() == [NOW]


def test_rows_that_could_not_be_read_keep_their_place() -> None:
    rows = table(LINE, {FAULT_COLUMN: "bad_text", TEXT_COLUMN: "??"}, LINE | {"amount": "x"}, LINE)
    batch = mapped(LINES, rows=rows, first=5)
    assert failures(batch) == [(6, "", "bad_text"), (7, "net_minor", "wrong_type")]
    assert batch.parts[0].positions.to_pylist() == [5, 8]
    assert batch.received == 4


def test_rows_that_a_mapping_skips_are_neither_rows_nor_faults() -> None:
    """Whatever else is wrong with them: an unreadable row beside them stays a fault, and those left keep their places."""
    text = LINES.replace(
        "[identifiers]", 'skip = [{ if = "card", empty = true }, { if = "sku", begins = ["X"] }]\nid = ["card"]\n[identifiers]'
    )
    rows = table(LINE, LINE | {"card": "", "at": "soon"}, LINE | {"sku": "X1", "amount": "?"}, LINE | {"card": "M2", "at": "soon"}, LINE)
    faults = pa.array([None, None, None, None, str(FormRule.NOT_AN_OBJECT)], pa.string())
    batch = mapped(text, rows=rows.append_column(FAULT_COLUMN, faults))
    assert batch.received == 5
    assert batch.parts[0].positions.to_pylist() == [0]
    assert failures(batch) == [(3, "occurred_at", "bad_time"), (4, "", "not_an_object")]


def test_a_mapping_calculates_and_decides_by_cases() -> None:
    text = LINES.replace(
        "net_minor = {",
        """kind = { const = "sale", cases = [{ if = "no", begins = ["C"], const = "cancel" }] }
quantity_milli = { from = "n", times = 1000 }
gross_minor = { from = "amount", times_column = "n", times = 100 }
net_minor = {""",
    )
    batch = mapped(text, rows=table(LINE | {"no": "C1", "n": "-3"}, LINE | {"no": "2", "n": "4"}, LINE | {"no": "3", "n": "x"}))
    (part,) = batch.parts
    found = [part.fields.column(name).to_pylist() for name in ("kind", "quantity_milli", "gross_minor")]
    assert found == [["cancel", "sale"], [-3000, 4000], [-3750, 5000]]
    assert failures(batch) == [(2, "quantity_milli", "wrong_type")]


def test_items_that_are_no_objects_are_malformed() -> None:
    items = [LINE, 3, Reading(None, path="a", rule=FormRule.DUPLICATE_KEY, original={}), LINE]
    batch = mapped(LINES, items=items)
    assert failures(batch) == [(1, "", "not_an_object"), (2, "a", "duplicate_key")]
    assert batch.parts[0].positions.to_pylist() == [0, 3]


def test_names_of_unknown_keys_are_shown_only_if_they_look_like_names() -> None:
    batch = mapped(LINES, items=[LINE | {"li.na@example.com": 1, "13800138000": 2, "note": 3}])
    assert batch.dropped_fields == {"?": 2, "note": 1}
    assert mapped(LINES, rows=table(LINE | {"手机号": "1", "a@b.c": "1"})).dropped_fields == {"手机号": 1, "?": 1}


def test_with_ids_of_their_own_rows_do_not_go_by_the_chunk() -> None:
    batch = mapped(LINES.replace("[identifiers]", 'id = ["sku"]\n[identifiers]'), rows=table(LINE))
    assert batch.chunk is None
    assert batch.parts[0].message_ids is not None
    assert batch.parts[0].message_ids.to_pylist() == ["P1"]


def test_a_table_without_people_has_neither_window_nor_persons() -> None:
    text = 'record = "stock"\n[fields]\nstore = "s"\nproduct = "p"\nday = "d"\non_hand = { from = "n", times = 1000 }'
    batch = mapped(text, rows=table({"s": "S1", "p": "P1", "d": "1999-01-01", "n": "2", "face": "x"}))
    part = batch.parts[0]
    assert part.fields.column("on_hand").to_pylist() == [2000]
    assert part.identifiers == {}
    assert part.times.to_pylist() == [NOW]
    assert part.fields.column("_refuse").to_pylist() == [None]


def test_records_of_consent_become_claims() -> None:
    text = 'record = "consent"\n[identifiers]\nphone = "p"\n[fields]\noccurred_at = "at"\npurpose = "what"\nstate = "how"'
    at = "2026-06-15T00:00:00Z"
    rows = table(
        {"p": "1", "at": at, "what": "analytics.statistics", "how": "granted"},
        {"p": "2", "at": at, "what": "marketing.profiling", "how": "withdrawn"},
        {"p": "3", "at": at, "what": "Everything!", "how": "granted"},
    )
    batch = mapped(text, rows=rows)
    assert failures(batch) == [(2, "purpose", "bad_pattern")]
    assert [(claim.purpose, claim.granted.to_pylist()) for claim in batch.parts[0].consents] == [
        ("analytics.statistics", [True, None]),
        ("marketing.profiling", [None, False]),
    ]


def row(record: str = "event", *, refuse: str | None = None, claims: tuple[Claim, ...] = (), at: int = AT, **fields: Any) -> Row:
    return Row(record, at, fields, {"cookie": "c1"}, claims, refuse)


def test_readings_become_one_part_a_record_kind() -> None:
    claims = (Claim("analytics.statistics", granted=True, at=AT, explicit=False),)
    batch = read(
        Reading("m1", (row(event="order_completed", value_minor=5, claims=claims), row("order_line", order_id=7, line=1))),
        Reading("m2", (row(event="page_viewed"),), dropped={"properties.x": 1}),
        Reading(None, (row(event="page_viewed"),), dropped={"properties.x": 1}),
    )
    events, lines = batch.parts
    assert batch.received == 3
    assert events.positions.to_pylist() == [0, 1, 2]
    assert events.message_ids is not None
    assert events.message_ids.to_pylist() == ["m1", "m2", "req_1\x1f2"]
    assert events.fields.column("value_minor").to_pylist() == [5, None, None]
    assert events.consents[0].granted.to_pylist() == [True, None, None]
    assert not events.consents[0].explicit
    assert lines.fields.column("order_id").to_pylist() == ["7"]
    assert batch.dropped_fields == {"properties.x": 2}


def test_no_item_goes_on_in_part() -> None:
    batch = read(
        Reading("m1", (row(event="order_completed"), row("order_line", line=1), row("order_line", line=-1))),
        Reading("m2", path="type", rule=FormRule.MISSING),
        Reading("m3", (row(event="page_viewed"),)),
    )
    assert failures(batch) == [(0, "line", "out_of_range"), (1, "type", "missing")]
    assert batch.malformed[0].message_id == "m1"
    assert [(part.record, part.positions.to_pylist()) for part in batch.parts] == [("event", [2])]


def test_a_refused_reading_stays_refused() -> None:
    batch = read(Reading("m1", (row(event="nonsense", refuse="forbidden_category"),)))
    assert failures(batch) == []
    assert batch.parts[0].fields.column("_refuse").to_pylist() == ["forbidden_category"]


def test_an_empty_batch_is_a_batch() -> None:
    batch = read()
    assert (batch.received, batch.parts, batch.malformed) == (0, (), ())


def test_batches_are_told_apart() -> None:
    def one(**more: Any) -> bytes:
        raw = RawBatch(SOURCE, more.pop("at", NOW), items=[], **more)
        return canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=1).batch_id

    made = [one(), one(first=1), one(chunk=b"x"), one(request_id="r"), one(at=NOW + timedelta(seconds=1))]
    assert len(set(made)) == len(made)
    assert one() == made[0]
    assert len(made[0]) == 16


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "at": st.sampled_from(["2026-06-15 12:00:00", "2026-06-15T04:00:00Z", "x", "", "1999-01-01 00:00:00"]),
                "sku": st.text(max_size=80),
                "amount": st.sampled_from(["1", "1.5", "-2.25", "1e9", "9" * 30, "", "abc", "1.005"]),
                "card": st.text(max_size=5),
                "ok": st.sampled_from(["1", "0", ""]),
                "face_id": st.sampled_from(["", "x"]),
            }
        ),
        max_size=12,
    )
)
def test_every_item_is_either_a_row_or_a_fault_and_never_both(rows: list[dict[str, Any]]) -> None:
    batch = mapped(LINES, items=rows)
    kept = [position for part in batch.parts for position in part.positions.to_pylist()]
    failed = [one.position for one in batch.malformed]
    assert sorted(kept + failed) == list(range(len(rows)))
    for part in batch.parts:
        assert {len(part.times), len(part.positions), part.fields.num_rows, *map(len, part.identifiers.values())} == {len(kept)}
