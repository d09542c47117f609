"""BG/NBD: how often customers buy again, and whether they still do, from further purchases, recency and age alone.

Promise: pure mathematics over counts of customers who look alike (further purchases x, age of the last one t_x, age of the relationship T, in
any one unit of time); whose they are it cannot know. Fitted on exact counts, its parameters are exact numbers about people and stay where
they are; what a report tells is fitted on released counts (dp_rules P-15). No randomness.

The model (Fader, Hardie, Lee 2005, "Counting your customers the easy way"): customers buy at a rate of their own, Gamma(r, α) over all of
them, and after each purchase leave for ever with a probability of their own, Beta(a, b).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.models.likelihood import maximum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

START = (0.5, 10.0, 0.8, 2.5)
"""Public values from which the search begins; α is in units of time."""


@dataclass(frozen=True, slots=True)
class Repurchase:
    """The four parameters."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, again: Any, recency: Any, age: Any) -> Numbers:
        """Of each customer: `again` further purchases, the last one at `recency`, seen until `age`."""
        from scipy.special import gammaln

        x, last, whole = (np.asarray(one, dtype=np.float64) for one in (again, recency, age))
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        alive = -(r + x) * np.log(alpha + whole)
        left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
        found: Numbers = rate + stays + np.where(x > 0, np.logaddexp(alive, left), alive)
        return found

    def alive(self, again: Any, recency: Any, age: Any) -> Numbers:
        """The chance that a customer still buys. Who bought only once has not left: the model lets nobody leave but after a further purchase."""
        odds: Numbers = 1.0 / (1.0 + self._left(again, recency, age))
        return odds

    def expected(self, ahead: float, again: Any, recency: Any, age: Any) -> Numbers:
        """Purchases to be expected of a customer in the time `ahead`."""
        from scipy.special import hyp2f1

        x, whole = np.asarray(again, dtype=np.float64), np.asarray(age, dtype=np.float64)
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        if abs(a - 1.0) < 1e-6:
            a = 1.0 + 1e-6  # the quotient has a limit there, and two sides
        curve = hyp2f1(r + x, b + x, a + b + x - 1.0, ahead / (alpha + whole + ahead))
        bought = (a + b + x - 1.0) / (a - 1.0) * (1.0 - ((alpha + whole) / (alpha + whole + ahead)) ** (r + x) * curve)
        found: Numbers = bought / (1.0 + self._left(again, recency, age))
        return found

    def _left(self, again: Any, recency: Any, age: Any) -> Numbers:
        """How many times likelier it is that a customer has left."""
        x, last, whole = (np.asarray(one, dtype=np.float64) for one in (again, recency, age))
        ratio = (self.r + x) * (np.log(self.alpha + whole) - np.log(self.alpha + last))
        odds: Numbers = np.where(x > 0, self.a / (self.b + np.maximum(x, 1) - 1.0) * np.exp(np.minimum(ratio, 700.0)), 0.0)
        return odds


def fit(again: Any, recency: Any, age: Any, people: Any = 1.0, start: Repurchase | None = None) -> Repurchase:
    """The parameters under which `people` alike customers each are likeliest."""
    first = START if start is None else (start.r, start.alpha, start.a, start.b)
    return Repurchase(*maximum(lambda some: Repurchase(*some).log_likelihood(again, recency, age), people, first))
