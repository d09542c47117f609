"""Gamma-Gamma: what a customer's purchases are worth on average, when only some of them have been seen.

Promise: pure mathematics over counts of customers who look alike (how many purchases, what they were worth on average); whose they are it
cannot know. Fitted on exact counts its parameters stay where they are, like those of `analytics.models.repurchase`. No randomness.

The model (Fader, Hardie 2013, "The Gamma-Gamma model of monetary value"): purchases of a customer vary like Gamma(p, ν) about a mean of
the customer's own, and ν varies like Gamma(q, γ) over all customers; how much is independent of how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.models.likelihood import maximum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

START = (3.0, 3.0)
"""Public values of p and q from which the search begins; γ begins where the mean is that of the data."""
LEAST_Q = 1.05
"""At q = 1 the mean of all customers would be infinite."""


@dataclass(frozen=True, slots=True)
class Spend:
    """The three parameters; γ is in the currency's unit."""

    p: float
    q: float
    gamma: float

    def log_likelihood(self, purchases: Any, mean: Any) -> Numbers:
        """Of each customer: how many purchases, and what they were worth on average."""
        from scipy.special import gammaln

        x, worth = np.asarray(purchases, dtype=np.float64), np.asarray(mean, dtype=np.float64)
        shape = self.p * x
        found: Numbers = (
            gammaln(shape + self.q)
            - gammaln(shape)
            - gammaln(self.q)
            + self.q * np.log(self.gamma)
            + (shape - 1.0) * np.log(worth)
            + shape * np.log(x)
            - (shape + self.q) * np.log(self.gamma + x * worth)
        )
        return found

    @property
    def average(self) -> float:
        """What a purchase is worth over all customers."""
        return self.p * self.gamma / (max(self.q, LEAST_Q) - 1.0)

    def expected(self, purchases: Any, mean: Any) -> Numbers:
        """What a further purchase of this customer is worth: their own mean, pulled to everybody's the more, the fewer were seen."""
        x, worth = np.asarray(purchases, dtype=np.float64), np.asarray(mean, dtype=np.float64)
        found: Numbers = self.p * (self.gamma + x * worth) / (self.p * x + max(self.q, LEAST_Q) - 1.0)
        return found


def fit(purchases: Any, mean: Any, people: Any = 1.0, start: Spend | None = None) -> Spend:
    """The parameters under which `people` alike customers each are likeliest."""
    weight = np.broadcast_to(np.asarray(people, dtype=np.float64), np.shape(mean))
    whole = float(weight.sum())
    middle = float((weight * np.asarray(mean)).sum()) / whole if whole > 0 else 1.0
    scale = middle if middle > 0 else 1.0
    first = (*START, (START[1] - 1) / START[0]) if start is None else (start.p, start.q, start.gamma / scale)
    worth = np.asarray(mean, dtype=np.float64) / scale
    p, q, gamma = maximum(lambda some: Spend(*some).log_likelihood(purchases, worth), weight, first)
    return Spend(p, q, gamma * scale)
