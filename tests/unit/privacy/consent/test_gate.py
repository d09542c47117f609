"""The rules of DESIGN §6, one claim a test."""

from __future__ import annotations

import numpy as np
import pytest

from privacy.consent import gate
from privacy.consent.gate import ALLOWED, DENIED, EXPIRED, WITHDRAWN, Event, Timeline, decide, decide_many, fold

MINUTE = 60_000_000


def grant(at: int, *, received: int | None = None, kind: str = "explicit", until: int | None = None) -> Event:
    return Event("granted", kind, at, at if received is None else received, until)


def no(at: int, *, received: int | None = None, kind: str = "explicit", state: str = "withdrawn") -> Event:
    return Event(state, kind, at, at if received is None else received)


def allowed(events: list[Event], at: int, now: int) -> bool:
    return decide(fold(events), at, now).allowed


def test_who_said_nothing_is_denied() -> None:
    assert decide(None, 5, 10) == (False, "consent_missing")
    assert decide(fold([]), 5, 10) == (False, "consent_missing")


def test_a_grant_allows_from_its_effective_time_on() -> None:
    assert decide(fold([grant(10)]), 10, 20) == (True, "")
    assert decide(fold([grant(10)]), 9, 20) == (False, "consent_not_yet")


def test_a_withdrawal_ends_a_grant_and_its_reason_is_told() -> None:
    assert decide(fold([grant(10), no(20)]), 15, 30) == (False, "consent_withdrawn")


def test_what_was_allowed_before_the_withdrawal_is_not_enough_without_a_grant_now() -> None:
    assert not allowed([grant(10), no(20)], at=15, now=25)
    assert allowed([grant(10), no(20), grant(30)], at=15, now=35)
    assert not allowed([grant(10), no(20), grant(30)], at=25, now=35)


def test_the_withdrawal_wins_a_tie_whatever_came_first() -> None:
    assert not allowed([grant(10), no(10)], 10, 20)
    assert not allowed([no(10), grant(10)], 10, 20)


def test_a_late_older_grant_never_lifts_a_newer_withdrawal() -> None:
    assert not allowed([no(20, received=20), grant(10, received=30)], 25, 40)


def test_a_late_older_withdrawal_does_not_end_a_newer_grant() -> None:
    assert allowed([grant(20, received=20), no(10, received=30)], 25, 40)


def test_a_clock_that_runs_ahead_does_not_let_a_grant_outlive_a_withdrawal_received_later() -> None:
    ahead = grant(3 * MINUTE, received=0)
    assert not allowed([ahead, no(MINUTE)], 2 * MINUTE, 10 * MINUTE)


def test_a_withdrawal_from_a_clock_that_runs_ahead_holds_at_once() -> None:
    assert not allowed([grant(0), no(5 * MINUTE, received=MINUTE)], MINUTE, MINUTE)


def test_two_acts_of_one_fast_clock_in_one_request_keep_their_order() -> None:
    assert allowed([no(3 * MINUTE, received=0), grant(4 * MINUTE, received=0)], 0, MINUTE)
    assert not allowed([grant(3 * MINUTE, received=0), no(4 * MINUTE, received=0)], 0, MINUTE)


def test_a_sources_grant_counts_where_nothing_was_said() -> None:
    assert allowed([grant(10, kind="asserted")], 10, 20)


@pytest.mark.parametrize("kind", ["explicit", "asserted"])
@pytest.mark.parametrize("state", ["withdrawn", "denied"])
def test_a_sources_grant_never_lifts_a_no(kind: str, state: str) -> None:
    assert not allowed([no(10, kind=kind, state=state), grant(20, kind="asserted")], 25, 30)


def test_a_sources_no_always_counts() -> None:
    assert not allowed([grant(10), no(20, kind="asserted", state="denied")], 15, 30)


def test_the_persons_own_grant_lifts_a_sources_no() -> None:
    assert allowed([no(10, kind="asserted", state="denied"), grant(20)], 25, 30)


def test_a_grant_ends_with_its_validity() -> None:
    line = fold([grant(10, until=100)])
    assert decide(line, 50, 99).allowed
    assert decide(line, 50, 100) == (False, "consent_expired")
    assert decide(fold([grant(10, until=100), grant(200)]), 150, 250) == (False, "consent_expired")


def test_a_sources_grant_does_not_prolong_the_persons_own() -> None:
    assert not allowed([grant(10, until=100), grant(50, kind="asserted")], 60, 150)


def test_a_new_grant_of_the_person_prolongs_the_old_one() -> None:
    assert allowed([grant(10, until=100), grant(50, until=300)], 150, 200)


def test_a_grant_that_was_over_before_it_began_allows_nothing() -> None:
    assert not allowed([grant(10, until=10)], 10, 10)
    assert fold([no(3), grant(10, until=5)]) == Timeline((3, 10), (WITHDRAWN, EXPIRED))


def test_an_unknown_state_is_a_no() -> None:
    assert fold([grant(1), Event("whatever", "explicit", 2, 2)]).codes[-1] == DENIED


def test_of_one_person_who_was_two_the_no_of_either_wins() -> None:
    line = gate.strictest([fold([grant(10)]), fold([grant(20), no(30)])])
    assert [line.code_at(at) for at in (15, 25, 35)] == [ALLOWED, ALLOWED, WITHDRAWN]


def test_of_one_person_who_was_two_the_silence_of_one_takes_nothing_away() -> None:
    assert gate.strictest([fold([grant(10)]), fold([])]).code_at(15) == ALLOWED


def test_the_standing_is_the_last_word() -> None:
    assert gate.standing(fold([grant(10, until=90)])) == (ALLOWED, 10, 90)
    assert gate.standing(fold([grant(10, until=90), no(50)])) == (WITHDRAWN, 50, None)
    assert gate.standing(gate.granted(10, 10)) == (ALLOWED, 10, 10)


def test_the_vector_form_decides_row_by_row() -> None:
    lines = [fold([grant(10)]), None, fold([grant(10), no(20), grant(30, until=90)])]
    person, times = np.array([0, 0, 1, 2, 2, 2]), np.array([5, 15, 15, 15, 25, 35], np.int64)
    decisions = decide_many(lines, person, times, 50)
    assert decisions.allowed.tolist() == [False, True, False, True, False, True]
    assert decisions.reasons.tolist() == ["consent_not_yet", "", "consent_missing", "", "consent_withdrawn", ""]


def test_the_vector_form_takes_nobody() -> None:
    assert len(decide_many([], np.array([], np.int64), np.array([], np.int64), 1).allowed) == 0
