"""The audit in short: nothing that is released loses more than was charged, the audit would see it, and margins hold 95 times in 100."""

from __future__ import annotations

from privacy.dp import accountant, mechanisms
from tests import audit


def test_no_report_loses_more_than_it_was_charged() -> None:
    """Each bound fails with probability below 1e-9, for that is the confidence at which it is computed."""
    verdicts, _ = audit.run(400, accountant.MAX_CAP_NANO)
    assert len(verdicts) >= 6
    assert [one.name for one in verdicts if not one.ok] == []


def test_the_audit_catches_a_mechanism_with_a_tenth_of_its_noise() -> None:
    """At ρ .02 a loss of ε .91 is charged; with a tenth of the noise the two worlds lie two deviations apart on either side, and 2,000 draws
    prove ε > 1.5: reaching less has probability below 1e-9 (Hoeffding)."""
    rho, person, others = 20_000_000, [16_000, 0, 0, 0], [0, 0, 0, 0]

    def careless(values: list[int]) -> tuple[int, ...]:
        return mechanisms.noise(values, 1_600, rho).values

    found = audit.audit("careless", person, others, rho, careless, 2_000)  # type: ignore[arg-type]
    assert not found.ok
    honest = audit.audit("honest", person, others, rho, lambda values: mechanisms.noise(values, 16_000, rho).values, 2_000)
    assert honest.ok


def test_printed_margins_hold_the_bounded_truth_95_times_in_100() -> None:
    """60,000 values: the rate deviates by .0009; a whole per cent is 11 deviations, P < 1e-25. Being discrete, margins hold a hair more."""
    assert abs(audit.coverage([7_654_321] * 60_000, 5_000_000, 16_000) - 0.95) < 0.01
