"""Checkpoints: the C2SP note, its signature, and what an outsider can tell from two of them."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta

import pytest

from app.stores import Stores
from privacy.audit import checkpoint, merkle
from privacy.audit.log import AuditLog, Entry, head
from privacy.audit.reading import consistency_proof
from privacy.audit.verify import is_signed, key_id, read_checkpoint, read_key
from tests.fakes.signer import signer

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SIGNER = signer("piying.example/dep-1", bytes(range(32)))


def test_a_note_is_origin_size_root_and_a_signature_of_just_that() -> None:
    """RFC 8032 makes signatures deterministic, so the whole note is a fixed vector."""
    note = SIGNER.note(3, bytes(32))
    body, _, tail = note.partition("\n\n")
    assert body == "piying.example/dep-1\n3\n" + base64.b64encode(bytes(32)).decode()
    assert tail.startswith("— piying.example/dep-1 ")
    assert tail.endswith("\n")
    said, signed, signatures = read_checkpoint(note)
    assert said == ("piying.example/dep-1", 3, bytes(32))
    assert signed == (body + "\n").encode()
    assert is_signed(signed, signatures, [SIGNER.verifier_key])
    assert note == signer("piying.example/dep-1", bytes(range(32))).note(3, bytes(32))


def test_the_verifier_key_names_its_key_as_signed_notes_do() -> None:
    """The example of C2SP signed-note: the key ID is the hash of name, newline, algorithm and key."""
    name, public = read_key(SIGNER.verifier_key)
    assert name == SIGNER.origin
    assert SIGNER.verifier_key.split("+")[1] == key_id(name, public).hex()
    for wrong in ("", "name", "name+00000000+AAAA", SIGNER.verifier_key.replace("piying", "other")):
        with pytest.raises(ValueError):
            read_key(wrong)


def test_another_key_another_name_or_another_body_is_not_signed() -> None:
    note = SIGNER.note(3, bytes(32))
    _, signed, signatures = read_checkpoint(note)
    other = signer(SIGNER.origin, bytes(32))
    assert not is_signed(signed, signatures, [other.verifier_key])
    assert not is_signed(signed + b"x", signatures, [SIGNER.verifier_key])
    assert not is_signed(signed, [("somebody", signatures[0][1])], [SIGNER.verifier_key])
    assert not is_signed(signed, [], [SIGNER.verifier_key])
    assert is_signed(signed, signatures, [other.verifier_key, SIGNER.verifier_key])
    assert not is_signed(signed, [*signatures, (SIGNER.origin, signatures[0][1][:4] + bytes(64))], [SIGNER.verifier_key])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "origin\n3\n",
        "origin\n3\nAAAA\n\n— origin AAAA\n",
        "origin\n03\n" + base64.b64encode(bytes(32)).decode() + "\n\n— origin AAAA\n",
        "origin\n-3\n" + base64.b64encode(bytes(32)).decode() + "\n\n— origin AAAA\n",
        "origin\n3\n" + base64.b64encode(bytes(32)).decode() + "\n\norigin AAAA\n",
        "origin\n3\n" + base64.b64encode(bytes(32)).decode() + "\n\n— origin AAAA",
        "origin\n3\n" + base64.b64encode(bytes(32)).decode() + "\n\n— origin !!\n",
        "\n3\n" + base64.b64encode(bytes(32)).decode() + "\n\n— origin AAAA\n",
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_not_read(note: str) -> None:
    with pytest.raises(ValueError):
        read_checkpoint(note)


def test_a_name_of_the_wrong_form_makes_no_signer() -> None:
    for origin in ("", "a b", "a+b", "a\n"):
        with pytest.raises(ValueError):
            signer(origin, bytes(32))


def test_checkpoints_are_made_also_when_nothing_happened_and_kept(stores: Stores) -> None:
    log = AuditLog(lambda: NOW, os.urandom)
    with stores.begin_platform() as tx:
        assert checkpoint.latest(tx) is None
        checkpoint.issue(tx, SIGNER, NOW)
        log.append_many(tx, [Entry("system", "a", "system")] * 5)
        checkpoint.issue(tx, SIGNER, NOW + timedelta(minutes=1))
        checkpoint.issue(tx, SIGNER, NOW + timedelta(minutes=2))
    with stores.read_platform() as tx:
        kept = [read_checkpoint(note)[0] for note in checkpoint.notes(tx)]
        newest = checkpoint.latest(tx)
    assert [said.size for said in kept] == [0, 5, 5]
    assert newest is not None
    assert newest[0] == NOW + timedelta(minutes=2)


def test_two_checkpoints_of_one_log_are_consistent_and_of_a_fork_are_not(on_sqlite: Stores) -> None:
    """Attack 41: what was shown to the officer must be the beginning of what is shown to the witness."""
    log = AuditLog(lambda: NOW, os.urandom)
    with on_sqlite.begin_platform() as tx:
        log.append_many(tx, [Entry("system", "a", "system")] * 5)
        early = head(tx)
        log.append_many(tx, [Entry("system", "b", "system")] * 6)
        late = head(tx)
        proof = consistency_proof(tx, 5)
    assert merkle.verify_consistency(5, 11, proof, early.root, late.root)
    assert not merkle.verify_consistency(5, 11, proof, os.urandom(32), late.root)
