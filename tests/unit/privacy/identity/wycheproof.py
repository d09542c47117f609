"""The Wycheproof cases, from the data folder that PIYING_TEST_DATA names; tests that need them are skipped, visibly, without it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

DATA = Path(os.environ.get("PIYING_TEST_DATA", Path(__file__).parents[4] / ".." / "shared" / "data"))


def groups(name: str) -> list[dict[str, Any]]:
    path = DATA / "conformance" / "wycheproof" / f"{name}.json.gz"
    if not path.exists():
        pytest.skip("the conformance data are not there: set PIYING_TEST_DATA")
    with gzip.open(path) as file:
        found: list[dict[str, Any]] = json.load(file)["testGroups"]
    return found
