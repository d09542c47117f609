"""The pages that every browser test walks: an address and the role that opens it. A new page adds its line, and nothing else."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """An address; `{source}` and the like are filled from what the house was furnished with (tests/browser/conftest.py)."""

    address: str
    role: str = ""
    """Empty: nobody is signed in."""
    status: int = 200


PAGES = (
    Page("/", "officer"),
    Page("/", "integrator"),
    Page("/", "marketer"),
    Page("/", "administrator"),
    Page("/dictionary?record=order_line", "officer"),
    Page("/dictionary?class=sensitive&purpose=analytics.statistics&q=nothing", "integrator"),
    Page("/preferences", "marketer"),
    Page("/access-log", "officer"),
    Page("/access-log", "marketer"),
    Page("/quarantine", "integrator"),
    Page("/quarantine?rule=wrong_zone", "officer"),
    Page("/jobs", "administrator"),
    Page("/jobs", "marketer"),
    Page("/jobs?state=failed&kind=flush", "administrator"),
    Page("/settings", "administrator"),
    Page("/health", "administrator"),
    Page("/reports", "marketer"),
    Page("/reports?kind=rfm&mine=1", "officer"),
    Page("/reports/free", "marketer"),
    Page("/reports/new/store_month?from=2026-05&margin=9", "marketer"),
    Page("/reports/new/funnel?from=2026-05&by=channel", "marketer"),
    Page("/releases/{release}", "marketer"),
    Page("/budget", "marketer"),
    Page("/budget?month=202605", "officer"),
    Page("/no/such/page", "officer", 404),
    Page("/no/such/page", status=404),
    Page("/sign-in"),
)
