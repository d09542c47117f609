"""Where one can go: the groups of the navigation, each entry with the permission that its page asks for.

Promise: only what the reader's role opens, and only what this program serves, is shown. Learns the reader's permissions and the address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request

from app.access import Caller
from app.console.languages import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the navigation."""

    path: str
    label: str
    icon: str
    permission: str

    @property
    def here(self) -> bool:
        """Whether the reader is on this page or under it."""
        return request.path == self.path or (self.path != "/" and request.path.startswith(self.path + "/"))


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("/", N_("Overview"), "house", "account.own"),
            Entry("/jobs", N_("Jobs"), "list-check", "job.read"),
        ),
    ),
    (
        N_("Marketing"),
        (
            Entry("/segments", N_("Segments"), "pie-chart", "segment.read"),
            Entry("/audiences", N_("Audiences"), "people", "segment.read"),
            Entry("/reports", N_("Reports"), "bar-chart", "report.read"),
            Entry("/exports", N_("Exports"), "box-arrow-up-right", "export.read"),
            Entry("/budget", N_("Budget"), "fuel-pump", "budget.read"),
        ),
    ),
    (
        N_("Compliance"),
        (
            Entry("/consents", N_("Consent log"), "check2-circle", "consent.read"),
            Entry("/purposes", N_("Purposes and notices"), "card-checklist", "purpose.read"),
            Entry("/people", N_("People"), "person-vcard", "person.find"),
            Entry("/requests", N_("Requests"), "envelope-paper", "request.read"),
            Entry("/endings", N_("What ends"), "hourglass-split", "consent.read"),
            Entry("/access-log", N_("Access log"), "journal-text", "log.own"),
            Entry("/controls", N_("Self-check"), "clipboard-check", "accountability.read"),
            Entry("/register", N_("Register of processing"), "card-checklist", "accountability.read"),
            Entry("/recipients", N_("Recipients"), "building", "accountability.read"),
            Entry("/deliveries", N_("Deliveries"), "send", "delivery.read"),
            Entry("/assessments", N_("Impact assessments"), "clipboard-data", "accountability.read"),
            Entry("/transfers", N_("Transfers abroad"), "globe2", "accountability.read"),
            Entry("/incidents", N_("Incidents"), "exclamation-octagon", "accountability.read"),
            Entry("/audit-packs", N_("Audit packs"), "file-earmark-zip", "accountability.read"),
            Entry("/evidence", N_("Evidence"), "file-earmark-zip", "log.bundle"),
        ),
    ),
    (
        N_("Data"),
        (
            Entry("/sources", N_("Sources"), "box-arrow-in-right", "source.read"),
            Entry("/imports", N_("Imports"), "file-earmark-arrow-up", "import.read"),
            Entry("/quarantine", N_("Quarantine"), "shield-exclamation", "quarantine.read"),
            Entry("/dictionary", N_("Dictionary"), "book", "dictionary.read"),
        ),
    ),
    (
        N_("Administration"),
        (
            Entry("/users", N_("Users"), "people", "user.edit"),
            Entry("/settings", N_("Settings"), "sliders", "settings.read"),
            Entry("/health", N_("Health"), "heart-pulse", "log.health"),
        ),
    ),
)


def served() -> frozenset[str]:
    """The paths of pages that this application has."""
    found = current_app.extensions.get("piying_paths")
    if found is None:
        found = frozenset(rule.rule for rule in current_app.url_map.iter_rules() if "GET" in (rule.methods or ()))
        current_app.extensions["piying_paths"] = found
    return frozenset(found)


def groups(caller: Caller) -> Iterator[tuple[str, list[Entry]]]:
    """The groups with their entries, as far as the reader may open them."""
    for label, entries in GROUPS:
        open_ = [one for one in entries if one.permission in caller.permissions and one.path in served()]
        if open_:
            yield label, open_


def opens(path: str, caller: Caller) -> bool:
    """Whether a page of the navigation is open to somebody."""
    return any(one.path == path and one.permission in caller.permissions for _, entries in GROUPS for one in entries)


# ── find ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

PLACES = (
    ("rcp_", "/consents/", "consent.read"),
    ("SR-", "/requests/", "request.read"),
    ("rec_", "/recipients/", "accountability.read"),
    ("agr_", "/agreements/", "accountability.read"),
    ("pia_", "/assessments/", "accountability.read"),
    ("inc_", "/incidents/", "accountability.read"),
    ("seg_", "/segments/", "segment.read"),
    ("aud_", "/audiences/", "segment.read"),
    ("exp_", "/exports/", "export.read"),
    ("rel_", "/releases/", "report.read"),
    ("imp_", "/imports/", "import.read"),
    ("src_", "/sources/", "source.read"),
    ("job_", "/jobs/", "job.read"),
    ("evp_", "/evidence/", "log.bundle"),
    ("dlv_", "/deliveries/", "delivery.read"),
)
"""The prefix of a number of ours, the page that it leads to and the permission that the page asks for."""


def place(number: str, caller: Caller) -> str | None:
    """The address of what a number of ours names; None where it names nothing that the reader may open."""
    for prefix, path, permission in PLACES:
        if number.startswith(prefix) and number.replace("_", "").replace("-", "").isalnum() and number.isascii() and len(number) <= 80:
            return path + number if permission in caller.permissions else None
    return None
