"""What whoever runs the house looks at: jobs, settings, health; for pages, routes and commands alike.

Promise: who may not see exact numbers sees steps of a job and not its rows, and then only own jobs; an integrator sees the counts of own
jobs. An address or a secret among the settings is told as set or not set. Nothing here changes anything, or says anything about a person.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import asking, doctor, jobs, uploads
from app.settings import origins
from privacy.errors import Conflict, Invalid, NotFound
from privacy.orm import from_micros, to_micros
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.access import Caller
    from app.wiring import Services

PAGE = 50
SLOW_CHECKS = frozenset({"access log", "lake", "accounting"})
"""Checks that read as much as there is; a page that opens at once leaves them to whoever asks for them."""
CANCELLABLE = {uploads.IMPORT: ("queued", "running"), asking.ASK: ("queued",)}
"""Kinds of jobs that may be cancelled, and in which state: an import stops after a chunk; a question that runs may have been charged."""
_STEPS = ("id", "kind", "state", "error_code", "attempt", "created_by", "created_at", "finished_at")


# ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def job(services: Services, job_id: str, caller: Caller) -> dict[str, Any]:
    """One job; raises NotFound also for another's where the caller sees only own ones (dp_rules X-3)."""
    with services.read_console() as tx:
        found = jobs.find(tx, job_id)
    if found["created_by"] != caller.account_id and not _sees_all(caller):
        raise NotFound("no such job", code="job_unknown")
    return _shown(found, caller)


def job_list(
    services: Services, caller: Caller, *, cursor: str | None = None, kind: str | None = None, state: str | None = None, limit: int = PAGE
) -> dict[str, Any]:
    """A page of jobs, newest first."""
    own = None if _sees_all(caller) else caller.account_id
    with services.read_console() as tx:
        found = jobs.listing(tx, before=_place(cursor), kind=kind, state=state, created_by=own, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = None if last is None else f"{to_micros(last['created_at'])}-{last['id']}"
    return {"items": [_shown(one, caller) for one in found[:limit]], "next": following}


def cancel_job(services: Services, job_id: str, *, caller: Caller) -> dict[str, Any]:
    """Calls a job off; what an import has stored stays until it is undone. Raises Conflict for one that cannot be, or no more."""
    with services.begin_console() as tx:
        kind, state, arguments = jobs.task(tx, job_id)
        before = jobs.cancel(tx, job_id, now=services.clock()) if state in CANCELLABLE.get(kind, ()) else ""
        if not before:
            raise Conflict("the job is over, or of a kind that is not cancelled", code="job_not_cancellable")
        services.log(tx, LogKind.CONFIG, "job.cancel", actor=caller.account_id, facts={"job": job_id, "job_kind": kind})
    if kind == uploads.IMPORT:
        with suppress(Conflict):  # the import ended in between: then there is nothing left to call off
            uploads.cancel(services, str(arguments["import"]), actor=caller.account_id, idle=before == "queued")
    return job(services, job_id, caller)


def _sees_all(caller: Caller) -> bool:
    return bool({"exact.read", "job.edit"} & caller.permissions)


def _counts_too(caller: Caller, created_by: str) -> bool:
    """An integrator's exact numbers are those of own sources; the jobs of others may have read any source."""
    return "exact.read" in caller.permissions and (caller.role != "integrator" or created_by == caller.account_id)


def _shown(found: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    exact = _counts_too(caller, found["created_by"])
    told: dict[str, Any] = {name: found[name].isoformat() if isinstance(found[name], datetime) else found[name] for name in _STEPS}
    told |= {name: found[name] if exact else None for name in ("done", "total", "counts")}
    cancellable = found["state"] in CANCELLABLE.get(found["kind"], ())
    return told | {"release": found["counts"].get("release"), "cancellable": cancellable}


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    micros, _, job_id = cursor.partition("-")
    if not (micros.isascii() and micros.isdecimal()) or len(micros) > 18 or not job_id.startswith("job_"):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="cursor")
    return from_micros(int(micros)), job_id


# ── settings ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def settings(services: Services) -> list[dict[str, Any]]:
    """Every setting that is in force, where it comes from and why its default is what it is; of an address only whether it is set."""
    known = origins(services.settings.home)
    return [
        {
            "key": one["key"],
            "value": None if one["secret"] and one["value"] else _words(one["value"]),
            "default": _words(one["default"]),
            "origin": known.get(one["key"], "default"),
            "unit": one["unit"],
            "reason": one["reason"],
        }
        for one in services.settings.listing()
    ]


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


# ── health ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def health(services: Services, *, everything: bool = False) -> dict[str, Any]:
    """What the doctor saw just now, what comes when, how old the inbox is, how much disk is left, which keys there are."""
    checks = doctor.examine(services, leave_out=frozenset() if everything else SLOW_CHECKS)["checks"]
    with services.read_console() as tx:
        _, ended = jobs.standing(tx)
        scheduled = jobs.schedule(tx)
    return {
        "ok": all(check["ok"] for check in checks),
        "checks": checks,
        "schedule": [
            {
                "kind": one.kind,
                "every_seconds": one.every_seconds,
                "next_at": one.next_at.isoformat(),
                "last_done_at": ended[one.kind].isoformat() if one.kind in ended else None,
            }
            for one in scheduled
        ],
        "keys": _keys(services),
        "inbox_age": services.inbox_age(),
        "inbox_limit": services.settings.limits.inbox_age,
        "disk_free": shutil.disk_usage(services.settings.home).free // 2**20,
        "disk_limit": services.settings.limits.disk_free,
    }


def _keys(services: Services) -> list[dict[str, Any]]:
    """Kinds of keys with their number of versions and the newest; never a key."""
    found: dict[str, dict[str, Any]] = {}
    for kind, version, created, _ in services.open_keyring().inventory():
        told = found.setdefault(kind, {"kind": kind, "versions": 0, "newest": version, "newest_at": created.isoformat()})
        told["versions"] += 1
        told |= {"newest": version, "newest_at": created.isoformat()}
    return list(found.values())
