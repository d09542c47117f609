"""How long an answer to a client key takes: the same for everybody who is asked about.

Promise: storing a row takes a little longer than refusing one, and who asks often enough with a key that anybody can read could tell from
the difference whether a person is known, allows or was erased. So every such answer leaves on a beat after its request began, and the beat
is at least twice what nineteen of twenty answers took lately, whoever they were about. Learns durations and nothing else.
"""

from __future__ import annotations

import threading

LONGER, SHORTER = 1.2, 0.99
"""What an answer that took longer than the mark, or shorter, does to it: it rests where one in twenty takes longer."""
MOST = 0.8
"""Seconds; a beat grows no further, however slow the machine."""


class Pace:
    """Shared by the threads of a process."""

    def __init__(self, least: float) -> None:
        """`least` is the shortest beat, in seconds."""
        self._least = least
        self._mark = least / 2
        self._lock = threading.Lock()

    def wait(self, spent: float) -> float:
        """How much longer, in seconds, an answer has to wait on which this much was spent."""
        with self._lock:
            moved = self._mark * (LONGER if spent > self._mark else SHORTER)
            self._mark = min(max(moved, self._least / 2), max(MOST, self._least) / 2)
            beat = self._least
            while beat < 2 * self._mark:
                beat *= 2
        return beat - spent % beat
