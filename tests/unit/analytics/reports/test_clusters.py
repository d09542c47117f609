"""Clusters of counts on a grid: found where they are, the same each time, and none where there are none."""

from __future__ import annotations

from itertools import product

import numpy as np

from analytics.reports.clusters import clusters

GRID = np.array(list(product(range(7), range(7))), dtype=np.float64) / 6
AMONG = (2, 3, 4)


def heaps(*centres: tuple[int, int], people: float = 500.0) -> np.ndarray:
    counts = np.zeros(len(GRID))
    for centre in centres:
        counts += people * np.exp(-18 * ((GRID - np.array(centre) / 6) ** 2).sum(axis=1)) / 3
    return counts


def test_three_heaps_are_three_clusters_the_largest_first() -> None:
    counts = heaps((1, 1), (5, 5), (5, 0)) + heaps((5, 5), people=300.0)
    found = clusters(GRID, counts, AMONG, 50)
    assert found.number == 3
    assert np.abs(found.centres[0] - 5 / 6).max() < 0.08
    sizes = [counts[found.of == place].sum() for place in range(3)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_counts_have_the_same_clusters() -> None:
    counts = heaps((1, 1), (5, 5)) + np.random.default_rng(2).normal(0, 10, len(GRID))
    one, other = (clusters(GRID, counts, AMONG, 50) for _ in range(2))
    assert (one.of == other.of).all()
    assert (one.centres == other.centres).all()


def test_no_cluster_has_fewer_than_the_least_and_nobody_is_one_cluster() -> None:
    counts = heaps((1, 1)) + heaps((6, 6), people=6.0)
    assert clusters(GRID, counts, AMONG, 5_000).number == 1
    assert clusters(GRID, np.zeros(len(GRID)), AMONG, 50).number == 1
    assert clusters(GRID, heaps((1, 1), (5, 5)), AMONG, 50).number == 2
    one_cell = np.zeros(len(GRID))
    one_cell[0] = 1_000.0
    assert clusters(GRID, one_cell, AMONG, 50).number == 1
