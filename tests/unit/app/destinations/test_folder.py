"""A folder that the recipient empties."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.destinations.folder import KEYS, Drop
from privacy.carriage import Parcel

PARCEL = Parcel("ab" * 24, "add-exp_1-0000.csv.sealed", "application/octet-stream", b"sealed", signature="c2ln")


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != KEYS}


def test_a_file_is_laid_down_whole_once_with_its_signature(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    assert drop.look(PARCEL.key, PARCEL.name) is None
    assert drop.send(PARCEL).outcome == "offered"
    assert drop.send(PARCEL).outcome == "offered"
    looked = drop.look(PARCEL.key, PARCEL.name)
    assert looked is not None
    assert looked.code == "waits_in_folder"
    assert visible(tmp_path) == {PARCEL.name, f"{PARCEL.name}.sig"}
    assert (tmp_path / PARCEL.name).read_bytes() == b"sealed"


def test_it_is_acknowledged_when_the_recipient_says_so_or_took_it_and_is_not_laid_down_again(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    drop.send(PARCEL)
    (tmp_path / f"{PARCEL.name}.ack").touch()
    assert drop.send(PARCEL).outcome == "acknowledged"
    (tmp_path / f"{PARCEL.name}.ack").unlink()
    (tmp_path / PARCEL.name).unlink()
    assert drop.send(PARCEL).code == "taken"
    assert PARCEL.name not in visible(tmp_path)


def test_a_crash_before_the_mark_lays_the_same_file_down_again(tmp_path: Path) -> None:
    drop = Drop(tmp_path)
    (tmp_path / f".{PARCEL.name}.part").write_bytes(b"half")
    (tmp_path / PARCEL.name).write_bytes(b"earlier")
    assert drop.send(PARCEL).outcome == "offered"
    assert (tmp_path / PARCEL.name).read_bytes() == b"sealed"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\0b", "A"])
def test_it_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    sent = Drop(tmp_path / "in").send(Parcel(PARCEL.key, name, "", b""))
    assert sent.outcome == "refused"
    assert Drop(tmp_path).look(PARCEL.key, name) is None


def test_a_folder_that_is_missing_or_a_link_is_tried_later(tmp_path: Path) -> None:
    assert Drop(tmp_path / "none").send(PARCEL).code == "folder_missing"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Drop(tmp_path / "link").send(PARCEL).code == "folder_missing"
    assert list((tmp_path / "real").iterdir()) == []
