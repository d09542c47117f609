"""Personas from a released histogram: planted groups come back, through noise as well; counts are those of pandas."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from analytics.engine import Engine
from analytics.reports.base import Options
from analytics.reports.clusters import clusters
from analytics.reports.kinds import KINDS
from analytics.reports.personas import AMONG, BANDS, LEAST, grid
from analytics.reports.personawords import TRAITS
from tests.fakes.behaviour import HOUSE, PUBLIC, ask, told
from tests.fakes.view import MemoryReader

CELLS = {cell: number for number, cell in enumerate(product(*[BANDS[name] for name in TRAITS]))}
PLANTED = ((3.0, 2.0, 3.7, 0.1), (2.6, 5.0, 1.2, 0.2), (3.2, 3.0, 2.0, 1.8))
"""Price-sensitive, quality-seeking, sharing: the means of their bands."""
SIGMA = 1 / np.sqrt(2 * 0.003)
"""The noise of one cell at the report's own price, ρ .003: ε .33, a third of what S17 allows."""


def planted(people: int, seed: int = 4) -> tuple[np.ndarray, list[dict[str, Any]]]:
    chance = np.random.default_rng(seed)
    kind = chance.choice(3, people, p=(0.5, 0.3, 0.2))
    bands = np.rint(chance.normal(np.array(PLANTED)[kind], 0.6)).astype(int)
    for place, name in enumerate(TRAITS):
        bands[:, place] = bands[:, place].clip(min(BANDS[name]), max(BANDS[name]))
    return kind, [
        {"run_id": person} | {f"{name}_band": int(one) for name, one in zip(TRAITS, row, strict=True)} for person, row in enumerate(bands)
    ]


KIND, ROWS = planted(8_000)
OF = np.array([CELLS[tuple(row[f"{name}_band"] for name in TRAITS)] for row in ROWS])
COUNTS = np.bincount(OF, minlength=len(CELLS)).astype(float)


def test_planted_groups_come_back_and_are_called_what_they_are(tmp_path: Path) -> None:
    rows = ask(tmp_path, "personas", {"person_month": ROWS})
    sizes = [row for row in rows if row["measure"] == "people"]
    assert {row["name"]["en"]: row["persona"] for row in sizes} == {"Price-sensitive": "1", "Quality-seeking": "2", "Sharing": "3"}
    assert [row["value"] for row in sizes] == pytest.approx(np.bincount(KIND), rel=0.1)
    assert all(row["card"]["en"].startswith("They ") and row["card"]["zh"].endswith("。") for row in sizes)
    assert sum(told(rows, "share", "persona").values()) == pytest.approx(1, abs=1e-5)
    levels = told(rows, "level", "persona", "trait")
    assert levels["1", "discount"] > 0.7 > levels["2", "discount"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_counts_agree_with_pandas_and_who_bought_nothing_stands_in_none(tmp_path: Path) -> None:
    report = KINDS["personas"]
    question = report.question(Options(202601, 202601), HOUSE)
    rows = [*ROWS[:500], {"run_id": 9_999_999, "frequency_band": 0, "ticket_band": 0, "discount_band": 0, "sharing_band": 2}]
    reader: Any = MemoryReader(Engine(tmp_path / "lake", tmp_path / "scratch", threads=1), {"person_month": rows}, PUBLIC)
    found = report.read(reader, question, report.cells(reader, question, HOUSE), HOUSE)
    frame = pd.DataFrame(ROWS[:500]).astype(str)
    expected = frame.groupby([f"{name}_band" for name in TRAITS]).size().mul(1_000).to_dict()
    assert {cell: value for cell, value in zip(found.cells, found.values, strict=True) if value} == expected


def test_through_the_noise_of_the_report_people_stand_where_they_were_planted() -> None:
    """S17: an adjusted Rand index of .8 without noise, .7 with that of ε 1, and .9 between two draws of the noise. Seeds are fixed."""
    chance = np.random.default_rng(8)
    least = LEAST + 1.96 * SIGMA * np.sqrt(len(CELLS))
    exact = clusters(grid(), COUNTS, AMONG, LEAST)
    assert adjusted_rand_score(KIND, exact.of[OF]) >= 0.8
    drawn = [clusters(grid(), COUNTS + chance.normal(0, SIGMA, len(CELLS)), AMONG, least) for _ in range(3)]
    for found in drawn:
        assert found.number == 3
        assert adjusted_rand_score(KIND, found.of[OF]) >= 0.7
        assert adjusted_rand_score(exact.of[OF], found.of[OF]) >= 0.9


def test_too_few_people_are_one_persona(tmp_path: Path) -> None:
    rows = ask(tmp_path, "personas", {"person_month": ROWS[:20]})
    assert {row["persona"] for row in rows} == {"1"}
    nobody = ask(tmp_path / "nobody", "personas", {"person_month": []})
    assert {(row["low"], row["high"]) for row in nobody if row["measure"] in ("share", "level")} == {(0.0, 1.0)}
