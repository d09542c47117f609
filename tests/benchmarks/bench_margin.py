"""How wide margins are for a thousand to a million people, and against the same question in another library: PipelineDP.

Run: python -m tests.benchmarks.bench_margin. The question: how many people bought in each of eighty stores in a month. One person moves
the answer by at most 4 in L2 (ours: one weight a person; PipelineDP: at most 16 stores, chosen by chance), and both get the same (ε, δ): that
of the default price, and that of a whole month's budget. Printed: the 95 % margin of one store's number, and the share hidden by the bound.
PipelineDP is no part of this project: it is used where it can be imported (`BENCH_LIBRARIES`: a folder of packages beside ours), or else
left out, visibly.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from analytics.reports.asked import House, Options
from analytics.reports.kinds import KINDS
from privacy.dictionary import catalogue
from privacy.dp import accountant

STORES, DELTA, CLIP = 80, 1e-6, 4
PEOPLE = (1_000, 10_000, 100_000, 1_000_000)
MONTH, WHOLE_MONTH = 202601, 50_000_000
DRAWS = 20_000


def visits(people: int) -> list[np.ndarray[Any, Any]]:
    """Each person's stores: a few for most, many for some."""
    noise = np.random.default_rng(3)
    number = np.minimum(STORES, 1 + noise.poisson(0.8 * noise.gamma(0.6, 1 / 0.6, people)))
    return [noise.choice(STORES, size=one, replace=False) for one in number]


def ours(number: np.ndarray[Any, Any], rho_nano: int, sensitivity: int, scale: int) -> tuple[float, float]:
    """The printed margin, and the share that the weights hide."""
    half = accountant.half_width(accountant.sigma(rho_nano, sensitivity)) / scale
    weights = np.minimum(1.0, CLIP / np.sqrt(number))
    return half, float(1 - np.sum(weights * number) / np.sum(number))


def theirs(library: Any, rho_nano: int, number: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The margin as the library draws it, 95 of 100 draws of its own mechanism; and the share that its sampling of stores hides."""
    from pipeline_dp import dp_computations

    epsilon = accountant.epsilon(rho_nano, DELTA)
    mechanism = dp_computations.GaussianMechanism.create_from_epsilon_delta(epsilon, DELTA, float(CLIP))
    drawn = np.abs([mechanism.add_noise(0) for _ in range(DRAWS)])
    return float(np.quantile(drawn, 0.95)), float(1 - np.sum(np.minimum(number, CLIP**2)) / np.sum(number))


def whole(library: Any, rho_nano: int, stores: list[np.ndarray[Any, Any]]) -> float:
    """The library's own pipeline from rows to counts, once: the 95 % quantile of its errors over the stores."""
    rows = [(person, int(store)) for person, found in enumerate(stores) for store in found]
    accounting = library.NaiveBudgetAccountant(total_epsilon=accountant.epsilon(rho_nano, DELTA), total_delta=DELTA)
    engine = library.DPEngine(accounting, library.LocalBackend())
    parameters = library.AggregateParams(
        metrics=[library.Metrics.PRIVACY_ID_COUNT],
        noise_kind=library.NoiseKind.GAUSSIAN,
        max_partitions_contributed=CLIP**2,
        max_contributions_per_partition=1,
    )
    extract = library.DataExtractors(
        privacy_id_extractor=lambda row: row[0], partition_extractor=lambda row: row[1], value_extractor=lambda row: 0
    )
    answer = engine.aggregate(rows, parameters, extract, public_partitions=list(range(STORES)))
    accounting.compute_budgets()
    true = np.bincount([store for _, store in rows], minlength=STORES)
    return float(np.quantile([abs(value.privacy_id_count - true[store]) for store, value in answer], 0.95))


def main() -> None:
    if folder := os.environ.get("BENCH_LIBRARIES"):
        sys.path.append(folder)
    try:
        import pipeline_dp as library
    except ImportError:
        library = None
        print("margin: PipelineDP is not here, so nothing is compared: name a folder that holds it in BENCH_LIBRARIES")
    report = KINDS["sales"]
    question = report.question(Options(MONTH, MONTH, ("store",), measures=("people",)), House(catalogue.load(), "Asia/Shanghai", "CNY"))
    sensitivity, scale = question.bounds.sensitivity, question.bounds.scale
    for people in PEOPLE:
        stores = visits(people)
        number = np.array([len(one) for one in stores], dtype=np.float64)
        typical = number.sum() / STORES
        for what, price in (("default price", question.rho_nano), ("a whole month's budget", WHOLE_MONTH)):
            half, hid = ours(number, price, sensitivity, scale)
            alone, _ = ours(number, price, CLIP * scale, scale)
            epsilon = accountant.epsilon(price, DELTA)
            line = f"margin: {people:,} people, {STORES} stores, {typical:,.0f} a store; {what}, ε {epsilon:.2f} at δ {DELTA:g}: "
            line += f"ours ±{half:,.1f} ({half / typical:.1%}; ±{alone:,.1f} without the histogram beside it), {hid:.2%} hidden"
            if library is not None:
                other, lost = theirs(library, price, number)
                line += f"; PipelineDP ±{other:,.1f} ({other / typical:.1%}), {lost:.2%} hidden"
                line += f"; ours/theirs {half / other:.2f}, without the histogram {alone / other:.2f}"
                if people <= 10_000:
                    line += f"; its whole pipeline ±{whole(library, price, stores):,.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
