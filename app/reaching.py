"""How many people a segment means and reaches, as routes, pages, commands and jobs ask it.

Promise: looking is free and charges nothing, whatever is looked at and however often; an answer is bought by name, once, and repeats itself for
everybody (attack 17). A marketer gets released numbers with their margins; whole numbers and the gate's reasons go to officers, after an
entry of the access log. A job's row tells the release's id and no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.metrics import month_end
from analytics.segments.definition import Definition
from app import jobs, logs, segments
from app.repeats import Also, nothing_more
from privacy.errors import BudgetExhausted, NotConfigured, Refused

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import Question

REACH = "segment_reach"
"""The job's kind."""


class Wanted(NamedTuple):
    """What somebody asks: of which version of a segment, by which channel, for which recipient; empty means without one."""

    segment: str
    version: int | None = None
    channel: str = ""
    recipient: str = ""

    @classmethod
    def of(cls, segment: str, body: Mapping[str, Any]) -> Wanted:
        """Out of a request's words."""
        return cls(segment, body.get("version"), body.get("channel") or "", body.get("recipient") or "")

    def document(self) -> dict[str, Any]:
        return dict(self._asdict())


def look(services: Services, wanted: Wanted, *, asked_by: str = "") -> dict[str, Any]:
    """What an answer costs, how wide its margin is, and the answer, if it was bought already; charges nothing and reads nobody."""
    definition, question, _ = _asked(services, wanted)
    told: dict[str, Any] = services.reach.look(question, asked_by)
    return told | {"segment": definition.segment, "version": definition.version, "channel": wanted.channel, "recipient": wanted.recipient}


def answered(services: Services, segment: str) -> dict[str, Any] | None:
    """The size of a segment as it stands, if somebody bought it; None too where it may not be used any more or no month is closed."""
    try:
        found: dict[str, Any] | None = services.reach.answered(_asked(services, Wanted(segment))[1])
    except (Refused, NotConfigured):
        return None
    return found


def ask_later(services: Services, wanted: Wanted, *, asked_by: str, also: Also = nothing_more) -> dict[str, Any]:
    """Queues the question; where it has an answer already, that is told and nothing is queued. What public facts refuse is refused now."""
    seen = look(services, wanted, asked_by=asked_by)
    if seen["answer"] is None and not seen["affordable"]:
        logs.BUDGET_REFUSALS.inc()
        raise BudgetExhausted("the months that the rule looks at have not enough left of their budget", field="rule")
    with services.begin_jobs() as tx:
        arguments = wanted._replace(version=seen["version"]).document()
        job = None if seen["answer"] else jobs.enqueue(tx, REACH, arguments, by=asked_by, now=services.clock())
        told = {"job": job, "release": seen["answer"] and seen["answer"]["release"], "cost": seen["cost"]}
        also(tx, told)
    return told


def answer_job(services: Services, job: jobs.Claimed) -> Mapping[str, Any]:
    """The handler: its result is the release's id and nothing else."""
    return {"release": ask(services, Wanted(**job.arguments), asked_by=job.created_by)}


def ask(services: Services, wanted: Wanted, *, asked_by: str) -> str:
    """Buys the answer, or repeats it; the release's id. Everything that public facts refuse is refused before the charge."""
    definition, question, at = _asked(services, wanted)

    def counts() -> Mapping[str, int]:
        audience = services.audiences.of(definition, at, services.releases.closed_months())
        told: Mapping[str, int] = services.reached.outcomes(audience, wanted.channel, wanted.recipient, actor=asked_by)
        return told

    try:
        release: str = services.reach.ask(question, counts, asked_by)
    except BudgetExhausted:
        logs.BUDGET_REFUSALS.inc()
        raise
    return release


def exact(services: Services, wanted: Wanted, *, actor: str) -> dict[str, Any]:
    """Everybody whom the segment means now, and why who could not leave could not; for officers."""
    definition = segments.permitted(services, wanted.segment, wanted.version)
    services.reached.check(wanted.channel, wanted.recipient)
    now = services.clock()
    told: dict[str, Any] = services.reached.reasons(services.audiences.of(definition, now), wanted.channel, wanted.recipient, actor=actor)
    return told | {**wanted.document(), "version": definition.version, "at": now.isoformat()}


def _asked(services: Services, wanted: Wanted) -> tuple[Definition, Question, datetime]:
    """The definition, its canonical question and the moment as of which it is asked: the end of the newest closed month."""
    definition = segments.permitted(services, wanted.segment, wanted.version)
    services.reached.check(wanted.channel, wanted.recipient)
    closed = services.releases.closed_months()
    if not closed:
        raise Refused("a size is told as of a closed month, and none is closed yet", code="period_open", field="segment")
    at = month_end(closed[-1], services.settings.zone) - timedelta(microseconds=1)
    months = services.audiences.check(definition, at, closed).months
    return definition, services.reach_question(definition.digest, months, wanted.channel, wanted.recipient), at
