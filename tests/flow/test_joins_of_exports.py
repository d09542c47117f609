"""Files laid side by side: two recipients', two of one recipient, two revisions of one list (attacks 18 and 56, P-03, P-05)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from privacy.errors import Refused
from privacy.identity.forms.partner import PSEUDONYM
from tests.flow.attacked import PARTNER, RIVAL, SHAPE
from tests.gatehouse import PHONES, Scene
from tests.house import House

K = 20
Table = list[dict[str, str]]


def scene_of(place: House, given: dict[str, Any] = PARTNER) -> Scene:
    """People in ten groups by sex and age, and in ten others by city: who has both kinds of columns finds people two by two."""
    scene = Scene(place, given)
    scene.door = scene.gate(cap=None)
    numbers = range(len(PHONES))
    scene.say(
        "same", PHONES,
        gender=["female" if number % 2 else "male" for number in numbers],
        age_band=[f"band-{number // 2 % 5}" for number in numbers],
        city=[f"city-{number // 20}" for number in numbers],
        illness=["asthma" if number // 10 % 2 else "none" for number in numbers],
    )  # fmt: skip
    return scene


def table(scene: Scene, *fields: str) -> Table:
    return scene.opened(scene.released(segment="same", **SHAPE | {"fields": fields}))


def smallest(tables: list[Table]) -> int:
    """The smallest class of people whom a join of tables by their virtual IDs leaves alike, of those who stand in all of them."""
    known: list[dict[str, dict[str, str]]] = [{row[PSEUDONYM]: row for row in rows} for rows in tables]
    everywhere = set(known[0]).intersection(*known)
    alike = Counter(tuple(rows[one][name] for rows in known for name in sorted(rows[one]) if name != PSEUDONYM) for one in everywhere)
    return min(alike.values())


def test_two_tables_of_one_partner_together_are_as_coarse_as_one_has_to_be(place: House) -> None:
    """Its virtual IDs are the same in both, so the columns of both are one table: whose classes are of twenty, as the manifest says."""
    scene = scene_of(place)
    one, other = table(scene, "gender", "age_band"), table(scene, "city")
    assert len({row["gender"] for row in one}) == 2
    assert {row[PSEUDONYM] for row in one} == {row[PSEUDONYM] for row in other}
    assert smallest([one]) >= K
    assert smallest([one, other]) >= K


def test_a_sensitive_column_that_comes_later_and_tells_everybodys_secret_does_not_leave(place: House) -> None:
    """Attack 57 in two steps: first who somebody is, then what they have, which nobody of a class of the join has otherwise: it does not leave."""
    scene = scene_of(place)
    scene.say(
        "same", PHONES,
        gender=["female" if number < 100 else "male" for number in range(len(PHONES))],
        illness=["asthma" if number < 100 else "none" for number in range(len(PHONES))],
    )  # fmt: skip
    assert smallest([table(scene, "gender")]) == 100
    with pytest.raises(Refused) as refused:
        table(scene, "illness")
    assert refused.value.code in ("reidentification_risk", "not_anonymisable")


def test_a_revision_shows_nothing_that_the_list_before_it_hid(place: House) -> None:
    """Forty say no between two downloads: the table is made anew, of columns that were told already and no others."""
    scene = scene_of(place)
    id_ = scene.released(segment="same", **SHAPE | {"fields": ("gender", "age_band", "city")})
    first = scene.opened(id_)
    scene.allow(PHONES[:40], scene.share, "withdrawn")
    second = scene.opened(id_)
    assert scene.door.show(id_, exact=True)["manifest"]["revision"] == 2
    assert 0 < len(second) <= len(PHONES) - 40
    hidden = [{name for name in rows[0] if all(row[name] == "*" for row in rows)} for rows in (first, second)]
    assert hidden[0] <= hidden[1]
    assert smallest([second]) >= K


def test_a_new_epoch_begins_anew_because_its_virtual_ids_meet_no_older_ones(place: House) -> None:
    """P-04: what was told under the old virtual IDs narrows nothing of what is told under the new ones."""
    scene = scene_of(place)
    one = table(scene, "gender", "age_band")
    place.services.rotate_key("recipient", actor="test")
    other = table(scene, "city")
    assert {row[PSEUDONYM] for row in one}.isdisjoint(row[PSEUDONYM] for row in other)
    assert len({row["city"] for row in other}) == 10


def test_a_join_of_two_recipients_on_any_columns_is_no_better_than_their_manifests_say(place: House) -> None:
    """Attack 18: every set of columns, the virtual ID among them; a match is right by chance only."""
    scene, rival = scene_of(place), scene_of(place, RIVAL)
    one, other = table(scene, "gender", "age_band"), table(rival, "gender", "age_band")
    columns = (PSEUDONYM, "gender", "age_band")
    for size in (1, 2, 3):
        for names in combinations(columns, size):
            alike = Counter(tuple(row[name] for name in names) for row in other)
            chances = [1 / alike[key] for row in one if alike[key := tuple(row[name] for name in names)]]
            assert chances == [] if PSEUDONYM in names else max(chances) <= 1 / K, names


@pytest.mark.parametrize("fields", [("gender",), ("gender", "age_band", "city")])
def test_the_same_columns_again_leave_as_they_did(place: House, fields: tuple[str, ...]) -> None:
    """What a partner knows already is no reason to refuse it the same again."""
    scene = scene_of(place)
    assert table(scene, *fields) == table(scene, *fields)
