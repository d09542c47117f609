"""Requests that are taken in together are told what each would have been told alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from ingestion import pipeline, quarantine, together, verdicts
from ingestion.source import Reading, Row
from privacy.records import RawBatch
from privacy.vocabulary import FormRule
from tests.conftest import NOW
from tests.unit.ingestion.test_pipeline import SOURCE, Desk, open_desk

UUID = "0b5e6f0e-0000-4000-8000-00000000000{}"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as one:
        yield one


def reading(word: str, message_id: str | None) -> Reading:
    """A product whose first letter says what the door does with it; `x` is malformed, `n` means nothing."""
    at = int(NOW.timestamp() * 1e6) - 1_000_000
    if word == "x":
        return Reading(message_id, path="event", rule=FormRule.MISSING, original={"a": 1})
    rows = () if word == "n" else (Row("event", at, {"event": "product_viewed", "product_id": word}, {"cookie": "c"}),)
    return Reading(message_id, rows=rows, original={"a": word})


def requests(seed: int) -> list[RawBatch]:
    chance, made = random.Random(seed), []
    for number in range(chance.randrange(2, 5)):
        items = [reading(chance.choice("ssrqwxn"), None if chance.random() < 0.5 else UUID.format(chance.randrange(9))) for _ in range(6)]
        made.append(RawBatch(SOURCE, NOW + timedelta(seconds=number), items=items, request_id=f"req_{number}"))
    return made


def told(stores: Stores) -> dict[str, object]:
    with stores.read_platform() as tx:
        names = tx.execute(sa.select(verdicts.RequestVerdict.request_id)).scalars().all()
        return {name: verdicts.get(tx, name, now=NOW) for name in names}


@pytest.mark.parametrize("seed", range(6))
def test_receipts_verdicts_and_places_are_those_of_each_alone(desk: Desk, seed: int) -> None:
    raws = requests(seed)
    whole, receipts = together.ingest(raws, desk.intake)
    with open_desk() as other:
        alone = [pipeline.ingest(raw, None, other.intake) for raw in raws]
        for one, apart in zip(receipts, alone, strict=True):
            assert (one.received, one.by_verdict) == (apart.received, apart.by_verdict)
        assert told(desk.stores) == told(other.stores)
        assert desk.tally() == other.tally()
        assert whole.reasons == sum_of(alone)
        with desk.stores.read_platform() as mine, other.stores.read_platform() as theirs:
            held = [sorted((one.position, one.path, one.rule) for one in quarantine.listing(tx, limit=100)[0]) for tx in (mine, theirs)]
        assert held[0] == held[1]


def sum_of(receipts: list[pipeline.Receipt]) -> dict[str, int]:
    total = pipeline.Receipt()
    for one in receipts:
        total = total.plus(one)
    return dict(total.reasons)


def test_a_message_that_two_requests_bring_is_stored_once(desk: Desk) -> None:
    raws = [RawBatch(SOURCE, NOW, items=[reading("s", UUID.format(1))], request_id=f"req_{number}") for number in range(3)]
    _, receipts = together.ingest(raws, desk.intake)
    assert [(one.stored, one.duplicate) for one in receipts] == [(1, 0), (0, 1), (0, 1)]


def test_what_has_no_id_of_its_own_is_another_message_in_each_request(desk: Desk) -> None:
    raws = [RawBatch(SOURCE, NOW, items=[reading("s", None)], request_id=f"req_{number}") for number in range(2)]
    assert together.ingest(raws, desk.intake)[0].stored == 2
