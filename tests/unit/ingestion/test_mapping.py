"""Mapping files are checked before the first row and only rename."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingestion import mapping
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.vocabulary import FormRule

CATALOGUE = load()
FULL = """
record   = "order_line"
zone     = "Asia/Shanghai"
currency = "CNY"
id       = ["order_id", "sku"]
ignore   = ["name2"]

[identifiers]
member_card = "card"

[fields]
occurred_at    = "at"
store_id       = "store"
product_id     = "sku"
net_minor      = { from = "amount", times = 100 }
quantity_milli = { const = 1000 }
channel        = { from = "channel", values = { pos = "pos", mini = "mini_program" } }

[consent."analytics.statistics"]
from   = "analytics"
grant  = ["true", "1"]
at     = "at"
notice = "notice"
"""


def test_the_published_example_is_a_mapping() -> None:
    made = mapping.parse(FULL, CATALOGUE)
    assert made.record == "order_line"
    assert made.fields["net_minor"].times == 100
    assert made.fields["currency"].const == "CNY"
    assert made.fields["quantity_milli"].const == "1000"
    assert made.identifiers == {"member_card": "card"}
    assert made.columns == ("at", "store", "sku", "amount", "channel", "card", "order_id", "analytics", "notice")
    assert made.ignore == {"name2"}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"order_line"', '"orders"', "record"),
        ("store_id  ", "shop_id", "fields.shop_id"),
        ('member_card = "card"', 'iris = "card"', "identifiers.iris"),
        ('"Asia/Shanghai"', '"Asia/Nowhere"', "zone"),
        ('"Asia/Shanghai"', '"../etc/passwd"', "zone"),
        ("ignore ", "ignored", "ignored"),
        ("{ const = 1000 }", "{ const = 1000, from = 'q' }", "fields.quantity_milli"),
        ("{ const = 1000 }", "{ }", "fields.quantity_milli"),
        ("{ const = 1000 }", "{ const = [1] }", "fields.quantity_milli.const"),
        ("{ const = 1000 }", "7", "fields.quantity_milli"),
        ("times = 100", "times = 0", "fields.net_minor.times"),
        ("times = 100", "times = true", "fields.net_minor.times"),
        ("times = 100", "tims = 100", "fields.net_minor.tims"),
        ('grant  = ["true", "1"]', "grant = []", "consent.analytics.statistics.grant"),
        ('occurred_at    = "at"', "", "fields.occurred_at"),
        ('mini = "mini_program"', "mini = 3", "fields.channel.values"),
        ('id       = ["order_id", "sku"]', 'id = "order_id"', "id"),
        ("ignore ", 'skip = [{ if = "card" }]\nignore ', "skip[0]"),
        ("ignore ", 'skip = "card"\nignore ', "skip"),
    ],
)
def test_a_mapping_that_names_what_is_not_there_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert old in FULL
    with pytest.raises(Invalid) as caught:
        mapping.parse(FULL.replace(old, new), CATALOGUE)
    assert caught.value.code == "mapping_invalid"
    assert caught.value.field == place


def test_a_record_about_people_needs_somebody() -> None:
    without = FULL.replace('[identifiers]\nmember_card = "card"', "").split("[consent")[0]
    with pytest.raises(Invalid) as caught:
        mapping.parse(without, CATALOGUE)
    assert caught.value.field == "identifiers"
    assert mapping.parse('record = "product"\n[fields]\nid = "sku"', CATALOGUE).identifiers == {}


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(Invalid):
        mapping.parse("record = ", CATALOGUE)


def test_a_file_without_a_named_column_is_refused_before_its_rows() -> None:
    with pytest.raises(Invalid) as caught:
        mapping.from_table(mapping.parse(FULL, CATALOGUE), pa.table({"at": ["x"]}))
    assert caught.value.code == "column_missing"
    assert caught.value.field == "store"


def test_a_message_id_is_made_of_all_its_columns() -> None:
    made = mapping.parse(FULL, CATALOGUE)
    ids, faults = mapping.message_ids(made, {"order_id": pa.array(["1", "1", None]), "sku": pa.array(["2", "3", "4"])})
    assert ids is not None
    assert ids.to_pylist() == ["1\x1f2", "1\x1f3", None]
    assert faults == [(2, FormRule.MISSING)]


def test_consent_is_said_by_the_listed_words_only() -> None:
    rule = mapping.parse(FULL, CATALOGUE).consents[0]
    assert mapping.granted(rule, {"analytics": pa.array(["true", "True", "no", None, "1"])}).to_pylist() == [True, False, False, None, True]


def test_what_is_skipped_and_what_is_calculated_with_is_read() -> None:
    made = mapping.parse(
        FULL.replace("ignore ", 'skip = [{ if = "void", in = ["1"] }]\nignore ').replace(
            "times = 100", 'times_column = "n", plus = ["off"]'
        ),
        CATALOGUE,
    )
    assert {"void", "n", "off"} <= set(made.columns)
    assert len(made.skip) == 1


def test_a_dotted_name_reaches_into_objects() -> None:
    made = mapping.parse('record = "product"\n[fields]\nid = "item.sku"\nname = "a.b"', CATALOGUE)
    found = mapping.from_items(made, [{"item": {"sku": 7}, "a.b": "x"}, {"item": 3}, {"item": {"sku": [1]}}])
    assert found.columns["item.sku"].to_pylist() == ["7", None, None]
    assert found.columns["a.b"].to_pylist() == ["x", None, None]
    assert found.faults == [(2, "item.sku", FormRule.WRONG_TYPE)]
