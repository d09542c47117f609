"""Stages and where customers came from."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from analytics.reports.lifecycle import BEFORE_STAGES, STAGES
from tests.fakes.behaviour import Row, ask, told

DRAW = random.Random(3)
ROWS: list[Row] = [
    {
        "run_id": person,
        "stage": DRAW.choice(STAGES[:4]),
        "previous_stage": DRAW.choice((*STAGES[:3], None)),
        "sex": DRAW.choice(("female", "male")),
    }
    for person in range(300)
]


def test_people_by_both_stages_agree_with_an_independent_count(tmp_path: Path) -> None:
    rows = ask(tmp_path, "lifecycle", {"person_month": ROWS}, "sex=female")
    frame = pd.DataFrame(ROWS).fillna({"previous_stage": "unknown"})
    frame = frame[frame.sex == "female"]
    expected = frame.groupby(["previous_stage", "stage"]).size().to_dict()
    found = told(rows, "people", "previous_stage", "stage")
    assert len(found) == len(BEFORE_STAGES) * len(STAGES)
    assert {key: number for key, number in found.items() if number} == expected


def test_each_row_of_the_matrix_adds_up_to_one_and_agrees_with_pandas(tmp_path: Path) -> None:
    rows = ask(tmp_path, "lifecycle", {"person_month": ROWS})
    found = told(rows, "share", "previous_stage", "stage")
    for before in BEFORE_STAGES:
        assert sum(found[before, stage] for stage in STAGES) == pytest.approx(1, abs=1e-5)
    frame = pd.DataFrame(ROWS).fillna({"previous_stage": "unknown"})
    for (before, stage), share in pd.crosstab(frame.previous_stage, frame.stage, normalize="index").stack().items():
        assert found[before, stage] == pytest.approx(share, abs=1e-6)


def test_a_row_in_which_nobody_stands_says_that_nothing_is_known(tmp_path: Path) -> None:
    rows = ask(tmp_path, "lifecycle", {"person_month": ROWS})
    empty = [row for row in rows if row["measure"] == "share" and row["previous_stage"] == "prospect"]
    assert {(row["low"], row["high"], row["reading"]["as"]) for row in empty} == {(0.0, 1.0, "too_few")}


def test_two_rows_of_one_person_count_once(tmp_path: Path) -> None:
    rows = ask(tmp_path, "lifecycle", {"person_month": [ROWS[0], ROWS[0] | {"stage": "new"}]})
    assert sum(told(rows, "people", "previous_stage", "stage").values()) == 1
