"""The invented retailer's files: the same seed gives the same bytes, nobody in them exists, and every row's fate is known beforehand."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import canonical, mapping
from ingestion.mapping import FileMapping
from ingestion.sources import files
from ingestion.sources.synthetic import campaigns, feedback, flaws, members, plan, retailer, words
from ingestion.sources.synthetic.files import File, Made
from ingestion.sources.synthetic.plan import Retailer
from privacy.dictionary.catalogue import load
from privacy.records import SourceFacts
from tests.contracts.tree import ROOT

CATALOGUE = load()
MAPPINGS = ROOT / "ingestion" / "sources" / "mappings"
SHOP = Retailer(300, date(2026, 4, 1), date(2026, 5, 31))
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SOURCE = SourceFacts("src_a", "shop", "file", public=False, purposes=frozenset({"analytics.statistics"}))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The files of one retailer."""
    return retailer.write(tmp_path_factory.mktemp("retailer"), SHOP)


def named(made: Made, name: str) -> File:
    return next(one for one in made.files if one.name == name)


def mapped(file: File) -> FileMapping:
    return mapping.parse((MAPPINGS / f"{file.mapping}.toml").read_text("utf-8"), CATALOGUE)


def rows(file: File) -> list[dict[str, Any]]:
    if file.path.suffix == ".csv":
        with file.path.open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))
    return [json.loads(line) for line in file.path.read_text(encoding="utf-8").splitlines()]


def digests(folder: Path, shop: Retailer) -> dict[str, str]:
    folder.mkdir()
    return {one.name: hashlib.sha256(one.path.read_bytes()).hexdigest() for one in retailer.write(folder, shop).files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    small = Retailer(60, SHOP.first, SHOP.last)
    first, again = digests(tmp_path / "a", small), digests(tmp_path / "b", small)
    other = digests(tmp_path / "c", Retailer(60, SHOP.first, SHOP.last, seed=8))
    assert first == again
    assert [name for name in first if first[name] == other[name]] == ["stores", "products", "campaigns"]


def test_chance_is_numpys_frozen_generator() -> None:
    """Its stream is promised for ever; a later version of a library changes no byte."""
    assert SHOP.chance("orders").randint(0, 2**31, 3).tolist() == [1299245263, 2080590040, 1954428436]


def test_every_row_is_there_and_as_many_are_malformed_as_were_planned(made: Made) -> None:
    """2 % more are malformed and 1 % come twice; which person may be counted is the gate's word, and told by the demonstration's books."""
    for file in made.files:
        assert file.rows == len(rows(file))
        batches = [
            canonical.canonicalise(raw, mapped(file), CATALOGUE, now=NOW, retention_days=730, zone="Asia/Shanghai", batch_id=b"b")
            for raw in files.read(file.path, SOURCE, clock=lambda: NOW)
        ]
        assert file.expected is not None
        assert sum(len(batch.malformed) for batch in batches) == file.expected.quarantined, file.name
        assert {path for batch in batches for path in batch.dropped_fields} == set(), file.name


def test_flaws_are_two_and_one_in_a_hundred(made: Made) -> None:
    for name in ("members", "tills", "deliveries", "events"):
        expected = named(made, name).expected
        assert expected is not None
        plain = expected.stored + expected.refused
        assert expected.quarantined == max(1, round(plain * plan.MALFORMED))
        assert expected.duplicate == max(1, round(plain * plan.DUPLICATE))
        assert flaws.Expected is type(expected)


def test_what_comes_twice_is_the_same_row(made: Made) -> None:
    for name in ("tills", "members", "live"):
        file = named(made, name)
        lines = file.path.read_text(encoding="utf-8").splitlines()
        assert file.expected is not None
        assert len(lines) - len(set(lines)) <= file.expected.duplicate
        ids = [tuple(str(row[column]) for column in mapped(file).id) for row in rows(file)]
        assert len(ids) - len(set(ids)) == file.expected.duplicate


def test_nobody_in_the_files_exists(made: Made) -> None:
    """Addresses are of a domain that belongs to nobody; each member has a card and a number of their own; no document is invented."""
    listed = members.invent(SHOP)
    for column in (listed.card, listed.mobile, listed.mail):
        assert len(set(column.tolist())) == SHOP.members
    text = "".join(file.path.read_text(encoding="utf-8") for file in made.files)
    assert not re.search(r"(?<!\d)\d{17}[\dXx](?!\d)", text), "a resident's number"
    assert {address.rpartition("@")[2] for address in re.findall(r"[\w.+-]+@[\w.-]+", text)} == {"example.com"}


def test_consent_is_given_before_anything_happens() -> None:
    listed = members.invent(SHOP)
    assert listed.signed.max() + 1 < listed.signed.dtype.type(SHOP.first)


def test_everything_happens_within_the_days_that_were_asked_for(made: Made) -> None:
    for name, column in (("tills", "at"), ("deliveries", "at"), ("touches", "at"), ("feedback", "at"), ("events", "timestamp")):
        days = {datetime.fromisoformat(row[column]).date() for row in rows(named(made, name)) if row[column] != "昨天"}
        assert SHOP.first <= min(days)
        assert max(days) <= SHOP.last, name


def test_one_sentence_in_twenty_carries_an_identifier(made: Made) -> None:
    table, _, planted = feedback.said(SHOP, members.invent(SHOP))
    found = [text for text in table["text"].to_pylist() if re.search(r"\d{11}|@", text)]
    assert len(found) == planted == max(1, int(table.num_rows * feedback.IDENTIFYING))


def test_campaigns_have_costs_and_touches_on_their_days(made: Made) -> None:
    listing = {row["id"]: row for row in rows(named(made, "campaigns"))}
    assert len(listing) == SHOP.months
    for row in rows(named(made, "costs")):
        assert listing[row["campaign"]]["starts"] <= row["day"] <= listing[row["campaign"]]["ends"]
    assert len(rows(named(made, "costs"))) / SHOP.months == campaigns.LENGTH
    for row in rows(named(made, "touches")):
        if row["at"] != "昨天":
            assert listing[row["campaign"]]["starts"] <= row["at"][:10] <= listing[row["campaign"]]["ends"]


def test_there_are_eighty_stores_in_twelve_cities_of_four_regions_and_sixty_drinks(made: Made) -> None:
    stores, drinks = rows(named(made, "stores")), rows(named(made, "products"))
    assert (len(stores), len({row["region"] for row in stores}), len(words.CITIES)) == (80, 4, 12)
    assert (len(drinks), len({row["name"] for row in drinks})) == (60, 60)
    assert sum(row["category"] == words.LOW_SUGAR for row in drinks) == 9


def test_those_who_are_to_be_erased_allow_statistics(made: Made) -> None:
    listed = members.invent(SHOP)
    assert set(made.erasures) <= set(listed.card[listed.counted].tolist())
    assert Retailer(50_000, SHOP.first, SHOP.last).scaled(retailer.ERASURES) == 30


def test_two_records_of_one_person_are_known_before_they_meet(made: Made) -> None:
    """An openid that has its own act of consent, and later stands beside a card: a merge."""
    told = {row["openid"] for row in rows(named(made, "consents")) if row["openid"]}
    joined = {row["openid"] for row in rows(named(made, "joined"))}
    listed = {row["openid"] for row in rows(named(made, "members"))}
    assert told
    assert told <= joined
    assert not joined & listed


def test_days_are_the_shops(made: Made) -> None:
    assert SHOP.days[0] == SHOP.days.dtype.type(SHOP.first)
    assert [int(SHOP.weekdays[0]), int(SHOP.weekdays[-1])] == [SHOP.first.weekday(), SHOP.last.weekday()]
    assert SHOP.months == 2
    assert SHOP.signing == SHOP.first - timedelta(days=60)
