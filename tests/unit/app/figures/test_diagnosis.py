"""Each kind of finding is one sentence with its interval, one figure and one line."""

from __future__ import annotations

from typing import Any

import pytest

from app.figures import diagnosis
from app.figures.specs import Look
from app.figures.speech import Speech

ROW: dict[str, Any] = {
    "rank": 1,
    "scan": "share",
    "measure": "people",
    "by": ["sex", "age_band"],
    "group": {"sex": ["female"], "age_band": ["20-24", "25-29"]},
    "against": {},
    "unit": "share",
    "value": 0.747,
    "low": 0.734,
    "high": 0.761,
    "reference": 0.11,
    "times": 6.6,
    "months": [202610],
    "releases": ["rel_1"],
    "beside": None,
}


def plain(sentence: str, **places: object) -> str:
    return sentence % places if places else sentence


SPEECH = Speech("en", plain, lambda one, many, number, **places: many)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "Women, 20-29: 73% to 77% of all customers; evenly spread it would be 11%."),
        (
            {
                "scan": "order_value",
                "unit": "ratio",
                "group": {"occupation": ["student"]},
                "against": {"occupation": ["office_worker"]},
                "low": 0.523,
                "high": 0.692,
            },
            "An order of Students is worth 0.52 to 0.7 times an order of Office workers.",
        ),
        (
            {"scan": "order_value", "unit": "ratio", "group": {"store": ["S01"]}, "low": 1.5, "high": 1.75},
            "An order of S01 is worth 1.5 to 1.75 times what all other orders are worth.",
        ),
        (
            {
                "scan": "weekday",
                "unit": "ratio",
                "group": {"weekday": ["wed", "thu"]},
                "against": {"weekday": ["sat", "sun"]},
                "low": 0.61,
                "high": 0.7,
            },
            "Wednesday, Thursday: a day has 0.61 to 0.7 times the orders of a day of Saturday, Sunday.",
        ),
        (
            {
                "scan": "mix",
                "measure": "orders",
                "unit": "ratio",
                "group": {"channel": ["delivery"], "daypart": ["afternoon"]},
                "low": 2.1,
                "high": 3.0,
            },
            "Delivery, Afternoon, 14 to 17: the share there is 2.1 to 3 times what it is elsewhere (orders).",
        ),
        (
            {
                "scan": "growth",
                "measure": "enquiries",
                "unit": "monthly_ratio",
                "group": {"category": ["low_sugar"]},
                "low": 1.18,
                "high": 1.22,
                "beside": {"name": "share_of_lines", "value": 0.15, "low": 0.145, "high": 0.162},
            },
            "low_sugar: enquiries change by 18% to 22% a month, and 14% to 17% of what is sold is of it.",
        ),
        (
            {"scan": "growth", "measure": "orders", "unit": "monthly_ratio", "group": {}, "low": 1.1, "high": 1.2},
            "orders change by 10% to 20% a month.",
        ),
    ],
)
def test_a_finding_is_a_sentence_with_both_ends_of_its_interval(change: dict[str, Any], wanted: str) -> None:
    row = ROW | change
    assert diagnosis.sentence(row, SPEECH).replace("\xa0", " ") == wanted
    assert diagnosis.name(row, SPEECH)
    assert diagnosis.against(row, SPEECH)


def test_a_figure_holds_the_interval_the_comparison_value_and_a_title() -> None:
    made = diagnosis.spec(ROW, SPEECH, Look())
    held = next(iter(made["datasets"].values()))[0] if "datasets" in made else made["data"]["values"][0]
    assert (held["low"], held["high"], held["reference"]) == (0.734, 0.761, 0.11)
    assert made["description"] == "Women, 20-29; the dashed line is an even spread"
    assert len(made["layer"]) == 6


def test_a_line_of_the_file_has_flat_columns() -> None:
    assert diagnosis.record(ROW)["group"] == "sex=female;age_band=20-24+25-29"
    assert list(diagnosis.record(ROW)) == list(diagnosis.COLUMNS)
