"""The worker's loop: queues what the schedule says, does one job after the other, stops between two jobs.

Promise: at most one job at a time in one process; a stop signal ends the loop after the job at hand. Learns kinds and states of jobs.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from app import jobs, logs
from privacy.errors import Unavailable

if TYPE_CHECKING:
    from app.wiring import Services

PAUSE_SECONDS = 0.5


def work(services: Services, *, once: bool = False) -> None:
    """Runs until SIGTERM or SIGINT, and waits while a store does not answer; with `once` until nothing is due, and raises then."""
    holder = services.process
    stopping = threading.Event()
    if not once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    planned = False
    logs.event("worker_started")
    while not stopping.is_set():
        try:
            with services.begin_jobs() as tx:
                for kind, seconds in () if planned else services.schedule.items():
                    jobs.plan(tx, kind, seconds, now=services.clock())
                jobs.free_lost(tx, services.gone, now=services.clock())
                jobs.queue_due(tx, now=services.clock())
            planned = True
            worked = jobs.run_one(services.begin_jobs, services.handlers, holder, clock=services.clock)
        except Unavailable as error:
            if once:
                raise
            logs.event("worker_waits", code=error.code)
            worked = False
        if not worked:
            if once:
                return
            stopping.wait(PAUSE_SECONDS)
