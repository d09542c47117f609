"""Deadlines: fixed days of China's calendar, and what holds whatever the days are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources import calendar
from privacy.rights import clocks
from privacy.rights.clocks import Pause, Period, deadlines, due
from privacy.vocabulary import Regime, Right

CHINA = calendar.worked("CN")
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
RIGHTS, REGIMES = st.sampled_from(list(Right)), st.sampled_from(list(Regime))


@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-02-13", "2026-03-12"),  # Saturday the 14th and the 28th are worked on, the 15th to the 23rd are Spring Festival
        ("2026-02-15", "2026-03-13"),  # received on a holiday: the first day that counts is the 24th
        ("2026-09-30", "2026-10-27"),  # the 1st to the 7th are free, Saturday the 10th is worked on
        ("2026-06-01", "2026-06-23"),  # the Dragon Boat Festival is a Friday
    ],
)
def test_fifteen_working_days_count_chinas_moved_days(received: str, last: str) -> None:
    assert due(date.fromisoformat(received), Period(15, "working_days"), CHINA).isoformat() == last


def test_a_month_ends_on_the_same_day_or_on_the_months_last_one() -> None:
    month = Period(1, "months")
    assert due(date(2026, 1, 31), month, CHINA) == date(2026, 2, 28)
    assert due(date(2024, 1, 31), month, CHINA) == date(2024, 2, 29)
    assert due(date(2026, 12, 15), month, CHINA) == date(2027, 1, 15)
    told = deadlines(Right.ACCESS, Regime.GDPR, date(2026, 1, 31), date(2026, 2, 1), CHINA, lengthened=True)
    assert told.legal == date(2026, 4, 30), "three months together, not one after the other"


def test_what_holds_at_once_is_due_on_its_day_and_is_never_lengthened() -> None:
    for right in (Right.OBJECTION, Right.WITHDRAWAL):
        for regime in Regime:
            told = deadlines(right, regime, date(2026, 2, 14), date(2026, 2, 14), CHINA, lengthened=True)
            assert (told.legal, told.own, told.lengthened) == (date(2026, 2, 14), date(2026, 2, 14), False)
            assert not clocks.may_lengthen(right, regime)


def test_a_clock_is_running_then_near_then_late() -> None:
    def state(today: date) -> str:
        return deadlines(Right.ACCESS, Regime.PIPL, date(2026, 6, 1), today, CHINA).state(today)

    assert [state(date(2026, 6, day)) for day in (2, 24, 30)] == ["running", "near", "near"]
    assert (state(date(2026, 7, 1)), state(date(2026, 7, 2))) == ("near", "late")


def test_where_nobody_knows_the_holidays_monday_to_friday_count() -> None:
    assert calendar.worked("QQ")(date(2026, 2, 17))
    assert not calendar.worked("QQ")(date(2026, 2, 14))
    assert clocks.weekdays(date(2026, 2, 16))
    assert not clocks.weekdays(date(2026, 2, 15))


@settings(max_examples=150, deadline=None)
@given(DAYS, RIGHTS, REGIMES, st.integers(0, 40), st.integers(0, 40))
def test_a_pause_never_shortens_a_deadline_and_moves_it_by_no_less_than_its_days(
    received: date, right: Right, regime: Regime, after: int, length: int
) -> None:
    today = received + timedelta(days=after + length)
    since = received + timedelta(days=after)
    plain = deadlines(right, regime, received, today, CHINA)
    paused = deadlines(right, regime, received, today, CHINA, pause=Pause(since, since + timedelta(days=length)))
    assert paused.legal >= plain.legal
    assert paused.own <= paused.legal
    if clocks.RULES[regime][right].period.unit == "days" and plain.legal > since > received and plain.legal > received:
        assert (paused.legal - plain.legal).days == length


@settings(max_examples=100, deadline=None)
@given(DAYS, st.integers(1, 40))
def test_a_period_of_working_days_ends_on_one_and_holds_exactly_so_many(received: date, number: int) -> None:
    last = due(received, Period(number, "working_days"), CHINA)
    days = [received + timedelta(days=one) for one in range(1, (last - received).days + 1)]
    assert CHINA(last)
    assert sum(map(CHINA, days)) == number


@settings(max_examples=100, deadline=None)
@given(DAYS, RIGHTS, REGIMES)
def test_a_longer_period_is_later_and_more_days_never_end_earlier(received: date, right: Right, regime: Regime) -> None:
    plain = deadlines(right, regime, received, received, CHINA)
    longer = deadlines(right, regime, received, received, CHINA, lengthened=True)
    assert (longer.legal > plain.legal) == clocks.may_lengthen(right, regime)
    assert due(received + timedelta(days=1), Period(15, "working_days"), CHINA) >= due(received, Period(15, "working_days"), CHINA)


def test_a_calendar_without_working_days_does_not_hang() -> None:
    assert due(date(2026, 1, 1), Period(1, "working_days"), lambda day: False) > date(2030, 1, 1)
