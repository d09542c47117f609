"""What a withdrawal has done since: live counts, each from the table of whoever did it, shown beside the withdrawal.

Promise: a count is one person's and is read when it is asked for; what does not exist yet has no line, and nobody sees a zero that nobody
counted. Whoever stops something because of a no registers its count here once (exports and suppressions: issue 7). Learns handles and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from privacy.consent import stopped

Count = Callable[[sa.Connection, Sequence[bytes], str, datetime], int]
"""(transaction, handles of one person, purpose, since when) → how many."""


def _events_stopped(tx: sa.Connection, handles: Sequence[bytes], purpose: str, since: datetime) -> int:
    """Items that the no kept out, from the month of the withdrawal on: counts are kept by the month."""
    first = since.year * 100 + since.month
    return sum(number for key, month, number in stopped.of(tx, handles) if key == purpose and month >= first)


_COUNTS: dict[str, Count] = {"events_stopped": _events_stopped}


def register(name: str, count: Count) -> None:
    """Adds a count; a name is taken once."""
    if _COUNTS.setdefault(name, count) is not count:
        raise ValueError(f"the effect {name} is counted already")


def of(tx: sa.Connection, handles: Sequence[bytes], purpose: str, since: datetime) -> Mapping[str, int]:
    """Every registered count of one withdrawal."""
    return {name: count(tx, handles, purpose, since) for name, count in _COUNTS.items()}
