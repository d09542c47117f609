"""When a delivery that failed is tried again, and when it is given up.

Promise: pure. Pauses double from half a minute to a quarter of an hour; ten attempts take more than an hour, so that no recipient is given
up for an outage of fifteen minutes. Who names a time (Retry-After) is not asked before it, within a day. A removal is never given up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(minutes=15)
ATTEMPTS: Final = 10
MOST_ASKED: Final = timedelta(days=1)
"""The longest time that a recipient may ask for."""
LOOK: Final = timedelta(minutes=5)
"""How often it is looked whether what was laid out has been taken."""


def pause(attempt: int, *, retry_after: int | None = None, jitter: int = 0) -> timedelta:
    """The pause after an attempt (from 1 on). `jitter` is a random byte: up to a quarter more, so that recipients are not asked in step."""
    wait: timedelta = min(FIRST * 2 ** min(attempt - 1, 10), LONGEST)
    wait += wait * (jitter & 0xFF) / 1020
    asked = timedelta(seconds=max(0, retry_after or 0))
    return max(wait, min(asked, MOST_ASKED))


def given_up(attempt: int, *, removes: bool) -> bool:
    """Whether this many failed attempts are enough."""
    return attempt >= ATTEMPTS and not removes
