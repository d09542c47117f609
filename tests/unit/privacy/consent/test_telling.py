"""Which acts of a batch are kept; what the fold makes of what is left is the ledger's test."""

from __future__ import annotations

from privacy.consent.ledger import ConsentAct
from privacy.consent.telling import telling

ANNA = bytes(16)


def act(state: str, at: int, kind: str = "asserted") -> ConsentAct:
    return ConsentAct(ANNA, "analytics.statistics", state, kind, at, at)


def test_a_persons_own_acts_are_all_kept() -> None:
    own = [act("granted", 1, "explicit"), act("granted", 2, "explicit"), act("denied", 3, "explicit")]
    assert telling(own, {}) == own


def test_of_a_sources_noes_the_first_and_the_last_are_kept_and_of_its_yeses_the_first() -> None:
    noes = [act("denied", at) for at in (1, 2, 3, 4)]
    assert telling(noes, {}) == [noes[0], noes[3]]
    yeses = [act("granted", at) for at in (1, 2, 3)]
    assert telling(yeses, {}) == [yeses[0]]
