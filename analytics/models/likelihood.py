"""The parameters under which weighted counts are likeliest.

Promise: deterministic; all parameters are positive and stay within public limits, so that a search over noisy counts ends somewhere. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LIMIT = 1e4
"""Parameters lie between this and one divided by it."""


def maximum(likelihood: Callable[[Sequence[float]], Any], weights: Any, start: Sequence[float]) -> tuple[float, ...]:
    """The positive parameters that maximise Σ weight · log-likelihood; searched in logarithms, where each is free."""
    from scipy.optimize import minimize

    weight = np.asarray(weights, dtype=np.float64)
    whole = float(np.sum(np.broadcast_to(weight, np.shape(likelihood(start)))))
    if whole <= 0:
        return tuple(start)

    def cost(logs: Any) -> float:
        return -float(np.sum(weight * likelihood(np.exp(logs)))) / whole

    ends = (-np.log(LIMIT), np.log(LIMIT))
    found = minimize(
        cost, np.log(start), method="L-BFGS-B", bounds=[ends] * len(start), options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8}
    )
    return tuple(float(one) for one in np.exp(found.x))
