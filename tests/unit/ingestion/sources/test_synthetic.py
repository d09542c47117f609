"""The invented retailer: the same seed gives the same bytes, nobody in it exists, and every column has a place to go."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import canonical, mapping
from ingestion.mapping import FileMapping
from ingestion.sources import files
from ingestion.sources.synthetic import MEMBER_COLUMNS, STORES, Retailer, write
from privacy.dictionary.catalogue import load
from privacy.records import CanonicalBatch, SourceFacts
from tests.contracts.tree import ROOT

CATALOGUE = load()
OWN = ("retail_clicks", "retail_members", "retail_products", "retail_stores", "retail_tills")
"""Mappings of the invented retailer; the others are tested with what they read."""
MAPPINGS = ROOT / "ingestion" / "sources" / "mappings"
RETAILER = Retailer(members=120, first=date(2026, 4, 1), last=date(2026, 5, 31))
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SOURCE = SourceFacts("src_a", "shop", "file", public=False, purposes=frozenset({"analytics.statistics"}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The five files of one retailer, by the name of their mapping."""
    return write(tmp_path_factory.mktemp("retailer"), RETAILER)


def mapped(name: str) -> FileMapping:
    return mapping.parse((MAPPINGS / f"{name}.toml").read_text("utf-8"), CATALOGUE)


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def canonicalised(name: str, path: Path) -> list[CanonicalBatch]:
    read = files.read(path, SOURCE, clock=lambda: NOW)
    return [
        canonical.canonicalise(raw, mapped(name), CATALOGUE, now=NOW, retention_days=730, zone="Asia/Shanghai", batch_id=b"b")
        for raw in read
    ]


def digests(folder: Path, retailer: Retailer) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in write(folder, retailer).items()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    small = Retailer(members=20, first=RETAILER.first, last=RETAILER.last)
    first, again = digests(tmp_path / "a", small), digests(tmp_path / "b", small)
    other = digests(tmp_path / "c", Retailer(20, small.first, small.last, seed=8))
    assert first == again
    assert not [name for name in ("retail_members", "retail_tills", "retail_clicks") if first[name] == other[name]]


def test_there_is_a_mapping_for_every_file_and_a_file_for_every_mapping(made: dict[str, Path]) -> None:
    assert set(made) == set(OWN)
    assert all(path.stat().st_size > 100 for path in made.values())


@pytest.mark.parametrize("name", OWN)
def test_every_column_is_mapped_or_ignored(name: str, made: dict[str, Path]) -> None:
    assert mapped(name).fields
    batches = canonicalised(name, made[name])
    assert {path for batch in batches for path in batch.dropped_fields} == set()
    assert [one for batch in batches for one in batch.malformed] == []
    assert sum(len(part.positions) for batch in batches for part in batch.parts) == len(rows(made[name]))


def test_what_the_law_has_no_place_for_is_dropped_by_the_dictionary() -> None:
    """A member's name comes in with the file and goes nowhere."""
    assert mapped("retail_members").fields["name"].column == "name"
    assert CATALOGUE.records["member"].fields["name"].becomes == ()
    assert mapped("retail_members").ignore == {"note"}


def test_what_a_click_carries_beside_its_number_goes_nowhere(made: dict[str, Path]) -> None:
    """A path of the mapping takes one value out of an object and leaves the rest behind."""
    (batch,) = canonicalised("retail_clicks", made["retail_clicks"])
    (part,) = batch.parts
    assert set(part.identifiers) == {"phone"}
    names = {row["user"]["name"] for row in rows(made["retail_clicks"])}
    assert not [name for name in part.fields.column_names if names & set(map(str, part.fields.column(name).to_pylist()))]


def test_nobody_in_the_files_exists(made: dict[str, Path]) -> None:
    """Addresses are of a domain that belongs to nobody; each member has a card and a number of their own; no document is invented."""
    members = rows(made["retail_members"])
    assert len(members) == RETAILER.members
    assert {row["mail"].partition("@")[2] for row in members} == {"example.com"}
    for column in ("card", "mobile", "mail"):
        assert len({row[column] for row in members}) == RETAILER.members
    text = "".join(path.read_text(encoding="utf-8") for path in made.values())
    assert not re.search(r"(?<!\d)\d{17}[\dXx](?!\d)", text), "a resident's number"
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+", text))
    assert {address.rpartition("@")[2] for address in addresses} == {"example.com"}


def years(born: date, at: date) -> int:
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def test_everybody_is_of_age_and_a_share_allows_no_statistics(made: dict[str, Path]) -> None:
    members = rows(made["retail_members"])
    birthdays = [date.fromisoformat(row["birthday"]) for row in members]
    assert all(years(born, RETAILER.first) >= 17 for born in birthdays)
    assert all(years(born, RETAILER.last) >= 18 for born in birthdays)
    said = Counter(row["ok_statistics"] for row in members)
    assert said == {"yes": 110, "no": 10}
    assert not [row for row in members if row["ok_statistics"] == "no" and row["ok_marketing"] == "yes"]


def test_consent_is_given_before_the_first_purchase(made: dict[str, Path]) -> None:
    """Otherwise the demonstration would refuse what it just invented."""
    given = {row["card"]: row["ok_at"] for row in rows(made["retail_members"])}
    bought = rows(made["retail_tills"])
    assert bought
    assert not [row for row in bought if row["at"] <= given[row["card"]]]


def test_everything_happens_within_the_days_that_were_asked_for(made: dict[str, Path]) -> None:
    for row in rows(made["retail_tills"]):
        assert RETAILER.first <= datetime.fromisoformat(row["at"]).date() <= RETAILER.last
    for row in rows(made["retail_clicks"]):
        assert RETAILER.first <= datetime.fromisoformat(row["at"].replace("Z", "+00:00")).date() <= RETAILER.last + timedelta(days=1)


def test_receipts_and_clicks_have_names_of_their_own(made: dict[str, Path]) -> None:
    """A mapping's id is what makes a second import store nothing."""
    for name in ("retail_tills", "retail_clicks", "retail_members"):
        ids = [tuple(row[column] for column in mapped(name).id) for row in rows(made[name])]
        assert len(set(ids)) == len(ids)


def test_amounts_agree(made: dict[str, Path]) -> None:
    for row in rows(made["retail_tills"]):
        assert int(row["paid"]) == int(row["price"]) - int(row["off"]) > 0
        assert row["store"] in {store[0] for store in STORES}


def test_the_header_is_the_one_the_members_have(made: dict[str, Path]) -> None:
    assert tuple(rows(made["retail_members"])[0]) == MEMBER_COLUMNS
