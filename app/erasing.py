"""Erasure, as the request register, routes, pages, commands and the worker use it: planned, begun, followed, certified.

Promise: an erasure that was begun ends, whatever dies in between; the key of the person goes first; the certificate says what was seen
when every store was looked at again, and is not made where anything was left. Learns a console handle, counts and instants, never an identifier.

For the register of requests:

- `plan(services, handle, actor=…)` is the dry run: {"stores": [{"store", "method", "found"}], "kept": [{"what", "rows", "why", "law",
  "at_least", "until"}], "steps"}. Nothing is changed; that it was looked at is in the log.
- `begin(services, handle, actor=…, approved_by=…, request=…)` gives the erasure's id ("era_…") and queues its job. `approved_by` is a second
  officer (`second_person_needed` otherwise); `request` is the register's own id and makes a repeated call give the same erasure.
- `state(services, erasure)` tells {"erasure", "request", "state": running|done, "step", "steps": [{"step", "at", "counts"}], "error",
  "begun_at", "done_at"}; raises NotFound (`erasure_unknown`).
- `certificate(services, erasure)` gives {"erasure", "certificate" (a compact JWS), "document"}; raises Conflict (`erasure_not_done`) before.

`handle` is a person's console handle, as `app.cases.open_` and a case's look give it (32 hexadecimal digits).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app import jobs, journal, remains
from privacy.errors import Conflict, PiyingError

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from app.wiring import Services
    from privacy.rights.erasure import Subject
    from privacy.rights.erasures import Erasure

ERASURE = "erasure"
"""The job's kind; the schedule runs it too, so that what failed is tried again."""
CERTIFICATE = "certificate"
ORDER = (*(name for name, _ in remains.STEPS), CERTIFICATE)
METHODS = {place.name: place.method for place in remains.LOOKED}


# ── planned and begun ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(services: Services, handle: str, *, actor: str) -> dict[str, Any]:
    """The dry run: what stands where, what goes how, what stays and why."""
    subject = services.erasures.meet(handle, actor=actor)
    stores = [
        {"store": place.name, "method": place.method, "found": place.look(services, [subject])[0]}
        for place in remains.LOOKED
        if place is not remains.MARKS
    ]
    return {"stores": stores, "kept": _kept(services, subject), "steps": list(ORDER)}


def begin(services: Services, handle: str, *, actor: str, approved_by: str, request: str | None = None) -> str:
    """Begins an erasure and queues its job; a request has one erasure, however often it is begun."""

    def queue(tx: sa.Connection, erasure: str) -> None:
        jobs.enqueue(tx, ERASURE, {"erasure": erasure}, by=actor, now=services.clock(), key=f"erasure:{erasure}")

    begun: str = services.erasures.begin(handle, actor=actor, approved_by=approved_by, request=request, also=queue)
    return begun


# ── followed ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def state(services: Services, erasure: str) -> dict[str, Any]:
    """How far an erasure has come."""
    told: dict[str, Any] = services.erasures.one(erasure).document(ORDER)
    return told


def listing(services: Services, *, before: tuple[datetime, str] | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """All erasures, newest first."""
    return [one.document(ORDER) for one in services.erasures.page(before=before, limit=limit)]


def certificate(services: Services, erasure: str) -> dict[str, Any]:
    """The signed certificate of an erasure that is over, and what it says."""
    found = services.erasures.one(erasure)
    if found.certificate is None:
        raise Conflict("the erasure is not over yet", code="erasure_not_done")
    return {"erasure": found.id, "certificate": found.certificate, "document": opened(found.certificate)}


# ── done ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(
    services: Services,
    job: jobs.Claimed | None = None,
    *,
    steps: Sequence[tuple[str, Sequence[remains.Place]]] = remains.STEPS,
    looked: Sequence[remains.Place] = remains.LOOKED,
) -> Mapping[str, Any]:
    """Takes every erasure that runs through its steps, all together, and certifies each. What is waited for raises Unavailable at the end."""
    running = services.erasures.running()
    services.erasures.sweep([one.id for one in running])
    waits: PiyingError | None = None
    for number, (step, places) in enumerate(steps, 1):
        todo = services.erasures.running(before=step)
        if todo:
            try:
                _step(services, step, places, todo)
            except PiyingError as error:
                waits = error
                services.erasures.fail(todo, error.code)
                break
        _report(services, job, number)
    done = _certify(services, [one for one in services.erasures.running() if len(one.steps) == len(steps)], looked)
    if waits is not None:
        raise waits
    return {"erasures": len(running), "certified": done}


def _step(services: Services, step: str, places: Sequence[remains.Place], todo: Sequence[Erasure]) -> None:
    """One step of all who are at it; it is noted when its places are clear."""
    subjects = services.erasures.subjects(todo)
    counts: list[dict[str, int]] = [{} for _ in todo]
    for place in places:
        for told, more in zip(counts, place.erase(services, subjects), strict=True):
            told |= more
    if step == "vault":
        services.stores.vault_owner.scrub(("data_key", "identifier", "person"))
    if step == "shred":
        journal.keep(services.settings.keys_path, services.erasures.everyone())
    services.erasures.note(step, todo, counts)


def _certify(services: Services, ready: Sequence[Erasure], looked: Sequence[remains.Place]) -> int:
    """Looks again everywhere once for all who are ready; what came in between the steps is erased once more. Who stands still gets no certificate."""
    if not ready:
        return 0
    subjects = services.erasures.subjects(ready)
    stores: list[list[dict[str, Any]]] = [[] for _ in ready]
    for place in looked:
        left = list(place.look(services, subjects))
        again = [number for number, rows in enumerate(left) if rows]
        if again:
            late = [subjects[number] for number in again]
            place.erase(services, late)
            for number, rows in zip(again, place.look(services, late), strict=True):
                left[number] = rows
        at = services.clock().isoformat()
        for told, rows in zip(stores, left, strict=True):
            told.append({"store": place.name, "method": place.method, "left": rows, "looked_at": at})
    return sum(_sign(services, one, subject, told) for one, subject, told in zip(ready, subjects, stores, strict=True))


def _sign(services: Services, one: Erasure, subject: Subject, stores: list[dict[str, Any]]) -> int:
    controller = services.settings.controller
    facts = {"stores": stores, "kept": _kept(services, subject)}
    try:
        services.erasures.certify(one, subject, facts, {"name": controller.name, "contact": controller.contact})
    except Conflict:
        return 0  # the door has noted it beside the erasure and in the log; the schedule tries again
    return 1


def _kept(services: Services, subject: Subject) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = services.erasures.kept(subject, data_key_days=services.settings.retention.data_key_days)
    return kept


def opened(jws: str) -> dict[str, Any]:
    """What a certificate of ours says; whoever wants it checked gives it to the verifier."""
    payload = jws.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return said


def _report(services: Services, job: jobs.Claimed | None, done: int) -> None:
    if job is not None:
        with services.begin_jobs() as tx:
            jobs.progress(tx, job, done=done, total=len(ORDER), now=services.clock())


# ── a new relationship ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def welcome(services: Services, type_: str, value: str, *, proof: str, actor: str, namespace: str = "") -> dict[str, Any]:
    """Somebody who was erased proved that a new relationship begins: their identifier counts again, and nothing from before."""
    lifted = services.erasures.welcome(type_, value, proof=proof, actor=actor, namespace=namespace)
    journal.lift(services.settings.keys_path, lifted, services.clock())
    return {"lifted": len(lifted)}
