"""The Adult table with its hierarchies, where the test data are; a test without them says so and is skipped."""

from __future__ import annotations

import csv
import gzip
import os
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

from privacy.deidentify import hierarchies
from privacy.deidentify.hierarchies import Hierarchy

FOLDER = Path(os.environ.get("PIYING_TEST_DATA", "../shared/data")) / "adult_arx"


@cache
def adult(file: str = "adult.csv.gz") -> tuple[dict[str, pa.StringArray], list[Hierarchy]]:
    """Its nine columns, and their hierarchies in the same order."""
    if not (FOLDER / file).exists():
        pytest.skip("adult_arx is not among the test data (PIYING_TEST_DATA)")
    with gzip.open(FOLDER / file, "rt", encoding="utf-8") as text:
        rows = list(csv.reader(text, delimiter=";"))
    columns = {name: pa.array(values) for name, values in zip(rows[0], zip(*rows[1:], strict=True), strict=True)}
    found = [hierarchies.from_text(name, (FOLDER / f"adult_hierarchy_{name}.csv").read_text("utf-8")) for name in rows[0]]
    return columns, found
