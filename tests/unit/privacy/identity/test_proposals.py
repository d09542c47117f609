"""Proposals wait for an officer: they merge nobody and come once."""

from __future__ import annotations

import pytest

from app.stores import Stores
from privacy import errors
from privacy.identity import merging, proposals
from privacy.identity.keys import Keyring
from privacy.identity.merging import Wanted
from privacy.identity.proposals import Candidate, ProposalState
from tests.unit.privacy.identity.people import NOW, admit
from tests.unit.privacy.identity.test_vault import A, B, C, merges

HOW = {"name": "equal", "place": "close"}


def people(stores: Stores, keyring: Keyring) -> list[bytes]:
    return [person for person in admit(stores, keyring, phone=[A, B, C]) if person]


def propose(stores: Stores, *candidates: Candidate) -> int:
    with stores.begin_vault() as tx:
        return proposals.propose(tx, candidates, source="src_a", now=NOW)


def test_a_pair_is_proposed_once_by_its_best_match_and_merges_nobody(vault_stores: Stores, keyring: Keyring) -> None:
    first, second, third = people(vault_stores, keyring)
    pair = [Candidate(first, second, 3_000, {"name": "similar"}), Candidate(second, first, 9_000, HOW), Candidate(first, first, 1, {})]
    assert propose(vault_stores, *pair, Candidate(second, third, 5_000, HOW)) == 2
    assert propose(vault_stores, *pair) == 0
    with vault_stores.read_vault() as tx:
        waiting = proposals.waiting(tx)
    assert [(one.weight_milli, one.reasons) for one in waiting] == [(9_000, HOW), (5_000, HOW)]
    assert merges(vault_stores) == []


def test_whoever_is_one_already_or_kept_apart_or_was_refused_is_not_proposed(vault_stores: Stores, keyring: Keyring) -> None:
    first, second, third = people(vault_stores, keyring)
    with vault_stores.begin_vault() as tx:
        merging.merge(tx, Wanted(first, second), batch=b"b", source="", now=NOW)
    assert propose(vault_stores, Candidate(first, second, 1, HOW)) == 0
    with vault_stores.begin_vault() as tx:
        (made,) = merging.history(tx, [first])
        merging.split(tx, made.seq, by="usr", now=NOW)
    assert propose(vault_stores, Candidate(first, second, 1, HOW)) == 0
    assert propose(vault_stores, Candidate(first, third, 1, HOW)) == 1
    with vault_stores.begin_vault() as tx:
        (one,) = proposals.waiting(tx)
        proposals.decide(tx, one.seq, ProposalState.REFUSED, by="usr", now=NOW)
    assert propose(vault_stores, Candidate(first, third, 1, HOW)) == 0


def test_a_proposal_is_decided_once(vault_stores: Stores, keyring: Keyring) -> None:
    first, second, _ = people(vault_stores, keyring)
    propose(vault_stores, Candidate(first, second, 1, HOW))
    with vault_stores.begin_vault() as tx:
        (one,) = proposals.waiting(tx)
        proposals.decide(tx, one.seq, ProposalState.ACCEPTED, by="usr", now=NOW)
        for again in (lambda: proposals.one(tx, one.seq), lambda: proposals.decide(tx, one.seq, ProposalState.REFUSED, by="u", now=NOW)):
            with pytest.raises(errors.NotFound) as caught:
                again()
            assert caught.value.code == "proposal_unknown"
        assert proposals.waiting(tx) == []
