"""How long an answer to a client key takes: the same for everybody who is asked about.

Promise: storing a row takes a little longer than refusing one, and who asks often enough with a key that anybody can read could tell from
the difference whether a person is known, allows or was erased. So every such answer leaves at one beat after its request began, and the
beat is at least twice the longest that any of them took lately, whoever it was about. Learns durations and nothing else.
"""

from __future__ import annotations

import threading

FORGETS = 0.995
"""What is left, one answer later, of the longest that an answer took."""
MOST = 4.0
"""Seconds; a beat grows no further, however slow the machine."""


class Pace:
    """Shared by the threads of a process."""

    def __init__(self, least: float) -> None:
        """`least` is the shortest beat, in seconds."""
        self._least = least
        self._longest = 0.0
        self._lock = threading.Lock()

    def wait(self, spent: float) -> float:
        """How much longer, in seconds, an answer has to wait on which this much was spent."""
        with self._lock:
            self._longest = max(spent, self._longest * FORGETS)
            beat = self._least
            while beat < 2 * self._longest and beat < MOST:
                beat *= 2
        return beat - spent % beat
