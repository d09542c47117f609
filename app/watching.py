"""Live events as pages and routes show them: opened by a named account, for minutes, for its own source.

Promise: opening is an entry in the log, in the transaction that opens; without a watch of one's own there is nothing to read, also where a
colleague watches the same source. What is read is de-identified, and the same whoever a message was about (decision 0023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app import ownership
from ingestion import live, registry
from privacy.errors import NotFound
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from app.access import Caller
    from app.wiring import Services

MINUTES = live.LASTS.seconds // 60
MOST = live.KEPT


def open_(services: Services, source_id: str, *, caller: Caller) -> dict[str, Any]:
    """Begins the caller's watch of a source; one that runs goes on as it is."""
    now = services.clock()
    with services.begin_console() as tx:
        one = _own(tx, source_id, caller)
        ends = live.ends_at(tx, source_id, caller.account_id, now)
        if ends is None:
            ends = live.begin(tx, source_id, caller.account_id, now)
            facts = {"source": source_id, "minutes": MINUTES}
            services.log(tx, LogKind.READ, "source.live", actor=caller.account_id, facts=facts)
    services.ring.look_again()
    return {"source": source_id, "name": one.facts.name, "ends_at": ends}


def rows(services: Services, source_id: str, applied: Mapping[str, str], *, caller: Caller) -> dict[str, Any]:
    """The ring's rows that match, newest first; raises NotFound unless the caller watches."""
    with services.read_console() as tx:
        one = _own(tx, source_id, caller)
        ends = live.ends_at(tx, source_id, caller.account_id, services.clock())
        if ends is None:
            raise NotFound("the watch is over, or was never opened", code="live_closed")
        found = live.newest(tx, source_id)
    return {"source": source_id, "name": one.facts.name, "ends_at": ends, "items": [row for row in found if _matches(row, applied)]}


def end(services: Services, source_id: str, *, caller: Caller) -> dict[str, Any]:
    """Ends the caller's watch; the ring goes with the last one."""
    with services.begin_console() as tx:
        _own(tx, source_id, caller)
        live.end(tx, source_id, caller.account_id, services.clock())
    services.ring.look_again()
    return {"source": source_id, "ended": True}


def _own(tx: sa.Connection, source_id: str, caller: Caller) -> registry.Listed:
    one = registry.get(tx, source_id)
    ownership.check(tx, source_id, caller)
    return one


def words(row: Mapping[str, Any]) -> list[str]:
    """What a row tells beside its kind, as it is written: column: word."""
    return [f"{column}: {word}" for column, word in row["columns"].items() if column != "event"]


def kind(row: Mapping[str, Any]) -> str:
    """What a row is called: the event's word, or its record."""
    return str(row["columns"].get("event") or row["record"] or "")


def _matches(row: Mapping[str, Any], applied: Mapping[str, str]) -> bool:
    sought = applied.get("q", "").casefold()
    return (
        applied.get("type", kind(row)) in (kind(row), row["record"])
        and applied.get("outcome", row["outcome"]) == row["outcome"]
        and (not sought or any(sought in one.casefold() for one in [*words(row), kind(row), row["path"] or "", row["rule"] or ""]))
    )


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a program gets it."""
    minute: datetime = row["minute"]
    return {**row, "minute": minute.isoformat()}
