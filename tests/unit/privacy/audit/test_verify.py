"""The verifier against everything that somebody with the database in hand can do to a log (attacks 40 to 42)."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import bundle, checkpoint, merkle, payload, verify
from privacy.audit import stored as audit_stored
from privacy.audit.checkpoint import StoredCheckpoint
from privacy.audit.log import ERASE_ACTION, AuditLog, Entry, head
from privacy.audit.payload import Sentence
from privacy.audit.reading import evidence
from tests.fakes.signer import signer
from tests.unit.privacy.audit.tampering import (
    CHECKPOINTS,
    ERASED,
    MUTATIONS,
    NOW,
    PAYLOAD,
    RECORD,
    SIGNER,
    SIZE,
    confirmed,
    forged,
    rewrite,
    rewrite_time,
    undone,
    verified,
)


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


def test_an_honest_log_verifies_with_its_erasures_and_checkpoints(stored: Stores) -> None:
    with stored.read_platform() as tx:
        result = verified(tx)
        assert result == {
            "ok": True, "size": SIZE, "root": head(tx).root.hex(), "first_bad": None, "reason": None,
            "checkpoints": len(set(CHECKPOINTS)), "signed_size": SIZE,
        }  # fmt: skip


def test_attack_40_a_thousand_random_mutations_of_a_stored_log_are_all_found_and_the_first_bad_entry_is_named(stored: Stores) -> None:
    """Attack 40: every cell of every row, rows gone, added, doubled, swapped; each mutation about forty times in other places."""
    dice = random.Random(20260615)
    misses = []
    for number in range(1_000):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        with undone(stored) as tx:
            expected = mutate(tx, dice)
            result = verified(tx)
        if result["ok"] or (expected >= 0 and result["first_bad"] != expected) or result["first_bad"] is None:
            misses.append((mutate.__name__, expected, result["first_bad"], result["reason"]))
    assert misses == []
    with stored.read_platform() as tx:
        assert verified(tx)["ok"], "every mutation was undone"


def test_a_log_rewritten_with_all_its_hashes_is_contradicted_by_the_next_checkpoint(stored: Stores) -> None:
    for seq in (0, 19, 20, 33, 34, 35, 46):
        with undone(stored) as tx:
            rewrite(tx, rewrite_time(seq))
            result = verified(tx)
        assert not result["ok"]
        assert (result["first_bad"], result["reason"]) == (confirmed(seq), "checkpoint_root")


def test_attack_42_a_rewritten_log_signed_again_with_the_real_key_is_contradicted_by_a_checkpoint_kept_outside(stored: Stores) -> None:
    """Attack 42: the operator's key makes new signatures, and cannot take back the old one."""
    with stored.read_platform() as tx:
        held = list(checkpoint.notes(tx))[3]
    with undone(stored) as tx:
        rewrite(tx, rewrite_time(28))
        tx.execute(sa.delete(StoredCheckpoint))
        checkpoint.issue(tx, SIGNER, NOW)
        assert verified(tx)["ok"], "nothing inside the database contradicts it"
        result = verified(tx, held)
    assert (result["ok"], result["reason"]) == (False, "checkpoint_root")
    assert result["first_bad"] <= 28


def test_a_log_cut_back_behind_a_checkpoint_kept_outside_is_found(stored: Stores) -> None:
    with stored.read_platform() as tx:
        held = list(checkpoint.notes(tx))[-1]
    with undone(stored) as tx:
        rewrite(tx, lambda rows: rows[:40])
        tx.execute(sa.delete(StoredCheckpoint).where(StoredCheckpoint.size > 40))
        assert verified(tx)["ok"]
        result = verified(tx, held)
    assert (result["ok"], result["first_bad"], result["reason"]) == (False, 40, "truncated")


def test_attack_41_two_views_of_one_log_contradict_each_other(stored: Stores) -> None:
    """Attack 41: a checkpoint of another history, rightly signed, shown to somebody else."""
    with stored.read_platform() as tx:
        result = verified(tx, SIGNER.note(30, os.urandom(32)))
    assert (result["ok"], result["first_bad"], result["reason"]) == (False, 20, "checkpoint_root")


def test_checkpoints_under_a_key_nobody_was_given_do_not_count(stored: Stores) -> None:
    stranger = signer(SIGNER.origin, bytes(32))
    with stored.read_platform() as tx:
        result = verified(tx, stranger.note(35, os.urandom(32)))
        assert result["reason"] == "checkpoint_signature"
        unsigned = audit_stored.verify(evidence(tx), checkpoint.notes(tx))
    assert unsigned["ok"]
    assert unsigned["signed_size"] == 0


def test_an_erasure_recorded_for_another_entry_excuses_nothing(stored: Stores) -> None:
    with undone(stored) as tx:
        tx.execute(sa.update(PAYLOAD).where(PAYLOAD.c.seq == RECORD).values(salt=None, payload=None, erased_at=NOW))
        result = verified(tx)
    assert (result["first_bad"], result["reason"]) == (ERASED[0], "erasure_unrecorded")


def test_what_is_not_an_entry_is_bad_form_and_not_a_crash() -> None:
    for entry in (
        {},
        {"seq": "0"},
        {"seq": 0, "c": 5},
        {"seq": 0, "c": "zz"},
        {"seq": 0, "ts": "x", "kind": "y", "c": "00", "salt": 1, "payload": 2},
    ):
        result = audit_stored.verify([entry])
        assert (result["ok"], result["first_bad"], result["size"]) == (False, 0, 1)


def test_the_empty_log_is_in_order() -> None:
    result = audit_stored.verify([], [SIGNER.note(0, merkle.EMPTY_ROOT)], keys=[SIGNER.verifier_key], head=(0, merkle.EMPTY_ROOT))
    assert result["ok"]
    assert audit_stored.verify([], [SIGNER.note(1, merkle.EMPTY_ROOT)])["reason"] == "truncated"


def test_the_verifier_and_the_log_compute_the_same_bytes() -> None:
    """The arithmetic is written twice on purpose; here the two are held together."""
    assert verify.COMMITMENT_DOMAIN == payload.COMMITMENT_DOMAIN
    assert verify.ERASE_ACTION == ERASE_ACTION
    entry, _ = forged(3)
    public = {"seq": 3, "ts": payload.stamp(NOW), "kind": "ingest", "c": entry["commitment"].hex()}
    assert verify.leaf_hash(public) == entry["leaf_hash"]


def test_the_verifier_imports_nothing_of_ours_and_no_database() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots <= set(sys.stdlib_module_names) | {"cryptography"}
    assert not roots & {"sqlite3", "socket", "urllib", "http", "subprocess"}


def bundled(tx: sa.Connection, scope: bundle.Scope = bundle.Scope()) -> bytes:
    out = BytesIO()
    bundle.write(tx, out, bundle.plan(tx, scope), [SIGNER], more={}, language="en")
    return out.getvalue()


def test_the_one_file_checks_a_bundle_on_its_own(stored: Stores, tmp_path: Path) -> None:
    """As an outsider runs it: a copy of the file in another folder, a bundle, a key from somebody trusted, a checkpoint that was kept."""
    program, file, held = tmp_path / "verifier.py", tmp_path / "bundle.zip", tmp_path / "held"
    program.write_text(Path(verify.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    with stored.read_platform() as tx:
        held.write_text(list(checkpoint.notes(tx))[3], encoding="utf-8")
        whole = bundled(tx)

    def run() -> dict[str, Any]:
        command = [sys.executable, "-I", str(program), str(file), "--key", SIGNER.verifier_key, "--held", str(held)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if result["ok"] else 1)
        return result

    file.write_bytes(whole)
    assert run()["complete"]
    file.write_bytes(whole.replace(b"2026-06-15T04:30:01", b"2026-06-15T04:30:02", 1))
    assert not run()["ok"]
    held.write_text(SIGNER.note(30, os.urandom(32)), encoding="utf-8")
    file.write_bytes(whole)
    told = run()
    assert (told["ok"], told["first_bad"], told["reason"]) == (False, 0, "checkpoint_root"), "the bundle's own head of the day comes later"


def test_a_reason_is_nowhere_in_the_verdict(on_sqlite: Stores) -> None:
    log = AuditLog(lambda: NOW, os.urandom)
    with on_sqlite.begin_platform() as tx:
        log.append_many(tx, [Entry("read", "person.reveal", "system", facts={"reason": Sentence("rather private")})])
        tx.execute(sa.update(PAYLOAD).values(salt=bytes(32)))
        result = verified(tx)
    assert result["reason"] == "payload"
    assert "private" not in json.dumps(result)
