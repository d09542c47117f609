"""Who stands in a stored audience: keys of its own, a decision at every step, nothing left of who may not be there."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from privacy.errors import Conflict, Invalid, Raced
from privacy.export import people
from privacy.export.keeping import Keeping
from privacy.identity import pseudonyms
from tests.gatehouse import PHONES, Scene

GIVEN: dict[str, Any] = {
    "name": "Spring", "segment": "seg_" + "a" * 24, "version": 1, "digest": "d" * 64, "purpose": "marketing.profiling", "use": "marketing",
    "tags": (), "youth_signal": False, "kind": "continuous", "hours": 24, "days": 30,
}  # fmt: skip


def nothing(*_: Any) -> None:
    """Nothing happens beside it."""


def made(scene: Scene, **other: Any) -> str:
    return str(scene.services.kept.make(GIVEN | other, actor="usr_a", also=nothing)["id"])


def put(scene: Scene, audience: str, segment: str = "all") -> Keeping:
    scene.services.kept.refresh(audience, scene.audience(segment), actor="test")
    return scene.services.kept


def ids(scene: Scene, phones: list[str]) -> list[bytes]:
    """The people of telephones, as the vault knows them."""
    scene.segments["some"] = phones
    audience = scene.audience("some")
    with scene.services.stores.read_vault() as tx:
        return list(people.group(tx, scene.ring, audience, scene.services.clock().date()).people)


def test_people_stand_under_keys_of_the_audience_and_open_as_virtual_ids_of_the_month(scene: Scene) -> None:
    audience = made(scene)
    kept = put(scene, audience)
    opened = kept.opened(audience, 202607)
    everybody = b"".join(ids(scene, list(PHONES)))
    expected = np.sort(pseudonyms.virtual_ids(everybody, scene.ring.block_cipher(pseudonyms.VIRTUAL_ID, "202607")))
    assert opened["virtual_ids"].to_pylist() == expected.tolist()
    assert (opened["segment"], opened["purpose"], opened["month"]) == (audience, "marketing.profiling", 202607)
    assert opened["digest"] != GIVEN["digest"], "a list of one moment is not the rule of any moment"


def test_an_audience_that_was_never_found_or_has_ended_opens_for_nobody(scene: Scene) -> None:
    audience = made(scene)
    with pytest.raises(Conflict):
        scene.services.kept.opened(audience, 202606)
    put(scene, audience).end(audience, actor="usr_a")
    with pytest.raises(Conflict):
        scene.services.kept.opened(audience, 202606)
    with pytest.raises(Conflict):
        put(scene, audience)


def test_a_no_counts_before_anything_is_swept_and_a_sweep_leaves_no_row(scene: Scene) -> None:
    audience = made(scene)
    kept = put(scene, audience)
    scene.allow(PHONES[:4], ["marketing.profiling"], "withdrawn")
    assert kept.count(audience, actor="usr_o") == len(PHONES) - 4
    assert len(kept.opened(audience, 202606)["virtual_ids"]) == len(PHONES) - 4
    assert kept.held(ids(scene, PHONES[:1])) == 1
    assert kept.sweep(audience, actor="schedule") == 4
    assert kept.held(ids(scene, PHONES[:1])) == 0
    assert kept.sweep(audience, actor="schedule") == 0


def test_who_comes_back_is_in_again_and_both_times_are_told(scene: Scene) -> None:
    audience = made(scene)
    scene.segments["fewer"] = PHONES[1:]
    put(scene, audience)
    for segment in ("fewer", "all"):
        scene.house.clock.forward(hours=25)
        put(scene, audience, segment)
    ((_, rows),) = scene.services.kept.of(ids(scene, PHONES[:1]))
    assert [until is None for _, until in rows] == [False, True]
    assert scene.services.kept.forget(ids(scene, PHONES[:1])) == 2


def test_two_who_find_at_once_do_not_both_write(scene: Scene) -> None:
    audience = made(scene)
    kept = scene.services.kept
    before = kept.one(audience)
    put(scene, audience)

    class Late(Keeping):
        def one(self, id_: str) -> Any:
            return dataclasses.replace(before, refreshed_at=None)

    late = Late.__new__(Late)
    late.__dict__.update(kept.__dict__)
    with pytest.raises(Raced):
        late.refresh(audience, scene.audience("all"), actor="test")


def test_the_moment_of_looking_is_what_is_kept_and_an_older_look_never_replaces_a_newer_one(scene: Scene) -> None:
    """So that why somebody was in can be told as of exactly that moment, however long the writing took."""
    audience, kept = made(scene), scene.services.kept
    older = scene.audience("all")
    scene.house.clock.forward(hours=1)
    found = scene.audience("all")
    scene.house.clock.forward(minutes=20)
    kept.refresh(audience, found, actor="test")
    assert kept.one(audience).refreshed_at == found.as_of
    ((_, rows),) = kept.of(ids(scene, PHONES[:1]))
    assert rows == [(found.as_of, None)]
    with pytest.raises(Raced):
        kept.refresh(audience, older, actor="test")


def test_what_an_audience_says_of_itself_is_checked(scene: Scene) -> None:
    for wrong in ({"name": ""}, {"name": "x" * 121}, {"kind": "liquid"}, {"hours": 0}, {"days": 366}):
        with pytest.raises(Invalid):
            made(scene, **wrong)
