"""One outcome a person, in one order, and nobody who is no candidate; every combination of facts is tried."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from privacy.errors import Invalid, NotFound
from privacy.export.decide import Facts
from privacy.export.reach import CAPPED, NO_CHANNEL, NO_RECIPIENT, REACHABLE, candidates, counted, without_recipient
from tests.gatehouse import PHONES, Scene

NAMES = ("minor", "ageless", "restricted", "objected", "suppressed", "purpose", "separate", "channel", "capped")
EVERY = list(itertools.product([False, True], repeat=len(NAMES)))


def facts(*, channel: bool = True) -> Facts:
    columns = {name: np.array([one[place] for one in EVERY]) for place, name in enumerate(NAMES)}
    told = columns.pop("channel")
    columns.pop("capped")
    return Facts(known=np.ones(len(EVERY), bool), recent=np.zeros(len(EVERY), np.int64), channel=told if channel else None, **columns)


@pytest.mark.parametrize("ageless", [False, True])
def test_everybody_stands_under_the_first_outcome_that_is_true_of_them(ageless: bool) -> None:
    capped = np.array([one[-1] for one in EVERY])
    expected = {REACHABLE: 0, NO_CHANNEL: 0, NO_RECIPIENT: 0, CAPPED: 0}
    for values in EVERY:
        one = dict(zip(NAMES, values, strict=True))
        if one["minor"] or one["restricted"] or one["objected"] or not one["purpose"] or (ageless and one["ageless"]):
            continue
        first = [
            (one["suppressed"] or not one["channel"], NO_CHANNEL),
            (not one["separate"], NO_RECIPIENT),
            (one["capped"], CAPPED),
            (True, REACHABLE),
        ]
        expected[next(name for holds, name in first if holds)] += 1
    assert counted(facts(), capped=capped, ageless=ageless) == expected


def test_without_a_channel_and_a_recipient_every_candidate_is_reachable() -> None:
    """The cells of such a question are one: an outcome that is not among them would tell something by refusing."""
    known = without_recipient(facts(channel=False))
    nobody = np.zeros(len(EVERY), bool)
    assert counted(known, capped=nobody, ageless=False) == {REACHABLE: int(candidates(known, ageless=False).sum())}


def test_a_recipient_is_asked_for_by_its_own_purpose_and_officers_see_the_gates_reasons(scene: Scene) -> None:
    reached = scene.services.reached
    audience = scene.audience("all")
    assert reached.outcomes(audience, "sms", scene.recipient, actor="t") == {REACHABLE: len(PHONES)}
    scene.allow(PHONES[:3], scene.share, "withdrawn")
    scene.allow(PHONES[2:5], ["marketing.channel.sms"], "withdrawn")
    assert reached.outcomes(audience, "sms", scene.recipient, actor="t") == {REACHABLE: len(PHONES) - 5, NO_CHANNEL: 3, NO_RECIPIENT: 2}
    told = reached.reasons(audience, "sms", scene.recipient, actor="t")
    assert (told["people"], told["reachable"]) == (len(PHONES), len(PHONES) - 5)
    assert sum(told["exclusions"].values()) == 5


def test_a_channel_or_a_recipient_that_is_none_is_refused(scene: Scene) -> None:
    with pytest.raises(Invalid):
        scene.services.reached.check("pigeon", "")
    with pytest.raises(NotFound):
        scene.services.reached.check("", "rec_none")
    scene.services.reached.check("", "")
