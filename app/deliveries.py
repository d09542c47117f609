"""What has left, as the schedule, routes, pages and commands use it: carried, taken back, shown.

Promise: one round looks, makes removals and sends what is due, within bounded time; a recipient that fails stops nobody else's. Whatever dies
in between goes on in the next round. It tells ids, counts, states and codes; it must never learn who is in a part.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import logs
from privacy.errors import Invalid, PiyingError, Unavailable
from privacy.orm import from_micros, to_micros

if TYPE_CHECKING:
    from app.wiring import Services

DELIVER, LOOK = "deliver", "deliver_look"
"""Kinds of jobs: a round; the look at everybody, which finds what no act of a person tells."""
ROUND_SECONDS = 20.0
"""How long a round goes on beginning attempts: the worker has other work, and the rest waits for the next one."""
PAGE = 100
NEWEST = 20
"""Removals that a page shows beside the board."""
NAMELESS = {"key": "", "name_en": "", "name_zh": ""}


# ── the schedule ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def carry(services: Services, *, monotonic: Callable[[], float] = time.monotonic) -> Mapping[str, Any]:
    """One round."""
    door = services.deliveries
    counts: Counter[str] = Counter(called_back=door.call_back(), **door.notice())
    door.leave_out()
    counts.update(door.prepare())
    counts.update(_send(services, monotonic))
    door.settle()
    counts["alarms"] = len(door.alarm())
    return {name: number for name, number in counts.items() if number}


def look(services: Services) -> Mapping[str, Any]:
    """Looks at everybody, and forgets what is over."""
    return {**services.deliveries.notice(everybody=True), "forgotten": services.deliveries.sweep()}


def _send(services: Services, monotonic: Callable[[], float]) -> Counter[str]:
    """Parts of all recipients in turn, so that a long list keeps nobody waiting."""
    counts: Counter[str] = Counter()
    until, turn = monotonic() + ROUND_SECONDS, services.deliveries.due()
    while turn and monotonic() < until:
        going = []
        for recipient in turn:
            state = _one(services, recipient)
            if state:
                counts[state] += 1
                going.append(recipient)
        turn = going
    return counts


def _one(services: Services, recipient: str) -> str | None:
    """The next part of one recipient; a failure of its own stays with it."""
    try:
        carrier, way, key = services.carrier(recipient)
        state: str | None = services.deliveries.send(recipient, carrier, way=way, sealed_for=key)
    except Unavailable:
        raise  # a store of ours is away: the round is over
    except PiyingError as error:
        logs.event("delivery_failed", recipient=recipient, code=error.code)
        return None
    return state


# ── people who are taken out ───────────────────────────────────────────────────────────────────────────────────────────────────


def erased(services: Services, people: Sequence[bytes]) -> dict[str, int]:
    """Recipients are told to let go of somebody who is erased; what nobody got is forgotten."""
    counts: dict[str, int] = services.deliveries.tell(people, "erased")
    services.deliveries.prepare()
    return counts


# ── showing and acting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def board(services: Services) -> list[dict[str, Any]]:
    """For each recipient: its parts by state, its pause, who waits to be taken out, measured latency, whether it is blocked."""
    names = names_of(services)
    return [names.get(one["recipient"], NAMELESS) | one for one in services.deliveries.board()]


def overview(services: Services, *, cursor: str | None = None, **wanted: str) -> dict[str, Any]:
    """What one page shows: the board, a page of parts, the newest removals, and the hours that a recipient has."""
    newest = services.deliveries.removals(limit=NEWEST)
    made = [
        one
        | {
            "made": datetime.fromisoformat(one["made_at"]),
            "acknowledged": datetime.fromisoformat(one["acknowledged_at"]) if one["acknowledged_at"] else None,
        }
        for one in newest
    ]
    hours = services.settings.delivery.acknowledge_hours
    page = listing(services, cursor=cursor, limit=PAGE, **wanted)
    return page | {"board": board(services), "removals": made, "hours": hours}


def shown(services: Services, delivery: str) -> dict[str, Any]:
    """One part, and how its recipient is called."""
    found = one(services, delivery)
    return found | names_of(services).get(found["recipient"], NAMELESS)


def names_of(services: Services) -> dict[str, dict[str, str]]:
    """Recipient's id → how it is called."""
    shown = ("key", "name_en", "name_zh")
    return {one["id"]: {name: one[name] for name in shown} for one in services.recipients.listing()}


def listing(services: Services, *, cursor: str | None = None, limit: int = PAGE, **wanted: str) -> dict[str, Any]:
    """A page of parts, newest first."""
    found = services.deliveries.listing(before=_place(cursor), limit=limit + 1, **wanted)
    return _page(found, limit, "queued_at")


def removals(services: Services, *, cursor: str | None = None, limit: int = PAGE, recipient: str = "") -> dict[str, Any]:
    """A page of removals with their signed manifests, newest first."""
    found = services.deliveries.removals(before=_place(cursor), limit=limit + 1, recipient=recipient)
    return _page(found, limit, "made_at")


def one(services: Services, delivery: str) -> dict[str, Any]:
    """One part."""
    told: dict[str, Any] = services.deliveries.one(delivery)
    return told


def replay(services: Services, *, actor: str, recipient: str = "", delivery: str = "") -> dict[str, Any]:
    """Queues dead parts again: one, those of a recipient, or all."""
    return {"replayed": services.deliveries.replay(actor=actor, recipient=recipient or None, delivery=delivery or None)}


def acknowledge(services: Services, delivery: str, *, actor: str) -> dict[str, Any]:
    """Notes that the recipient said by another way that it has a part."""
    told: dict[str, Any] = services.deliveries.acknowledge(delivery, actor=actor)
    return told


def fetch(services: Services, delivery: str, *, actor: str) -> tuple[str, bytes, str]:
    """A part of a removal, sealed for its recipient: the file's name, its bytes, and our signature over them."""
    _, _, key = services.carrier(services.deliveries.one(delivery)["recipient"])
    parcel = services.deliveries.fetch(delivery, sealed_for=key, actor=actor)
    return parcel.name, parcel.body, parcel.signature


def late(services: Services) -> list[str]:
    """Recipients that have not acknowledged a removal in time."""
    return [one["recipient"] for one in services.deliveries.board() if one["blocked"]]


def _page(found: list[dict[str, Any]], limit: int, at: str) -> dict[str, Any]:
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else f"{to_micros(datetime.fromisoformat(last[at]))}-{last['id']}"
    return {"items": found[:limit], "next": following}


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    moment, _, id_ = cursor.partition("-")
    with suppress(ValueError, OverflowError):
        if moment.isascii() and moment.isdigit() and len(moment) <= 18 and id_:
            return from_micros(int(moment)), id_
    raise Invalid("the cursor is not one of ours", code="bad_cursor", field="cursor")
