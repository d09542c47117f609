"""The server keeps its worker alive."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app.cli.serve import Kept


def runs(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


def test_a_worker_that_dies_is_started_again_and_stopped_for_good(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    command = f"import time; open({str(marks)!r}, 'a').write('x'); time.sleep(600)"
    kept = Kept([sys.executable, "-c", command])
    try:
        _until(lambda: runs(marks) == 1)
        kept._child.kill()
        _until(lambda: runs(marks) == 2)
    finally:
        kept.stop()
    assert kept._child.poll() is not None
    time.sleep(0.2)
    assert runs(marks) == 2


def _until(holds: object) -> None:
    assert callable(holds)
    for _ in range(200):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within twenty seconds")
