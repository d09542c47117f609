"""Agreements with recipients (PIPL 20, 21, 23; Network Data Regulations 12): what was agreed, and whether it holds now.

Not `privacy.consent.agreements`, which knows that a person agreed to a notice. Promise: pure; no agreement, one that has not begun, one that
is over, or one for something else is a no with its own code. Exports ask `in_force` each time that they are delivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from privacy.accountability.fields import Field
from privacy.accountability.recipients import PURPOSE_PATTERN
from privacy.errors import Conflict, Invalid

FIELDS = (
    Field("recipient", pattern=r"rec_[0-9a-f]{24}", most=40, fixed=True),
    Field("starts", "day"),
    Field("ends", "day"),
    Field("purposes", "words", pattern=PURPOSE_PATTERN, most=64),
    Field("method"),
    Field("categories", "words", pattern=r"[a-z][a-z_]{1,39}", most=40),
    Field("measures", "long", most=4_000),
    Field("sub_processors", "words", required=False),
    Field("reference", required=False),
)
CERTIFICATE = (
    Field("outcome", "choice", choices=("returned", "deleted", "returned_and_deleted")),
    Field("on", "day"),
    Field("statement", "long", most=4_000),
)
"""What a recipient certifies when an agreement ends (PIPL 21(3))."""

IN_FORCE = "in_force"
MISSING, NOT_YET, EXPIRED, ENDED = "agreement_missing", "agreement_not_yet", "agreement_expired", "agreement_ended"
OTHER_PURPOSE, OTHER_CATEGORY = "agreement_other_purpose", "agreement_other_category"
_CLOSENESS = (MISSING, ENDED, EXPIRED, NOT_YET, OTHER_PURPOSE, OTHER_CATEGORY, IN_FORCE)
"""Of several agreements the one that comes nearest to holding says why none does."""
SOON_DAYS = 30
"""An agreement that ends within this many days is shown as ending."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an agreement covers something now; `code` says why not."""

    code: str

    @property
    def holds(self) -> bool:
        return self.code == IN_FORCE


def in_force(agreement: Mapping[str, Any] | None, at: date, purpose: str, categories: Iterable[str]) -> Verdict:
    """Whether one agreement covers a purpose and categories on a day, its first and last day included."""
    if agreement is None:
        return Verdict(MISSING)
    if agreement.get("ended_on") and at >= date.fromisoformat(agreement["ended_on"]):
        return Verdict(ENDED)
    if at < date.fromisoformat(agreement["starts"]):
        return Verdict(NOT_YET)
    if at > date.fromisoformat(agreement["ends"]):
        return Verdict(EXPIRED)
    if purpose not in agreement["purposes"]:
        return Verdict(OTHER_PURPOSE)
    if not set(categories) <= set(agreement["categories"]):
        return Verdict(OTHER_CATEGORY)
    return Verdict(IN_FORCE)


def any_in_force(agreements: Sequence[Mapping[str, Any]], at: date, purpose: str, categories: Iterable[str]) -> Verdict:
    """The same of all agreements with a recipient: one that covers everything is enough; parts of several are not."""
    wanted = list(categories)
    found = [in_force(one, at, purpose, wanted).code for one in agreements] or [MISSING]
    return Verdict(max(found, key=_CLOSENESS.index))


def state(agreement: Mapping[str, Any], today: date) -> str:
    """not_yet, current, ending, over or closed (over, and certified)."""
    if agreement.get("certificate"):
        return "closed"
    if agreement.get("ended_on") and today >= date.fromisoformat(agreement["ended_on"]):
        return "over"
    starts, ends = date.fromisoformat(agreement["starts"]), date.fromisoformat(agreement["ends"])
    if today < starts:
        return "not_yet"
    if today > ends:
        return "over"
    return "ending" if (ends - today).days < SOON_DAYS else "current"


def check_term(content: Mapping[str, Any]) -> None:
    """Raises Invalid unless the term has a beginning before its end."""
    if date.fromisoformat(content["ends"]) < date.fromisoformat(content["starts"]):
        raise Invalid("an agreement ends after it begins", code="dossier_invalid", field="ends")


def check_certificate(agreement: Mapping[str, Any], today: date) -> None:
    """Raises Conflict while the agreement still runs, or where it was certified before."""
    if state(agreement, today) != "over":
        raise Conflict("a certificate of return or deletion belongs to an agreement that is over", code="agreement_running")
