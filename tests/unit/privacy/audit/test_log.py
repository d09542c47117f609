"""The log on real databases: positions, the caller's transaction, erasure, the order of writers."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import merkle
from privacy.audit.log import AuditLog, Entry, LogEntry, LogHead, LogPayload, head
from privacy.audit.payload import Sentence
from privacy.audit.reading import Filter, consistency_proof, count, evidence, inclusion_proof, lines, nodes
from privacy.audit.stored import verify
from privacy.errors import Invalid, NotFound
from privacy.records import Log
from privacy.vocabulary import LogKind

START = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


@pytest.fixture
def log() -> AuditLog:
    ticks: Iterator[int] = itertools.count()
    return AuditLog(lambda: START + timedelta(seconds=next(ticks)), os.urandom)


def _append(stores: Stores, log: AuditLog, count: int, **facts: int) -> None:
    with stores.begin_platform() as tx:
        log.append_many(tx, [Entry(LogKind.INGEST, "batch.stored", "system", facts=facts)] * count)


def _verdict(stores: Stores) -> dict[str, object]:
    with stores.read_platform() as tx:
        return verify(evidence(tx), nodes=nodes(tx), head=head(tx))


def test_calling_the_log_appends_and_answers_with_the_position(stores: Stores, log: AuditLog) -> None:
    as_protocol: Log = log
    with stores.begin_platform() as tx:
        assert [as_protocol(tx, LogKind.CONSENT, "consent.recorded", actor="system", facts={"acts": 3}) for _ in range(5)] == [
            0,
            1,
            2,
            3,
            4,
        ]
    assert _verdict(stores) | {"root": None} == {
        "ok": True, "size": 5, "root": None, "first_bad": None, "reason": None, "checkpoints": 0, "signed_size": 0,
    }  # fmt: skip


def test_one_by_one_and_in_bulk_give_the_same_shape_of_tree(stores: Stores, log: AuditLog) -> None:
    for step in (1, 2, 3, 10, 1, 33):
        _append(stores, log, step)
    with stores.read_platform() as tx:
        stored = list(nodes(tx))
        hashes = [bytes(digest) for digest in tx.scalars(sa.select(LogEntry.leaf_hash).order_by(LogEntry.seq))]
        size, root = head(tx)
    assert (size, root) == (50, merkle.root_of_hashes(hashes))
    assert stored == [tuple(node) for node in merkle.grow((), 0, hashes).nodes]


def test_an_act_that_fails_leaves_no_entry(on_sqlite: Stores, log: AuditLog) -> None:
    _append(on_sqlite, log, 3)
    with pytest.raises(RuntimeError), on_sqlite.begin_platform() as tx:
        log(tx, LogKind.CONSENT, "consent.recorded", actor="system")
        raise RuntimeError
    with on_sqlite.read_platform() as tx:
        assert head(tx).size == 3
    _append(on_sqlite, log, 1)
    assert _verdict(on_sqlite)["ok"]


def test_a_refused_fact_stops_the_act_before_the_head_is_touched(on_sqlite: Stores, log: AuditLog) -> None:
    with pytest.raises(Invalid), on_sqlite.begin_platform() as tx:
        log.append_many(tx, [Entry("ingest", "a", "system"), Entry("ingest", "a", "system", facts={"name": "Li Hua"})])
    with pytest.raises(Invalid) as caught, on_sqlite.begin_platform() as tx:
        log(tx, "gossip", "a", actor="system")
    assert caught.value.code == "log_kind"
    with on_sqlite.read_platform() as tx:
        assert head(tx) == (0, merkle.EMPTY_ROOT)


def test_appending_nothing_is_nothing(on_sqlite: Stores, log: AuditLog) -> None:
    with on_sqlite.begin_platform() as tx:
        assert list(log.append_many(tx, [])) == []
        assert tx.scalar(sa.select(sa.func.count()).select_from(LogHead)) == 0


def test_writers_at_the_same_time_get_positions_without_gap_or_double(stores: Stores) -> None:
    log = AuditLog(lambda: datetime.now(UTC), os.urandom)
    _append(stores, log, 1)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(8):
                with stores.begin_platform() as tx:
                    log(tx, LogKind.INGEST, "batch.stored", actor="system", facts={"stored": 1})
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdict = _verdict(stores)
    assert verdict["ok"]
    assert verdict["size"] == 49
    with stores.read_platform() as tx:
        times = list(tx.scalars(sa.select(LogEntry.at).order_by(LogEntry.seq)))
    assert times == sorted(times), "the clock is read under the lock, so times follow positions"


def test_stored_subtrees_prove_every_entry_and_every_earlier_size(stores: Stores, log: AuditLog) -> None:
    _append(stores, log, 21)
    with stores.read_platform() as tx:
        hashes = [bytes(digest) for digest in tx.scalars(sa.select(LogEntry.leaf_hash).order_by(LogEntry.seq))]
        root = head(tx).root
        for seq in (0, 7, 15, 16, 20):
            assert merkle.verify_inclusion(hashes[seq], seq, 21, inclusion_proof(tx, seq), root)
        assert merkle.verify_inclusion(hashes[3], 3, 11, inclusion_proof(tx, 3, 11), merkle.root_of_hashes(hashes[:11]))
        for size in (1, 8, 13, 20, 21):
            assert merkle.verify_consistency(size, 21, consistency_proof(tx, size), merkle.root_of_hashes(hashes[:size]), root)
        with pytest.raises(NotFound):
            inclusion_proof(tx, 21)
        with pytest.raises(NotFound):
            consistency_proof(tx, 22)
        with pytest.raises(NotFound) as caught:
            inclusion_proof(tx, 0, 64)
        assert caught.value.code == "log_incomplete"


def test_an_erased_payload_is_gone_and_every_proof_still_holds(stores: Stores, log: AuditLog) -> None:
    """Requirement A-04: who acted and when stays, the subject and the reason go, the root is the same."""
    handle = os.urandom(16)
    with stores.begin_platform() as tx:
        log(tx, "read", "person.reveal", actor="usr_0123456789abcdef", facts={"subject": handle, "reason": Sentence("她来电要求更正")})
        log(tx, "ingest", "batch.stored", actor="system")
        before, *_ = evidence(tx)
    with stores.begin_platform() as tx:
        assert log.erase(tx, [0], actor="system") == 1
        assert log.erase(tx, [0], actor="system") == 0
    with stores.read_platform() as tx:
        after, *_ = evidence(tx)
        assert {key: after[key] for key in ("seq", "ts", "kind", "c", "leaf")} == {
            key: before[key] for key in ("seq", "ts", "kind", "c", "leaf")
        }
        assert after["salt"] is None
        assert after["payload"] is None
        assert merkle.verify_inclusion(bytes.fromhex(before["leaf"]), 0, 3, inclusion_proof(tx, 0), head(tx).root)
        row = tx.execute(sa.select(LogPayload).where(LogPayload.seq == 0)).one()
        assert (row.subject, row.salt, row.payload, row.actor, row.action) == (None, None, None, "usr_0123456789abcdef", "person.reveal")
        oldest = lines(tx, Filter()).items[-1]
        assert oldest.facts is None
        assert oldest.erased_at is not None
    assert _verdict(stores)["ok"]


def test_the_record_of_an_erasure_cannot_be_erased(on_sqlite: Stores, log: AuditLog) -> None:
    _append(on_sqlite, log, 3)
    with on_sqlite.begin_platform() as tx:
        assert log.erase(tx, range(3), actor="system") == 3
        assert log.erase(tx, range(10), actor="system") == 0
    assert _verdict(on_sqlite)["ok"]


def test_more_erasures_than_one_entry_can_name_take_several(on_sqlite: Stores, log: AuditLog) -> None:
    _append(on_sqlite, log, 1_200)
    with on_sqlite.begin_platform() as tx:
        assert log.erase(tx, range(1_200), actor="system") == 1_200
    verdict = _verdict(on_sqlite)
    assert (verdict["ok"], verdict["size"]) == (True, 1_203)


def test_lines_are_found_by_subject_actor_purpose_kind_and_time_newest_first(stores: Stores, log: AuditLog) -> None:
    handle = os.urandom(16)
    with stores.begin_platform() as tx:
        for number in range(7):
            log(
                tx,
                "read",
                "person.reveal",
                actor="usr_0123456789abcdef",
                facts={"subject": handle, "purpose": "rights.request", "number": number},
            )
            log(tx, "ingest", "batch.stored", actor="src_0123456789abcdef", facts={"stored": number})
    with stores.read_platform() as tx:
        first = lines(tx, Filter(subject=handle.hex()), limit=5)
        assert [line.facts["number"] for line in first.items if line.facts] == [6, 5, 4, 3, 2]
        rest = lines(tx, Filter(subject=handle.hex()), limit=5, before=first.next)
        assert [line.facts["number"] for line in rest.items if line.facts] == [1, 0]
        assert rest.next is None
        assert len(lines(tx, Filter(actor="src_0123456789abcdef")).items) == 7
        assert len(lines(tx, Filter(purpose="rights.request", kind="read", action="person.reveal")).items) == 7
        assert len(lines(tx, Filter(since=START + timedelta(seconds=4), until=START + timedelta(seconds=6))).items) == 2
        assert count(tx, "usr_0123456789abcdef", "person.reveal", START) == 7
        for limit in (0, 501):
            with pytest.raises(Invalid):
                lines(tx, Filter(), limit=limit)
