"""Positions move from where they were found or not at all; files are remembered by digests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.stores import Stores
from ingestion import cursors
from ingestion.cursors import Known, Place
from ingestion.mapping import FileMapping
from privacy.errors import Conflict, Invalid
from tests.conftest import NOW


def test_a_position_moves_only_from_where_its_reader_found_it(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        cursors.move(tx, "src_a", "0", 5, expected=None, now=NOW)
        cursors.move(tx, "src_a", "0", 9, expected=5, now=NOW, sealed=b"x")
        cursors.move(tx, "src_b", "0", 1, expected=None, now=NOW)
    for expected in (None, 5, 10):
        with pytest.raises(Conflict) as refused, stores.begin_platform() as tx:
            cursors.move(tx, "src_a", "0", 11, expected=expected, now=NOW)
        assert refused.value.code == "pull_overtaken"
    with stores.read_platform() as tx:
        assert cursors.positions(tx, "src_a") == {"0": Place(9, b"x")}


def test_a_file_is_remembered_once_and_forgotten_with_its_pull(stores: Stores) -> None:
    first = Known(b"n" * 32, b"c" * 32, "1:2:3:4", "importing", None, NOW)
    later = Known(b"n" * 32, b"c" * 32, "1:2:3:4", "imported", None, NOW + timedelta(seconds=1))
    other = Known(b"m" * 32, None, "1:2:3:5", "failed", "file_empty", NOW)
    with stores.begin_platform() as tx:
        for known in (first, other, later):
            cursors.note_file(tx, "src_a", known)
        cursors.move(tx, "src_a", "part", 1, expected=None, now=NOW)
        cursors.move(tx, "src_a", "rest", 1, expected=None, now=NOW)
        assert cursors.files(tx, "src_a") == [later, other]
        cursors.forget(tx, "src_a", ["part"])
        assert list(cursors.positions(tx, "src_a")) == ["rest"]
        cursors.forget(tx, "src_a")
        assert (cursors.positions(tx, "src_a"), cursors.files(tx, "src_a")) == ({}, [])


def test_a_row_is_known_by_its_place_only_where_its_mapping_names_no_id() -> None:
    bare, own = FileMapping("member", {}, {}), FileMapping("member", {}, {}, id=("card",))
    assert cursors.known_by_place(bare).id == (cursors.PLACE_COLUMN,)
    assert cursors.known_by_place(own) == own


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"b": 1}, "b"),
        ({"a": 1}, "a"),
        ({"a": ""}, "a"),
        ({"a": "x" * 5000}, "a"),
        ({"a": "x\n"}, "a"),
        ({"n": 1}, "a"),
        ({"a": "x", "n": True}, "n"),
    ],
)
def test_a_word_that_is_unknown_missing_or_of_another_type_is_named(config: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        cursors.checked(config, {"a": str, "n": int}, ("a",))
    assert (refused.value.code, refused.value.field) == ("pull_invalid", field)
