"""The bound, against the reference in `privacy.dp.bounds`."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from analytics.aggregate import aggregate
from analytics.engine import Engine
from privacy import errors
from privacy.dp.bounds import contribution
from privacy.records import Aggregate, Bounds, Measure
from tests.fakes.view import MemoryView, memory_view

MEASURES = (Measure("orders"), Measure("sales", 2_000))
CELLS = tuple((f"S{number}",) for number in range(6))
BOUNDS = Bounds(clip=4)


@pytest.fixture
def view(tmp_path: Path):  # type: ignore[no-untyped-def]
    with memory_view(Engine(tmp_path / "lake", tmp_path / "scratch", threads=1), {}) as opened:
        yield opened


def rows_of(noise: random.Random, people: int) -> list[dict[str, int | str]]:
    return [
        {
            "run_id": noise.randrange(people),
            "store_id": f"S{noise.randrange(8)}",
            "orders": noise.randrange(3),
            "sales": noise.randrange(-9_000, 40_000),
        }
        for _ in range(people * 5)
    ]


def asked(view: MemoryView, rows: list[dict[str, int | str]], **facts: object) -> Aggregate:
    schema = pa.schema([("run_id", pa.int64()), ("store_id", pa.string()), ("orders", pa.int64()), ("sales", pa.int64())])
    table = view.table(pa.Table.from_pylist(rows, schema=schema))
    given = {"by": ("store_id",), "cells": CELLS, "measures": MEASURES, "bounds": BOUNDS} | facts
    return aggregate(view, table, **given)  # type: ignore[arg-type]


def test_the_engine_computes_what_the_reference_says(view: MemoryView) -> None:
    rows = rows_of(random.Random(3), 40)
    amounts: dict[int, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for measure in MEASURES:
            amounts[int(row["run_id"])][(str(row["store_id"]), measure.name)] += int(row[measure.name])
    expected = [0] * (len(CELLS) * len(MEASURES))
    for person in amounts.values():
        vector = [person[(cell[0], measure.name)] for cell in CELLS for measure in MEASURES]
        part = contribution(vector, [measure.unit for measure in MEASURES] * len(CELLS), BOUNDS)
        expected = [one + other for one, other in zip(expected, part, strict=True)]
    assert asked(view, rows).values == tuple(expected)


def test_every_public_cell_is_there_in_its_order_and_no_other(view: MemoryView) -> None:
    result = asked(
        view, [{"run_id": 1, "store_id": "S5", "orders": 1, "sales": 0}, {"run_id": 1, "store_id": "S7", "orders": 9, "sales": 9}]
    )
    assert result.cells == CELLS
    assert result.values == (0,) * 10 + (1_000, 0)


def test_parts_of_one_cell_are_added_before_the_weight(view: MemoryView) -> None:
    """Otherwise a hundred rows of one would have the norm 10 and weigh 100."""
    result = asked(view, [{"run_id": 1, "store_id": "S0", "orders": 1, "sales": 0}] * 100)
    assert result.values[0] == 4_000


def test_a_measure_of_people_counts_once_in_each_cell(view: MemoryView) -> None:
    rows = [{"run_id": 1, "store_id": "S0", "orders": 1, "sales": 0}] * 3
    assert asked(view, rows, measures=(Measure("orders"),), once=("orders",)).values[0] == 1_000


def test_absurd_amounts_neither_break_nor_dominate(view: MemoryView) -> None:
    rows = [{"run_id": 1, "store_id": "S0", "orders": 2**62, "sales": 0}, {"run_id": 1, "store_id": "S0", "orders": 2**62, "sales": 0}]
    assert asked(view, rows).values[0] == 4_000


def test_nobody_gives_zeros(view: MemoryView) -> None:
    assert asked(view, []).values == (0,) * 12


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"cells": ()}, "no_public_cells"),
        ({"cells": (("S0",), ("S0",))}, "bad_cells"),
        ({"cells": (("S0", "x"),)}, "bad_cells"),
        ({"measures": (Measure("orders", 0),)}, "bad_bounds"),
        ({"bounds": Bounds(clip=40_000_000)}, "too_many_cells"),
    ],
)
def test_plans_without_a_sound_bound_are_refused(view: MemoryView, facts: dict[str, object], code: str) -> None:
    with pytest.raises(errors.PiyingError) as refused:
        asked(view, [], **facts)
    assert refused.value.code == code
