"""The witness: what it cosigns, what it refuses and with which number it ends, and that it forgets nothing when it is killed."""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacy.audit import merkle, verify, witness
from privacy.audit.checkpoint import Signer
from tests.fakes.signer import signer

SIGNER = signer("piying.example/dep-1", bytes(range(32)))
NOW = 1_780_000_000


class Log:
    """A log in memory that can show any of its sizes, with the proof that a witness needs; `fork` is another history of it."""

    def __init__(self, by: Signer = SIGNER, *, fork: bool = False) -> None:
        self.leaves = [merkle.leaf_hash(b"%d" % number + b"x" * (fork and number > 20)) for number in range(60)]
        self.by = by

    def note(self, size: int) -> str:
        return self.by.note(size, merkle.root_of_hashes(self.leaves[:size]))

    def request(self, old: int, size: int) -> str:
        proof: list[bytes] = []
        if 0 < old < size:
            nodes: dict[merkle.NodeId, bytes] = {merkle.NodeId(0, at): leaf for at, leaf in enumerate(self.leaves)}
            for node in merkle.grow((), 0, self.leaves).nodes:
                nodes[merkle.NodeId(node.level, node.position)] = node.hash
            proof = merkle.assemble(merkle.consistency_needs(old, size), nodes)
        return "\n".join([f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", self.note(size)])


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[str, Any]:
    vkey = witness.make_key(tmp_path / "key", "witness.example/w1")
    return vkey, witness.open_key(tmp_path / "key")


@pytest.fixture
def check(tmp_path: Path, keyed: tuple[str, Any]) -> Callable[..., str]:
    def run(text: str, *, now: int = NOW, first: bool = False) -> str:
        return witness.check(tmp_path / "state.json", text, [SIGNER.verifier_key], keyed[1], now=now, first=first)

    return run


def refused(check: Callable[..., str], text: str) -> int:
    with pytest.raises(witness.Refused) as caught:
        check(text)
    return caught.value.code


def test_what_grew_is_cosigned_and_the_verifier_reads_the_cosignature(check: Callable[..., str], keyed: tuple[str, Any]) -> None:
    log = Log()
    check(log.request(0, 5), first=True)
    for old, size in ((5, 8), (8, 9), (9, 33), (33, 60)):
        note = check(log.request(old, size), now=NOW + size)
        checkpoint, signed, signatures = verify.read_checkpoint(note)
        assert checkpoint.size == size
        assert verify.is_signed(signed, signatures, [SIGNER.verifier_key])
        assert verify.cosigned_at(signed, signatures, keyed[0]) == NOW + size


def test_the_cosignature_is_the_one_of_the_specification(keyed: tuple[str, Any]) -> None:
    """C2SP tlog-cosignature: type 4, the time before the signature, over `cosignature/v1`, the time and the body."""
    vkey, (name, private) = keyed
    body = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    _, who, encoded = witness.cosignature(name, private, body, 1_679_315_147).split(" ")
    blob = base64.b64decode(encoded)
    assert (who, blob[:4].hex(), int.from_bytes(blob[4:12])) == (name, vkey.split("+")[1], 1_679_315_147)
    public = base64.b64decode(vkey.split("+", 2)[2])
    assert public[0] == 4
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(blob[12:], b"cosignature/v1\ntime 1679315147\n" + body)


def test_the_example_of_the_specification_is_read() -> None:
    """Names and key ids of the published example; its witness's key is not published."""
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    checkpoint, _, signatures = verify.read_checkpoint(note)
    assert (checkpoint.size, signatures[1][0], len(signatures[1][1])) == (20852163, "witness.example.com/w1", 76)
    assert int.from_bytes(signatures[1][1][4:12]) == 1_679_315_147


def test_the_same_checkpoint_again_gets_the_same_cosignature(check: Callable[..., str]) -> None:
    log = Log()
    first = check(log.request(0, 5), first=True)
    assert check(log.request(5, 5), now=NOW + 100) == first


def test_a_rollback_and_a_fork_end_with_numbers_of_their_own_and_leave_evidence(check: Callable[..., str], tmp_path: Path) -> None:
    """Attacks 40 and 41: a log cut back, and another history of the same or of a greater length, all rightly signed."""
    log, fork = Log(), Log(fork=True)
    check(log.request(0, 40), first=True)
    assert refused(check, log.request(30, 30)) == witness.ROLLBACK
    assert refused(check, fork.request(40, 40)) == witness.FORK
    assert refused(check, fork.request(40, 50)) == witness.FORK
    kept = list(tmp_path.glob("state.json.refused-*"))
    assert len(kept) == 3
    assert all(log.note(40) in one.read_text("utf-8") for one in kept), "both signed notes stand together"
    check(log.request(40, 50))


def test_a_rewritten_log_signed_again_with_the_real_key_is_refused(check: Callable[..., str]) -> None:
    """Attack 42: the stolen key signs anything; what it signed before stays."""
    check(Log().request(0, 30), first=True)
    assert refused(check, Log(fork=True).request(30, 60)) == witness.FORK


def test_a_checkpoint_that_this_log_did_not_sign_is_refused(check: Callable[..., str]) -> None:
    stranger, other = Log(signer(SIGNER.origin, bytes(32))), Log(signer("piying.example/dep-2", bytes(range(32))))
    for log in (stranger, other):
        with pytest.raises(witness.Refused) as caught:
            check(log.request(0, 5), first=True)
        assert caught.value.code == witness.UNSIGNED


def test_a_wrong_missing_or_unreadable_proof_is_not_cosigned(check: Callable[..., str]) -> None:
    log = Log()
    check(log.request(0, 7), first=True)
    head, _, note = log.request(7, 20).partition("\n\n")
    lines = head.split("\n")
    assert refused(check, "\n".join([lines[0], *lines[2:]]) + "\n\n" + note) == witness.FORK
    assert refused(check, "old 6\n\n" + note) == witness.UNREADABLE
    for text in ("", "old x\n\n" + note, "old 7\n!!\n\n" + note, head + "\n\nnothing\n", "old 7\n\n" + note.rpartition("—")[0]):
        assert refused(check, text) in (witness.UNREADABLE, witness.UNSIGNED)


def test_nothing_is_cosigned_from_a_lost_or_changed_memory(check: Callable[..., str], tmp_path: Path) -> None:
    log, state = Log(), tmp_path / "state.json"
    assert refused(check, log.request(0, 5)) == witness.MEMORY
    check(log.request(0, 5), first=True)
    kept = json.loads(state.read_text("utf-8"))
    for changed in ({**kept, "size": 4}, {**kept, "root": "00" * 32}, {**kept, "note": Log(fork=True).note(30)}, {}, []):
        state.write_text(json.dumps(changed), encoding="utf-8")
        assert refused(check, log.request(5, 9)) == witness.MEMORY
    state.write_text("{", encoding="utf-8")
    assert refused(check, log.request(5, 9)) == witness.MEMORY


@pytest.mark.parametrize("where", ["os.replace", "os.fsync"])
def test_killed_while_it_remembers_it_has_said_nothing_and_goes_on(tmp_path: Path, where: str) -> None:
    """A process that dies at the worst moment; the next one finds the old memory or the new one, and prints the line only after it."""
    log, state = Log(), tmp_path / "state.json"
    program = Path(witness.__file__)
    key = tmp_path / "key"
    witness.make_key(key, "witness.example/w1")
    text = tmp_path / "proof"

    def run(code: str) -> subprocess.CompletedProcess[str]:
        arguments = ["check", str(state), "--log", SIGNER.verifier_key, "--key", str(key), "--file", str(text)]
        called = f"sys.argv = ['witness', *{arguments!r}, *sys.argv[1:]]\nrunpy.run_path({str(program)!r}, run_name='__main__')"
        whole = f"import os, runpy, sys; {code}\n{called}"
        return subprocess.run([sys.executable, "-c", whole, "--first"], capture_output=True, text=True, check=False)

    text.write_text(log.request(0, 5), encoding="utf-8")
    done = run("pass")
    assert done.returncode == 0, done.stderr
    text.write_text(log.request(5, 9), encoding="utf-8")
    died = run(f"{where} = lambda *_, **__: os._exit(9)")
    assert (died.returncode, died.stdout) == (9, "")
    after = run("pass")
    assert after.returncode == 0
    assert after.stdout.startswith(log.note(9))


def test_it_agrees_with_our_own_check_of_consistency() -> None:
    """The arithmetic is written twice on purpose."""
    log = Log()
    for old in (1, 2, 3, 4, 6, 7, 8, 13, 16, 31, 32):
        for size in (old, old + 1, old + 5, 33, 48):
            text = log.request(old, size)
            _, proof, _ = witness.read_request(text)
            roots = merkle.root_of_hashes(log.leaves[:old]), merkle.root_of_hashes(log.leaves[:size])
            assert witness.consistent(old, size, proof, *roots)
            assert not witness.consistent(old, size, proof, os.urandom(32), roots[1])
            assert not witness.consistent(old, size, [*proof, bytes(32)], *roots)
            assert not (proof and witness.consistent(old, size, proof[:-1], *roots))


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(witness.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names) | {"cryptography"}


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    witness.make_key(tmp_path / "k", "w.example")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    for path, name in ((tmp_path / "k", "w.example"), (tmp_path / "l", "a b"), (tmp_path / "l", "a+b"), (tmp_path / "l", "")):
        with pytest.raises(witness.Refused):
            witness.make_key(path, name)
    with pytest.raises(witness.Refused):
        witness.open_key(tmp_path / "none")
