"""Which categories of data people's consent does not reach yet, because a notice added them later: read where a batch comes in.

Promise: nothing is asked of the ledger unless some notice did add something; what is remembered of the notices is as fresh as their number,
since a published notice is never changed. The fold is the gate's, of those grants alone that cover the category. It must never learn who
the people are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from privacy.consent import gate, ledger, registry, scope
from privacy.consent.gate import Lines
from privacy.consent.ledger import HANDLE_BYTES, ConsentAct, ConsentEventRow
from privacy.consent.registry import NoticeRow
from privacy.consent.scope import Scope

_EVENT: Any = ConsentEventRow.__table__
_COUNT = sa.select(sa.func.count()).select_from(NoticeRow)
_FIELDS = ("state", "kind", "effective_at", "received_at", "valid_until", "notice", "evidence")


class Added:
    """The scopes of purposes to which a notice added categories. Shared by the threads of a process."""

    def __init__(self) -> None:
        self._known: tuple[int, Mapping[str, Scope]] = (0, {})

    def of(self, tx: sa.Connection) -> Mapping[str, Scope]:
        """Purpose → scope, only where some consent does not reach everything."""
        number = int(tx.execute(_COUNT).scalar_one())
        if number != self._known[0]:
            found = scope.scopes(registry.notices(tx), {key: one.written for key, one in registry.purposes(tx).items()})
            self._known = (number, {key: one for key, one in found.items() if one.added() or one.renewed})
        return self._known[1]


def lines(
    tx: sa.Connection,
    handles: bytes,
    purpose: str,
    covered: Scope,
    categories: Collection[str],
    *,
    pending: Sequence[ConsentAct] = (),
    aliases: Mapping[bytes, Sequence[bytes]] | None = None,
) -> dict[str, Lines]:
    """By category the lines of people whose handles stand side by side, as if `pending` had been recorded. "" is the purpose as a whole."""
    blocks = [handles[start : start + HANDLE_BYTES] for start in range(0, len(handles), HANDLE_BYTES)]
    others = {one: [each for each in (aliases or {}).get(one, ()) if each != one] for one in blocks}
    rows = _rows(tx, [*blocks, *(each for many in others.values() for each in many)], purpose)
    for act in ledger.settled(tx, [one for one in pending if one.purpose == purpose]):
        event = ledger.event_of(act)
        told = (act.state, act.kind, event.effective, act.received, act.valid_until, act.notice, act.evidence)
        rows[act.handle].append(dict(zip(_FIELDS, told, strict=True)))
    made = {}
    for category in categories:
        folded = []
        for one in blocks:
            said = [rows[each] for each in (one, *others[one]) if each in rows]
            folded.append(gate.strictest([scope.timeline(each, covered, category or None) for each in said]) if said else None)
        made[category] = gate.lines_of(folded)
    return made


def _rows(tx: sa.Connection, handles: Collection[bytes], purpose: str) -> defaultdict[bytes, list[dict[str, Any]]]:
    """The acts of many people about one purpose. They go in as one list: no limit of parameters."""
    if tx.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps([handle.hex() for handle in handles])).table_valued("value")
        given: Any = sa.select(sa.func.unhex(listed.c.value))
    else:
        given = sa.select(sa.func.unnest(sa.cast(list(handles), postgresql.ARRAY(postgresql.BYTEA))))
    asked = sa.select(_EVENT.c.handle, *(_EVENT.c[name] for name in _FIELDS)).where(_EVENT.c.purpose == purpose, _EVENT.c.handle.in_(given))
    found: defaultdict[bytes, list[dict[str, Any]]] = defaultdict(list)
    for handle, *told in tx.execute(asked):
        found[bytes(handle)].append(dict(zip(_FIELDS, told, strict=True)))
    return found


def unreached(tx: sa.Connection, purpose: str, now: int) -> bytes:
    """The handles, side by side, of those who allow a purpose that was asked for anew by acts from before; nearly always nobody."""
    notices = registry.notices(tx)
    covered = scope.scopes(notices, {purpose: False})[purpose]
    if not covered.renewed:
        return b""
    allowing = ledger.allowed_handles(tx, purpose, now)
    rows = _rows(tx, [allowing[start : start + HANDLE_BYTES] for start in range(0, len(allowing), HANDLE_BYTES)], purpose)
    return b"".join(handle for handle, said in rows.items() if scope.timeline(said, covered).code_at(now) != gate.ALLOWED)
