"""Who receives data from us: what is written down of them, and what their name stands for.

Promise: pure. Each recipient has a purpose of its own that needs separate consent (PIPL 23), and one for its country where that is abroad
(PIPL 39). A foreign judicial or enforcement body is refused by default, whatever anybody consented to (PIPL 41).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy.accountability.fields import Field
from privacy.errors import Refused

PROCESSOR, INDEPENDENT, JOINT = "processor", "independent", "joint"
KINDS = (PROCESSOR, INDEPENDENT, JOINT)
"""Entrusted processor (PIPL 21), a processor of its own (PIPL 23), joint (PIPL 20)."""

PROPOSED, ACTIVE, SUSPENDED, ENDED = "proposed", "active", "suspended", "ended"
STATUSES = (PROPOSED, ACTIVE, SUSPENDED, ENDED)
NEXT: Mapping[str, tuple[str, ...]] = {
    PROPOSED: (ACTIVE, ENDED),
    ACTIVE: (SUSPENDED, ENDED),
    SUSPENDED: (ACTIVE, ENDED),
    ENDED: (),
}

MECHANISMS = ("none", "exempt", "standard_contract", "certification", "security_assessment")
"""On what a transfer abroad rests (PIPL 38; Provisions on Cross-border Data Flows 2024)."""
FOREIGN_LEGAL = "foreign_legal_request"
"""The purpose of a disclosure to a foreign judicial or enforcement body."""

KEY_PATTERN = r"[a-z0-9][a-z0-9_-]{0,31}"
PURPOSE_PATTERN = r"[a-z][a-z0-9_]{0,31}(\.[a-z0-9][a-z0-9_-]{0,31}){1,3}|foreign_legal_request"
EEA = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL"),
    *("PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"),
)
HOME: Mapping[str, frozenset[str]] = {
    "CN": frozenset({"CN"}),
    "EU": frozenset(EEA),
}
"""Jurisdiction → countries that are not abroad. Hong Kong, Macao and Taiwan are outside the customs border (境外)."""

FIELDS = (
    Field("key", pattern=KEY_PATTERN, most=32, fixed=True),
    Field("name_en"),
    Field("name_zh"),
    Field("contact"),
    Field("country", pattern=r"[A-Z]{2}", most=2),
    Field("kind", "choice", choices=KINDS),
    Field("purposes", "words", pattern=PURPOSE_PATTERN, most=64),
    Field("method"),
    Field("categories", "words", pattern=r"[a-z][a-z_]{1,39}", most=40),
    Field("mechanism", "choice", required=False, choices=MECHANISMS),
    Field("mechanism_reference", required=False),
    Field("sealing_key", "long", required=False, most=4_000),
    Field("foreign_approval", required=False),
)


MATERIAL = ("kind", "country", "purposes", "method", "categories")
"""What people were told of a recipient: where it changes they are asked again (PIPL 23)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A purpose that has to exist before data may go to a recipient."""

    key: str
    name: Mapping[str, str]


def is_abroad(country: str, jurisdiction: str) -> bool:
    """Whether data that goes to this country leaves the jurisdiction."""
    return country not in HOME.get(jurisdiction, frozenset())


def share_purpose(content: Mapping[str, Any]) -> str:
    """The purpose that a person allows when they allow this recipient."""
    return f"share.{content['key']}"


def purposes_of(content: Mapping[str, Any], jurisdiction: str) -> tuple[Wanted, ...]:
    """The purposes that a recipient brings along: its own and, abroad, that of its country. Both need separate consent."""
    en, zh = content["name_en"], content["name_zh"]
    own = Wanted(share_purpose(content), {"en": f"Sharing with {en}", "zh": f"向{zh}提供"})
    country = content["country"]
    if not is_abroad(country, jurisdiction):
        return (own,)
    abroad = Wanted(f"crossborder.{country.lower()}", {"en": f"Transfer to {country}", "zh": f"向境外（{country}）提供"})
    return (own, abroad)


def check_purpose(purposes: list[str], approval: str = "") -> None:
    """Raises Refused for a disclosure to a foreign court or authority without the approval of ours (PIPL 41)."""
    if FOREIGN_LEGAL in purposes and not approval:
        raise Refused(
            "nothing goes to a foreign judicial or enforcement body without the approval of the competent authority",
            code="foreign_legal_request",
            field="purposes",
        )


def check_step(before: str, after: str) -> None:
    """Raises Refused unless a recipient may go from one status to the other."""
    if after not in NEXT.get(before, ()):
        raise Refused("a recipient cannot go from this status to that one", code="recipient_step", field="status")
