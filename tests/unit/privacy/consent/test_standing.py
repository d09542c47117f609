"""Where a person stood at a moment: what was known then, folded; for now what the gate says."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.consent import gate, standing
from privacy.consent.gate import Event

P = "analytics.statistics"


def act(seq: int, state: str, at: int, received: int | None = None, *, until: int | None = None, kind: str = "explicit") -> dict[str, Any]:
    times = {"effective_at": at, "received_at": at if received is None else received, "valid_until": until}
    return {"seq": seq, "purpose": P, "state": state, "kind": kind, **times}


def at(moment: int, *histories: list[dict[str, Any]]) -> standing.Standing:
    return standing.standings(histories, [P], moment)[P]


def test_a_moment_sees_what_had_come_in_by_then_and_nothing_later() -> None:
    said = [act(1, "granted", 10), act(2, "withdrawn", 30), act(3, "granted", 50)]
    assert [at(moment, said).state for moment in (9, 10, 29, 30, 49, 50)] == [
        "unasked", "granted", "granted", "withdrawn", "withdrawn", "granted",
    ]  # fmt: skip
    found = at(35, said)
    assert (found.since, found.act) == (30, said[1])


def test_an_act_that_came_late_changes_what_is_known_of_the_past_and_not_what_was_known() -> None:
    said = [act(1, "granted", 10), act(2, "withdrawn", 20, 60)]
    before, after = at(30, said), at(60, said)
    assert (before.state, before.revised) == ("granted", True)
    assert (after.state, after.since, after.revised) == ("withdrawn", 20, False)


def test_a_grant_tells_when_it_ends_and_afterwards_that_it_ended() -> None:
    said = [act(1, "granted", 10, until=40)]
    assert (at(20, said).state, at(20, said).expires) == ("granted", 40)
    assert (at(40, said).state, at(40, said).since, at(40, said).act) == ("expired", 40, said[0])


def test_of_people_who_are_one_the_strictest_holds_and_silence_of_one_does_not_count() -> None:
    yes, no = [act(1, "granted", 10)], [act(2, "denied", 20)]
    assert at(30, yes, []).state == "granted"
    assert (at(30, yes, no).state, at(30, yes, no).act) == ("denied", no[0])
    assert at(15, yes, no).state == "granted"


def test_who_said_nothing_was_never_asked() -> None:
    assert at(5) == at(5, []) == standing.Standing("unasked", None, None, None, revised=False)


ACTS = st.lists(
    st.builds(
        act,
        st.just(0),
        st.sampled_from(["granted", "withdrawn", "denied"]),
        st.integers(0, 50),
        st.integers(0, 50),
        kind=st.sampled_from(["explicit", "asserted"]),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(ACTS, st.integers(0, 60))
def test_the_state_of_a_moment_is_the_gates_word_about_the_acts_of_by_then(said: list[dict[str, Any]], moment: int) -> None:
    for seq, one in enumerate(said):
        one["seq"] = seq
    known = [
        Event(one["state"], one["kind"], one["effective_at"], one["received_at"], None) for one in said if one["received_at"] <= moment
    ]
    decided = gate.decide(gate.fold(known) if known else None, moment, moment)
    found = at(moment, said)
    assert (found.state == "granted") == decided.allowed
    assert found.act is None or found.act["received_at"] <= moment
