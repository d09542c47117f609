"""The way of a request: which act is possible where it stands, who may do it, and what has to be said for it.

Promise: pure; an order enforced by state. Nothing is decided before identity is proven, but a no for want of proof; a deletion is decided by
two; nothing is closed or refused without a reason. What is not possible raises, with a lasting code. It must never learn who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privacy.errors import Conflict, Invalid, Refused
from privacy.vocabulary import Right, Step

METHODS: Final = ("code", "signed_in", "in_person", "document_seen", "known_channel")
"""How somebody proved who they are. Of what was shown nothing is kept but this word (GDPR 12(6), GB/T 35273 8.7)."""
CHANNELS: Final = ("phone", "letter", "email", "store", "form", "api", "public_page")
"""How a request came in."""
OUTCOMES: Final = ("fulfilled", "partly", "refused")
WHY_REFUSED: Final = (
    "identity_unproven", "nothing_held", "law_keeps_it", "others_rights", "excessive", "not_this_right",
    "not_a_relative", "deceased_wishes",
)  # fmt: skip
WHY_CLOSED: Final = ("done", "taken_back", "duplicate", *WHY_REFUSED)
"""Reasons, each with its words in two languages in the letters."""
WHY_LONGER: Final = ("many_requests", "complex", "waiting_for_others")
TWO_PERSONS: Final = frozenset({Right.DELETION})
"""What a second person has to agree to."""
PACKAGED: Final = frozenset({Right.ACCESS, Right.COPY, Right.PORTABILITY, Right.EXPLANATION})
"""What is answered with a package."""
OF_THE_DEAD: Final = frozenset({Right.ACCESS, Right.COPY, Right.CORRECTION, Right.DELETION})
"""What a close relative may ask for somebody who died (PIPL 49)."""
KIN: Final[Mapping[str, tuple[str, ...]]] = {
    "relation": ("spouse", "child", "parent", "sibling", "grandparent", "grandchild"),
    "death": ("certificate_seen", "register_seen", "court_seen"),
    "kinship": ("household_register_seen", "certificate_seen", "notary_seen"),
    "wishes": ("none_known", "agreed", "refused"),
}
"""What is seen of a relative, as words: who they are to the person (Civil Code 1045), which papers of the death and of the kinship were shown,
what the person arranged while alive. Of the papers nothing is kept."""
BEFORE_PROOF: Final = (Step.RECEIVED, Step.IDENTITY)


def after_proof(step: Step, *, passed: bool) -> Step:
    """Where a check of identity leads."""
    if step not in BEFORE_PROOF:
        raise Conflict("identity was proven before", code="identity_proven", field="step")
    return Step.COLLECT if passed else Step.IDENTITY


def ask(step: Step) -> Step:
    """Where asking for proof leads; the clock stands still from then on."""
    return must(step, Step.RECEIVED, Step.IDENTITY)


def must(step: Step, wanted: Step, after: Step) -> Step:
    """`after`, if the request stands where this act belongs."""
    if step is not wanted:
        raise Conflict("the request does not stand at this step", code="request_step", field="step")
    return after


def open_(step: Step) -> None:
    """Raises Conflict for a request that is closed."""
    if step is Step.CLOSED:
        raise Conflict("the request is closed", code="request_closed", field="step")


def decide(right: Right, step: Step, outcome: str, reason: str, *, proven: bool) -> Step:
    """Where a decision leads: a deletion waits at the same step for its second person."""
    if outcome not in OUTCOMES:
        raise Invalid("a decision fulfils, fulfils in part, or refuses", code="outcome_unknown", field="outcome")
    if outcome != "fulfilled" and reason not in WHY_REFUSED:
        raise Invalid("a refusal names its reason", code="reason_missing", field="reason")
    if outcome == "refused":
        open_(step)
        if step is Step.DELIVER:
            raise Conflict("the request was decided before", code="request_step", field="step")
        if not proven and reason not in ("identity_unproven", "excessive", "not_this_right"):
            raise Conflict("nothing is told of somebody who has not proven who they are", code="identity_unproven", field="reason")
        return Step.DELIVER
    if not proven:
        raise Conflict("nothing is decided before identity is proven", code="identity_unproven", field="step")
    return must(step, Step.DECIDE, Step.DECIDE if right in TWO_PERSONS else Step.DELIVER)


def approve(step: Step, decided_by: str | None, actor: str) -> Step:
    """Where the second person's word leads; never the word of the one who decided."""
    if decided_by is None:
        raise Conflict("nobody has decided yet", code="request_step", field="step")
    if decided_by == actor:
        raise Refused("nobody approves their own decision: a second person has to", code="own_decision", field="approval")
    return must(step, Step.DECIDE, Step.DELIVER)


def check_kin(kin: Mapping[str, str]) -> None:
    """Raises Invalid unless every question about a relative has an answer of its list."""
    for name, known in KIN.items():
        if kin.get(name) not in known:
            raise Invalid("say who the relative is, which papers were seen and what the person wished", code="kin_incomplete", field=name)


def check_deceased(kin: Mapping[str, str] | None, outcome: str) -> None:
    """Raises unless what is granted of somebody who died goes to a relative whose papers were seen, and not against the person's own wish."""
    if outcome == "refused":
        return
    if kin is None:
        raise Conflict("nothing is granted before death and kinship were proven", code="kinship_unproven", field="step")
    if kin["wishes"] == "refused":
        raise Refused("the person arranged otherwise while alive", code="deceased_wishes", field="outcome")


def close(step: Step, outcome: str | None, reason: str, *, delivered: bool) -> Step:
    """Closing needs a reason, and a request that was granted is delivered first."""
    if reason not in WHY_CLOSED:
        raise Invalid("closing names its reason", code="reason_missing", field="reason")
    open_(step)
    if reason == "done" and not delivered:
        raise Conflict("what was granted has to be delivered first", code="not_delivered", field="reason")
    if reason not in ("taken_back", "duplicate", "done") and outcome != "refused":
        raise Conflict("a refusal is decided before it is closed", code="request_step", field="reason")
    return Step.CLOSED
