"""Answers at one beat: whatever was spent on them, and whatever the machine is doing."""

from __future__ import annotations

import pytest

from app.pace import MOST, Pace


def test_quick_and_slow_work_leave_at_the_same_moment() -> None:
    pace = Pace(0.1)
    assert [spent + pace.wait(spent) for spent in (0.001, 0.02, 0.049)] == pytest.approx([0.1] * 3)


def test_one_slow_answer_slows_everybodys_and_is_forgotten_in_time() -> None:
    pace = Pace(0.1)
    assert 0.15 + pace.wait(0.15) == pytest.approx(0.4)
    assert 0.001 + pace.wait(0.001) == pytest.approx(0.4)
    for _ in range(1_000):
        last = 0.001 + pace.wait(0.001)
    assert last == pytest.approx(0.1)


def test_the_beat_has_an_end_and_every_answer_leaves_on_it() -> None:
    pace = Pace(0.1)
    whole = 30.0 + pace.wait(30.0)
    beat = 0.001 + pace.wait(0.001)
    assert MOST <= beat < 2 * MOST
    assert whole / beat == pytest.approx(round(whole / beat))
