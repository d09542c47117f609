"""The verifier against everything that somebody with the database in hand can do to a log (attacks 40 to 42)."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import checkpoint, merkle, payload, verify
from privacy.audit.checkpoint import StoredCheckpoint
from privacy.audit.log import ERASE_ACTION, AuditLog, Entry, LogEntry, LogHead, LogNode, LogPayload, head
from privacy.audit.payload import Sentence
from privacy.audit.reading import evidence, nodes
from privacy.orm import PlatformBase
from tests.fakes.signer import signer

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SIGNER = signer("piying.example/dep-1", bytes(range(32)))
SIZE = 47
CHECKPOINTS = (0, 20, 20, 35, SIZE)
ERASED, RECORD = (4, 9), 25
ORDINARY = [seq for seq in range(SIZE) if seq not in (*ERASED, RECORD)]
"""Damage to the record of an erasure reaches back to what it erased; that has its own test."""
ENTRY, PAYLOAD, NODE, HEAD = (PlatformBase.metadata.tables[f"log_{name}"] for name in ("entry", "payload", "node", "head"))


class _Undo(Exception):
    """Rolls a mutation back."""


@pytest.fixture
def stored(on_sqlite: Stores) -> Stores:
    """A log of 47 entries with five checkpoints, two of its payloads erased."""
    log = AuditLog(lambda: NOW + timedelta(seconds=1), os.urandom)
    with on_sqlite.begin_platform() as tx:
        for seq in range(SIZE + 1):
            for size in CHECKPOINTS:
                if size == seq:
                    checkpoint.issue(tx, SIGNER, NOW)
            if seq == RECORD:
                log.erase(tx, ERASED, actor="system")
            elif seq < SIZE:
                facts = {"stored": seq, "subject": os.urandom(16), "purpose": "rights.request"}
                log(tx, ("ingest", "read")[seq % 2], "batch.stored", actor="system", facts=facts)
        assert head(tx).size == SIZE
    return on_sqlite


def _verify(tx: sa.Connection, *held: str) -> dict[str, Any]:
    return verify.verify(evidence(tx), [*checkpoint.notes(tx), *held], keys=[SIGNER.verifier_key], nodes=nodes(tx), head=head(tx))


@contextmanager
def _undone(stores: Stores) -> Iterator[sa.Connection]:
    """A transaction in which an attacker does as they please; afterwards nothing happened."""
    with pytest.raises(_Undo), stores.begin_platform() as tx:
        yield tx
        raise _Undo


def _confirmed(index: int) -> int:
    """The last checkpoint at or before an entry: everything below it is vouched for."""
    return max(size for size in CHECKPOINTS if size <= index)


def _flipped(value: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(value))
    return value[:place] + bytes([value[place] ^ (1 << dice.randrange(8))]) + value[place + 1 :]


# ── one mutation a function: changes the store, answers which index must be named ──────────────────────────────────────────────


def _edit_cell(tx: sa.Connection, dice: random.Random, column: sa.Column[Any], change: Callable[[Any], Any]) -> int:
    seq = dice.choice(ORDINARY)
    table = column.table
    before = tx.scalar(sa.select(column).where(table.c.seq == seq))
    tx.execute(sa.update(table).where(table.c.seq == seq).values({column: change(before)}))
    return seq


def _edit_kind(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.kind, lambda _: "system")


def _edit_time(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.at, lambda at: at + timedelta(microseconds=dice.choice((-1, 1, 10**9))))


def _edit_commitment(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.commitment, lambda value: _flipped(value, dice))


def _edit_leaf(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, ENTRY.c.leaf_hash, lambda value: _flipped(value, dice))


def _edit_payload(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.payload, lambda value: _flipped(value, dice))


def _edit_salt(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.salt, lambda value: _flipped(value, dice))


def _blank_payload(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.payload, lambda _: None)


def _edit_actor(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.actor, lambda _: "somebody_else")


def _edit_subject(tx: sa.Connection, dice: random.Random) -> int:
    return _edit_cell(tx, dice, PAYLOAD.c.subject, lambda _: "00" * 16)


def _delete_payload(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.delete(PAYLOAD).where(PAYLOAD.c.seq == seq))
    return seq


def _erase_without_record(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.update(PAYLOAD).where(PAYLOAD.c.seq == seq).values(salt=None, payload=None, subject=None, purpose=None, erased_at=NOW))
    return seq


def _delete_entry(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.choice(ORDINARY)
    tx.execute(sa.delete(ENTRY).where(ENTRY.c.seq == seq))
    return seq


def _truncate(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    tx.execute(sa.delete(ENTRY).where(ENTRY.c.seq >= seq))
    return seq


def _truncate_with_tree_and_head(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    _rewrite(tx, lambda entries: entries[:seq])
    return seq


def _append_behind_the_head(tx: sa.Connection, dice: random.Random) -> int:
    _insert_forged(tx, SIZE)
    return SIZE


def _shift(tx: sa.Connection, from_seq: int) -> None:
    """Makes room for one entry, moving rows from the end so that no two ever share a position."""
    for seq in range(SIZE - 1, from_seq - 1, -1):
        for table in (ENTRY, PAYLOAD):
            tx.execute(sa.update(table).where(table.c.seq == seq).values(seq=seq + 1))


def _insert(tx: sa.Connection, dice: random.Random) -> int:
    """A forged entry that is right in itself, where no checkpoint follows at once: the old entry behind it no longer fits its place."""
    seq = dice.choice([26, 28, 30, 32, 36, 38, 40, 42, 44])
    _shift(tx, seq)
    _insert_forged(tx, seq)
    return seq + 1


def _duplicate(tx: sa.Connection, dice: random.Random) -> int:
    seq = dice.randrange(RECORD + 1, SIZE)
    _shift(tx, seq + 1)
    for table in (ENTRY, PAYLOAD):
        row = tx.execute(sa.select(table).where(table.c.seq == seq)).mappings().one()
        tx.execute(sa.insert(table), {**row, "seq": seq + 1})
    return seq + 1


def _swap(tx: sa.Connection, dice: random.Random) -> int:
    first, second = sorted(dice.sample(ORDINARY, 2))
    for table in (ENTRY, PAYLOAD):
        for seq, place in ((first, SIZE + 1), (second, first), (SIZE + 1, second)):
            tx.execute(sa.update(table).where(table.c.seq == seq).values(seq=place))
    return first


def _some_node(tx: sa.Connection, dice: random.Random) -> tuple[int, int]:
    level, position = dice.choice([tuple(row) for row in tx.execute(sa.select(NODE.c.level, NODE.c.position))])
    return level, position


def _edit_node(tx: sa.Connection, dice: random.Random) -> int:
    level, position = _some_node(tx, dice)
    tx.execute(sa.update(NODE).where(NODE.c.level == level, NODE.c.position == position).values(hash=os.urandom(32)))
    return position << level


def _delete_node(tx: sa.Connection, dice: random.Random) -> int:
    level, position = _some_node(tx, dice)
    tx.execute(sa.delete(NODE).where(NODE.c.level == level, NODE.c.position == position))
    return position << level


def _add_node(tx: sa.Connection, dice: random.Random) -> int:
    tx.execute(sa.insert(NODE), {"level": dice.randrange(6, 20), "position": dice.randrange(3), "hash": os.urandom(32)})
    return SIZE


def _edit_head_size(tx: sa.Connection, dice: random.Random) -> int:
    size = dice.choice([SIZE - 5, SIZE - 1, SIZE + 1, SIZE + 9])
    tx.execute(sa.update(HEAD).values(size=size))
    return min(size, SIZE)


def _edit_frontier(tx: sa.Connection, dice: random.Random) -> int:
    frontier = tx.scalar(sa.select(HEAD.c.frontier))
    assert isinstance(frontier, bytes)
    tx.execute(sa.update(HEAD).values(frontier=_flipped(frontier, dice)))
    return SIZE


def _edit_checkpoint(tx: sa.Connection, dice: random.Random) -> int:
    """One character of one note: whatever it is, the checkpoint no longer counts and what it vouched for is open from the one before."""
    number = dice.randrange(1, len(CHECKPOINTS) + 1)
    note = tx.scalar(sa.select(StoredCheckpoint.note).where(StoredCheckpoint.id == number))
    assert note is not None
    place = dice.choice([index for index, character in enumerate(note) if character.isalnum()])
    other = "A" if note[place] != "A" else "B"
    tx.execute(sa.update(StoredCheckpoint).where(StoredCheckpoint.id == number).values(note=note[:place] + other + note[place + 1 :]))
    return -1


MUTATIONS = (
    _edit_kind, _edit_time, _edit_commitment, _edit_leaf, _edit_payload, _edit_salt, _blank_payload, _edit_actor, _edit_subject,
    _delete_payload, _erase_without_record, _delete_entry, _truncate, _truncate_with_tree_and_head, _append_behind_the_head, _insert,
    _duplicate, _swap, _edit_node, _delete_node, _add_node, _edit_head_size, _edit_frontier, _edit_checkpoint,
)  # fmt: skip


# ── a forger who recomputes everything ─────────────────────────────────────────────────────────────────────────────────────────


def _forged(seq: int) -> tuple[dict[str, Any], dict[str, Any]]:
    salt, said = os.urandom(32), payload.payload_bytes("batch.stored", "system", "ok", {"stored": 0})
    committed = payload.commitment(salt, said)
    digest = merkle.leaf_hash(payload.leaf_bytes(seq, NOW, "ingest", committed))
    entry = {"seq": seq, "at": NOW, "kind": "ingest", "commitment": committed, "leaf_hash": digest}
    return entry, {"seq": seq, "salt": salt, "payload": said, "actor": "system", "action": "batch.stored"}


def _insert_forged(tx: sa.Connection, seq: int) -> None:
    entry, behind = _forged(seq)
    tx.execute(sa.insert(LogEntry), entry)
    tx.execute(sa.insert(LogPayload), behind)


def _rewrite(tx: sa.Connection, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Changes the entries and makes leaf hashes, subtrees and head agree with them again, as the operator's own superuser can."""
    rows = change([dict(row) for row in tx.execute(sa.select(ENTRY).order_by(ENTRY.c.seq)).mappings()])
    for table in (ENTRY, NODE, HEAD):
        tx.execute(sa.delete(table))
    for row in rows:
        row["leaf_hash"] = merkle.leaf_hash(payload.leaf_bytes(row["seq"], row["at"], row["kind"], row["commitment"]))
    growth = merkle.grow((), 0, [row["leaf_hash"] for row in rows])
    tx.execute(sa.insert(LogEntry), rows)
    tx.execute(sa.insert(LogNode), [{"level": node.level, "position": node.position, "hash": node.hash} for node in growth.nodes])
    tx.execute(sa.insert(LogHead), {"id": 1, "size": growth.size, "frontier": b"".join(growth.frontier)})


def _rewrite_time(seq: int) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    def change(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows[seq]["at"] += timedelta(hours=1)
        return rows

    return change


# ── the claims ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_honest_log_verifies_with_its_erasures_and_checkpoints(stored: Stores) -> None:
    with stored.read_platform() as tx:
        result = _verify(tx)
        assert result == {
            "ok": True, "size": SIZE, "root": head(tx).root.hex(), "first_bad": None, "reason": None,
            "checkpoints": len(CHECKPOINTS), "signed_size": SIZE,
        }  # fmt: skip


def test_two_hundred_random_mutations_of_a_stored_log_are_all_found_and_the_first_bad_index_is_named(stored: Stores) -> None:
    dice = random.Random(20260615)
    misses = []
    for number in range(200):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        with _undone(stored) as tx:
            expected = mutate(tx, dice)
            result = _verify(tx)
        if result["ok"] or (expected >= 0 and result["first_bad"] != expected) or result["first_bad"] is None:
            misses.append((mutate.__name__, expected, result["first_bad"], result["reason"]))
    assert misses == []
    with stored.read_platform() as tx:
        assert _verify(tx)["ok"], "every mutation was undone"


def test_a_log_rewritten_with_all_its_hashes_is_contradicted_by_the_next_checkpoint(stored: Stores) -> None:
    for seq in (0, 19, 20, 33, 34, 35, 46):
        with _undone(stored) as tx:
            _rewrite(tx, _rewrite_time(seq))
            result = _verify(tx)
        assert not result["ok"]
        assert (result["first_bad"], result["reason"]) == (_confirmed(seq), "checkpoint_root")


def test_a_rewritten_log_signed_again_with_the_real_key_is_contradicted_by_a_checkpoint_kept_outside(stored: Stores) -> None:
    """Attack 42: the operator's key makes new signatures, and cannot take back the old one."""
    with stored.read_platform() as tx:
        held = list(checkpoint.notes(tx))[3]
    with _undone(stored) as tx:
        _rewrite(tx, _rewrite_time(28))
        tx.execute(sa.delete(StoredCheckpoint))
        checkpoint.issue(tx, SIGNER, NOW)
        assert _verify(tx)["ok"], "nothing inside the database contradicts it"
        result = _verify(tx, held)
    assert (result["ok"], result["reason"]) == (False, "checkpoint_root")
    assert result["first_bad"] <= 28


def test_a_log_cut_back_behind_a_checkpoint_kept_outside_is_found(stored: Stores) -> None:
    with stored.read_platform() as tx:
        held = list(checkpoint.notes(tx))[-1]
    with _undone(stored) as tx:
        _rewrite(tx, lambda rows: rows[:40])
        tx.execute(sa.delete(StoredCheckpoint).where(StoredCheckpoint.size > 40))
        assert _verify(tx)["ok"]
        result = _verify(tx, held)
    assert (result["ok"], result["first_bad"], result["reason"]) == (False, 40, "truncated")


def test_two_views_of_one_log_contradict_each_other(stored: Stores) -> None:
    """Attack 41: a checkpoint of another history, rightly signed, shown to somebody else."""
    with stored.read_platform() as tx:
        result = _verify(tx, SIGNER.note(30, os.urandom(32)))
    assert (result["ok"], result["first_bad"], result["reason"]) == (False, 20, "checkpoint_root")


def test_checkpoints_under_a_key_nobody_was_given_do_not_count(stored: Stores) -> None:
    stranger = signer(SIGNER.origin, bytes(32))
    with stored.read_platform() as tx:
        result = _verify(tx, stranger.note(35, os.urandom(32)))
        assert result["reason"] == "checkpoint_signature"
        unsigned = verify.verify(evidence(tx), checkpoint.notes(tx))
    assert unsigned["ok"]
    assert unsigned["signed_size"] == 0


def test_an_erasure_recorded_for_another_entry_excuses_nothing(stored: Stores) -> None:
    with _undone(stored) as tx:
        tx.execute(sa.update(PAYLOAD).where(PAYLOAD.c.seq == RECORD).values(salt=None, payload=None, erased_at=NOW))
        result = _verify(tx)
    assert (result["first_bad"], result["reason"]) == (ERASED[0], "erasure_unrecorded")


def test_what_is_not_an_entry_is_bad_form_and_not_a_crash() -> None:
    for entry in (
        {},
        {"seq": "0"},
        {"seq": 0, "c": 5},
        {"seq": 0, "c": "zz"},
        {"seq": 0, "ts": "x", "kind": "y", "c": "00", "salt": 1, "payload": 2},
    ):
        result = verify.verify([entry])
        assert (result["ok"], result["first_bad"], result["size"]) == (False, 0, 1)


def test_the_empty_log_is_in_order() -> None:
    result = verify.verify([], [SIGNER.note(0, merkle.EMPTY_ROOT)], keys=[SIGNER.verifier_key], head=(0, merkle.EMPTY_ROOT))
    assert result["ok"]
    assert verify.verify([], [SIGNER.note(1, merkle.EMPTY_ROOT)])["reason"] == "truncated"


def test_the_verifier_and_the_log_compute_the_same_bytes() -> None:
    """The arithmetic is written twice on purpose; here the two are held together."""
    assert verify.COMMITMENT_DOMAIN == payload.COMMITMENT_DOMAIN
    assert verify.ERASE_ACTION == ERASE_ACTION
    entry, _ = _forged(3)
    public = {"seq": 3, "ts": payload.stamp(NOW), "kind": "ingest", "c": entry["commitment"].hex()}
    assert verify._leaf_hash(public) == entry["leaf_hash"]


def test_the_verifier_imports_nothing_of_ours_and_no_database() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots <= set(sys.stdlib_module_names) | {"cryptography"}
    assert not roots & {"sqlite3", "socket", "urllib", "http", "subprocess"}


def test_the_one_file_checks_a_bundle_on_its_own(stored: Stores, tmp_path: Path) -> None:
    """As an outsider runs it: a copy of the file in another folder, a bundle, a key from somebody trusted."""
    program, bundle, held = tmp_path / "verifier.py", tmp_path / "bundle.jsonl", tmp_path / "held"
    program.write_text(Path(verify.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    with stored.read_platform() as tx:
        kept = list(checkpoint.notes(tx))
        lines = [{"checkpoint": note} for note in kept[:-1]] + [{"entry": entry} for entry in evidence(tx)]
    held.write_text(kept[-1], encoding="utf-8")

    def run() -> dict[str, Any]:
        bundle.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        command = [sys.executable, "-I", str(program), str(bundle), "--key", SIGNER.verifier_key, "--held", str(held)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if result["ok"] else 1)
        return result

    assert run()["ok"]
    lines[len(kept) - 1 + 33]["entry"]["ts"] = "2026-06-15T04:30:00.000000Z"  # type: ignore[index]
    assert run()["first_bad"] == 33


def test_a_bundle_may_withhold_payloads_and_still_prove_its_order(stored: Stores) -> None:
    with stored.read_platform() as tx:
        lines = [json.dumps({"withheld": True})] + [json.dumps({"checkpoint": note}) for note in checkpoint.notes(tx)]
        lines += [json.dumps({"entry": entry}) for entry in evidence(tx, payloads=False)]
    assert verify.verify_bundle(lines, keys=[SIGNER.verifier_key])["ok"]
    assert verify.verify_bundle(lines[1:], keys=[SIGNER.verifier_key])["reason"] == "payload_missing"


def test_a_reason_is_nowhere_in_the_verdict(on_sqlite: Stores) -> None:
    log = AuditLog(lambda: NOW, os.urandom)
    with on_sqlite.begin_platform() as tx:
        log.append_many(tx, [Entry("read", "person.reveal", "system", facts={"reason": Sentence("rather private")})])
        tx.execute(sa.update(PAYLOAD).values(salt=bytes(32)))
        result = _verify(tx)
    assert result["reason"] == "payload"
    assert "private" not in json.dumps(result)
