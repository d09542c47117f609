"""Imports for the pages' tests: one that is done, with rows of every verdict, and one that waits for its mapping."""

from __future__ import annotations

import io
from datetime import timedelta

from app import access, uploads, wizard
from app.access import Caller
from tests.conftest import NOW
from tests.flow.importer import CARDS, MAPPING, run_jobs, till_file
from tests.house import House


def furnish(house: House, account: str) -> dict[str, str]:
    """The ids of both, by the names that addresses use."""
    caller = Caller(account, "integrator", access.matrix()["integrator"], "")
    house.source("till files", "file")
    _, key = house.source("cards", "segment")
    house.grant(key, [("member_card", card) for card in CARDS], at=(NOW - timedelta(days=60)).isoformat())
    done, waiting = (
        wizard.take(house.services, "till files", name, io.BytesIO(till_file(100)), 1_000_000, caller=caller)
        for name in ("till 2026-05.csv", "till 2026-06.csv")
    )
    for one in (done, waiting):
        uploads.set_mapping(house.services, one, MAPPING, actor=account, caller=caller)
    uploads.start(house.services, done, actor=account, caller=caller)
    run_jobs(house, "import")
    return {"import": done, "waiting": waiting}
