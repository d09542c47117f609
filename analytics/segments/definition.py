"""One version of a segment as an audience is made from it: its rule, and what it is for.

Promise: pure. A segment is stated under marketing's profiling and no other purpose (attack 50), and a use that decides what somebody pays, or on
which terms, is refused unless somebody reviewed its fairness (attack 53). It must never learn a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from analytics.segments import rules
from analytics.segments.rules import Rule
from privacy.errors import Refused
from privacy.vocabulary import PROFILING

MARKETING, PRICING, TERMS = "marketing", "pricing", "terms"
USES: Final = (MARKETING, PRICING, TERMS)
REVIEWED: Final = frozenset({PRICING, TERMS})
"""Uses that decide what somebody pays, or on which terms: refused unless somebody reviewed their fairness (PIPL 24(1), law_rules L-8)."""

Others = Mapping[tuple[str, int], Rule]
"""Segments by id and version, of those that a rule speaks of, directly or not."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a segment: what it is for, and its rule; `review` names the review of an unusual use."""

    segment: str
    version: int
    purpose: str
    use: str
    rule: Rule
    review: str = ""
    others: Others = field(default_factory=dict)
    """Every version of another segment that the rule speaks of, directly or not."""

    @property
    def digest(self) -> str:
        return rules.digest(self.rule)


def check(purpose: str, use: str, review: str = "") -> None:
    """Refuses a segment that states another purpose than marketing's profiling, or a use that needs a review and has none."""
    if purpose != PROFILING:
        raise Refused("a segment is made under the purpose marketing.profiling and no other", code="segment_purpose", field="purpose")
    if use not in USES:
        raise Refused("the use of a segment is marketing, pricing or terms", code="segment_use", field="use")
    if use in REVIEWED and not review:
        raise Refused("a segment for prices or terms needs a review of its fairness", code="segment_use_refused", field="use")
