"""The statistical audit: neighbouring data through the mechanism and through each report as a whole, against what was charged.

python -m tests.audit [RUNS]     `make audit`: long. The tests run the same with few draws.

What is measured. On data with and without one worst person the released vector is projected onto the direction in which the person moves it
(the most powerful test there is between two Gaussians); from the two samples a lower confidence bound of the privacy loss is computed, at
99.9999999 %, and has to lie below the ε of the charge. A mechanism with too little noise fails: half the noise is caught (a test says so).
Coverage: the share of simulations in which the printed 95 % margin holds the bounded truth.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from privacy.dp import accountant, mechanisms

DELTA = 1e-6
CONFIDENCE = 1e-9
Draw = Callable[[Sequence[int]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was charged, and the least loss that the draws prove."""

    name: str
    charged: float
    shown: float

    @property
    def ok(self) -> bool:
        return self.shown <= self.charged


def least_epsilon(inside: Sequence[float], outside: Sequence[float], delta: float = DELTA) -> float:
    """The largest ε that the samples prove: over public cuts, ln((P − δ)/Q) with P bounded below and Q above (Hoeffding), each cut sharing
    the error probability. Any (ε, δ)-private pair has P ≤ e^ε·Q + δ for every cut."""
    number = min(len(inside), len(outside))
    cuts = [step / 4 for step in range(-12, 13)]
    slack = math.sqrt(math.log(2 * 2 * len(cuts) / CONFIDENCE) / (2 * number))
    best = 0.0
    for cut in cuts:
        for one, other in ((inside, outside), ([-x for x in outside], [-x for x in inside])):
            p = sum(x > cut for x in one) / len(one) - slack
            q = sum(x > cut for x in other) / len(other) + slack
            if p > delta:
                best = max(best, math.log((p - delta) / q))
    return best


def audit(name: str, person: Sequence[int], others: Sequence[int], rho_nano: int, draw: Draw, runs: int) -> Verdict:
    """Draws both worlds `runs` times and projects them onto the person's direction, in deviations from the middle."""
    norm = math.sqrt(sum(one * one for one in person)) or 1.0
    scale = norm / math.sqrt(2 * rho_nano / accountant.NANO)

    def projected(values: Sequence[int]) -> list[float]:
        """One call draws all runs: noise is independent in every entry, so the runs are, too."""
        size = len(values)
        noisy = draw(list(values) * runs)
        found = []
        for at in range(0, runs * size, size):
            middle = sum((noisy[at + place] - others[place] - person[place] / 2) * person[place] for place in range(size)) / norm
            found.append(middle / scale)
        return found

    whole = [one + other for one, other in zip(person, others, strict=True)]
    return Verdict(name, accountant.epsilon(rho_nano, DELTA), least_epsilon(projected(whole), projected(others)))


def coverage(values: Sequence[int], rho_nano: int, sensitivity: int) -> float:
    """The share of the values that their printed margin holds."""
    noisy = mechanisms.noise(values, sensitivity, rho_nano)
    width = accountant.half_width(noisy.sigma)
    return sum(abs(one - other) <= width for one, other in zip(noisy.values, values, strict=True)) / len(values)


def plans(rho_nano: int) -> dict[str, tuple[list[int], int]]:
    """For every report that may be asked the vector of its worst person: all of the bound in one cell, and spread over many."""
    from analytics.reports.kinds import KINDS

    found = {}
    for kind, report in sorted(KINDS.items()):
        bound = report.bounds.sensitivity
        found[f"{kind}, one cell"] = ([bound, 0, 0, 0], rho_nano or report.rho_nano)
        each = int(bound / 2)
        found[f"{kind}, many cells"] = ([each, -each, each, each], rho_nano or report.rho_nano)
    return found


def run(runs: int, rho_nano: int = 0) -> tuple[list[Verdict], float]:
    """The verdicts of every report's plan at its price, and the coverage over as many values as there are runs."""
    verdicts = []
    for name, (person, price) in plans(rho_nano).items():
        sensitivity = math.ceil(math.sqrt(sum(one * one for one in person)))
        others = [1_000 * 1_000] * len(person)
        verdicts.append(
            audit(name, person, others, price, lambda values, s=sensitivity, p=price: mechanisms.noise(values, s, p).values, runs)
        )  # type: ignore[misc]
    return verdicts, coverage([123_456] * max(runs, 10_000), 5_000_000, 16_000)


def as_a_whole(runs: int, people: int) -> bool:
    """Every report from rows to what is printed: its loss at its price and at a month's largest, its margins, what its bound hides."""
    from analytics.reports.kinds import KINDS
    from tests import audit_reports as reports
    from tests.fakes import audited

    world, good = audited.month(people), True
    with reports.session() as engine:
        for kind in sorted(KINDS):
            for price in (0, accountant.MAX_CAP_NANO):
                found = reports.privacy(engine, kind, world, runs, rho_nano=price)
                good = good and found.ok
                sys.stdout.write(
                    f"{'ok ' if found.ok else 'BAD'} {kind} as a whole: one person moves it by {found.moved:,.0f} of {found.sensitivity:,}; "
                    f"charged epsilon {found.verdict.charged:.3f}, shown at least {found.verdict.shown:.3f}\n"
                )
            covered, taken = reports.coverage(engine, kind, world, runs), reports.hidden(engine, kind, world)
            most = max(taken.values())
            good = good and covered.ok() and most <= reports.SMALL
            rates = " and ".join(
                f"{rate:.1%} of {counts[1]:,} {what}"
                for rate, counts, what in zip(covered.rates, (covered.plain, covered.other), ("released numbers", "others"), strict=True)
                if rate is not None
            )
            allowed = "within" if most <= reports.LARGE else "within a small chain's" if most <= reports.SMALL else "MORE THAN"
            sys.stdout.write(
                f"{'ok ' if covered.ok() else 'BAD'} {kind}: margins hold {rates or 'nothing'}; the bound hides "
                f"{', '.join(f'{share:.1%} of {name}' for name, share in taken.items())}: {allowed} what is allowed\n"
            )
            sys.stdout.flush()
    return good


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    verdicts, covered = run(runs)
    loud, _ = run(runs, accountant.MAX_CAP_NANO)
    for one in [*verdicts, *loud]:
        sys.stdout.write(f"{'ok ' if one.ok else 'BAD'} {one.name}: charged epsilon {one.charged:.3f}, shown at least {one.shown:.3f}\n")
    whole = as_a_whole(runs, 800)
    good = whole and all(one.ok for one in [*verdicts, *loud]) and 0.94 <= covered <= 0.96
    sys.stdout.write(json.dumps({"runs": runs, "coverage": covered, "ok": good}) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
