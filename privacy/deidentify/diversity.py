"""What a class gives away although it is large: l-diversity and t-closeness, counted by persons (attack 57).

- Distinct l-diversity: different sensitive values in a class, but never more than its people, because one person with five values hides nobody.
- Entropy l-diversity: exp(−Σ p ln p), the number of equally frequent values that would be as uncertain (Machanavajjhala et al., ICDE 2006,
  §4.1, whose condition is entropy ≥ ln l); capped by the people likewise.
- t-closeness: the earth mover's distance between a class and the whole table (Li, Li, Venkatasubramanian, ICDE 2007): half the absolute
  differences where all values are equally far (§5.2, equal distance), the mean of the cumulated differences where they have an order (§5.1).

Promise: pure; a histogram of people in, one number a class out. The whole table is the one before suppression.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


def distinct(histogram: Counts, persons: Counts) -> Counts:
    """Different values of each class, at most as many as its people."""
    values: Counts = np.minimum((histogram > 0).sum(axis=1), persons)
    return values


def entropy(histogram: Counts, persons: Counts) -> Shares:
    """exp of the entropy of each class, at most as many as its people."""
    shares = _shares(histogram)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    spread: Shares = np.minimum(np.exp(-(shares * logs).sum(axis=1)), persons)
    return spread


def distance(histogram: Counts, whole: Counts, *, ordered: bool) -> Shares:
    """The earth mover's distance of each class from the whole table, 0 to 1."""
    difference = _shares(histogram) - _shares(whole.reshape(1, -1))
    values = difference.shape[1]
    if ordered:
        moved: Shares = np.abs(np.cumsum(difference, axis=1)).sum(axis=1) / max(1, values - 1)
    else:
        moved = np.abs(difference).sum(axis=1) / 2
    return moved


def _shares(histogram: Counts) -> Shares:
    totals = histogram.sum(axis=1, keepdims=True)
    shares: Shares = histogram / np.maximum(totals, 1)
    return shares
