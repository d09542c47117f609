"""Envelopes: only the recipient opens them, and no change goes unnoticed. The opening side is `privacy.identity.open`, a program of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import errors
from privacy.identity import envelope
from privacy.identity import open as opener
from tests.contracts.tree import imports

PRIVATE = X25519PrivateKey.generate()
PUBLIC = envelope.read_key(opener.public_text(PRIVATE))
ABOUT = {"form": "sms", "recipient": "acme", "rows": 3}


def sealed(content: bytes, public: bytes = PUBLIC) -> bytes:
    return b"".join(envelope.seal([content[at : at + 10_000] for at in range(0, len(content), 10_000)], public, ABOUT, random=os.urandom))


def opened(data: bytes, private: X25519PrivateKey = PRIVATE) -> bytes:
    target = io.BytesIO()
    opener.unseal(io.BytesIO(data), private, target)
    return target.getvalue()


@pytest.mark.parametrize("size", [0, 1, envelope.PIECE - 1, envelope.PIECE, envelope.PIECE + 1, 3 * envelope.PIECE])
def test_what_was_sealed_is_what_is_opened(size: int) -> None:
    content = os.urandom(size)
    assert opened(sealed(content)) == content


def test_the_same_list_twice_is_two_different_envelopes() -> None:
    first, second = sealed(b"x" * 100), sealed(b"x" * 100)
    assert first != second
    assert b"13800138000" not in sealed(b"13800138000")


def test_nobody_else_opens_it() -> None:
    with pytest.raises(opener.Damaged, match="another key"):
        opened(sealed(b"list"), X25519PrivateKey.generate())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_one_changed_byte_anywhere_opens_nothing(place: int, change: int) -> None:
    data = bytearray(sealed(b"+8613800138000\r\n" * 40))
    data[place % len(data)] ^= change
    with pytest.raises(opener.Damaged):
        opened(bytes(data))


def test_pieces_that_are_missing_doubled_or_moved_do_not_open() -> None:
    content = os.urandom(4 * envelope.PIECE)
    data = sealed(content)
    size = envelope.PIECE + opener.TAG
    start = len(data) - 4 * size
    head, pieces = data[:start], [data[start + at * size : start + (at + 1) * size] for at in range(4)]
    for order in ([0, 1, 2], [0, 1, 3], [1, 0, 2, 3], [0, 1, 1, 2, 3], [0, 2, 1, 3], [0, 1, 2, 3, 3], []):
        with pytest.raises(opener.Damaged):
            opened(head + b"".join(pieces[at] for at in order))
    assert opened(head + b"".join(pieces)) == content


def test_what_the_envelope_says_about_itself_is_bound_to_it() -> None:
    data = sealed(b"list")
    line, facts = opener.about(io.BytesIO(data))
    assert facts == {**ABOUT, "format": envelope.FORMAT, "key": envelope.key_id(PUBLIC)}
    with pytest.raises(opener.Damaged, match="beginning"):
        opened(data.replace(b"acme", b"bolt", 1))
    assert line == envelope.header(PUBLIC, ABOUT)


SHORT = [envelope.written_key(bytes(32)), envelope.written_key((1).to_bytes(32, "little"))]


NONE = ["", "piying-x25519:", "piying-x25519:AAAA", "age1xyz", *SHORT, "x" + envelope.written_key(bytes(range(32)))]


@pytest.mark.parametrize("text", NONE)
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid) as wrong:
        envelope.read_key(text)
    assert wrong.value.code == "recipient_key_malformed"
    assert envelope.read_key(" " + envelope.written_key(PUBLIC) + "\n") == PUBLIC


def test_the_opening_program_imports_nothing_of_ours() -> None:
    names = {name.split(".")[0] for name in imports(Path(opener.__file__))}
    assert names <= {*sys.stdlib_module_names, "cryptography"}


@pytest.mark.slow
def test_an_outsider_makes_a_key_and_opens_a_list_with_the_one_file_alone(tmp_path: Path) -> None:
    program = shutil.copy(opener.__file__, tmp_path / "open.py")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", str(program), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env={"PATH": ""})

    made = run("key", "their.key")
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE((tmp_path / "their.key").stat().st_mode) == 0o600
    assert run("key", "their.key").returncode == 1, "a key is never overwritten"
    public = envelope.read_key(made.stdout)
    (tmp_path / "list.piying").write_bytes(sealed("张伟,+8613800138000\r\n".encode(), public))
    assert json.loads(run("show", "list.piying").stdout)["rows"] == 3
    done = run("open", "list.piying", "--key", "their.key", "--to", "list.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "list.csv").read_bytes() == "张伟,+8613800138000\r\n".encode()
    damaged = bytearray((tmp_path / "list.piying").read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "damaged.piying").write_bytes(damaged)
    failed = run("open", "damaged.piying", "--key", "their.key", "--to", "second.csv")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert len(failed.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.piying", "list.csv", "list.piying", "open.py", "their.key"]


def test_the_programs_errors_are_one_line_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.key").write_text("piying-x25519-private:AAAA")
    (tmp_path / "no.piying").write_bytes(b"{}\n")
    for arguments in (
        ["show", str(tmp_path / "no.piying")],
        ["show", str(tmp_path / "absent")],
        ["open", str(tmp_path / "no.piying"), "--key", str(tmp_path / "no.key"), "--to", str(tmp_path / "x")],
    ):
        assert opener.main(arguments) == 1
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1
        assert said.out == ""
    assert not (tmp_path / "x").exists()
