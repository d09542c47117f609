"""The dictionary is whole: every field classified, every column fed; a file that breaks this does not load."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from privacy import errors
from privacy.dictionary import catalogue
from privacy.vocabulary import ANALYTIC_PURPOSES

FOLDER = Path(catalogue.__file__).parent
DICTIONARY = catalogue.load()
FIELDS = [(record, field) for record in DICTIONARY.records.values() for field in record.fields.values()]


def test_the_records_and_tables_are_those_of_the_shapes() -> None:
    assert {r.name for r in DICTIONARY.records.values() if r.people} == {"member", "event", "order_line", "touch", "feedback", "consent"}
    assert {r.name for r in DICTIONARY.records.values() if not r.people} == {
        "product", "store", "stock", "till_total", "campaign", "campaign_cost", "calendar",
    }  # fmt: skip
    assert {t.name for t in DICTIONARY.tables.values() if t.people} == {
        "events", "order_lines", "profiles", "person_month", "touches", "feedback",
    }  # fmt: skip


@pytest.mark.parametrize(("record", "field"), FIELDS, ids=[f"{r.name}.{f.name}" for r, f in FIELDS])
def test_every_field_has_class_category_fate_and_both_meanings(record: catalogue.Record, field: catalogue.Field) -> None:
    assert field.class_ in catalogue.CLASSES
    assert field.category
    assert field.meaning_en
    assert field.meaning_zh
    assert field.meaning_en != field.meaning_zh
    assert all(b.treatment in catalogue.TREATMENTS for b in field.becomes)
    assert isinstance(field.arrow_type, pa.DataType)
    assert field.dropped or field.class_ not in ("direct_identifier", "sensitive")
    if record.people and field.class_ not in ("sensitive",):
        assert set(field.purposes) <= set(ANALYTIC_PURPOSES)
        assert field.purposes


def test_every_open_text_field_has_a_longest_length() -> None:
    assert all(f.input.values or f.input.max_length for _, f in FIELDS if f.type in ("string", "text"))


def test_every_lake_column_is_fed_by_a_record_or_made_at_the_close() -> None:
    fed = {(b.table, b.column) for _, f in FIELDS for b in f.becomes}
    for table in DICTIONARY.tables.values():
        if table.made == "records":
            assert {c for c in table.columns if (table.name, c) not in fed} <= catalogue.SYSTEM_COLUMNS
    assert [t.name for t in DICTIONARY.tables.values() if t.made == "close"] == ["person_month"]


def test_tables_about_people_begin_with_the_month_identifier_and_keep_no_finer_time() -> None:
    for table in DICTIONARY.tables.values():
        schema = DICTIONARY.arrow_schema(table.name)
        if table.people:
            assert schema.names[:4] == ["virtual_id", "month", "hour", "source"]
            assert schema.types[:4] == [pa.int64(), pa.int32(), pa.timestamp("us", tz="UTC"), pa.string()]
            assert [n for n in schema.names if pa.types.is_temporal(schema.field(n).type)] == ["hour"]
        else:
            assert schema.names[-1] == "loaded"
            assert schema.field("loaded").type == pa.int64()
            assert "virtual_id" not in schema.names
            assert table.key


def test_no_message_id_batch_or_receipt_time_stands_in_the_lake() -> None:
    for table in DICTIONARY.tables.values():
        assert not {c for c in table.columns if any(word in c for word in ("message", "batch", "received", "person_id"))}


def test_amounts_are_too_small_to_hide_a_mobile_number() -> None:
    """A Chinese mobile number is above thirteen thousand million; no number about people may reach it."""
    for record, field in FIELDS:
        if record.people and field.type in ("int", "minor"):
            assert isinstance(field.input.max, int)
            assert field.input.max < 13_000_000_000


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("faceImage", "biometric"),
        ("properties.Face ID", "biometric"),
        ("context.device.fingerprint_hash", "biometric"),
        ("人脸照片", "biometric"),
        ("video_url", "video"),
        ("doorEvent", "door_access"),
        ("items[0].badge_no", "door_access"),
        ("surface", None),
        ("outdoor_seat", None),
        ("net_minor", None),
    ],
)
def test_forbidden_categories_are_known_by_a_name_in_any_spelling(path: str, category: str | None) -> None:
    assert DICTIONARY.forbidden(path) == category


def test_no_field_of_the_dictionary_is_itself_forbidden() -> None:
    assert not [f.name for _, f in FIELDS if DICTIONARY.forbidden(f.name)]


def test_child_and_sensitive_fields_are_named_with_the_consent_they_need() -> None:
    member = DICTIONARY.record("member")
    assert member.child_fields == {"child_birth_date", "child_name", "school"}
    assert member.sensitive_fields == {"health_condition": "sensitive.health", "religion": "sensitive.religion"}


def test_an_unknown_record_or_table_is_refused_by_name() -> None:
    with pytest.raises(errors.Invalid, match="unknown record"):
        DICTIONARY.record("nothing")
    with pytest.raises(errors.NotFound):
        DICTIONARY.arrow_schema("nothing")


def test_field_types_of_a_record_come_as_a_schema() -> None:
    schema = DICTIONARY.fields_schema("order_line")
    assert schema.field("net_minor").type == pa.int64()
    assert schema.field("occurred_at").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("touch.toml", 'class = "behavioural"', 'class = "harmless"'),
        ("touch.toml", 'becomes = { "touches.arm" = "keep" }', 'becomes = "drop"'),
        ("touch.toml", 'becomes = { "touches.arm" = "keep" }', 'becomes = { "touches.leg" = "keep" }'),
        ("touch.toml", 'becomes = { "touches.arm" = "keep" }', 'becomes = { "touches.arm" = "trust" }'),
        ("touch.toml", 'becomes = { "touches.arm" = "keep" }', 'becomes = { "stores.name" = "keep" }'),
        ("touch.toml", 'becomes = { "touches.arm" = "keep" }', ""),
        ("touch.toml", '"analytics.statistics", "marketing.profiling"', '"marketing.everything"'),
        ("touch.toml", 'zh = "实验组别"', 'zh = ""'),
        ("touch.toml", 'time = "occurred_at"', ""),
        ("feedback.toml", '"feedback.text" = "scrub"', '"feedback.text" = "keep"'),
        ("member.toml", 'class = "direct_identifier"\ncategory = "identity"\ninput = { max_length = 200 }\nbecomes = "drop"',
         'class = "direct_identifier"\ncategory = "identity"\ninput = { max_length = 200 }\nbecomes = { "profiles.tier" = "keep" }'),
        ("tables.toml", 'key = ["day", "region"]', 'key = ["night"]'),
        ("tables.toml", 'latest = "value"', 'latest = "guess"'),
        ("store.toml", 'record = "store"', 'record = "shop"'),
    ],
)  # fmt: skip
def test_a_broken_file_does_not_load(tmp_path: Path, file: str, old: str, new: str) -> None:
    folder = tmp_path / "dictionary"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(errors.Invalid) as caught:
        catalogue.read(folder)
    assert caught.value.code == "bad_dictionary"
