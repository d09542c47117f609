"""A paper is a series of versions: the newest is it, older ones stay, and two who write at once do not overwrite each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.stores import Stores
from privacy.accountability import dossiers
from privacy.accountability.dossiers import Dossier
from privacy.errors import Conflict, NotFound

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def paper(id_: str, version: int, entry: int, **content: str) -> Dossier:
    return Dossier("recipient", id_, version, content, "usr_ada", NOW, entry)


def test_the_newest_version_is_the_paper_and_older_ones_stay(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        for one in (paper("rec_b", 1, 3, name="b"), paper("rec_a", 1, 5, name="a"), paper("rec_b", 2, 7, name="c")):
            dossiers.write(tx, one)
        assert [(one.id, one.content["name"]) for one in dossiers.listing(tx, "recipient")] == [("rec_b", "c"), ("rec_a", "a")]
        assert [one.content["name"] for one in dossiers.listing(tx, "recipient", before_entry=7)] == ["b", "a"]
        assert [one.id for one in dossiers.listing(tx, "recipient", before_entry=5)] == ["rec_b"]
        assert [one.version for one in dossiers.history(tx, "recipient", "rec_b")] == [1, 2]
        assert dossiers.one(tx, "recipient", "rec_b") == paper("rec_b", 2, 7, name="c")
        with pytest.raises(NotFound):
            dossiers.one(tx, "agreement", "rec_b")
        with pytest.raises(NotFound):
            dossiers.history(tx, "recipient", "rec_c")


def test_a_version_is_written_once_and_a_change_names_the_newest(stores: Stores) -> None:
    with stores.begin_platform() as tx:
        made = dossiers.write(tx, paper("rec_a", 1, 1, name="a"))
        with pytest.raises(Conflict) as twice:
            dossiers.write(tx, paper("rec_a", 1, 2, name="b"))
        assert twice.value.code == "changed_meanwhile"
        dossiers.check_seen(made, 1)
        dossiers.check_seen(made, None)
        with pytest.raises(Conflict):
            dossiers.check_seen(made, 2)


def test_ids_begin_with_their_kind() -> None:
    assert dossiers.new_id("assessment", lambda number: b"\x01" * number) == "pia_" + "01" * 12
