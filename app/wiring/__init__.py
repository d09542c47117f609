"""Where concrete parts meet, and nowhere else: stores, keys, doors, workshops.

Promise: heavy parts (lake, engine, sampler) are made when they are first used. With missing or wrong keys the services are `locked`:
they can say so and do nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app import (
    asking,
    audiences,
    deliveries,
    erasing,
    evidence,
    exports,
    holding,
    housekeeping,
    intake,
    jobs,
    lapsing,
    messages,
    packing,
    pulls,
    quality,
    reaching,
    undoing,
    uploads,
)
from app.gathering import Gathering
from app.settings import load
from app.stores import open_stores
from app.wiring.accountability import Accountability
from app.wiring.allocations import Allocations
from app.wiring.audiencing import Audienced
from app.wiring.contents import Contents
from app.wiring.desk import DeskOfRequests
from app.wiring.doors import utc_now
from app.wiring.entrance import Entrance
from app.wiring.exporting import Exporting
from app.wiring.forgetting import Erasing
from app.wiring.lake import Lake
from app.wiring.proofs import Evidences
from app.wiring.pulled import Pulled
from privacy import custody
from privacy.errors import Invalid, Locked, NotFound, PiyingError

if TYPE_CHECKING:
    from ingestion.pipeline import Receipt
    from privacy.records import RawBatch


class Services(Erasing, DeskOfRequests, Audienced, Lake, Pulled, Contents, Entrance, Evidences, Allocations, Exporting, Accountability):
    """The parts of one deployment."""

    schedule: Mapping[str, int] = {
        "flush": 5,
        "pull": 10,
        "checkpoint": 60,
        messages.SEND: 2,
        "waiting": 300,
        "close": 3600,
        "upkeep": 3600,
        "retention": 3600,
        erasing.ERASURE: 600,
        lapsing.LAPSE: 3600,
        deliveries.DELIVER: 5,
        deliveries.LOOK: 3600,
        audiences.KEEP: 900,
    }
    """Kinds of jobs that come again, in seconds."""

    @cached_property
    def requests(self) -> Gathering[RawBatch, Receipt]:
        """Requests that come at the same time, one commit for all of a source."""
        return Gathering(lambda raws: intake.ingest_requests(self, raws), most=intake.TOGETHER)

    @cached_property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the work of each kind of job."""
        return {
            asking.ASK: lambda job: asking.answer_job(self, job),
            reaching.REACH: lambda job: reaching.answer_job(self, job),
            audiences.FIND: lambda job: audiences.find_job(self, job),
            audiences.KEEP: lambda job: audiences.keep(self),
            "flush": lambda job: intake.flush(self),
            "pull": lambda job: pulls.run_due(self),
            "checkpoint": lambda job: {"size": len(self.sign_checkpoint())},
            messages.SEND: lambda job: messages.run(self),
            "waiting": lambda job: holding.replay_waiting(self),
            "close": lambda job: asking.close_due(self),
            "upkeep": lambda job: housekeeping.upkeep(self),
            "retention": lambda job: {
                **housekeeping.retention(self),
                **uploads.expire(self),
                **packing.sweep(self),
                **evidence.expire(self),
                **exports.expire(self),
            },
            uploads.IMPORT: lambda job: uploads.run(self, job, measure=intake.measure),
            erasing.ERASURE: lambda job: erasing.run(self, job),
            lapsing.LAPSE: lambda job: lapsing.run(self),
            deliveries.DELIVER: lambda job: deliveries.carry(self),
            deliveries.LOOK: lambda job: deliveries.look(self),
            undoing.UNDO: lambda job: undoing.do(self, job),
            evidence.EVIDENCE: lambda job: evidence.run(self, job),
        }

    def unaccounted(self) -> list[str]:
        """Where items are missing from the books: always nowhere, or something is very wrong."""
        return quality.unaccounted(self)

    def close(self) -> None:
        """Ends every connection."""
        self.close_lake()
        self.stores.close()


def open_services(*, serving: bool = False, checking: bool = False, at: str | None = None, home: Path | None = None) -> Services:
    """The services of PIYING_HOME. Locked keys raise, except for a server (which answers 503) and the doctor (who says why)."""
    settings = load(home)
    clock = utc_now if at is None else _fixed(at)
    if not settings.home.exists():
        raise NotFound("there is no home yet: run `piying init`", code="home_unknown")
    services = Services(settings, open_stores(settings), lock=None, keyring=None, clock=clock)
    try:
        _unlock(services, serving=serving, checking=checking)
    except BaseException:  # also an interrupt: what was opened is closed, and the error goes on
        services.close()
        raise
    return services


def _unlock(services: Services, *, serving: bool, checking: bool) -> None:
    if not checking:
        for store in ("vault", "platform"):
            services.check_schema(store)
    try:
        services._keyring = custody.open_keyring(services.settings.keys_path, services.stores.read_vault)
        services.check_ledger()
        services.check_erased()
    except Locked as locked:
        services.lock = locked
        if not (serving or checking):
            raise
    except (PiyingError, sa.exc.DBAPIError):
        if not checking:
            raise
        services.lock = Locked("the vault cannot be read", code="keys_locked")


def _fixed(at: str) -> Callable[[], datetime]:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise Invalid("an instant is written in ISO 8601", code="bad_instant", field="at") from None
    if moment.tzinfo is None:
        raise Invalid("an instant needs a zone", code="bad_instant", field="at")
    return lambda: moment
