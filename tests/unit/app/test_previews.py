"""A look at a file of this machine: nothing of it is stored, nothing of it is told; uploads are looked at in tests/flow/test_imports.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import previews
from privacy.errors import NotFound
from tests.flow.importer import EXPECTED, MAPPING, ROWS, till_file
from tests.house import House


@pytest.fixture
def till(tmp_path: Path) -> Path:
    path = tmp_path / "till.csv"
    path.write_bytes(till_file())
    return path


def test_a_dry_run_counts_what_an_import_would_hold_and_writes_nothing(house: House, till: Path, tmp_path: Path) -> None:
    house.source("pos", "file")
    mapping = tmp_path / "till.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    before = house.counts()
    told = previews.try_file(house.services, till, source_name="pos", mapping_path=mapping)
    assert house.counts() == before
    assert (told["received"], told["malformed"]) == (ROWS, EXPECTED["quarantined"])
    assert len(told["errors"]) == 20
    assert "13812345678" not in str(told)


def test_a_guess_proposes_a_mapping_and_shows_no_value(house: House, till: Path) -> None:
    house.source("pos", "file")
    before = house.counts()
    told = previews.guess_file(house.services, till, source_name="pos", record=None)
    assert house.counts() == before
    assert 'record = "order_line"' in " ".join(told["mapping"].split())
    assert not [word for word in ("MC0000", "canary-", "13812345678") if word in str(told)]


def test_a_file_that_is_not_there_is_said_to_be_missing(house: House, tmp_path: Path) -> None:
    house.source("pos", "file")
    with pytest.raises(NotFound) as caught:
        previews.guess_file(house.services, tmp_path / "none.csv", source_name="pos", record=None)
    assert caught.value.code == "file_unknown"
