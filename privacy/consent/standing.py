"""Where a person stood at a moment of the past: the acts that had come in by then, folded as the gate folds them.

Promise: pure; for the present moment it says what the gate says. Acts that came later change what is known about a moment, never what was
known at it; where the two differ, it says so. It must never learn who the person is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from privacy.consent import gate
from privacy.consent.gate import Event, Timeline
from privacy.vocabulary import ConsentState

NAMES = {
    gate.ALLOWED: "granted",
    gate.WITHDRAWN: "withdrawn",
    gate.DENIED: "denied",
    gate.EXPIRED: "expired",
    gate.NOT_YET: "unasked",
    gate.MISSING: "unasked",
}
"""What people call a standing. Nobody had said anything: `unasked`."""

_SAID = {
    gate.ALLOWED: ConsentState.GRANTED,
    gate.EXPIRED: ConsentState.GRANTED,
    gate.WITHDRAWN: ConsentState.WITHDRAWN,
    gate.DENIED: ConsentState.DENIED,
}

Row = Mapping[str, Any]
"""An act as `ledger.history` gives it."""


class Standing(NamedTuple):
    """The state of one purpose at a moment: since when, until when at the latest, by which act, and whether acts that came later say otherwise."""

    state: str
    since: int | None
    expires: int | None
    act: Row | None
    revised: bool


def standings(histories: Sequence[Sequence[Row]], purposes: Iterable[str], at: int) -> dict[str, Standing]:
    """The standing of every purpose at an instant (microseconds since 1970, UTC). One history for each of those who turned out to be one."""
    return {purpose: _standing([[row for row in one if row["purpose"] == purpose] for one in histories], at) for purpose in purposes}


def _standing(histories: Sequence[Sequence[Row]], at: int) -> Standing:
    by_then = [[row for row in rows if row["received_at"] <= at] for rows in histories]
    then, now = _timeline(by_then), _timeline(histories)
    code = then.code_at(at)
    revised = NAMES[now.code_at(at)] != NAMES[code]
    place = sum(start <= at for start in then.starts) - 1
    if place < 0:
        return Standing(NAMES[code], None, None, None, revised)
    since = then.starts[place]
    ends = code == gate.ALLOWED and place + 1 < len(then.codes) and then.codes[place + 1] == gate.EXPIRED
    return Standing(NAMES[code], since, then.starts[place + 1] if ends else None, _maker(by_then, code, since), revised)


def _timeline(histories: Sequence[Sequence[Row]]) -> Timeline:
    told = [gate.fold([_event(row) for row in rows]) for rows in histories if rows]
    return gate.strictest(told) if told else gate.NOTHING


def _maker(histories: Sequence[Sequence[Row]], code: int, since: int) -> Row | None:
    """The last act by which it stands so: the person's own, before what a merge carried to others."""
    said = [row for rows in histories for row in rows if row["state"] == _SAID.get(code) and _event(row).start <= since]
    return max(said, key=lambda row: (_event(row).start, "carried" not in (row.get("evidence") or {}), row["seq"]), default=None)


def _event(row: Row) -> Event:
    return Event(row["state"], row["kind"], row["effective_at"], row["received_at"], row["valid_until"])
