"""What came beyond what was asked for is counted by name and nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingestion import mapping, surplus
from privacy.dictionary.catalogue import load

CATALOGUE = load()
MEMBER = mapping.parse('record = "member"\nignore = ["b"]\n[identifiers]\nphone = "p"\n[fields]\nsex = "a.s"', CATALOGUE)
PRODUCT = mapping.parse('record = "product"\n[fields]\nid = "p"', CATALOGUE)


def test_empty_cells_are_not_counted_and_ignored_columns_are_not_news() -> None:
    table = pa.table({"p": ["1", "2"], "b": ["x", "x"], "c": ["", "x"], "d": ["", ""]})
    assert surplus.of_table(table, MEMBER, CATALOGUE, CATALOGUE.record("member")) == (None, {"c": 1})


def test_a_forbidden_name_refuses_only_rows_about_people() -> None:
    table = pa.table({"p": ["1", "2"], "video": ["", "x"]})
    refused, _ = surplus.of_table(table, MEMBER, CATALOGUE, CATALOGUE.record("member"))
    assert refused is not None
    assert refused.to_pylist() == [None, "forbidden_category"]
    assert surplus.of_table(table, PRODUCT, CATALOGUE, CATALOGUE.record("product"))[0] is None


def test_the_first_step_of_a_path_is_known() -> None:
    items = [{"p": 1, "a": {"s": "male", "t": 1}, "z": 0}]
    assert surplus.of_items(items, MEMBER, CATALOGUE, CATALOGUE.record("member")) == (None, {"z": 1})


@pytest.mark.parametrize(
    ("item", "forbidden"),
    [
        ({"a": [{"b": {"faceId": "x"}}]}, True),
        ({"a": [{"b": {"faceId": None}}]}, False),
        ({"a": "face"}, False),
        ({"a": {"surface": 1}}, False),
        ({"门禁记录": "x"}, True),
        (["face"], False),
    ],
)
def test_names_count_at_any_depth_and_values_never(item: object, forbidden: bool) -> None:
    assert surplus.nested_forbidden(CATALOGUE.forbidden, item) is forbidden
