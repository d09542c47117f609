"""The list of reports."""

from __future__ import annotations

from analytics.reports.kinds import KINDS


def test_three_reports_may_be_asked_each_under_its_own_name() -> None:
    assert {kind: report.kind for kind, report in KINDS.items()} == {"store_month": "store_month", "rfm": "rfm", "funnel": "funnel"}


def test_every_column_that_a_report_names_is_in_its_table() -> None:
    from privacy.dictionary import catalogue

    for report in KINDS.values():
        columns = set(catalogue.load().tables[report.table].columns)
        assert set(report.filters) <= columns
        assert {name for name in (*report.by, *report.groups) if name not in report.own} <= columns
