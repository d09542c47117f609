"""Clusters of released counts: weighted k-means over a small public grid, with the number of clusters that its silhouette prefers.

Promise: deterministic, from released counts and public constants alone: the same release has the same clusters for ever, which is why the few
lines stand here and no library's (its next version might choose others). Pure: points of the grid are no people.

Of the released counts only their nearest shares count (not negative, adding up to the same total), so that noise in cells where nobody is
draws no centre; sizes are sums of all released cells of a cluster, so they are not biased by that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.reports.shares import shares

SEED, STARTS, STEPS = 20_260_101, 8, 40
"""Public: where starting centres are drawn from, how often, and the most steps of each."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which cluster each cell belongs to, and where their centres are; the largest one first."""

    of: np.ndarray
    centres: np.ndarray
    silhouette: float

    @property
    def number(self) -> int:
        return len(self.centres)


def clusters(points: np.ndarray, counts: np.ndarray, among: tuple[int, ...], least: float) -> Clusters:
    """The clustering with the best silhouette whose clusters all have at least `least` of the counts; one cluster if there is none."""
    whole = float(counts.sum())
    one = Clusters(np.zeros(len(points), dtype=np.intp), points.mean(axis=0)[None], 0.0)
    if whole < least:
        return one
    weights = np.array(shares(counts.tolist())) * whole
    best = Clusters(one.of, (weights[:, None] * points).sum(axis=0)[None] / weights.sum(), 0.0)
    for number in among:
        found = _of(points, weights, number)
        if found is not None and found.silhouette > best.silhouette and np.bincount(found.of, counts, number).min() >= least:
            best = found
    return best


def _of(points: np.ndarray, weights: np.ndarray, number: int) -> Clusters | None:
    """The best of several starts; None where fewer cells are occupied."""
    held = weights > 0
    if int(held.sum()) < number:
        return None
    chance = np.random.default_rng(SEED + number)
    best: tuple[float, np.ndarray] | None = None
    for _ in range(STARTS):
        centres = _settled(points, weights, _start(points, weights, number, chance))
        if centres is None:
            continue
        cost = float((weights * _distances(points, centres).min(axis=1)).sum())
        if best is None or cost < best[0] - 1e-9:
            best = cost, centres
    if best is None:
        return None
    of = _distances(points, best[1]).argmin(axis=1)
    order = np.argsort(-np.bincount(of, weights, number), kind="stable")
    centres = best[1][order]
    return Clusters(_distances(points, centres).argmin(axis=1), centres, _silhouette(points, weights, centres))


def _start(points: np.ndarray, weights: np.ndarray, number: int, chance: np.random.Generator) -> np.ndarray:
    """Centres far from each other (k-means++), drawn among the cells from a public seed."""
    found = [points[chance.choice(len(points), p=weights / weights.sum())]]
    while len(found) < number:
        far = weights * _distances(points, np.array(found)).min(axis=1)
        chances = far if far.sum() > 0 else weights
        found.append(points[chance.choice(len(points), p=chances / chances.sum())])
    return np.array(found)


def _settled(points: np.ndarray, weights: np.ndarray, centres: np.ndarray) -> np.ndarray | None:
    """Lloyd's steps until nothing moves; None where a cluster ran empty."""
    for _ in range(STEPS):
        of = _distances(points, centres).argmin(axis=1)
        sums = np.bincount(of, weights, len(centres))
        if not (sums > 0).all():
            return None
        moved = np.stack([np.bincount(of, weights * column, len(centres)) / sums for column in points.T], axis=1)
        if np.allclose(moved, centres, atol=1e-12):
            break
        centres = moved
    return centres


def _distances(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.asarray(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))


def _silhouette(points: np.ndarray, weights: np.ndarray, centres: np.ndarray) -> float:
    """The simplified silhouette: how much nearer people are to their own centre than to the next one, on average."""
    if len(centres) < 2:
        return 0.0
    near = np.sqrt(np.sort(_distances(points, centres), axis=1)[:, :2])
    return float((weights * (1.0 - near[:, 0] / np.maximum(near[:, 1], 1e-12))).sum() / weights.sum())
