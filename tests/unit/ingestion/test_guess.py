"""From a sample to a proposed mapping."""

from __future__ import annotations

from typing import Any

import pytest

from app.wiring.contents import recognise
from ingestion.guess import headers, propose
from ingestion.mapping import parse
from ingestion.sample import Form, Sample
from privacy.dictionary import catalogue
from privacy.vocabulary import IdentifierType

TILLS = {
    "小票号": [f"R{number // 2:05d}" for number in range(60)],
    "行号": [str(number % 2 + 1) for number in range(60)],
    "会员卡号": [f"MC{number:06d}" for number in range(60)],
    "交易时间": ["2026/03/04 12:30:00"] * 60,
    "门店": [f"S{number % 3}" for number in range(60)],
    "商品编码": [f"P{number % 5}" for number in range(60)],
    "数量": ["1", "2"] * 30,
    "实付金额": ["12.50"] * 60,
    "收货人": ["王芳"] * 60,
    "备注": [None] * 60,
}
MEMBERS = {
    "member_card": [f"C{number:07d}" for number in range(40)],
    "contact number": [f"1381234{number:04d}" for number in range(40)],
    "E-mail": [f"u{number}@shop.example" for number in range(40)],
    "Gender": ["F", "M", "x", "F"] * 10,
    "date_of_birth": ["31/12/1999", "01/02/2000"] * 20,
    "Full Name": ["Ann Lee"] * 40,
    "credit_card": ["4111111111111111"] * 40,
    "faceImage": ["aGk="] * 40,
    "newsletter": ["yes", "no"] * 20,
    "updated_at": ["2026-05-01T10:00:00Z"] * 40,
}


def proposed(columns: dict[str, Any], *, form: Form | None = None, record: str | None = None) -> dict[str, Any]:
    rows = len(next(iter(columns.values())))
    seen = Sample(columns, rows, True)
    return propose(seen, catalogue.load(), recognise, form=form or Form(), zone="Asia/Shanghai", currency="CNY", record=record)


def by_name(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["column"]: one for one in told["columns"]}


def test_a_till_file_with_chinese_headers_gets_a_mapping_that_runs() -> None:
    told = proposed(TILLS, form=Form("gb18030", ";"))
    assert (told["record"], told["complete"], told["missing"]) == ("order_line", True, [])
    mapping = parse(told["mapping"], catalogue.load())
    assert mapping.identifiers == {"member_card": "会员卡号"}
    assert (mapping.encoding, mapping.delimiter, mapping.zone, mapping.id) == ("gb18030", ";", "Asia/Shanghai", ("小票号", "行号"))
    assert mapping.fields["occurred_at"].form == "%Y/%m/%d %H:%M:%S"
    assert (mapping.fields["quantity_milli"].times, mapping.fields["net_minor"].times) == (1000, 100)
    assert mapping.fields["currency"].const == "CNY"
    columns = by_name(told)
    assert columns["小票号"]["becomes"] == ["order_lines.order_key: link"]
    assert (columns["收货人"]["class"], columns["收货人"]["becomes"]) == ("direct_identifier", ["drop"])
    assert columns["备注"]["filled"] == 0
    assert columns["交易时间"]["zone_needed"]


def test_a_member_file_is_classified_column_by_column() -> None:
    told = proposed(MEMBERS)
    columns = by_name(told)
    assert told["record"] == "member"
    identifiers = {one["identifier"]: one["column"] for one in told["columns"] if one["identifier"]}
    assert identifiers == {"member_card": "member_card", "phone": "contact number", "email": "E-mail"}
    assert all(columns[name]["becomes"] == ["link"] for name in identifiers.values())
    assert (columns["credit_card"]["class"], columns["credit_card"]["becomes"]) == ("direct_identifier", ["drop"])
    assert (columns["faceImage"]["class"], columns["faceImage"]["becomes"]) == ("forbidden", ["refuse the row"])
    assert (columns["newsletter"]["class"], columns["newsletter"]["reasons"]) == ("consent", ["say_which_purpose"])
    assert columns["Full Name"]["becomes"] == ["drop"]
    mapping = parse(told["mapping"], catalogue.load())
    assert mapping.consents == (), "consent is never guessed"
    assert mapping.fields["sex"].values == {"F": "female", "M": "male"}
    assert mapping.fields["birth_date"].form == "%d/%m/%Y"
    assert all(one["reasons"] for one in told["columns"] if one["confidence"])


def test_nothing_shown_is_a_value() -> None:
    for columns in (TILLS, MEMBERS):
        shown = str(proposed(columns)["columns"])
        for value in {value for values in columns.values() for value in values if value and len(value) > 3}:
            assert value not in shown


def test_numbers_that_no_mapping_can_read_are_left_out_and_said() -> None:
    told = proposed({**TILLS, "实付金额": ["1,234.50"] * 60})
    assert "net_minor" not in told["mapping"]
    assert by_name(told)["实付金额"]["reasons"] == ["thousands_separators"]


def test_what_a_record_lacks_is_named_and_another_record_may_be_asked_for() -> None:
    told = proposed({"名称": ["a", "b"]}, record="touch")
    assert not told["complete"]
    assert set(told["missing"]) == {"occurred_at", "campaign_id", "kind", "identifiers"}
    stores = proposed({"门店编号": ["S1", "S2", "S3"], "门店名称": ["a", "b", "c"], "省份": ["浙江", "江苏", "浙江"]})
    assert (stores["record"], stores["complete"]) == ("store", True)


@pytest.mark.parametrize("name", ['a"b\\c', "行\n2", "\x7f", "a.b"])
def test_any_header_stands_in_the_mapping_as_it_is(name: str) -> None:
    told = proposed({"store_id": ["S1", "S2"], "store_name": ["x", "y"], name: ["浙江", "江苏"]}, record="store")
    assert parse(told["mapping"], catalogue.load()).fields["id"].column == "store_id"


def test_the_words_for_headers_name_only_what_the_dictionary_has() -> None:
    words = headers()
    assert set(words["identifiers"]) == {one.value for one in IdentifierType}
    for record, fields in words["records"].items():
        assert set(fields) <= set(catalogue.load().records[record].fields), record
    for field, exchanged in words["words"].items():
        known = {
            value for record in catalogue.load().records.values() if field in record.fields for value in record.fields[field].input.values
        }
        assert set(exchanged.values()) <= known
        assert all(word == word.lower() for word in exchanged)
