"""Stored audiences and why somebody is in a segment, as routes, pages, commands and jobs use them.

Promise: an audience is made from a version of a segment that may be used now, is found again by the schedule, and shows when, never how many: its
size is the segment's own release (dp_rules X-8). An officer's look at one person is logged before anything is read and told from that
person's own rows; a person is told the same in their own copy (PIPL 24(3), 48). Learns people in memory as doors hand them on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analytics.segments import trace
from analytics.segments.parse import parse
from analytics.segments.sentence import LANGUAGES, sentence
from app import jobs, packing, segments
from app.repeats import Also, nothing_more
from privacy.errors import Conflict, Invalid, PiyingError, Raced, Unavailable

if TYPE_CHECKING:
    from analytics.audiences import Look
    from analytics.segments.definition import Definition
    from app.wiring import Services
    from privacy.export.members import Kept
    from privacy.records import Audience

KEEP: Final = "audiences"
"""The job of the schedule: sweeps every audience, finds the people of those that are due, ends those that are over."""
FIND: Final = "audience"
"""The job that finds the people of one audience now."""
CONTINUOUS: Final = "continuous"
SCHEDULE: Final = "schedule"
PREFIX: Final = "aud_"
LATE: Final = 2
"""A continuous audience that was not found for so many of its intervals is late."""

# ── the register ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make(services: Services, body: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
    """Enters an audience and queues the finding of its people: {segment, version?, name?, kind?, hours?, days?}."""
    wanted = segments.permitted(services, str(body["segment"]), body.get("version"))
    needs = services.audiences.check(wanted, services.clock())
    named = segments.one(services, wanted.segment, wanted.version)["name"]
    given = {
        "name": body.get("name") or named, "segment": wanted.segment, "version": wanted.version, "digest": wanted.digest,
        "purpose": wanted.purpose, "use": wanted.use, "tags": needs.tags, "youth_signal": needs.youth_signal,
        "kind": body.get("kind") or "continuous", "hours": body.get("hours", 24), "days": body.get("days", 180),
    }  # fmt: skip
    unseen = {"fresh": "waiting", "next_at": None}
    made: dict[str, Any] = services.kept.make(given, actor=actor, also=lambda tx, told: also(tx, {**told, **unseen}))
    _queue(services, made["id"], actor)
    return made | unseen


def listing(services: Services, *, segment: str = "", state: str = "") -> list[dict[str, Any]]:
    """Audiences, the newest first, each with how fresh it is."""
    return [_told(services, one) for one in services.kept.listing(segment=segment, state=state)]


def one(services: Services, id_: str) -> dict[str, Any]:
    """An audience with its segment's sentence; raises NotFound."""
    kept = services.kept.one(id_)
    made_of = segments.one(services, kept.segment, kept.version)
    return _told(services, kept) | {"segment_name": made_of["name"], "sentence": made_of["sentence"]}


def refresh_later(services: Services, id_: str, *, actor: str) -> dict[str, Any]:
    """Queues the finding of an audience's people now."""
    kept = services.kept.one(id_)
    if kept.state != "active":
        raise Conflict("the audience has ended", code="audience_ended", field="audience")
    if kept.kind == "static" and kept.refreshed_at is not None:
        raise Conflict("a static audience is made once: make another one", code="audience_static", field="audience")
    return {"job": _queue(services, id_, actor)}


def end(services: Services, id_: str, *, actor: str) -> dict[str, Any]:
    """Ends an audience; everything about its people goes with it."""
    services.kept.end(id_, actor=actor)
    return _told(services, services.kept.one(id_))


def count(services: Services, id_: str, *, actor: str) -> dict[str, Any]:
    """How many people stand in it; exact, for officers."""
    return {"audience": id_, "people": services.kept.count(id_, actor=actor), "at": services.clock().isoformat()}


def opened(services: Services, id_: str) -> Audience:
    """The people of a stored audience, for the gate alone; a review that ended ends the use."""
    kept = services.kept.one(id_)
    segments.permitted(services, kept.segment, kept.version)
    local = services.clock().astimezone(services.settings.time_zone)
    made: Audience = services.audiences.stored(**services.kept.opened(id_, local.year * 100 + local.month))
    return made


def lineage(services: Services, id_: str) -> dict[str, Any]:
    """What an audience is for, as it was made."""
    kept = services.kept.one(id_)
    return {"id": kept.id, "purpose": kept.purpose, "use": kept.use, "version": kept.version}


def _queue(services: Services, id_: str, actor: str) -> str:
    with services.begin_jobs() as tx:
        return jobs.enqueue(tx, FIND, {"audience": id_}, by=actor, now=services.clock())


def _told(services: Services, kept: Kept) -> dict[str, Any]:
    """An audience as it is shown: how fresh it is, and when it is found again."""
    following = None
    if kept.state == "active" and kept.kind == CONTINUOUS and kept.refreshed_at is not None:
        following = kept.refreshed_at + timedelta(hours=kept.hours)
    return kept.document() | {"fresh": _fresh(kept, services.clock()), "next_at": following and following.isoformat()}


def _fresh(kept: Kept, now: datetime) -> str:
    if kept.state != "active":
        return "ended"
    if kept.refreshed_at is None:
        return "failed" if kept.code else "waiting"
    if kept.code:
        return "failed"
    late = kept.kind == CONTINUOUS and kept.refreshed_at + timedelta(hours=LATE * kept.hours) < now
    return "late" if late else "fresh"


# ── the schedule ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_job(services: Services, job: jobs.Claimed) -> Mapping[str, Any]:
    """Finds the people of one audience; a job's row tells no number of people."""
    _find(services, str(job.arguments["audience"]), job.created_by)
    return {"audience": job.arguments["audience"]}


def keep(services: Services) -> Mapping[str, Any]:
    """Ends what is over, finds whose time has come, takes out of all others whoever may not be there; counts audiences, never people."""
    due, over = services.kept.due()
    for kept in over:
        services.kept.end(kept.id, actor=SCHEDULE)
    found = 0
    for kept in due:
        try:
            _find(services, kept.id, SCHEDULE)
            found += 1
        except (Unavailable, Raced):
            raise
        except PiyingError:
            continue
    mine = {kept.id for kept in due}
    others = [kept for kept in services.kept.listing(state="active") if kept.id not in mine]
    for kept in others:
        services.kept.sweep(kept.id, actor=SCHEDULE)
    services.kept.expire(actor=SCHEDULE)
    return {"ended": len(over), "found": found, "failed": len(due) - found, "swept": len(others)}


def _find(services: Services, id_: str, actor: str) -> None:
    """Finds the people of an audience; where its segment may not be used any more, that is noted and the people there are swept all the same."""
    kept = services.kept.one(id_)
    try:
        wanted = segments.permitted(services, kept.segment, kept.version)
        services.kept.refresh(id_, services.audiences.of(wanted, services.clock()), actor=actor)
    except (Unavailable, Raced):
        raise
    except PiyingError as error:
        services.kept.failed(id_, error)
        services.kept.sweep(id_, actor=actor)
        raise


# ── why somebody is in a segment ───────────────────────────────────────────────────────────────────────────────────────────────


def of_case(
    services: Services, case: str, *, actor: str, segment: str = "", version: int | None = None, audience: str = ""
) -> dict[str, Any]:
    """The audiences in which the person of an officer's case stands or stood; with `segment` why they are in it now or are not, with `audience` why
    they were in that one when they were last found there."""
    kept = services.kept.one(audience) if audience else None
    wanted = _definition(services, kept, segment, version)
    named = {} if wanted is None else {"segment": wanted.segment, "version": wanted.version}
    told: dict[str, Any] = services.cases.look(
        case, actor=actor, parts=("audiences",), months=packing.months(services), about=named | ({"audience": audience} if audience else {})
    )
    persons, names = told.pop("people", ()), told.pop("names", None)
    found = services.kept.of(persons) if persons else []
    why: dict[str, Any] | None = None
    if wanted is not None and kept is not None:
        rows = next((rows for one, rows in found if one.id == kept.id), [])
        why = _explained(services, wanted, names, _moment(kept, rows) or services.clock()) | {"audience": kept.id, "stood": bool(rows)}
    elif wanted is not None:
        why = _explained(services, wanted, names, services.clock()) | {"audience": None, "stood": None}
    return {"case": told, "audiences": [_placed(services, one, rows) for one, rows in found], "why": why}


def of_person(services: Services, people: Sequence[bytes], names: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """For somebody's own copy: the audiences in which they stand or stood, and what of their own data put them there, part by part."""
    placed: list[dict[str, Any]] = []
    because: list[dict[str, Any]] = []
    for kept, rows in services.kept.of(people):
        placed.append(_placed(services, kept, rows))
        at = _moment(kept, rows)
        if at is None:
            continue
        head = {"audience": kept.id, "name": kept.name, "segment": kept.segment, "version": kept.version}
        try:
            told = _explained(services, segments.definition(services, kept.segment, kept.version), names, at)
        except (Unavailable, Raced):
            raise
        except PiyingError as error:
            because.append(head | {"not_used": error.code})
            continue
        head |= {name: told[name] for name in ("at", "asked", "inside", "model")}
        because += [head | _flat(step) for step in told["steps"]] or [head]
    return placed, because


def _definition(services: Services, kept: Kept | None, segment: str, version: int | None) -> Definition | None:
    """What is to be explained. That a use is not permitted any more is no reason not to explain it (PIPL 24(3))."""
    if kept is not None:
        if segment:
            raise Invalid("ask about a segment or about an audience", code="explanation_two", field="audience")
        return segments.definition(services, kept.segment, kept.version)
    return segments.definition(services, segment, version) if segment else None


Row = tuple[datetime, datetime | None]


def _moment(kept: Kept, rows: Sequence[Row]) -> datetime | None:
    """When somebody was last found to be meant: in a static audience and of who left when they came in, else when its people were last found."""
    if not rows:
        return kept.refreshed_at
    return kept.refreshed_at if _inside(rows) and kept.kind == CONTINUOUS else max(since for since, _ in rows)


def _inside(rows: Sequence[Row]) -> bool:
    return any(until is None for _, until in rows)


def _of_month(services: Services, names: pa.Table, at: datetime) -> list[int]:
    local = at.astimezone(services.settings.time_zone)
    return [int(one) for one in names.filter(pc.equal(names["month"], local.year * 100 + local.month))["virtual_id"].to_pylist()]


def _explained(services: Services, wanted: Definition, names: pa.Table | None, at: datetime) -> dict[str, Any]:
    """`asked` is false where the person is not asked at all: no consent, an objection, a restriction, an age, a tag they refused."""
    look: Look | None = None if names is None else services.audiences.why(wanted, at, _of_month(services, names, at))
    named = segments.one(services, wanted.segment, wanted.version)
    head = {
        "segment": wanted.segment,
        "version": wanted.version,
        "name": named["name"],
        "sentence": named["sentence"],
        "digest": wanted.digest,
        "at": at.isoformat(),
        "purpose": wanted.purpose,
        "use": wanted.use,
    }
    if look is None:
        return head | {"asked": False, "inside": False, "model": None, "policy": None, "steps": []}
    return head | {
        "asked": True, "inside": look.inside, "model": look.model, "policy": look.policy, "steps": [_step(step) for step in look.steps],
    }  # fmt: skip


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    rule = parse(step["rule"])
    return {
        "place": step["place"],
        "kind": step["kind"],
        "sentence": {language: sentence(rule, language) for language in LANGUAGES},
        "holds": step["holds"],
        "saw": {name: value if value is None or isinstance(value, int | str) else str(value) for name, value in step["saw"].items()},
        "words": {language: trace.seen(rule, step["saw"], language) for language in LANGUAGES},
    }


def _flat(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step as a row of somebody's copy, which is a table, too."""
    plain = {name: step[name] for name in ("place", "kind", "holds", "saw")}
    return plain | {f"{name}_{language}": step[name][language] for name in ("sentence", "words") for language in LANGUAGES}


def _placed(services: Services, kept: Kept, rows: Sequence[Row]) -> dict[str, Any]:
    made_of = segments.one(services, kept.segment, kept.version)
    return {
        "audience": kept.id,
        "name": kept.name,
        "segment": kept.segment,
        "version": kept.version,
        "sentence": made_of["sentence"],
        "since": rows[-1][0].isoformat(),
        "until": None if _inside(rows) else max(until for _, until in rows if until is not None).isoformat(),
        "times": len(rows),
    }
