"""Exports at the edge: files that are read for a trace, instants, the shelf of sealed files, who acts at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.answers import exports as answers
from app.exports import columns_of, moment
from app.wiring.exporting import Folder
from privacy.errors import Invalid, NotFound
from privacy.export.requests import State


def test_a_sample_is_read_as_columns_of_text_whatever_its_rows_hold() -> None:
    """Uneven rows, a byte-order mark, quoted line ends."""
    columns = columns_of('\ufeffa,b\r\n1,"x\ny"\r\n2\r\n'.encode())
    assert [one.to_pylist() for one in columns] == [["a", "1", "2"], ["b", "x\ny", None]]


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"," * 600, b'a\n"b'])
def test_what_is_no_table_is_refused(raw: bytes) -> None:
    """With a code, and without a word of what was in it."""
    with pytest.raises(Invalid) as refused:
        columns_of(raw)
    assert refused.value.code == "trace_file"


def test_an_instant_has_a_zone() -> None:
    """Or nobody knows when the list ends."""
    assert moment("2026-07-01T00:00:00Z") == datetime(2026, 7, 1, tzinfo=UTC)
    for wrong in ("2026-07-01", "tomorrow", "2026-07-01T00:00:00"):
        with pytest.raises(Invalid) as refused:
            moment(wrong)
        assert refused.value.code == "export_expiry"


def test_the_shelf_keeps_a_whole_file_or_none(tmp_path: Path) -> None:
    """What breaks off in between leaves nothing, and is not there."""
    shelf = Folder(tmp_path / "exports")
    digest, size = shelf.put("exp_a-1", [b"ab", b"c"])
    assert (len(digest), size, b"".join(shelf.open("exp_a-1"))) == (32, 3, b"abc")
    assert (tmp_path / "exports" / "exp_a-1.sealed").stat().st_mode & 0o777 == 0o600

    def breaks() -> Iterator[bytes]:
        yield b"x"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        shelf.put("exp_b-1", breaks())
    for _ in range(2):
        shelf.remove("exp_a-1")
    assert list((tmp_path / "exports").iterdir()) == []
    with pytest.raises(NotFound) as gone:
        shelf.open("exp_b-1")
    assert gone.value.code == "export_gone"


def test_the_states_of_the_answers_are_those_of_the_gate() -> None:
    """None is missing, and none is invented."""
    assert set(answers.STATES) == {one.value for one in State}
