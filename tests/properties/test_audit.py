"""The audit in short: nothing that is released loses more than was charged, the audit would see it, and margins hold 95 times in 100."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.engine import Session
from analytics.reports.kinds import KINDS
from privacy.dp import accountant, mechanisms
from tests import audit, audit_reports
from tests.fakes import audited


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


# ── each report as a whole ─────────────────────────────────────────────────────────────────────────────────────────────────────

WORLD = audited.month(60)


@pytest.fixture(scope="module")
def engine() -> Iterator[Session]:
    with audit_reports.session() as opened:
        yield opened


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whoever_did_most_moves_a_report_by_at_most_its_bound_and_its_answers_prove_no_more_than_was_charged(
    engine: Session, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a month's largest price, where noise is least; the draws' bound fails with probability below 1e-9. The person is no small one."""
    monkeypatch.setattr(audit_reports, "DRAWS", 4_000)
    found = audit_reports.privacy(engine, kind, WORLD, 60, rho_nano=accountant.MAX_CAP_NANO)
    assert found.moved <= found.sensitivity
    assert found.moved > 0.4 * found.sensitivity, "somebody who did as much as can be done uses up most of the bound"
    assert found.verdict.ok


def test_what_reports_print_holds_what_they_would_print_without_noise(engine: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """All quick kinds together, ten answers each: more than 600 numbers are independent, so that less than 85 of 100 have probability below
    1e-17 (Chernoff). The long audit asks for 95 of 100, give or take one, of each kind."""
    monkeypatch.setattr(audit_reports, "DRAWS", 3_000)
    whole = audit_reports.Coverage([0, 0], [0, 0])
    for kind in sorted(set(KINDS) - set(audit_reports.SLOW)):
        found = audit_reports.coverage(engine, kind, WORLD, 10)
        for counts, more in ((whole.plain, found.plain), (whole.other, found.other)):
            counts[:] = [one + other for one, other in zip(counts, more, strict=True)]
    plain, other = whole.rates
    assert whole.plain[1] > 1_000
    assert plain is not None
    assert 0.85 < plain < 1.0
    assert other is not None
    assert other > 0.85


def test_a_bound_hides_at_most_what_is_allowed(engine: Session) -> None:
    """One in a hundred of everything; the store plan's own bound, before a histogram was released, what a small chain's may."""
    world = audited.month(2_000)
    taken = {kind: max(audit_reports.hidden(engine, kind, world).values()) for kind in KINDS}
    own = taken.pop("store_month")
    assert 0.0 < own <= audit_reports.SMALL
    assert {kind: share for kind, share in taken.items() if share > audit_reports.LARGE} == {}
    assert taken["sales"] > 0.0
    assert taken["rfm"] == 0.0
