"""Pauses: doubling, bounded, long enough for a recipient's bad quarter of an hour."""

from __future__ import annotations

from datetime import timedelta

from privacy.delivery import pauses


def test_pauses_double_and_stop_growing() -> None:
    seconds = [pauses.pause(attempt).total_seconds() for attempt in range(1, 9)]
    assert seconds == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_recipient_is_not_given_up_within_fifteen_minutes() -> None:
    whole = sum((pauses.pause(attempt) for attempt in range(1, pauses.ATTEMPTS)), timedelta())
    assert whole >= timedelta(minutes=15)
    assert not pauses.given_up(pauses.ATTEMPTS - 1, removes=False)
    assert pauses.given_up(pauses.ATTEMPTS, removes=False)


def test_a_removal_is_never_given_up() -> None:
    assert not pauses.given_up(10_000, removes=True)
    assert pauses.pause(10_000) == pauses.LONGEST


def test_who_names_a_time_is_not_asked_before_it_but_cannot_ask_for_ever() -> None:
    assert pauses.pause(1, retry_after=3_600) == timedelta(hours=1)
    assert pauses.pause(6, retry_after=1) == pauses.LONGEST
    assert pauses.pause(1, retry_after=10**9) == pauses.MOST_ASKED
    assert pauses.pause(1, retry_after=-5) == pauses.FIRST


def test_jitter_adds_a_quarter_at_most() -> None:
    assert pauses.FIRST <= pauses.pause(1, jitter=200) <= pauses.FIRST * 1.25 == pauses.pause(1, jitter=255)
