"""Reports, releases and budgets as commands, routes and jobs ask for them.

Promise: what leaves here is a release or a public fact. A question that has a stored answer is answered at once; any other is a job, whose
row tells the release's id and no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from app import jobs, logs
from app.jobs import Claimed
from app.repeats import Also, nothing_more
from privacy.errors import BudgetExhausted, Invalid, Refused
from privacy.vocabulary import LogKind

if TYPE_CHECKING:
    from app.wiring import Services

ASK = "report"
CLOSE = "close-month"


def month_of(text: str, field: str) -> int:
    """`2026-10` as 202610; raises Invalid."""
    year, _, month = text.partition("-")
    if len(year) != 4 or len(month) != 2 or not (year + month).isascii() or not (year + month).isdigit() or not 1 <= int(month) <= 12:
        raise Invalid("a month is written YYYY-MM", code="bad_month", field=field)
    return int(year) * 100 + int(month)


def options(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request's words as the report's options; without a period the last closed month. Raises Invalid for an end without a beginning."""
    if body.get("to") and not body.get("from_"):
        raise Invalid("a period that has an end needs a beginning", code="bad_month", field="from")
    return {
        "kind": str(body["kind"]).replace("-", "_"),
        "first": body.get("from_"),
        "last": body.get("to") or body.get("from_"),
        "by": list(body.get("by") or ()),
        "where": list(body.get("where") or ()),
        **({"price": int(body["price"])} if body.get("price") else {}),
        **({"measures": list(body["measures"])} if body.get("measures") else {}),
    }


def quote(services: Services, body: Mapping[str, Any], *, asked_by: str = "") -> dict[str, Any]:
    """What a report would cost and how wide its margins would be; and where it is read for nothing, if the months' cubes hold it. What is
    left is told of the months and, where its share limits it, of the asker's team."""
    asked = options(body)
    document: dict[str, Any] = services.reports.quote(asked["kind"], services.report_options(asked), asked_by)
    held = _held(services, asked)
    return document | {"free": _addresses(held) if held else []}


def _held(services: Services, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The months' cubes answer what they can; whoever names a price buys an answer of their own."""
    if asked.get("price"):
        return None
    held: dict[str, Any] | None = services.held_free(asked["kind"], services.report_options(asked))
    return held


def _addresses(held: Mapping[str, Any]) -> list[str]:
    """Where each measure of a free answer is read over HTTP."""
    months = {"from": _written(min(held["months"])), "to": _written(max(held["months"]))}
    asked = {"by": held["by"], "where": held["where"], **months}
    return ["/api/cubes/table?" + urlencode({"measure": one, **asked}, doseq=True) for one in held["cubes"]]


def _written(month: int) -> str:
    return f"{month // 100:04d}-{month % 100:02d}"


def ask(services: Services, body: Mapping[str, Any], *, asked_by: str) -> dict[str, Any]:
    """A report's document, read from the months' cubes or repeated for nothing, or paid now."""
    asked = options(body)
    held = _held(services, asked)
    return _ask(services, asked, asked_by) if held is None else held["document"]


def _ask(services: Services, asked: Mapping[str, Any], asked_by: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = services.reports.ask(asked["kind"], services.report_options(asked), asked_by)
    except BudgetExhausted:
        logs.BUDGET_REFUSALS.inc()
        raise
    return document


def ask_later(services: Services, body: Mapping[str, Any], *, asked_by: str, also: Also = nothing_more) -> dict[str, Any]:
    """Queues a report. What is wrong with the question is told now, from public facts alone."""
    quoted = quote(services, body, asked_by=asked_by)
    asked = options(body)
    with services.begin_jobs() as tx:
        job = None if quoted["free"] else jobs.enqueue(tx, ASK, asked, by=asked_by, now=services.clock())
        cost = asdict(services.releases.cost(0)) if quoted["free"] else quoted["cost"]
        told = {"job": job, "release": quoted["release"], "free": quoted["free"], "cost": cost}
        also(tx, told)
    return told


def answer_job(services: Services, job: Claimed) -> Mapping[str, Any]:
    """The handler of queued reports: its result is the release's id and nothing else."""
    return {"release": _ask(services, job.arguments, job.created_by)["release"]}


def show_release(services: Services, release_id: str) -> dict[str, Any]:
    """The document of a stored answer."""
    document: dict[str, Any] = services.shelf.document(release_id) or services.reach.show(release_id) or services.reports.show(release_id)
    return document


def budget(services: Services) -> dict[str, Any]:
    """Every month's account in nano-ρ, and what the caps mean for somebody who stays."""
    known = services.releases.budget()
    return {
        "items": [
            {
                "month": month.month,
                "cap_nano": month.cap_nano,
                "spent_nano": month.spent_nano,
                "left_nano": month.left_nano,
                "epsilon_spent": month.epsilon_spent,
                "epsilon_cap": month.epsilon_cap,
            }
            for month in known.months
        ],
        "delta": known.delta,
        "epsilon": {"1": known.epsilon_1, "12": known.epsilon_12, "24": known.epsilon_24, "since_joining": known.lifetime.epsilon},
    }


def close_month(services: Services, month: int, *, actor: str) -> dict[str, Any]:
    """Writes the month's person_month rows and buys its default plan; a month that is closed already stays as it is.

    Closing again buys what could not be bought before, and nothing else.

    Raises Refused before its time: a month closes once, and what comes late in its first days after would be left out for ever.
    """
    if month > services.last_closed_month():
        raise Refused("a month closes seven days after its end", code="period_open", field="month")
    closed_now = services.releases.closed_months()
    if month not in closed_now:
        late = bool(closed_now) and month < closed_now[0]
        text = "the month is past its retention" if late else "a month closes a week after its end"
        raise Refused(text, code="month_gone" if late else "period_open", field="month")
    with services.begin_analysis() as tx:
        services.log(tx, LogKind.READ, "month.close", actor=actor, facts={"month": month})
    with services.lake_lease():
        closed = services.close_month(month)
    parts = services.cubes.buy(month, actor)
    held = {name: code for name, code in parts.items() if code not in ("bought", "kept")}
    return {
        "month": month,
        "closed": closed,
        "already": not closed,
        "norms": "norms" not in held,
        "bought": [name for name, code in parts.items() if code == "bought"],
        "missing": held,
    }


def close_due(services: Services) -> dict[str, Any]:
    """Closes the month that is due, once, and buys what a close that was killed left; nothing to do where no row of it ever came."""
    closed_now = services.releases.closed_months()
    month = closed_now[-1] if closed_now else 0
    if not month or month not in services.reader.months_held("order_lines"):
        return {"month": None}
    if services.reader.month_closed("person_month", month) and not services.cubes.due(month):
        return {"month": None}
    return close_month(services, month, actor="schedule")
