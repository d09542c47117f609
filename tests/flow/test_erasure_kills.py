"""An erasure whose process is killed with SIGKILL, step after step, ends in another process with a certificate.

Two steps by default, all of them with LONG_TESTS=1; `tests/flow/test_erasure.py` stops between work and note in every step.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from app import erasing, remains
from tests.flow.test_erasure import ANNA, handle_of, lived_in, rows_in_lake
from tests.house import ROOT, House

STEPS = [name for name, _ in remains.STEPS]
KILLED = STEPS if os.environ.get("LONG_TESTS") else ["shred", "lake"]
DIES = """
import os, signal, sys
from app import erasing, remains
from app.wiring import open_services

services = open_services(at=sys.argv[2])


def die(services, subjects):
    for place in dict(remains.STEPS)[sys.argv[1]]:
        place.erase(services, subjects)
    os.kill(os.getpid(), signal.SIGKILL)


deadly = remains.Place("deadly", "kills", die, remains.LAKE.look)
erasing.run(services, steps=tuple((name, (deadly,) if name == sys.argv[1] else places) for name, places in remains.STEPS))
"""


@pytest.mark.slow
def test_an_erasure_survives_kill_9_and_leaves_nothing(sqlite_only: House) -> None:
    house = sqlite_only
    lived_in(house)
    rows = rows_in_lake(house)
    erasure = erasing.begin(house.services, handle_of(house, ANNA), actor="usr_officer00001", approved_by="usr_officer00002")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
    for step in KILLED:
        ended = subprocess.run(
            [sys.executable, "-c", DIES, step, house.clock().isoformat()],
            cwd=ROOT,
            env={**clean, "PIYING_HOME": str(house.home)},
            timeout=300,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2_000:]
        assert erasing.state(house.services, erasure)["step"] == step
    assert erasing.run(house.services)["certified"] == 1
    assert {one["left"] for one in erasing.certificate(house.services, erasure)["document"]["stores"]} == {0}
    assert rows_in_lake(house) == rows, "Anna's row went, Bo's waiting one came"
