"""Logs for tests, honouring `privacy.records.Log`: one that remembers, one that refuses.

`RefusingLog` is the fault of attack 43: whatever act is tried with it must not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from privacy.audit.payload import payload_bytes
from privacy.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Logged:
    """One remembered entry."""

    kind: str
    action: str
    actor: str
    result: str
    facts: Mapping[str, Any]


@dataclass
class RecordingLog:
    """Remembers entries in order; refuses the same facts as the real log."""

    entries: list[Logged] = field(default_factory=list)

    def __call__(
        self, tx: sa.Connection, kind: str, action: str, *, actor: str, result: str = "ok", facts: Mapping[str, Any] | None = None
    ) -> int:
        payload_bytes(action, actor, result, facts)
        self.entries.append(Logged(str(kind), action, actor, result, dict(facts or {})))
        return len(self.entries) - 1

    append = __call__


@dataclass
class RefusingLog:
    """Raises `Unavailable` from the `after`-th entry on (default: at once), as a log does whose insert fails."""

    after: int = 0
    asked: int = 0
    within: RecordingLog = field(default_factory=RecordingLog)

    def __call__(
        self, tx: sa.Connection, kind: str, action: str, *, actor: str, result: str = "ok", facts: Mapping[str, Any] | None = None
    ) -> int:
        self.asked += 1
        if self.asked > self.after:
            raise Unavailable("the log cannot be written", code="log_unavailable", retry_after=5)
        return self.within(tx, kind, action, actor=actor, result=result, facts=facts)

    append = __call__
