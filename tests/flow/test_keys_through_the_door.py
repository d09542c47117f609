"""Keys that nobody knows beforehand, through the real door: common ones are told, rare ones never counted, and their δ is in the ledger."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from analytics.engine import Engine
from analytics.reports import keyed
from analytics.reports.base import Options, Reports
from analytics.reports.kinds import KINDS
from app.stores import Stores
from privacy.release import Releases, ReleaseSettings
from tests.fakes.chain import HOUSE, ZONE, reader
from tests.fakes.log import RecordingLog
from tests.unit.analytics.reports.test_keyed import bought, counted
from tests.unit.analytics.reports.test_sales import MAY

NOW = datetime(2026, 7, 15, 4, 30, tzinfo=UTC)


def test_the_door_tells_common_keys_charges_delta_and_never_counts_the_rare_ones(tmp_path: Path, stores: Stores) -> None:
    """The rare key is told with a probability of 1e-12, and a common one missed with less than 1e-15 (noise of 45, eight of them away)."""
    log = RecordingLog()
    door = Releases(stores.begin_platform, log, lambda: NOW, os.urandom, ReleaseSettings(zone=ZONE))
    engine = Engine(tmp_path / "lake", tmp_path / "scratch", threads=1)
    held = bought(*((person, ("tea",)) for person in range(800)), (900, ("unicorn",)))
    reports = Reports(reader(engine, held), door, HOUSE, KINDS)
    document = reports.ask("keys", Options(MAY, MAY), "usr_1")
    assert list(counted(document)) == ["tea"]
    assert document["derived"][-1]["what"] == "threshold"
    assert 200 < document["derived"][-1]["value"] < 500
    with stores.begin_platform() as tx:
        assert tx.execute(sa.text("SELECT delta_units FROM charge")).scalars().all() == [keyed.DELTA_UNITS]
    assert reports.ask("keys", Options(MAY, MAY), "usr_2")["rows"] == document["rows"]
    assert [dict(entry.facts)["cells"] for entry in log.entries if entry.action == "release.answer"] == [1], "as many as were told"
