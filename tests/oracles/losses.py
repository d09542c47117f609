"""Exact privacy losses by numbers: the distribution of the loss of one question, laid on a fine grid and convolved with itself. numpy alone.

Nothing of ours is imported here: what `privacy.dp.accountant` says is compared with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Loss:
    """Probabilities of losses first, first + step, first + 2·step, …"""

    first: int
    step: float
    chance: Numbers

    @classmethod
    def of(cls, losses: Numbers, chance: Numbers, step: float) -> Loss:
        """Each loss at the nearest place of the grid."""
        places = np.rint(losses / step).astype(np.int64)
        first = int(places.min())
        return cls(first, step, np.bincount(places - first, weights=chance))

    def times(self, count: int) -> Loss:
        """The loss of so many questions."""
        length = (len(self.chance) - 1) * count + 1
        size = 1 << (length - 1).bit_length()
        spread = np.fft.irfft(np.fft.rfft(self.chance, size) ** count, size)[:length]
        return Loss(self.first * count, self.step, np.maximum(spread, 0.0))

    def delta(self, epsilon: float) -> float:
        """The least δ at which ε holds: E[(1 − e^(ε − loss))⁺]."""
        losses = (np.arange(len(self.chance)) + self.first) * self.step
        above = losses > epsilon
        return float(np.sum(self.chance[above] * -np.expm1(epsilon - losses[above])))

    def epsilon(self, delta: float) -> float:
        """The least ε at which δ holds."""
        low, high = 0.0, (self.first + len(self.chance)) * self.step
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.delta(middle) > delta else (low, middle)
        return high


def laplace(parameter: float, sensitivity: float, step: float = 1e-4) -> Loss:
    """Laplace noise of this parameter: the loss (|x − s| − |x|)/b exceeds l where x < (s − b·l)/2."""
    most = sensitivity / parameter
    edges = np.arange(-math.floor(most / step) - 0.5, math.floor(most / step) + 1) * step
    places = (sensitivity - parameter * edges) / 2
    below = np.where(places < 0, 0.5 * np.exp(places / parameter), 1 - 0.5 * np.exp(-places / parameter))
    below[0], below[-1] = 1.0, 0.0
    return Loss.of((edges[:-1] + edges[1:]) / 2, below[:-1] - below[1:], step)


def discrete_laplace(parameter: float, sensitivity: int, step: float = 1e-5) -> Loss:
    """Whole numbers with weight e^(−a·|x|)."""
    x = np.arange(-int(80 / parameter), int(80 / parameter) + sensitivity + 1)
    weights = np.exp(-parameter * np.abs(x))
    return Loss.of(parameter * (np.abs(x - sensitivity) - np.abs(x)).astype(np.float64), weights / weights.sum(), step)


def discrete_gaussian(sigma: float, sensitivity: int, step: float = 1e-4) -> Loss:
    """Whole numbers with weight e^(−x²/2σ²): the loss is linear in x."""
    x = np.arange(-math.ceil(14 * sigma), math.ceil(14 * sigma) + 1, dtype=np.float64)
    weights = np.exp(-((x / sigma) ** 2) / 2)
    return Loss.of((sensitivity**2 - 2 * sensitivity * x) / (2 * sigma**2), weights / weights.sum(), step)


def sampled_gaussian(sigma: float, sensitivity: float, sampled: float, step: float = 1e-4) -> Loss:
    """Gaussian noise on a sample that holds the person with a small probability: the loss of taking the person out."""
    x = np.linspace(-14 * sigma, 14 * sigma + sensitivity, 400_001)
    without = np.exp(-((x / sigma) ** 2) / 2)
    ratio = (1 - sampled) + sampled * np.exp((sensitivity * x - sensitivity**2 / 2) / sigma**2)
    chance = without * ratio
    return Loss.of(np.log(ratio), chance / chance.sum(), step)


def gaussian_delta(sigma: float, sensitivity: float, epsilon: float) -> float:
    """Of Gaussian noise on a vector that moves by so much in L2, in closed form (Balle and Wang 2018)."""
    half, rest = sensitivity / (2 * sigma), epsilon * sigma / sensitivity
    return _NORMAL.cdf(half - rest) - math.exp(epsilon) * _NORMAL.cdf(-half - rest)


def composed_epsilon(epsilon: float, delta: float, count: int, total_delta: float) -> float | None:
    """The best ε of so many (ε, δ) questions at a total δ (Kairouz, Oh and Viswanath 2015, Theorem 3.3); None where δ is too small."""
    best = None
    for places in range(count // 2 + 1):
        lost = (
            sum(
                math.comb(count, one) * (math.exp((count - one) * epsilon) - math.exp((count - 2 * places + one) * epsilon))
                for one in range(places)
            )
            / (1 + math.exp(epsilon)) ** count
        )
        if 1 - (1 - delta) ** count * (1 - lost) <= total_delta + 1e-15:
            best = (count - 2 * places) * epsilon
    return best


def least_single_epsilon(total: float, delta: float, count: int, total_delta: float) -> float | None:
    """The largest ε of each of so many questions whose best total is at most `total`."""
    if composed_epsilon(0.0, delta, count, total_delta) is None:
        return None
    low, high = 0.0, total
    fits: Callable[[float], bool] = lambda one: (composed_epsilon(one, delta, count, total_delta) or 0.0) <= total + 1e-12  # noqa: E731
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
