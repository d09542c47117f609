"""Orders, sales and people by store: the plan."""

from __future__ import annotations

from analytics.reports.store_month import REPORT


def test_the_plan_is_what_the_design_priced() -> None:
    assert (REPORT.rho_nano, REPORT.bounds.clip, REPORT.bounds.sensitivity) == (5_000_000, 16, 16_000)
    assert [(measure.name, measure.unit) for measure in REPORT.measures] == [("orders", 1), ("sales", 2_000), ("people", 1)]
