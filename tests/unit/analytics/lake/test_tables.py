"""The lake's tables are the dictionary's."""

from __future__ import annotations

import pytest

from analytics.lake import tables
from privacy import errors
from tests.fakes.lake import Lake


def test_every_table_of_the_dictionary_is_there_with_its_columns(lake: Lake) -> None:
    for name in lake.dictionary.tables:
        assert tables.load(lake.catalog, name).schema().column_names == lake.dictionary.arrow_schema(name).names


def test_tables_about_people_are_partitioned_by_month_and_others_are_not(lake: Lake) -> None:
    for name, table in lake.dictionary.tables.items():
        fields = [field.name for field in tables.load(lake.catalog, name).spec().fields]
        assert fields == (["month"] if table.people else [])


def test_the_namespace_of_releases_exists_and_is_empty(lake: Lake) -> None:
    assert (tables.RELEASED,) in lake.catalog.list_namespaces()
    assert lake.catalog.list_tables(tables.RELEASED) == []


def test_ensuring_twice_changes_nothing(lake: Lake) -> None:
    before = {name: tables.load(lake.catalog, name).metadata_location for name in lake.dictionary.tables}
    tables.ensure(lake.catalog, lake.dictionary)
    assert before == {name: tables.load(lake.catalog, name).metadata_location for name in lake.dictionary.tables}


def test_a_table_that_only_records_have_is_unknown(lake: Lake) -> None:
    with pytest.raises(errors.NotFound):
        tables.load(lake.catalog, "members")
