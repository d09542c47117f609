"""What stands sealed or marked outside the vault opens and matches only for its own source, across a rotation too."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

import pytest

from privacy.errors import Locked
from privacy.identity.keys import Keyring
from privacy.identity.notes import SourceNotes


def test_a_note_opens_for_its_owner_alone_and_after_a_rotation(keyring: Keyring, clock: Callable[[], datetime]) -> None:
    notes = SourceNotes(keyring, os.urandom)
    sealed = notes.seal("src_a", b"13800138000")
    assert b"13800138000" not in sealed
    assert sealed != notes.seal("src_a", b"13800138000")
    keyring.rotate("kek", random=os.urandom, clock=clock)
    assert notes.open("src_a", sealed) == b"13800138000"
    assert notes.open("src_a", notes.seal("src_a", b"1")) == b"1"
    with pytest.raises(Locked):
        notes.open("src_b", sealed)
    with pytest.raises(Locked):
        notes.open("src_a", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_mark_is_the_same_for_the_same_bytes_of_one_source_for_ever(keyring: Keyring, clock: Callable[[], datetime]) -> None:
    notes = SourceNotes(keyring, os.urandom)
    mark = notes.mark("src_a", b"file")
    keyring.rotate("inbox", random=os.urandom, clock=clock)
    assert notes.mark("src_a", b"file") == mark
    assert len({mark, notes.mark("src_b", b"file"), notes.mark("src_a", b"files")}) == 3
    assert SourceNotes(Keyring.fresh(random=os.urandom, clock=clock), os.urandom).mark("src_a", b"file") != mark
