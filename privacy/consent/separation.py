"""Consent when a merge is undone: what each said by themselves holds again.

Promise: nothing is taken out of the ledger; a grant that stood for somebody only because they were taken for another ends by an act of its
own, from now on. It fails closed: nobody allows more afterwards than what they said themselves. Must never learn who anybody is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from privacy.consent import gate, ledger
from privacy.vocabulary import ConsentKind, ConsentState


def separate(tx: sa.Connection, sides: Sequence[Sequence[bytes]], *, now: int, by: str, entry: int | None = None) -> int:
    """Two who were one are two again: a grant that only the other side gave ends here, by a no of its own. Returns how many noes.

    Whoever had said nothing themselves, or no, stands as before; the silent ones as somebody who refused, so that nothing opens by mistake.
    """
    acts = noes(tx, sides, now=now, by=by)
    ledger.append(tx, acts, entry=entry)
    return len(acts)


def noes(tx: sa.Connection, sides: Sequence[Sequence[bytes]], *, now: int, by: str) -> list[ledger.ConsentAct]:
    """The noes that `separate` would record; nothing is written."""
    acts: list[ledger.ConsentAct] = []
    for side in sides:
        given = {
            _when(row) for handle in side for row in ledger.history(tx, handle) if row["kind"] == ConsentKind.EXPLICIT and not _carried(row)
        }
        for handle in side:
            lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in ledger.history(tx, handle):
                lines[row["purpose"]].append(row)
            for purpose, rows in lines.items():
                own = [row for row in rows if not _carried(row) or _when(row) in given]
                before, alone = (gate.fold([_event_of(row) for row in some]).code_at(now) for some in (rows, own))
                if before == gate.ALLOWED != alone:
                    state = (ConsentState.WITHDRAWN if alone == gate.WITHDRAWN else ConsentState.DENIED).value
                    acts.append(ledger.ConsentAct(handle, purpose, state, ConsentKind.EXPLICIT.value, now, now, by=by))
    return acts


def _carried(row: Mapping[str, Any]) -> bool:
    return "carried" in (row["evidence"] or {})


def _when(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return row["purpose"], row["effective_at"], row["received_at"]


def _event_of(row: Mapping[str, Any]) -> gate.Event:
    return gate.Event(row["state"], row["kind"], row["effective_at"], row["received_at"], row["valid_until"])
