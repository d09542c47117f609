"""What stands out: outside office hours, and days far above somebody's own median."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from privacy.audit.unusual import LEAST, OFFICE_HOURS, VOLUME, Office, habits, loud

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Office(SHANGHAI)
NOW = datetime(2026, 6, 19, 4, tzinfo=UTC)
"""A Friday, noon in Shanghai."""
ANN, BEN = "usr_ann000000000", "usr_ben000000000"


@dataclass(frozen=True)
class Busy:
    actor: str
    hour: datetime
    entries: int


def days(actor: str, *counts: int) -> list[Busy]:
    """So many acts at noon of the last days, the newest last."""
    return [Busy(actor, NOW - timedelta(days=len(counts) - 1 - number), count) for number, count in enumerate(counts)]


def test_the_office_is_open_on_working_days_by_the_controllers_clock() -> None:
    assert OFFICE.is_open(datetime(2026, 6, 19, 0, 0, tzinfo=UTC))
    assert not OFFICE.is_open(datetime(2026, 6, 18, 23, 59, tzinfo=UTC)), "7:59 in Shanghai"
    assert not OFFICE.is_open(datetime(2026, 6, 19, 12, 0, tzinfo=UTC)), "20:00 in Shanghai"
    assert not OFFICE.is_open(datetime(2026, 6, 20, 4, 0, tzinfo=UTC)), "a Saturday"


def test_the_windows_are_the_hours_in_which_it_is_open() -> None:
    for office in (OFFICE, Office(ZoneInfo("Europe/Berlin"), 9, 24), Office(SHANGHAI, 0, 24)):
        windows = office.windows(NOW - timedelta(days=9), NOW)
        for quarter in range(9 * 96):
            at = NOW - timedelta(minutes=15 * quarter)
            assert any(opens <= at < closes for opens, closes in windows) == office.is_open(at), at
    assert Office(SHANGHAI, 9, 9).windows(NOW, NOW) == ()


def test_a_day_above_three_times_the_own_median_is_loud_and_nobody_elses() -> None:
    found = loud([*days(ANN, 10, 12, 9, 40), *days(BEN, 100, 90, 110, 120)], SHANGHAI)
    assert found == {(ANN, date(2026, 6, 19))}


def test_exactly_three_times_a_few_acts_or_a_newcomer_are_not_loud() -> None:
    assert loud(days(ANN, 10, 10, 30), SHANGHAI) == frozenset()
    assert loud(days(ANN, 1, 1, LEAST - 1), SHANGHAI) == frozenset()
    assert loud(days(ANN, 10, 400), SHANGHAI) == frozenset()
    assert loud(days("schedule", 1, 1, 1, 500), SHANGHAI) == frozenset(), "what the program does by itself"


def test_a_reason_is_named_for_people_alone_and_volume_before_the_hour() -> None:
    usual = habits(days(ANN, 10, 12, 9, 40), OFFICE, NOW)
    night = NOW - timedelta(days=1, hours=10)
    assert (usual.of(ANN, NOW), usual.of(ANN, night), usual.of(BEN, NOW)) == (VOLUME, OFFICE_HOURS, None)
    assert usual.of("schedule", night) is None
    assert usual.of(ANN, NOW - timedelta(days=365)) is None, "older than habits are looked for"
    assert [(actor, since.isoformat(), until - since) for actor, since, until in usual.spans()] == [
        (ANN, "2026-06-19T00:00:00+08:00", timedelta(days=1))
    ]
