"""Answers on one beat: whatever was spent on them, and whatever the machine is doing."""

from __future__ import annotations

import pytest

from app.pace import MOST, Pace


def test_quick_and_slow_work_leave_at_the_same_moment() -> None:
    pace = Pace(0.1)
    assert [spent + pace.wait(spent) for spent in (0.001, 0.02, 0.049)] == pytest.approx([0.1] * 3)


def test_one_slow_answer_slows_nobody_else_for_long_and_many_slow_everybody() -> None:
    pace = Pace(0.1)
    assert 0.15 + pace.wait(0.15) == pytest.approx(0.2)
    for _ in range(20):
        last = 0.001 + pace.wait(0.001)
    assert last == pytest.approx(0.1)
    for _ in range(5):
        pace.wait(0.15)
    assert 0.001 + pace.wait(0.001) == pytest.approx(0.4)
    for _ in range(200):
        last = 0.001 + pace.wait(0.001)
    assert last == pytest.approx(0.1)


@pytest.mark.parametrize("least", [0.02, 0.1, 4.0])
def test_the_beat_has_an_end_and_every_answer_leaves_on_it(least: float) -> None:
    pace = Pace(least)
    for _ in range(100):
        slow = 30.0 + pace.wait(30.0)
    beat = 0.001 + pace.wait(0.001)
    assert beat < max(2 * MOST, 2 * least)
    assert slow / beat == pytest.approx(round(slow / beat))
