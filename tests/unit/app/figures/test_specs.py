"""One specification for each figure: native intervals, more than colour, the reader's words, the same bytes every time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.figures import specs
from app.figures.specs import Look
from tests.fakes.documents import CHINESE, ENGLISH, FUNNEL, MONTHS, SEGMENTS, STORES, document

GROUPED = document(
    "funnel", {"channel": ["app", "web"], "step": ["product_viewed", "order_completed"]}, {"people": [900.0, 90.0, 800.0, 70.0]}
)
BY_MONTH = document("trend", {"month": ["202609", "202610"], "store_id": ["S1", "S2"]}, {"orders": [100.0, 90.0, 300.0, 400.0]})


def marks(spec: dict[str, Any]) -> set[str]:
    return {layer["mark"]["type"] for layer in spec["layer"]}


@pytest.mark.parametrize(
    ("document", "measure", "wanted"),
    [
        (STORES, "orders", {"bar", "rule", "tick", "point"}),
        (SEGMENTS, "people", {"rect", "text"}),
        (FUNNEL, "people", {"bar", "rule", "tick", "point"}),
        (GROUPED, "people", {"bar", "rule", "tick", "point"}),
        (MONTHS, "orders", {"area", "line", "point"}),
        (BY_MONTH, "orders", {"area", "line", "point"}),
    ],
)
def test_each_kind_has_its_marks_and_its_intervals(document: dict[str, Any], measure: str, wanted: set[str]) -> None:
    spec = specs.spec(document, measure, ENGLISH, Look())
    assert marks(spec) == wanted
    rows = next(iter(spec["datasets"].values()))
    assert all(row["low"] < row["high"] and row["shown"] and row["between"] for row in rows)


def test_what_is_too_few_to_tell_has_an_interval_and_no_middle() -> None:
    rows = next(iter(specs.spec(STORES, "orders", ENGLISH, Look())["datasets"].values()))
    assert [row["value"] for row in rows] == [1000.0, 400.0, None]


def test_groups_differ_in_shape_or_dash_besides_colour() -> None:
    text = json.dumps(specs.spec(BY_MONTH, "orders", ENGLISH, Look()))
    assert '"strokeDash"' in text
    assert '"shape"' in text
    assert '"shape"' in json.dumps(specs.spec(GROUPED, "people", ENGLISH, Look()))


def test_titles_axes_and_cells_are_translated_and_money_is_in_whole_units() -> None:
    assert specs.title(STORES, "sales", CHINESE) == "2026年10月，按门店的销售额"
    spec = specs.spec(STORES, "sales", CHINESE, Look())
    assert "销售额（CNY）" in json.dumps(spec, ensure_ascii=False)
    assert next(iter(spec["datasets"].values()))[0]["value"] == 9_000.0
    assert "女" in json.dumps(specs.spec(SEGMENTS, "people", CHINESE, Look()), ensure_ascii=False)


def test_the_same_question_is_drawn_with_the_same_bytes() -> None:
    first, second = (json.dumps(specs.spec(SEGMENTS, "people", ENGLISH, Look("dark", narrow=True)), sort_keys=True) for _ in range(2))
    assert first == second


def test_a_theme_changes_colours_and_nothing_else() -> None:
    light, dark = specs.spec(STORES, "orders", ENGLISH, Look()), specs.spec(STORES, "orders", ENGLISH, Look("dark"))
    assert light["datasets"] == dark["datasets"]
    assert light["config"] != dark["config"]


def test_a_burn_down_is_a_line_of_steps() -> None:
    points = [{"order": 0, "left": 100.0, "name": "at first", "shown": "100%"}, {"order": 1, "left": 90.0, "name": "x", "shown": "90%"}]
    assert marks(specs.balance(points, ENGLISH, Look())) == {"area", "line", "point"}
