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
    Page("/consents", "officer"),
    Page("/consents?state=withdrawn&method=form&conflicts=1", "officer"),
    Page("/consents/{receipt}", "officer"),
    Page("/quarantine", "integrator"),
    Page("/quarantine?rule=zone_missing", "officer"),
    Page("/quarantine?rule=of_another_kind", "officer", 422),
    Page("/sources", "integrator"),
    Page("/sources", "administrator"),
    Page("/sources?state=disabled&kind=segment", "officer"),
    Page("/sources/new", "integrator"),
    Page("/sources/{source}", "integrator"),
    Page("/sources/{source}", "administrator"),
    Page("/sources/{page}", "officer"),
    Page("/sources/{source}/send", "integrator"),
    Page("/sources/{source}/keys", "integrator"),
    Page("/sources/{page}/settings", "integrator"),
    Page("/sources/{source}/history", "officer"),
    Page("/sources/{source}/disablement", "integrator"),
    Page("/sources/{page}/live", "integrator"),
    Page("/sources/{source}/live?q=nothing", "integrator"),
    Page("/imports", "integrator"),
    Page("/imports?state=undone", "administrator"),
    Page("/imports/new", "integrator"),
    Page("/imports/{import}", "integrator"),
    Page("/imports/{import}", "administrator"),
    Page("/imports/{waiting}/mapping", "integrator"),
    Page("/imports/{waiting}/check", "integrator"),
    Page("/imports/{import}/undo", "integrator"),
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
    Page("/account", "officer"),
    Page("/account/password", "officer"),
    Page("/account/second-step", "integrator"),
    Page("/account/tokens/new", "integrator"),
    Page("/reauthenticate", "officer"),
    Page("/users", "administrator"),
    Page("/users/new", "administrator"),
    Page("/users/{account}", "administrator"),
    Page("/start"),
    Page("/dictionary", "marketer", 403),
    Page("/people", "officer"),
    Page("/people", "marketer", 403),
    Page("/people/{case}", "officer"),
    Page("/people/{case}?show=timeline&days=1&at=2026-05-02", "officer"),
    Page("/people/{case}?show=identities&at=2099-01-01", "officer", 422),
    Page("/people/{case}?show=held", "officer"),
    Page("/people/{case}?show=stopped", "officer"),
    Page("/people/{case}/reveals", "officer"),
    Page("/people/{case}/decisions", "officer"),
    Page("/people/{case}/merges/{merge}", "officer"),
    Page("/people/{nobody}", "officer"),
    Page("/people/proposals", "officer"),
    Page("/people/proposals/{proposal}", "officer"),
    Page("/no/such/page", "officer", 404),
    Page("/no/such/page", status=404),
    Page("/sign-in"),
)
