"""A watched folder: what is whole is taken, what changes while it is read is not, names are never told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.stores import Stores
from ingestion import cursors
from ingestion.cursors import Known, Step
from ingestion.mapping import FieldRule, FileMapping
from ingestion.sources import files, folder
from ingestion.sources.folder import Folder
from privacy.errors import Invalid, Unavailable
from privacy.records import RawBatch, SourceFacts
from tests.unit.ingestion.sources.test_database import Plain

SOURCE = SourceFacts("src_a", "tills", "file", public=False, purposes=frozenset())
MAPPING = FileMapping("member", {"a": FieldRule("a")}, {})


class Marks(Plain):
    """Digests without a key, 32 bytes long."""

    def mark(self, owner: str, value: bytes) -> bytes:
        import hashlib

        return hashlib.sha256(owner.encode() + value).digest()


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=60)


def opened(path: Path, start: int, rows: int) -> Iterator[RawBatch]:
    return files.read(path, SOURCE, clock=later, start=start, chunk_rows=rows)


def look(watched: Folder, stores: Stores, **more: Any) -> list[Step]:
    """One look, everything settled as the runner does."""
    with stores.read_platform() as tx:
        places, known = cursors.positions(tx, SOURCE.id), cursors.files(tx, SOURCE.id)
    taken = []
    for step in folder.read(watched, MAPPING, SOURCE, places, known, notes=Marks(), clock=later, files=more.get("files", opened)):
        assert isinstance(step, Step)
        with stores.begin_platform() as tx:
            step.settle(tx)
        if step.after is not None:
            step.after()
        taken.append(step)
    return taken


def states(stores: Stores) -> list[tuple[str, str | None]]:
    with stores.read_platform() as tx:
        return sorted((one.state, one.code) for one in cursors.files(tx, SOURCE.id))


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def test_a_file_waits_for_its_marker_where_one_was_agreed_and_both_go_afterwards(stores: Stores, drop: Path) -> None:
    watched = Folder(str(drop), marker=True, then="delete")
    (drop / "a.csv").write_text("a\n1\n", encoding="utf-8")
    assert look(watched, stores) == []
    (drop / "a.csv.done").touch()
    assert [step.raw is not None for step in look(watched, stores)] == [True, False]
    assert list(drop.iterdir()) == []


def test_a_file_that_changes_while_it_is_read_fails_and_is_taken_when_it_stands_still(stores: Stores, drop: Path) -> None:
    watched, path = Folder(str(drop)), drop / "a.csv"
    path.write_text("a\n1\n", encoding="utf-8")

    def meddling(path: Path, start: int, rows: int) -> Iterator[RawBatch]:
        for raw in opened(path, start, rows):
            with path.open("a", encoding="utf-8") as file:
                file.write("2\n")
            yield raw

    assert [dict(step.counts) for step in look(watched, stores, files=meddling)] == [{"files_failed": 1}]
    assert states(stores) == [("failed", "file_changed")]
    look(watched, stores)
    assert states(stores) == [("imported", None)]


def test_what_cannot_be_read_is_too_large_or_has_a_torn_content_fails_with_its_code(stores: Stores, drop: Path) -> None:
    (drop / "large.csv").write_text("a\n" + "1\n" * 1000, encoding="utf-8")
    (drop / "torn.parquet").write_bytes(b"PAR1 no")
    (drop / "gone.csv").write_text("a\n1\n", encoding="utf-8")
    os.mkfifo(drop / "pipe.csv")

    def vanishing(path: Path, start: int, rows: int) -> Iterator[RawBatch]:
        if path.name == "gone.csv":
            raise PermissionError
        return opened(path, start, rows)

    look(Folder(str(drop), most_bytes=100), stores, files=vanishing)
    assert states(stores) == [("failed", "file_too_large"), ("failed", "file_unreadable"), ("failed", "file_unreadable")]


def test_a_folder_that_is_none_or_a_link_is_not_followed(stores: Stores, drop: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(drop)
    with pytest.raises(Invalid):
        look(Folder(str(tmp_path / "link")), stores)
    with pytest.raises(Unavailable):
        look(Folder(str(tmp_path / "none")), stores)


def test_a_taken_file_whose_tidying_was_cut_short_is_tidied_at_the_next_look(stores: Stores, drop: Path) -> None:
    (drop / "a.csv").write_text("a\n1\n", encoding="utf-8")
    look(Folder(str(drop)), stores)
    assert (drop / "a.csv").exists()
    assert look(Folder(str(drop), then="move"), stores) == []
    (moved,) = (drop / "done").iterdir()
    assert moved.name.startswith("file_")
    assert moved.suffix == ".csv"


def test_a_file_is_spoken_of_by_eight_letters(stores: Stores, drop: Path) -> None:
    assert folder.short(bytes(32)) == "file_00000000"
    known = Known(b"n" * 32, None, "", "failed", "x", later())
    assert "csv" not in repr(replace(known, state="failed"))
    assert folder.defined({"path": str(drop), "settle": 0}).settle == 0
