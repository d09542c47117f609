"""What each role's start page tells: public facts, own counts, and what needs a look.

Promise: a marketer gets released numbers, prices and budgets and nothing exact about people; only whoever holds exact.read gets counts of
rows or acts. Never a value about a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app import access, acts, deliveries, facts, jobs, leaving, ownership, published
from app.accountability import controls
from ingestion import quality, quarantine

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

DAYS = 30
LATE = timedelta(days=2)
"""A source that sent nothing for this long is shown as late; what arrives and when is its owner's to judge."""


def of(services: Services, caller: Caller) -> dict[str, Any]:
    """The facts of the caller's start page."""
    return _PAGES[caller.role](services, caller)


# ── officer ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _officer(services: Services, caller: Caller) -> dict[str, Any]:
    now = services.clock()
    with services.read_console() as tx:
        size, signed_at = services.log_state(tx)
        held = sum(quarantine.count(tx).values())
        counted, _ = jobs.standing(tx)
        told = services.consent_by_day(tx, since=now - timedelta(days=DAYS))
    today = now.astimezone(services.settings.time_zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    purposes = sorted({purpose for _, purpose in told})
    return {
        "log": {"entries": size, "signed_at": signed_at},
        "quarantined": held,
        "failed_jobs": _in_state(counted, "failed"),
        "requests": services.rights.standing(),
        "controls": controls.counts(services),
        "minors_waiting": services.wards.waiting(),
        "exports_waiting": leaving.waiting(services),
        "recipients_late": len(deliveries.late(services)),
        "grants": sum(grants for grants, _ in told.values()),
        "withdrawals": sum(others for _, others in told.values()),
        "purposes": [
            {
                "purpose": purpose,
                "grants": sum(told.get((day, purpose), (0, 0))[0] for day in days),
                "withdrawals": sum(told.get((day, purpose), (0, 0))[1] for day in days),
            }
            for purpose in purposes
        ],
        "days": [
            {
                "day": day.isoformat(),
                "grants": sum(told.get((day, purpose), (0, 0))[0] for purpose in purposes),
                "withdrawals": sum(told.get((day, purpose), (0, 0))[1] for purpose in purposes),
            }
            for day in days
        ],
        "steps": _steps(services, caller),
    }


# ── integrator ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _integrator(services: Services, caller: Caller) -> dict[str, Any]:
    now = services.clock()
    today = now.astimezone(services.settings.time_zone).date()
    with services.read_console() as tx:
        hidden = ownership.hidden(tx, caller)
        arrived = quality.arrivals(tx, first=today - timedelta(days=DAYS - 1), last=today, zone=services.settings.zone)
        held: dict[str, int] = {}
        for (source, _), number in quarantine.count(tx).items():
            held[source] = held.get(source, 0) + number
    rows = [
        _source(one, [arrivals for (source, _), arrivals in arrived.items() if source == one["source"]], held, now)
        for one in acts.list_sources(services)
        if one["source"] not in hidden
    ]
    return {
        "sources": rows,
        "received": sum(row["received"] for row in rows),
        "stored": sum(row["stored"] for row in rows),
        "quarantined": sum(row["held"] for row in rows),
        "steps": _steps(services, caller),
    }


def _source(one: Mapping[str, Any], days: list[quality.Arrivals], held: Mapping[str, int], now: datetime) -> dict[str, Any]:
    last = max((day.last_received_at for day in days), default=None)
    state = "disabled" if one.get("disabled") else "silent" if last is None else "late" if now - last > LATE else "current"
    return {
        "source": one["source"],
        "page": f"/sources/{one['source']}",
        "name": one["name"],
        "kind": one["kind"],
        "state": state,
        "last_received": last,
        "received": sum(day.received for day in days),
        "stored": sum(day.verdicts.get("stored", 0) for day in days),
        "refused": sum(day.verdicts.get("refused", 0) for day in days),
        "held": held.get(one["source"], 0),
    }


# ── marketer ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _marketer(services: Services, caller: Caller) -> dict[str, Any]:
    gauge = published.gauge(services)
    return {
        "gauge": gauge,
        "free": published.free(services),
        "month": next(iter(gauge["items"]), None),
        "releases": published.releases(services, {}, me=caller.account_id, limit=5),
        "exports": leaving.mine(services, caller),
        "steps": _steps(services, caller),
    }


# ── administrator ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _administrator(services: Services, caller: Caller) -> dict[str, Any]:
    ready = facts.readiness(services)
    with services.read_console() as tx:
        counted, ended = jobs.standing(tx)
        people = access.accounts(tx)
    return {
        "ready": ready,
        "failing": [name for name, holds in ready.items() if not holds],
        "waiting_jobs": _in_state(counted, "queued") + _in_state(counted, "running"),
        "failed_jobs": _in_state(counted, "failed"),
        "accounts": sum(1 for one in people if not one["disabled"]),
        "inbox_age": services.inbox_age(),
        "ended": [{"kind": kind, "at": at} for kind, at in sorted(ended.items())],
        "steps": _steps(services, caller),
    }


def _in_state(counted: Mapping[tuple[str, str], float], state: str) -> int:
    return int(sum(number for (_, found), number in counted.items() if found == state))


# ── first use ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _steps(services: Services, caller: Caller) -> list[dict[str, Any]]:
    """The first five steps of a deployment, each with whether it is done; nothing once all are."""
    with services.read_console() as tx:
        roles = {str(one["role"]) for one in access.accounts(tx) if not one["disabled"]}
        counted, _ = jobs.standing(tx)
        purposes = bool(services.purposes(tx))
        came = services.anything_came(tx)
    steps = {
        "source": bool(acts.list_sources(services)),
        "purposes": purposes,
        "event": came,
        "import": any(kind == "import" and state == "done" for kind, state in counted),
        "colleague": len(roles) > 1,
    }
    return [] if all(steps.values()) else [{"step": name, "done": done} for name, done in steps.items()]


_PAGES: Mapping[str, Callable[[Services, Caller], dict[str, Any]]] = {
    "officer": _officer,
    "integrator": _integrator,
    "marketer": _marketer,
    "administrator": _administrator,
}
