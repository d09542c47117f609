"""Who once allowed one of some purposes and allows none of them any more, told by the ledger's projection and its acts.

Promise: reads only; whoever never said yes is not in it. Merges are the caller's to follow.
It must never learn an identifier or a person's ID.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from privacy.consent.ledger import ConsentEventRow, ConsentStateRow
from privacy.vocabulary import ConsentState

_EVENT: Any = ConsentEventRow.__table__
_STATE: Any = ConsentStateRow.__table__
GRANTED = ConsentState.GRANTED.value


def handles(tx: sa.Connection, purposes: Iterable[str], now: int) -> list[bytes]:
    """The handles of those who once allowed one of these purposes and allow none of them now (µs)."""
    wanted = sorted(purposes)
    holds = sa.and_(_STATE.c.allowed, _STATE.c.since <= now, sa.or_(_STATE.c.expires.is_(None), _STATE.c.expires > now))
    over = sa.select(_STATE.c.handle).where(_STATE.c.purpose.in_(wanted)).group_by(_STATE.c.handle)
    none = over.having(sa.func.max(sa.case((holds, 1), else_=0)) == 0).subquery()
    yes = sa.select(_EVENT.c.seq).where(_EVENT.c.handle == none.c.handle, _EVENT.c.purpose.in_(wanted), _EVENT.c.state == GRANTED)
    return [bytes(one) for one in tx.execute(sa.select(none.c.handle).where(yes.exists())).scalars()]


def once_allowed(tx: sa.Connection, people: Collection[bytes], purposes: Iterable[str]) -> set[bytes]:
    """Those of these handles that a yes to one of these purposes was recorded for."""
    asked = sa.select(_EVENT.c.handle).where(_EVENT.c.handle.in_(list(people)), _EVENT.c.purpose.in_(sorted(purposes)))
    return {bytes(one) for one in tx.execute(asked.where(_EVENT.c.state == GRANTED).distinct()).scalars()}
