"""What a machine remembers of erasures survives kills and says nothing of anybody. Names `app.restored`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import journal, restored
from privacy.errors import Locked
from privacy.records import Gone

AT = datetime(2026, 6, 1, tzinfo=UTC)


def gone(name: str, *digests: bytes, at: datetime = AT) -> Gone:
    return Gone(name, at, (b"p" * 16,), digests)


def test_erasures_are_added_once_and_read_again(tmp_path: Path) -> None:
    keys = tmp_path / "keyring.json"
    assert journal.keep(keys, [gone("era_1", b"a" * 32)]) == 1
    assert journal.keep(keys, [gone("era_1", b"a" * 32), gone("era_2", b"b" * 32)]) == 1
    assert journal.place(keys).stat().st_mode & 0o077 == 0
    known = journal.read(journal.place(keys))
    assert known.erasures == {"era_1": gone("era_1", b"a" * 32), "era_2": gone("era_2", b"b" * 32)}
    assert journal.read(tmp_path / "nothing") == journal.Journal()


def test_a_line_that_a_kill_tore_was_never_there_and_anything_else_that_cannot_be_read_locks(tmp_path: Path) -> None:
    keys = tmp_path / "keyring.json"
    journal.keep(keys, [gone("era_1")])
    with journal.place(keys).open("a", encoding="ascii") as file:
        file.write('{"erasure": "era_')
    assert list(journal.read(journal.place(keys)).erasures) == ["era_1"]
    journal.keep(keys, [gone("era_2")])
    assert list(journal.read(journal.place(keys)).erasures) == ["era_1", "era_2"]
    journal.place(keys).write_text("no journal\n", encoding="ascii")
    with pytest.raises(Locked) as locked:
        journal.read(journal.place(keys))
    assert locked.value.code == "erasures_behind"


def test_a_lift_holds_until_a_later_erasure_marks_again(tmp_path: Path) -> None:
    keys = tmp_path / "keyring.json"
    journal.keep(keys, [gone("era_1", b"a" * 32, b"b" * 32)])
    journal.lift(keys, [b"a" * 32, b"b" * 32], AT + timedelta(days=1))
    journal.keep(keys, [gone("era_2", b"a" * 32, at=AT + timedelta(days=2))])
    assert journal.read(journal.place(keys)).standing_lifts() == [(AT + timedelta(days=1), (b"b" * 32,))]


def test_the_mark_of_a_restore_stands_until_it_is_taken_away(tmp_path: Path) -> None:
    assert not restored.waits(tmp_path)
    restored.begin(tmp_path)
    restored.begin(tmp_path)
    assert restored.waits(tmp_path)
    restored.end(tmp_path)
    restored.end(tmp_path)
    assert not restored.waits(tmp_path)
