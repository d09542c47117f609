"""What has been released already, for whoever may read reports: the months' cubes by any of their dimensions, the facts, the list of releases.

Promise: nothing here charges, asks a new question or reads a row about people; every number comes from stored releases with its margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.asking import month_of
from privacy.errors import Invalid, NotFound

if TYPE_CHECKING:
    from app.wiring import Services

PAGE = 100


def overview(services: Services, first: str | None = None, last: str | None = None) -> dict[str, Any]:
    """Orders, sales, lines and people of the closed months; without a period the last twelve."""
    start, end = _period(services, first, last, 12)
    return services.shelf.overview(start, end)


def table(
    services: Services,
    measure: str,
    by: Sequence[str] = (),
    first: str | None = None,
    last: str | None = None,
    *,
    where: Sequence[str] = (),
) -> dict[str, Any]:
    """A measure by dimensions that were released together; without a period the last month that was bought."""
    start, end = _period(services, first, last, 1)
    return services.shelf.table(measure, tuple(by), start, end, tuple(where))


def catalogue(services: Services) -> dict[str, Any]:
    """Which measures may be had by which dimensions for nothing, and of which months."""
    return services.shelf.catalogue()


def facts(services: Services) -> dict[str, Any]:
    """The six facts of the last twelve months, each with an interval that holds at 95 % inside the fact."""
    return services.shelf.facts()


def diagnosis(services: Services) -> dict[str, Any]:
    """What stands out in the last twelve months, ranked; all intervals hold together at 95 %."""
    return services.shelf.diagnose()


def releases(services: Services, cursor: str | None = None, limit: int = PAGE) -> dict[str, Any]:
    """Everything that was released, newest first: what was asked, of which months, for which price. No numbers."""
    if cursor is not None:
        services.releases.find(cursor)
    found = services.releases.listed(before=cursor, limit=limit + 1)
    items = [_line(one) for one in found[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(found) > limit else None}


def document(services: Services, release_id: str) -> dict[str, Any] | None:
    """A stored part of a plan as a document; None for a release of another kind, which its report shows."""
    return services.shelf.document(release_id)


def _line(release: Any) -> dict[str, Any]:
    question = release.question
    return {
        "id": release.id,
        "kind": question.kind,
        "months": sorted(question.months),
        "by": list(question.by),
        "where": [list(one) for one in question.where],
        "measures": [measure.name for measure in question.measures],
        "rho_nano": release.rho_nano,
        "cells": len(release.cells),
        "released_at": release.released_at.isoformat(),
    }


def _period(services: Services, first: str | None, last: str | None, count: int) -> tuple[int, int]:
    if first is None:
        if last is not None:
            raise Invalid("a period that has an end needs a beginning", code="bad_month", field="from")
        months = services.shelf.months()
        if not months:
            raise NotFound("no month has been closed yet", code="no_cubes")
        return months[-count:][0], months[-1]
    start = month_of(first, "from")
    end = start if last is None else month_of(last, "to")
    if end < start:
        raise Invalid("a period is whole months, from the earlier to the later", code="bad_period", field="from")
    return start, end
