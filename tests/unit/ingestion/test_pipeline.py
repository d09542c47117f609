"""The way in with doors that do as they are told: every item is counted once, a retry changes nothing, failed payloads are sealed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.stores import Stores
from ingestion import inbox, pipeline, quarantine, verdicts
from ingestion.source import Reading, Row
from privacy.dictionary import catalogue
from privacy.errors import Raced, Unavailable
from privacy.orm import PlatformBase, to_micros
from privacy.records import CanonicalBatch, DeidentifiedBatch, Malformed, RawBatch, Refusals, SourceFacts, TablePart
from privacy.vocabulary import FormRule, Verdict
from tests.conftest import NOW
from tests.stores import sqlite_stores

SOURCE = SourceFacts("src_web000000000", "web", "segment", False, frozenset({"analytics.statistics"}))


@dataclass
class Box:
    """records.SealedBox, in memory."""

    held: dict[str, tuple[bytes, Any]] = field(default_factory=dict)
    full: bool = False

    def seal(self, source_id: str, payloads: Sequence[bytes], expires_at: Any) -> list[str]:
        if self.full:
            raise Unavailable("the vault does not answer")
        made = [f"ref{len(self.held) + number:029d}" for number in range(len(payloads))]
        self.held |= {name: (payload, expires_at) for name, payload in zip(made, payloads, strict=True)}
        return made

    def open(self, references: Sequence[str]) -> list[bytes | None]:
        return [self.held[one][0] if one in self.held else None for one in references]

    def destroy(self, references: Sequence[str]) -> None:
        for one in references:
            self.held.pop(one, None)


@dataclass
class Answer:
    """records.Admitted."""

    batch: DeidentifiedBatch
    refusals: Refusals
    malformed: tuple[Malformed, ...]
    older_digests: Sequence[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]] = ()
    dropped_fields: Mapping[str, int] = field(default_factory=dict)
    races: list[None] = field(default_factory=list)
    settled: list[Mapping[int, Verdict]] = field(default_factory=list)

    def settle(self, tx: sa.Connection, verdicts: Mapping[int, Verdict]) -> None:
        if self.races:
            self.races.pop()
            raise Raced("consent changed")
        self.settled.append(dict(verdicts))


@dataclass
class Door:
    """records.Admit: refuses the products called r…, finds fault with those called q…, lets wait those called w…, admits the rest."""

    races: list[None] = field(default_factory=list)
    settled: list[Mapping[int, Verdict]] = field(default_factory=list)
    dropped: Mapping[str, int] = field(default_factory=dict)
    asked: int = 0

    def __call__(self, batch: CanonicalBatch) -> Answer:
        self.asked += 1
        parts, refused, malformed = [], [], []
        for part in batch.parts:
            words = [(one or "s")[0] for one in part.fields["product_id"].to_pylist()]
            places = part.positions.to_pylist()
            refused += [place for place, word in zip(places, words, strict=True) if word == "r"]
            rules = {"q": FormRule.BAD_IDENTIFIER, "w": FormRule.AWAITING_CONSENT}
            malformed += [Malformed(place, "x", rules[word].value) for place, word in zip(places, words, strict=True) if word in rules]
            mask = pa.array([word == "s" for word in words])
            assert part.message_ids is not None
            names = [hashlib.sha256(name.encode()).digest()[:16] for name in part.message_ids.to_pylist()]
            digests = pa.array(names, pa.binary(16)).filter(mask)
            rows = pa.table({"virtual_id": part.positions}).filter(mask)
            parts.append(TablePart("events", part.positions.filter(mask), digests, rows))
        made = DeidentifiedBatch(batch.source.id, batch.batch_id, batch.received_at, tuple(parts))
        reasons = ("consent_missing",) * len(refused)
        return Answer(
            made, Refusals(tuple(refused), reasons), tuple(malformed), dropped_fields=self.dropped, races=self.races, settled=self.settled
        )


@dataclass
class Desk:
    """The pipeline with its hands tied."""

    stores: Stores
    door: Door = field(default_factory=Door)
    box: Box = field(default_factory=Box)

    @property
    def intake(self) -> pipeline.Intake:
        return pipeline.Intake(self.door, self.stores.begin_platform, self.box, catalogue.load(), lambda: NOW, "Asia/Shanghai", 744)

    def ingest(self, items: Sequence[Reading], request: str = "") -> pipeline.Receipt:
        return pipeline.ingest(RawBatch(SOURCE, NOW, items=items, request_id=request), None, self.intake)

    def everything(self) -> dict[str, list[Any]]:
        with self.stores.begin_platform() as tx:
            return {table.name: [tuple(one) for one in tx.execute(sa.select(table))] for table in PlatformBase.metadata.sorted_tables}

    def tally(self) -> dict[str, int]:
        with self.stores.begin_platform() as tx:
            totals: dict[str, int] = {}
            for _, _, verdict, _, number in inbox.counts(tx):
                totals[verdict] = totals.get(verdict, 0) + number
            return totals


@contextlib.contextmanager
def open_desk() -> Iterator[Desk]:
    with sqlite_stores() as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
        yield Desk(stores)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as made:
        yield made


def item(word: str, name: str) -> Reading:
    """`s` is stored, `r` refused, `q` and `w` quarantined by admission, `f` fails in form, `n` means nothing."""
    if word == "f":
        return Reading(name, path="timestamp", rule=FormRule.BAD_TIME, original={"secret": name})
    if word == "n":
        return Reading(name)
    row = Row("event", to_micros(NOW), {"event": "other", "product_id": f"{word}-1"}, {"phone": "13800138000"})
    return Reading(name, rows=(row,), original={"secret": name})


ITEMS = st.lists(st.tuples(st.sampled_from("ssrqwfn"), st.sampled_from(["m1", "m2", "m3", "m4", "m5", "m6"])), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_received_is_stored_and_duplicate_and_quarantined_and_refused_whatever_comes(batches: list[list[tuple[str, str]]]) -> None:
    with open_desk() as desk:
        total = pipeline.Receipt()
        known: set[str] = set()
        for words in batches:
            receipt = desk.ingest([item(*one) for one in words])
            assert receipt.received == len(words)
            assert receipt.received == receipt.stored + receipt.duplicate + receipt.quarantined + receipt.refused
            good = [name for word, name in words if word == "s"]
            assert receipt.stored == len(set(good) - known)
            assert receipt.quarantined == sum(word in "qwf" for word, _ in words)
            assert sum(receipt.reasons.values()) == receipt.quarantined + receipt.refused
            known |= set(good)
            total = total.plus(receipt)
        with desk.stores.begin_platform() as tx:
            assert inbox.waiting(tx)[1] == len(known) == total.stored
        assert sum(desk.tally().values()) == total.received
        assert desk.tally().get("refused", 0) == total.refused
        assert len(desk.box.held) == total.quarantined


def test_a_retry_of_the_same_batch_stores_nothing_twice(desk: Desk) -> None:
    items = [item("s", "m1"), item("s", "m2"), item("r", "m3")]
    assert desk.ingest(items).stored == 2
    with desk.stores.begin_platform() as tx:
        before = inbox.pending(tx)
    again = desk.ingest(items)
    assert (again.stored, again.duplicate, again.refused) == (0, 2, 1)
    with desk.stores.begin_platform() as tx:
        assert inbox.pending(tx) == before


def test_a_message_that_stands_twice_in_one_batch_is_stored_once(desk: Desk) -> None:
    receipt = desk.ingest([item("s", "m1"), item("s", "m1")])
    assert (receipt.stored, receipt.duplicate) == (1, 1)
    assert desk.door.settled == [{0: Verdict.STORED, 1: Verdict.DUPLICATE}]


def test_what_failed_in_form_is_kept_sealed_seven_days_and_what_waits_for_consent_one(desk: Desk) -> None:
    desk.ingest([item("f", "m1"), item("q", "m2"), item("w", "m3"), item("r", "m4"), item("s", "m5")])
    with desk.stores.begin_platform() as tx:
        held, _ = quarantine.listing(tx)
    lives = {one.rule: one.expires_at - NOW for one in held}
    week = timedelta(days=7)
    assert lives == {"bad_time": week, "bad_identifier": week, "awaiting_consent": timedelta(hours=24)}
    assert {payload for payload, _ in desk.box.held.values()} == {b'{"secret":"m1"}', b'{"secret":"m2"}', b'{"secret":"m3"}'}
    assert all(one.reference is not None and desk.box.held[one.reference][1] == one.expires_at for one in held)
    assert "secret" not in str(desk.everything())


def test_an_item_that_failed_can_be_opened_and_sent_again(desk: Desk) -> None:
    desk.ingest([item("f", "m1")])
    with desk.stores.begin_platform() as tx:
        (held,) = quarantine.waiting(tx, SOURCE.id, after=0, until=9, now=NOW, limit=9)
    assert desk.box.open([held.reference or ""]) == [b'{"secret":"m1"}']
    assert desk.ingest([item("s", "m1")]).stored == 1


def test_a_race_is_decided_again_and_counted_once(desk: Desk) -> None:
    desk.door.races.extend([None, None])
    assert desk.ingest([item("s", "m1"), item("f", "m2")]).stored == 1
    assert desk.door.asked == 3
    assert desk.tally() == {"stored": 1, "quarantined": 1}


def test_after_six_races_the_sender_is_told_to_come_again_and_nothing_was_stored(desk: Desk) -> None:
    desk.door.races.extend([None] * 6)
    before = desk.everything()
    with pytest.raises(Raced):
        desk.ingest([item("s", "m1")])
    assert desk.everything() == before


def test_if_a_payload_cannot_be_sealed_nothing_of_the_batch_is_acknowledged(desk: Desk) -> None:
    desk.box.full = True
    before = desk.everything()
    with pytest.raises(Unavailable):
        desk.ingest([item("s", "m1"), item("f", "m2")])
    assert desk.everything() == before


def test_verdicts_of_a_request_tell_form_and_nothing_about_people(desk: Desk) -> None:
    name = "00000000-0000-4000-8000-000000000001"
    desk.ingest([item("s", name), item("r", "m2"), item("f", "m3"), item("s", name)], request="req_1")
    with desk.stores.begin_platform() as tx:
        found = verdicts.get(tx, "req_1", now=NOW)
    assert found is not None
    told = [(one["index"], one["message_id"], one["verdict"], one["reason"], one["path"]) for one in found[1]]
    assert told == [
        (0, name, "stored", None, None),
        (1, None, "not_processed", "not_processed", None),
        (2, None, "quarantined", "bad_time", "timestamp"),
        (3, name, "duplicate", None, None),
    ]


def test_what_the_door_leaves_out_of_rows_is_counted_with_the_fields_that_nobody_declared(desk: Desk) -> None:
    desk.door.dropped = {"feedback.text:text_low_confidence": 2}
    desk.door.races.append(None)
    receipt = desk.ingest([item("s", "m1"), Reading("m2", item("s", "m2").rows, dropped={"odd": 1})])
    assert receipt.dropped_fields == {"feedback.text:text_low_confidence": 2, "odd": 1}
    with desk.stores.begin_platform() as tx:
        assert inbox.dropped_fields(tx, source_id=SOURCE.id) == receipt.dropped_fields


def test_items_are_counted_on_the_controllers_day(desk: Desk) -> None:
    desk.ingest([item("s", "m1")])
    with desk.stores.begin_platform() as tx:
        ((_, day, _, _, _),) = inbox.counts(tx)
    assert day.isoformat() == "2026-06-15"


def test_an_empty_batch_is_a_batch(desk: Desk) -> None:
    assert desk.ingest([]) == pipeline.Receipt()


def test_an_item_that_fails_again_is_given_no_more_time(desk: Desk) -> None:
    raw = RawBatch(SOURCE, NOW, items=[item("f", "m1"), item("w", "m2"), item("f", "m3")])
    ends = [NOW + timedelta(hours=1), NOW + timedelta(hours=2), NOW + timedelta(days=30)]
    pipeline.ingest(raw, None, desk.intake, ends=ends)
    with desk.stores.begin_platform() as tx:
        held, _ = quarantine.listing(tx)
    assert [one.expires_at for one in sorted(held, key=lambda one: one.position)] == [*ends[:2], NOW + timedelta(days=7)]
