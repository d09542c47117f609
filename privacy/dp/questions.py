"""What makes two questions the same question, and which questions may be asked at all.

Promise: the same question in another order, with a filter written twice or asked from another account, has the same digest; a question
that differs in anything that changes its answer has another. Pure: it reads a question and a calendar, never an answer.
"""

from __future__ import annotations

import calendar
import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from privacy.dp import bounds
from privacy.errors import Invalid, Refused
from privacy.records import Aggregate, Bounds, Measure, Question

MONTHS_LIMIT = 60
"""Most months in one question: five years, longer than any retention this product offers."""

_DOMAIN = b"piying-question-v1\0"


def canonical(question: Question) -> Question:
    """The question with its groups, filters, measures and months in one order, each once."""
    return replace(
        question,
        months=tuple(sorted(set(question.months))),
        by=tuple(sorted(set(question.by))),
        where=tuple(sorted(set(question.where))),
        measures=tuple(sorted(set(question.measures), key=lambda measure: (measure.name, measure.unit))),
    )


def digest(question: Question) -> bytes:
    """32 bytes that stand for the canonical question; the snapshot and the account are not part of it (dp_rules §4)."""
    return hashlib.sha256(_DOMAIN + canonical(question).canonical()).digest()


def check(question: Question) -> None:
    """Refuses a question whose form is wrong, before anything is looked up."""
    for name, text in (("kind", question.kind), ("purpose", question.purpose)):
        if not text:
            raise Invalid("a question names its kind and its purpose", code="bad_question", field=name)
    if type(question.version) is not int or question.version < 1:
        raise Invalid("a plan's version is a whole number of at least 1", code="bad_question", field="version")
    if not question.months or len(set(question.months)) > MONTHS_LIMIT:
        raise Invalid(f"a question covers 1 to {MONTHS_LIMIT} months", code="bad_question", field="months")
    for month in question.months:
        if type(month) is not int or not (1970 <= month // 100 <= 9999 and 1 <= month % 100 <= 12):
            raise Invalid("a month is written YYYYMM", code="bad_question", field="months")
    if not question.measures or len({measure.name for measure in question.measures}) != len(question.measures):
        raise Invalid("a question has at least one measure, each once", code="bad_question", field="measures")
    if any(type(measure.unit) is not int or measure.unit < 1 for measure in question.measures):
        raise Invalid("a measure's unit is a whole number of at least 1", code="bad_question", field="measures")
    if len(set(question.by)) != len(question.by):
        raise Invalid("a question groups by each field once", code="bad_question", field="by")
    if type(question.rho_nano) is not int or question.rho_nano < 1:
        raise Invalid("a price is a whole number of nano-rho of at least 1", code="bad_price", field="rho_nano")
    if type(question.delta_units) is not int or question.delta_units < 0:
        raise Invalid("a delta is a whole number of 1e-15", code="bad_price", field="delta_units")
    bounds.check(question.bounds)


def check_aggregate(question: Question, aggregate: Aggregate) -> None:
    """The aggregate must have the form of the vector that was priced; its form is public, so refusing on it tells nothing about anybody."""
    if aggregate.measures != tuple(measure.name for measure in question.measures):
        raise Invalid("the aggregate's measures are not the question's", code="bad_aggregate", field="measures")
    if not (aggregate.cells or question.delta_units) or len(set(aggregate.cells)) != len(aggregate.cells):
        raise Invalid("an aggregate has at least one cell, each once", code="bad_aggregate", field="cells")
    entries = len(aggregate.cells) * len(aggregate.measures)
    if len(aggregate.values) != entries:
        raise Invalid("an aggregate has one value for each cell and measure", code="bad_aggregate", field="values")
    if not question.delta_units and entries > bounds.entries_limit(question.bounds):
        raise Invalid("the vector has more entries than its bound allows", code="bad_aggregate", field="cells")


def closed_months(now: datetime, zone: ZoneInfo, *, retention_months: int, close_after_days: int) -> tuple[int, ...]:
    """Every month that exists for questions now: over in the controller's zone, closed, and not older than retention (P-5, P-12)."""
    local = now.astimezone(zone)
    years, index = divmod(local.year * 12 + local.month - 1 - retention_months, 12)
    month = years * 100 + index + 1
    months = []
    while _closes(month, close_after_days, zone) <= local:
        months.append(month)
        month = following(month)
    return tuple(months)


def check_months(question: Question, closed: tuple[int, ...]) -> None:
    """Refuses months that are still open, in the future, or older than retention: they do not exist for a question."""
    for month in question.months:
        if month not in closed:
            early = not closed or month > closed[-1]
            raise Refused(
                "a question covers closed months only" if early else "this month is older than retention",
                code="period_open" if early else "period_expired",
                field="months",
            )


def following(month: int) -> int:
    """The month after YYYYMM."""
    return month + 1 if month % 100 < 12 else (month // 100 + 1) * 100 + 1


def _closes(month: int, close_after_days: int, zone: ZoneInfo) -> datetime:
    days = calendar.monthrange(month // 100, month % 100)[1]
    return datetime(month // 100, month % 100, 1, tzinfo=zone) + timedelta(days=days + close_after_days)


def dumps(question: Question) -> str:
    """The question as it was asked, for the release's row: groups and measures keep the order in which the cells were released."""
    return json.dumps(
        {
            "kind": question.kind,
            "version": question.version,
            "purpose": question.purpose,
            "months": list(question.months),
            "by": list(question.by),
            "where": [list(item) for item in question.where],
            "measures": [[measure.name, measure.unit] for measure in question.measures],
            "clip": question.bounds.clip,
            "scale": question.bounds.scale,
            "rho_nano": question.rho_nano,
            **({"delta_units": question.delta_units} if question.delta_units else {}),
        },
        ensure_ascii=True,
        separators=(",", ":"),
    )


def loads(text: str) -> Question:
    """The question of a release's row."""
    facts = json.loads(text)
    return Question(
        kind=facts["kind"],
        version=facts["version"],
        purpose=facts["purpose"],
        months=tuple(facts["months"]),
        by=tuple(facts["by"]),
        where=tuple((item[0], item[1], item[2]) for item in facts["where"]),
        measures=tuple(Measure(name, unit) for name, unit in facts["measures"]),
        bounds=Bounds(facts["clip"], facts["scale"]),
        rho_nano=facts["rho_nano"],
        delta_units=facts.get("delta_units", 0),
    )
