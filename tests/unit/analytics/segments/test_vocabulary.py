"""The words of the grammar are those of the dictionary."""

from __future__ import annotations

from analytics.segments import vocabulary
from privacy.dictionary import catalogue


def test_every_field_is_a_column_of_its_table_or_a_fact_of_its_product() -> None:
    tables = catalogue.load().tables
    assert set(vocabulary.PROFILE) <= set(tables["profiles"].columns)
    for things in vocabulary.THINGS.values():
        for thing in things.values():
            beside = set(tables["products"].columns) if thing.table == "order_lines" else set()
            assert set(thing.fields) <= set(tables[thing.table].columns) | beside


def test_tags_are_columns_of_the_month_and_no_band_is_of_minors() -> None:
    columns = set(catalogue.load().tables["person_month"].columns)
    assert {tag for tags in vocabulary.TAGS.values() for tag in tags} <= columns
    bands = vocabulary.closed()["profiles", "age_band"]
    assert min(int(band.rstrip("+").split("-")[0]) for band in bands) == vocabulary.ADULT
    assert set(vocabulary.closed()["profiles", "occupation"]) >= vocabulary.YOUNG
