"""The fold of consent, checked against random lives: acts in any order, with clocks that run ahead and letters that come late."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.consent.gate import ALLOWED, EXPIRED, NOT_YET, Event, Timeline, decide, decide_many, fold, granted, standing, strictest

INSTANT = st.integers(0, 12)


@st.composite
def events(
    draw: st.DrawFn, *, states: tuple[str, ...] = ("granted", "withdrawn", "denied"), kinds: tuple[str, ...] = ("explicit", "asserted")
) -> Event:
    state = draw(st.sampled_from(states))
    until = draw(st.none() | INSTANT) if state == "granted" else None
    return Event(state, draw(st.sampled_from(kinds)), draw(INSTANT), draw(INSTANT), until)


LIVES = st.lists(events(), max_size=6)


@given(LIVES.flatmap(lambda life: st.tuples(st.just(life), st.permutations(life))))
def test_any_order_of_arrival_gives_the_same_timeline(lives: tuple[list[Event], list[Event]]) -> None:
    assert fold(lives[0]) == fold(lives[1])


@given(LIVES)
def test_a_timeline_rises_and_never_repeats_itself(life: list[Event]) -> None:
    line = fold(life)
    assert list(line.starts) == sorted(set(line.starts))
    assert all(one != other for one, other in zip(line.codes, line.codes[1:], strict=False))


@given(LIVES, INSTANT, st.sampled_from(["explicit", "asserted"]), st.sampled_from(["withdrawn", "denied"]))
def test_after_the_last_act_a_no_denies_at_every_moment_from_then_on(life: list[Event], at: int, kind: str, state: str) -> None:
    last = max((event.start for event in life), default=0) + at
    latest = max((event.effective for event in life), default=0)
    line = fold([*life, Event(state, kind, max(last, latest), last)])
    assert not any(decide(line, moment, last).allowed for moment in range(40))


@given(LIVES, st.lists(events(states=("granted",), kinds=("asserted",)), max_size=4))
def test_sources_never_lift_a_no_at_any_moment(life: list[Event], words: list[Event]) -> None:
    before, after = fold(life), fold([*life, *words])
    denied = [moment for moment in range(14) if before.code_at(moment) not in (ALLOWED, EXPIRED, NOT_YET, fold([]).code_at(0))]
    assert all(after.code_at(moment) == before.code_at(moment) for moment in denied)


@given(LIVES, LIVES, st.integers(0, 14))
def test_two_who_became_one_are_never_allowed_where_one_of_them_said_no(one: list[Event], other: list[Event], at: int) -> None:
    lines = [fold(one), fold(other)]
    codes = {line.code_at(at) for line in lines}
    joined = strictest(lines).code_at(at)
    assert (joined == ALLOWED) == (ALLOWED in codes and codes <= {ALLOWED, EXPIRED, NOT_YET, fold([]).code_at(0)})


@given(events(states=("granted",)))
def test_one_single_grant_is_the_short_form(event: Event) -> None:
    assert fold([event]) == granted(event.start, event.valid_until) == fold([event, event])


@given(LIVES.filter(bool), st.integers(0, 40))
def test_the_standing_tells_what_holds_after_the_last_act(life: list[Event], later: int) -> None:
    code, since, expires = standing(fold(life))
    now = max(event.start for event in life) + later
    holds = code == ALLOWED and since <= now and (expires is None or now < expires)
    assert holds == (fold(life).code_at(now) == ALLOWED)


@settings(max_examples=60)
@given(st.lists(st.none() | LIVES.map(fold), min_size=1, max_size=5), st.data(), st.integers(0, 14))
def test_the_vector_form_decides_as_the_plain_one(lines: list[Timeline | None], data: st.DataObject, now: int) -> None:
    rows = data.draw(st.lists(st.tuples(st.integers(0, len(lines) - 1), st.integers(-1, 14)), max_size=12))
    person, times = np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64)
    decisions = decide_many(lines, person, times, now)
    assert list(zip(decisions.allowed.tolist(), decisions.reasons.tolist(), strict=True)) == [
        tuple(decide(lines[one], at, now)) for one, at in rows
    ]
