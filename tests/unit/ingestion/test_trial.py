"""The dry run of a mapping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion import trial
from ingestion.mapping import parse
from ingestion.sources import files
from privacy.dictionary import catalogue
from privacy.records import SourceFacts

NOW = datetime(2026, 6, 15, tzinfo=UTC)
SOURCE = SourceFacts("src_1", "shop", "file", False, frozenset())
MAPPING = """
record = "till_total"
[fields]
store = "s"
product = "p"
day = "d"
net_minor = { from = "n", times = 100 }
"""


def tried(path: Path, *, rows: int = 10_000) -> dict[str, Any]:
    batches = files.read(path, SOURCE, clock=lambda: NOW, chunk_rows=100)
    return trial.run(batches, parse(MAPPING, catalogue.load()), catalogue.load(), now=NOW, retention_days=700, zone="UTC", rows=rows)


def test_a_trial_counts_and_names_the_first_faults_by_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    day = (NOW - timedelta(days=3)).date().isoformat()
    lines = [f"S{number},P1,{day},{'13812345678x' if number % 4 == 1 else '1.50'},note" for number in range(250)]
    path.write_text("s,p,d,n,x\n" + "\n".join(lines) + "\nS1,P1\n", encoding="utf-8")
    told = tried(path)
    assert (told["received"], told["valid"], told["malformed"]) == (251, 187, 64)
    assert told["rules"] == {"not_an_object": 1, "wrong_type": 63}
    assert told["errors"][:2] == [
        {"row": 2, "path": "net_minor", "rule": "wrong_type"},
        {"row": 6, "path": "net_minor", "rule": "wrong_type"},
    ]
    assert len(told["errors"]) == trial.FIRST_ERRORS
    assert told["dropped_fields"] == {"x": 250}
    assert told["complete"]
    assert "1381234" not in str(told)


def test_a_trial_of_a_large_file_says_that_it_saw_a_part(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("s,p,d,n\n" + "S,P,2026-06-01,1\n" * 500, encoding="utf-8")
    told = tried(path, rows=200)
    assert (told["received"], told["complete"]) == (200, False)
