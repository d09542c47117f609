"""Who of an audience may leave now: one decision a person, with the first reason that stands against them.

Promise: pure, and the same for every order of people; what is unknown is a no. The reasons come in a fixed order, so that each person is counted
under one of them and the counts and the people who leave make up the audience. What cannot be lifted by a consent comes first. It must never
learn who a person is, a key, a database: it sees columns of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from privacy.errors import Invalid

Answers = npt.NDArray[np.bool_]


class Exclusion(StrEnum):
    """Why a person of an audience does not leave."""

    UNKNOWN = "unknown_person"
    MINOR = "minor"
    AGE_UNKNOWN = "age_unknown"
    RESTRICTED = "restricted"
    OBJECTED = "objected"
    SUPPRESSED = "suppressed"
    PURPOSE = "purpose_consent_missing"
    SEPARATE = "recipient_consent_missing"
    ABROAD = "crossborder_consent_missing"
    SENSITIVE = "sensitive_consent_missing"
    CHANNEL = "channel_consent_missing"
    CAPPED = "frequency_capped"
    FORMLESS = "not_in_form"
    APART = "too_few_alike"


ORDER: Final = tuple(Exclusion)
"""The order in which reasons are looked for. The last two are found when a list is made: its form has no row for somebody (no such address, one
that it refuses, somebody who would be found in a table), or `apart` holds them back because two lists would set them aside."""
NO_MATTER_WHAT: Final = frozenset({Exclusion.UNKNOWN, Exclusion.MINOR, Exclusion.AGE_UNKNOWN, Exclusion.RESTRICTED, Exclusion.OBJECTED})
"""Reasons that hide a person from a marketer's preview altogether (dp_rules X-2)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of each person at the moment of the decision; all columns have one length.

    A consent that the export does not need is None and is no obstacle; one that it needs and that nobody gave is False.
    """

    known: Answers
    minor: Answers
    ageless: Answers
    restricted: Answers
    objected: Answers
    suppressed: Answers
    purpose: Answers
    separate: Answers
    abroad: Answers | None = None
    sensitive: Answers | None = None
    channel: Answers | None = None
    recent: npt.NDArray[np.int64] | None = None
    """In how many lists of this channel the person left within the window of the cap."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """`reasons[i]` is -1 for who may leave, else the place in `ORDER` of the reason."""

    reasons: npt.NDArray[np.int8] = field(repr=False)

    @property
    def allowed(self) -> Answers:
        """Who may leave."""
        return np.asarray(self.reasons < 0)

    def counts(self) -> dict[str, int]:
        """How many people are kept back under each reason."""
        found = np.bincount(self.reasons[self.reasons >= 0].astype(np.int64), minlength=len(ORDER))
        return {reason.value: int(number) for reason, number in zip(ORDER, found, strict=True) if number}


def decide(facts: Facts, *, marketing: bool = True, bars_ageless: bool = False, cap: int | None = None) -> Decisions:
    """The decision about each person. `marketing` brings in age, objection and cap; `bars_ageless` that an age must be known."""
    against = _against(facts, marketing=marketing, bars_ageless=bars_ageless, cap=cap)
    size = len(facts.known)
    if any(len(column) != size for column in against.values()):
        raise Invalid("the columns of a decision have one length", code="decision_uneven")
    reasons = np.full(size, -1, np.int8)
    for place, reason in enumerate(ORDER):
        column = against.get(reason)
        if column is not None:
            reasons[column & (reasons < 0)] = place
    return Decisions(reasons)


def _against(facts: Facts, *, marketing: bool, bars_ageless: bool, cap: int | None) -> Mapping[Exclusion, Answers]:
    found = {
        Exclusion.UNKNOWN: ~facts.known,
        Exclusion.RESTRICTED: facts.restricted,
        Exclusion.SUPPRESSED: facts.suppressed,
        Exclusion.PURPOSE: ~facts.purpose,
        Exclusion.SEPARATE: ~facts.separate,
    }
    needed = {Exclusion.ABROAD: facts.abroad, Exclusion.SENSITIVE: facts.sensitive, Exclusion.CHANNEL: facts.channel}
    found |= {reason: ~given for reason, given in needed.items() if given is not None}
    if not marketing:
        return found
    found |= {Exclusion.MINOR: facts.minor, Exclusion.OBJECTED: facts.objected}
    if bars_ageless:
        found[Exclusion.AGE_UNKNOWN] = facts.ageless
    if cap is not None:
        if facts.recent is None:
            raise Invalid("a frequency cap needs to know how often", code="decision_uneven", field="recent")
        found[Exclusion.CAPPED] = facts.recent >= cap
    return found
