"""The list of reports."""

from __future__ import annotations

from analytics.reports.kinds import KINDS
from analytics.reports.purchaserows import DIMENSIONS, KEYS, MONTH
from analytics.reports.purchases import Purchases
from analytics.reports.trend import TIMES


def test_every_report_may_be_asked_under_its_own_name() -> None:
    assert {kind: report.kind for kind, report in KINDS.items()} == {kind: kind for kind in KINDS}
    assert {"store_month", "rfm", "funnel", "sales", "trend", "distribution"} <= set(KINDS)


def test_every_column_that_a_report_names_is_in_its_table() -> None:
    """Reports about purchases name public words of their own, and nothing else."""
    from privacy.dictionary import catalogue

    for report in KINDS.values():
        tables = catalogue.load().tables
        known = {*DIMENSIONS, *KEYS, MONTH, *TIMES} if isinstance(report, Purchases) else set(tables[report.table].columns)
        assert set(report.filters) <= known
        assert {name for name in (*report.by, *report.groups) if name not in report.own} <= known
