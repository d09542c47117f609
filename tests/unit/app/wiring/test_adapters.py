"""Senders' bytes reach the adapter of their source's kind, and no other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestion import registry, strictjson
from ingestion.sources.synthetic import plan, retailer
from privacy.errors import Invalid, NotFound
from privacy.records import SourceFacts
from tests.house import ROOT, House, track

MAPPINGS = ROOT / "ingestion" / "sources" / "mappings"


def facts_of(house: House, name: str) -> SourceFacts:
    with house.services.read_intake() as tx:
        return registry.by_name(tx, name).facts


@pytest.mark.parametrize("kind", ["segment", "rudderstack"])
def test_messages_are_read_by_the_adapter_of_their_kind(house: House, kind: str) -> None:
    house.source("web", kind)
    batch = house.services.messages(facts_of(house, "web"), "track", strictjson.loads(strictjson.dumps(track())), "req_1")
    assert (batch.request_id, len(batch.items or ())) == ("req_1", 1)
    assert batch.received_at == house.clock()


def test_a_source_of_files_sends_no_messages(house: House) -> None:
    house.source("till", "file")
    with pytest.raises(Invalid) as wrong:
        house.services.messages(facts_of(house, "till"), "track", strictjson.loads(b"{}"), "req_1")
    assert wrong.value.code == "wrong_endpoint"


def test_a_mapping_file_is_read_or_named_missing(house: House, tmp_path: Path) -> None:
    assert house.services.mapping(MAPPINGS / "retail_tills.toml").record == "order_line"
    with pytest.raises(NotFound) as missing:
        house.services.mapping(tmp_path / "none.toml")
    assert missing.value.code == "mapping_unknown"


def test_a_file_is_read_in_chunks_that_tell_their_progress(house: House, tmp_path: Path) -> None:
    house.source("shop", "file")
    path = tmp_path / "stores.csv"
    path.write_text("id,name\nS1,a\nS2,b\n", encoding="utf-8")
    heard: list[tuple[int, int]] = []
    chunks = list(house.services.read_file(path, facts_of(house, "shop"), lambda done, total: heard.append((done, total))))
    assert sum(chunk.table.num_rows for chunk in chunks if chunk.table is not None) == 2
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)


def test_held_rows_of_a_file_are_replayed_only_with_a_mapping(house: House) -> None:
    house.source("shop", "file")
    with pytest.raises(Invalid) as wrong:
        house.services.replayed(facts_of(house, "shop"), [b"{}"], None)
    assert wrong.value.code == "mapping_missing"
    batch, mapping = house.services.replayed(facts_of(house, "shop"), [b'{"id":"S1"}'], MAPPINGS / "retail_stores.toml")
    assert mapping is not None
    assert batch.source.name == "shop"


def test_held_messages_are_replayed_as_messages(house: House) -> None:
    house.source("web", "segment")
    batch, mapping = house.services.replayed(facts_of(house, "web"), [strictjson.dumps(track(1)), strictjson.dumps(track(2))], None)
    assert mapping is None
    assert len(batch.items or ()) == 2


def test_the_invented_retailer_is_the_one_of_the_sources(house: House, tmp_path: Path) -> None:
    first, last = date(2026, 5, 1), date(2026, 5, 31)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    made = house.services.synthetic(tmp_path / "a", members=40, first=first, last=last)
    same = retailer.write(tmp_path / "b", plan.Retailer(40, first, last))
    assert [one.path.read_bytes() for one in made.files] == [one.path.read_bytes() for one in same.files]
