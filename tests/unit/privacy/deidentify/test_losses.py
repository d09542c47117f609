"""What generalising costs, at the two ends and in the literature's own scale."""

from __future__ import annotations

import numpy as np
import pytest

from privacy.deidentify import hierarchies, lattice, losses

CITY = hierarchies.of("city", {"a": ("x",), "b": ("x",), "c": ("y",), "d": ("y",)})
CODES = np.asarray([0, 1, 2, 3, 0, 1, 2, 3])
KEPT = np.ones(8, bool)


def everything(node: int, kept: np.ndarray = KEPT, sizes: tuple[int, ...] = (2, 2, 2, 2)) -> dict[str, float]:
    return losses.all_of([CITY], [CODES], [node], kept, np.asarray(sizes), 2)


def test_a_table_as_it_stands_loses_nothing_by_cells() -> None:
    made = everything(0)
    assert [made[measure] for measure in losses.ADDITIVE] == [0.0, 0.0, 0.0]
    assert (made["discernibility"], made["class_size"]) == (16.0, 1.0)


def test_a_table_of_one_class_loses_all_of_it() -> None:
    made = everything(CITY.height, sizes=(8,))
    assert (made["ncp"], made["precision"], made["discernibility"], made["class_size"]) == (1.0, 1.0, 64.0, 4.0)
    assert made["entropy"] == pytest.approx(8 * 2)


def test_halfway_is_halfway() -> None:
    made = everything(1, sizes=(4, 4))
    assert (made["entropy"], made["ncp"], made["precision"]) == (pytest.approx(8.0), pytest.approx(1 / 3), 0.5)


def test_a_suppressed_row_costs_what_a_row_of_stars_does() -> None:
    kept = KEPT.copy()
    kept[0] = False
    made = everything(0, kept, (1, 2, 2, 2))
    assert made["entropy"] == pytest.approx(2.0)
    assert made["ncp"] == pytest.approx(1 / 8)
    assert made["discernibility"] == 1 + 4 + 4 + 4 + 8


def test_nothing_left_is_no_good_class_size() -> None:
    assert losses.by_class("class_size", np.asarray([], np.int64), 5, 5, 2) == float("inf")


def test_a_node_is_the_same_from_whichever_node_under_it_it_was_computed() -> None:
    """Classes of a coarser node are unions of those of a finer one, whether or not the finer one was looked at before."""
    demand = lattice.Demand(2, suppression=0.5)
    cold = lattice.Lattice([CITY], [CODES], None, [], demand, "discernibility")
    warm = lattice.Lattice([CITY], [CODES], None, [], demand, "discernibility")
    assert [warm.loss((level,)) for level in range(3)] == [16.0, 32.0, 64.0]
    assert cold.loss((2,)) == 64.0
    assert cold.kept((2,)).all()
