"""Cosignatures that are kept: only of known witnesses, only for our own checkpoints, one a checkpoint and witness."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.stores import Stores
from privacy.audit import checkpoint, cosignatures, witness
from privacy.audit.verify import read_note
from privacy.errors import Invalid, NotFound
from tests.fakes.signer import signer

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SIGNER = signer("piying.example/dep-1", bytes(range(32)))


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[str, Any]:
    vkey = witness.make_key(tmp_path / "key", "witness.example/w1")
    return vkey, witness.open_key(tmp_path / "key")


def cosigned(note: str, key: Any, at: int = 1_781_497_800) -> str:
    return note + witness.cosignature(*key, read_note(note)[1], at) + "\n"


def test_a_line_of_a_known_witness_is_kept_once_with_its_entry(stores: Stores, keyed: tuple[str, Any]) -> None:
    vkey, key = keyed
    with stores.begin_platform() as tx:
        note = checkpoint.issue(tx, SIGNER, NOW)
        found = cosignatures.read(tx, cosigned(note, key), [vkey])
        assert [(one.size, one.witness, one.at) for one in found] == [(0, "witness.example/w1", NOW)]
        cosignatures.keep(tx, cosignatures.missing(tx, found), 5)
        again = cosignatures.read(tx, cosigned(note, key, 1_790_000_000), [vkey])
        assert cosignatures.missing(tx, again) == [], "the first one stays"
        assert [one.size for one in cosignatures.newest(tx)] == [0]
        assert cosignatures.newest(tx, size=5) == [], "a log of five entries does not know it yet"
        assert cosignatures.lines_of(tx, 0, known_by=6) == [found[0].line]


def test_strangers_other_checkpoints_and_other_texts_are_refused(on_sqlite: Stores, keyed: tuple[str, Any], tmp_path: Path) -> None:
    vkey, key = keyed
    witness.make_key(tmp_path / "other", "witness.example/w1")
    stranger = witness.open_key(tmp_path / "other")
    with on_sqlite.begin_platform() as tx:
        note = checkpoint.issue(tx, SIGNER, NOW)
        with pytest.raises(Invalid, match="witness"):
            cosignatures.read(tx, cosigned(note, stranger), [vkey])
        with pytest.raises(Invalid, match="witness"):
            cosignatures.read(tx, note, [vkey])
        with pytest.raises(Invalid, match="witness"):
            cosignatures.read(tx, cosigned(note, key), [])
        with pytest.raises(NotFound):
            cosignatures.read(tx, cosigned(SIGNER.note(0, bytes(32)), key), [vkey])
        for text in ("", "x\n\n— y zz\n", "a" * 200):
            with pytest.raises(Invalid):
                cosignatures.read(tx, text, [vkey])
