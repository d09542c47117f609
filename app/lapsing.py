"""Lapses, as the schedule, routes, pages and commands use them: who ended their last analytic purpose, and that their rows are gone.

Promise: what is done is looked at in the files before it is written down. Counts and references; never a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from app import imports, intake

if TYPE_CHECKING:
    from app.wiring import Services

LAPSE = "lapse"
"""The job's kind."""


def run(services: Services) -> Mapping[str, Any]:
    """Notices who lapsed, and takes the rows of those who are due out of the lake."""
    noticed = services.lapses.notice(timedelta(days=services.settings.retention.lapse_days))
    due = services.lapses.due()
    if not due.handles:
        return {**noticed, "erased": 0, "rows": 0, "left": 0}
    intake.flush(services)
    with services.lake_lease():
        months = services.lake_erasure.months()
        with services.read_jobs() as tx:
            apart = imports.file_owners(tx)
        done = services.lake_erasure.erase(services.lapses.names(due, months), apart=apart, announce=partial(intake.note_files, services))
        left = services.lake_erasure.look(services.lapses.names(due, months))
    return {**noticed, **services.lapses.done(due, done.rows, left)}


def queue(services: Services, *, actor: str, state: str = "", limit: int = 200) -> dict[str, Any]:
    """The queue, and how many wait and went; reading it is an entry of the access log, written before."""
    return {"items": services.lapses.page(actor=actor, state=state, limit=limit), **services.lapses.counts()}
