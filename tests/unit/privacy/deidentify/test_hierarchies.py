"""Hierarchies only ever merge, end in one value, and never guess."""

from __future__ import annotations

import pyarrow as pa
import pytest

from privacy import errors
from privacy.deidentify import hierarchies

CITIES = {"上海": ("华东", "*"), "杭州": ("华东", "*"), "广州": ("华南", "*")}


def test_values_become_their_groups_at_every_level() -> None:
    city = hierarchies.of("city", CITIES)
    codes = city.encode(pa.chunked_array([["广州"], ["上海", "杭州"]]))
    assert city.height == 2
    assert [city.decode(codes, level).to_pylist() for level in range(3)] == [["广州", "上海", "杭州"], ["华南", "华东", "华东"], ["*"] * 3]
    assert city.leaves(1).tolist() == [2, 2, 1]


def test_a_level_that_splits_what_was_together_is_refused() -> None:
    with pytest.raises(errors.Invalid, match="splits"):
        hierarchies.of("city", {"a": ("x", "1"), "b": ("x", "2")})
    with pytest.raises(errors.Invalid, match="splits"):
        hierarchies.bands("age", 0, 99, [10, 15])


def test_uneven_levels_are_refused_and_a_missing_top_is_added() -> None:
    with pytest.raises(errors.Invalid, match="as many levels"):
        hierarchies.of("city", {"a": ("x",), "b": ("x", "y")})
    assert hierarchies.of("city", {"a": ("x",), "b": ("y",)}).words[-1] == ("*",)
    assert hierarchies.flat("sex", ["f", "m", "f"]).words == (("f", "m"), ("*",))


def test_ages_fall_into_public_bands() -> None:
    age = hierarchies.bands("age", 0, 99, [5, 10, 20])
    codes = age.encode(pa.array([0, 19, 20, 99]))
    assert age.decode(codes, 1).to_pylist() == ["0-4", "15-19", "20-24", "95-99"]
    assert age.decode(codes, 3).to_pylist() == ["0-19", "0-19", "20-39", "80-99"]
    assert age.height == 4


def test_an_unknown_value_stops_the_work_and_is_not_told() -> None:
    with pytest.raises(errors.Invalid) as wrong:
        hierarchies.of("city", CITIES).encode(pa.array(["上海", "秘密村"]))
    assert (wrong.value.code, wrong.value.field) == ("value_outside_hierarchy", "city")
    assert "秘密村" not in wrong.value.message
    with pytest.raises(errors.Invalid):
        hierarchies.of("city", CITIES).encode(pa.array([None], pa.string()))


def test_lines_with_semicolons_are_read() -> None:
    made = hierarchies.from_text("age", "1;0-4;*\r\n2;0-4;*\n\n7;5-9;*\n")
    assert made.words == (("1", "2", "7"), ("0-4", "5-9"), ("*",))


def test_what_is_fixed_becomes_no_coarser() -> None:
    made = hierarchies.fixed("sex", ["f", "m"])
    assert (made.height, made.size) == (0, 2)
    assert made.decode(made.encode(pa.array(["m", "f"])), 0).to_pylist() == ["m", "f"]
