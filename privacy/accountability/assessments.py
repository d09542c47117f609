"""Impact assessments (个人信息保护影响评估, PIPL 55 and 56): when one is needed, what it says, and whether one covers a processing.

Promise: pure. An assessment has the three contents of Article 56, is approved by somebody who wrote nothing of it, and covers only the kinds
and the things that it names until its review is due. A change after the approval is a draft again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from privacy.accountability.fields import Field
from privacy.accountability.recipients import INDEPENDENT, JOINT, PROCESSOR
from privacy.errors import Conflict, Refused
from privacy.vocabulary import PROFILING

SENSITIVE, AUTOMATED, ENTRUSTING, SHARING, PUBLISHING, CROSSBORDER = (
    "sensitive", "automated", "entrusting", "sharing", "publishing", "crossborder",
)  # fmt: skip
KINDS: Mapping[str, str] = {
    SENSITIVE: "PIPL 55(1)",
    AUTOMATED: "PIPL 55(2)",
    ENTRUSTING: "PIPL 55(3)",
    SHARING: "PIPL 55(3)",
    PUBLISHING: "PIPL 55(3)",
    CROSSBORDER: "PIPL 55(4)",
}
"""What needs an assessment before it begins → where that stands."""

DRAFT, APPROVED, WITHDRAWN = "draft", "approved", "withdrawn"
SENSITIVE_CATEGORIES = frozenset({"health", "religion", "biometric", "finance", "specific_identity", "whereabouts", "minor", "national_id"})
"""Categories of PIPL 28 and GB/T 45574-2025: data, not code, because the list moves."""
SENSITIVE_PURPOSES = ("sensitive.", "location.")

FIELDS = (
    Field("title"),
    Field("kinds", "many", choices=tuple(KINDS)),
    Field("scope", "words", pattern=r"(purpose|recipient|source):[a-z0-9][a-z0-9._-]{0,63}", most=80),
    Field("lawfulness", "long", most=8_000),
    Field("impact", "long", most=8_000),
    Field("measures", "long", most=8_000),
    Field("conclusion", "choice", choices=("proceed", "proceed_with_measures", "do_not_proceed")),
    Field("review_by", "day"),
)
CONTENTS = ("lawfulness", "impact", "measures")
"""Article 56(1)–(3): lawful, legitimate and necessary; impact on rights and risks; measures lawful, effective and proportionate."""


@dataclass(frozen=True, slots=True)
class Processing:
    """What somebody means to do, as far as Article 55 asks. `name` is how a scope names it: purpose:…, recipient:… or source:…"""

    name: str
    purposes: Collection[str] = ()
    categories: Collection[str] = ()
    recipient: str = ""
    """processor, independent, joint, or nothing."""
    abroad: bool = False
    published: bool = False


def required(processing: Processing) -> tuple[str, ...]:
    """The kinds of assessment that this processing needs before it begins."""
    sensitive = any(one.startswith(SENSITIVE_PURPOSES) for one in processing.purposes) or SENSITIVE_CATEGORIES & set(processing.categories)
    needs = {
        SENSITIVE: bool(sensitive),
        AUTOMATED: PROFILING in processing.purposes,
        ENTRUSTING: processing.recipient == PROCESSOR,
        SHARING: processing.recipient in (INDEPENDENT, JOINT),
        PUBLISHING: processing.published,
        CROSSBORDER: processing.abroad,
    }
    return tuple(kind for kind, needed in needs.items() if needed)


def missing(processing: Processing, assessments: Iterable[Mapping[str, Any]], at: date) -> tuple[str, ...]:
    """The kinds that no approved assessment in force covers for this processing; none left means it may begin."""
    had = set().union(*(one["kinds"] for one in assessments if in_force(one, at) and processing.name in one["scope"]))
    return tuple(kind for kind in required(processing) if kind not in had)


def covered(processing: Processing, assessments: Iterable[Mapping[str, Any]], at: date) -> bool:
    """Whether every kind that is needed is there."""
    return not missing(processing, assessments, at)


def check_covered(processing: Processing, assessments: Iterable[Mapping[str, Any]], at: date) -> None:
    """Raises Refused, naming the kinds, unless the processing may begin."""
    lacking = missing(processing, assessments, at)
    if lacking:
        raise Refused(
            f"this needs an approved impact assessment of the kind {', '.join(lacking)} whose scope names it",
            code="assessment_missing",
            field=processing.name,
        )


def in_force(assessment: Mapping[str, Any], at: date) -> bool:
    """Whether it is approved, says yes, and its review is not overdue."""
    yes = assessment["state"] == APPROVED and assessment["conclusion"] != "do_not_proceed"
    return yes and at <= date.fromisoformat(assessment["review_by"])


def state(assessment: Mapping[str, Any], today: date) -> str:
    """draft, approved, withdrawn, or review_due."""
    if assessment["state"] == APPROVED and today > date.fromisoformat(assessment["review_by"]):
        return "review_due"
    return str(assessment["state"])


def check_approval(versions: Sequence[Mapping[str, Any]], writers: Collection[str], approver: str) -> None:
    """Raises unless there is a draft, and somebody approves it who wrote no version of it."""
    if versions[-1]["state"] != DRAFT:
        raise Conflict("only a draft can be approved", code="assessment_not_draft")
    if approver in writers:
        raise Refused("nobody approves an assessment that they wrote", code="own_proposal")
