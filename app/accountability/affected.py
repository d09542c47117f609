"""Who was affected by an incident: from a list, a column or a stretch of time, as counts.

Promise: a column that became an identifier is counted by the people who hold one; any other by the rows that carried it, out of the books of quality.
The desk logs the question before it is answered, and keeps the counts with the incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from app import acts
from ingestion import quality
from privacy.dictionary import catalogue
from privacy.errors import Invalid
from privacy.vocabulary import IdentifierType

if TYPE_CHECKING:
    from app.wiring import Services

WAYS = ("list", "column", "time")


def ask(services: Services, incident: str, asked: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Answers one question: {"by", "asked", "counts", "at", "actor"}. Raises Invalid naming the field."""
    desk = services.incidents
    way = asked.get("by")
    if way == "list":
        lines = str(asked.get("list") or "").splitlines()
        return desk.by_list(incident, str(asked.get("type") or ""), lines, actor=actor, namespace=str(asked.get("namespace") or ""))
    if way == "time":
        since, until = (_instant(services, str(asked.get(name) or ""), name) for name in ("since", "until"))
        return desk.by_time(incident, since, until, actor=actor)
    if way != "column":
        raise Invalid("who was affected is asked by list, column or time", code="dossier_invalid", field="by")
    column = str(asked.get("column") or "")
    if column in set(IdentifierType):
        return desk.by_type(incident, column, actor=actor)
    record, _, field = column.partition(".")
    kind = catalogue.load().records.get(record)
    if kind is None or field not in kind.fields:
        raise Invalid("a column is an identifier type or record.field of the dictionary", code="column_unknown", field="column")
    return desk.by_field(incident, record, field, _rows(services, record, field), actor=actor)


def _rows(services: Services, record: str, field: str) -> dict[str, int]:
    """How many rows carried a field with a value of its kind, by source, since the books begin."""
    names = {one["source"]: one["name"] for one in acts.list_sources(services)}
    first, last = date(2000, 1, 1), services.clock().date() + timedelta(days=1)
    found: dict[str, int] = {}
    with services.read_console() as tx:
        for source, name in names.items():
            kept = sum(
                line.kept for line in quality.grid(tx, source, first=first, last=last) if (line.record, line.field) == (record, field)
            )
            if kept:
                found[f"rows {name}"] = kept
    return {"rows": sum(found.values()), **found}


def _instant(services: Services, text: str, field: str) -> datetime:
    """An instant; one without a zone is the controller's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("an instant is written in ISO 8601", code="bad_instant", field=field) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=services.settings.time_zone)
