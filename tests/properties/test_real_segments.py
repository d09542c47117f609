"""Segments over a real shop against pandas, one by one, for every word of the grammar; and explanations that everybody's membership follows from.

Households of the Complete Journey (`tests.oracles.shop_journey`); the oracle (`tests.oracles.segmented`) was written without looking at the
expressions. A part of the file by default, whole with LONG_TESTS=1. The moment is the end of the part's last day.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.audiences import Audiences, looked_into
from analytics.segments import vocabulary
from analytics.segments.compiled import Compiled, Moment, needs, seen
from analytics.segments.definition import Definition
from analytics.segments.parse import parse
from privacy.vocabulary import PROFILING
from tests.fakes import loaded
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id
from tests.house import ROOT
from tests.oracles import segmented, shop_journey

DATA = Path(os.environ.get("PIYING_TEST_DATA", ROOT.parent / "shared" / "data"))
WEEKS = (1, 39) if os.environ.get("LONG_TESTS") else (6, 11)
ZONE = shop_journey.ZONE
BUYERS, TELLERS = ("seg_buyers00", 1), ("seg_tellers0", 3)
SEVERAL = {"count": "orders", "within": {"days": 30}, "at_least": 5}

pytestmark = pytest.mark.slow


@dataclass
class Shop:
    """The lake, the same as frames, and the moment."""

    lake: Lake
    world: segmented.World
    moment: Moment

    @property
    def others(self) -> dict[tuple[str, int], Any]:
        return {key: parse(rule) for key, rule in self.world.segments.items()}

    def looks(self, documents: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Definition, dict[str, dict[str, Any]]]]:
        """Each rule with what was seen of everybody, by person, all of them asked in one view."""
        made = [Definition("seg_oracle00", 1, PROFILING, "marketing", parse(one), others=self.others) for one in documents]
        months = sorted({month for one in made for month in needs(one.rule, one.others, self.moment).months})
        names = {virtual_id(person, 0): person for person in self.world.everybody}
        with self.lake.reader.open(PROFILING, months) as view:
            for document, one in zip(documents, made, strict=True):
                rows = view.run(Compiled(view, self.moment, one.others).looked_at(one.rule)).to_pylist()
                yield document, one, {names[row["run_id"]]: row for row in rows}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = DATA / "complete_journey"
    if not folder.is_dir():
        pytest.skip("the files of complete_journey are not there: set PIYING_TEST_DATA")
    journey = shop_journey.read(folder, WEEKS)
    lake = loaded.lake(tmp_path_factory.mktemp("segments"), journey.tables)
    lake.allow(*journey.people, purpose=PROFILING)
    lake.put("products", journey.products.assign(loaded=1).to_dict("records"))
    held = {name: journey.tables[name] for name in ("events", "touches", "profiles")}
    world = segmented.World(journey.people, journey.lines(), **held, at=journey.at, zone=ZONE, segments=_others())
    return Shop(
        lake, world, Moment(journey.at.astimezone(UTC), ZONE, lake.reader.open_table("products"), lake.reader.months_held("profiles"))
    )


def _others() -> Mapping[tuple[str, int], dict[str, Any]]:
    told = {"any": [{"profile": "sex", "is": ["female", "male"]}, {"segment": BUYERS[0], "version": BUYERS[1]}]}
    return {BUYERS: SEVERAL, TELLERS: told}


# ── every word ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def amounts(world: segmented.World, at: datetime) -> list[dict[str, Any]]:
    """Every thing that is counted or added up, in both kinds of window, at every end, narrowed by every column both ways."""
    first = (at - timedelta(days=20)).date()
    span = {"from": first.isoformat(), "to": (first + timedelta(days=6)).isoformat()}
    found = []
    for how, things in vocabulary.THINGS.items():
        for of, thing in things.items():
            plain = {how: of, "within": {"days": 30}}
            middle = int(world.numbers(plain).median())
            ends = [{"at_least": middle}, {"at_most": middle}, {"at_least": middle, "at_most": 2 * middle + 1}, {"at_most": 0}]
            found += [plain | one for one in ends] + [
                {how: of, "within": span, "at_least": 1},
                {how: of, "within": {"days": 3}, "at_most": 9},
            ]
            rows = {"events": world.events, "touches": world.touches}.get(of, world.lines)
            for column in thing.fields:
                common = [str(one) for one in rows[column].dropna().value_counts().index[1:4]] or [str(rows[column].dropna().iloc[0])]
                found.append(plain | {"where": [{"field": column, "is": common}], "at_least": 1})
                found.append(plain | {"where": [{"field": column, "is_not": common[:1]}], "at_least": max(middle, 1)})
            two = [{"field": one, "is_not": [str(rows[one].dropna().value_counts().index[-1])]} for one in thing.fields[:2]]
            found.append(plain | {"where": two, "at_least": 1})
    return found


def standing(world: segmented.World) -> list[dict[str, Any]]:
    """Everything that was stated or that bands and stages say."""
    found: list[dict[str, Any]] = [{"joined": {"from": 201603, "to": 201606}}]
    for one in vocabulary.PROFILE:
        words = [str(word) for word in world.profiles[one].dropna().value_counts().index[:2]]
        found += [{"profile": one, "is": words}, {"profile": one, "is_not": words[:1]}]
    bands = range(vocabulary.HIGHEST_BAND + 1)
    found += [{"cells": {name: [band]}} for name in vocabulary.BANDS for band in bands]
    found += [{"cells": {"recency": [3, 4, 5], "frequency": [4, 5], "value": [2, 3, 4]}}]
    found += [{"rfm": [one]} for one in vocabulary.RFM] + [{"rfm": list(vocabulary.RFM[:3])}]
    return found + [{"stage": [one]} for one in vocabulary.STAGES] + [{"stage": ["new", "prospect"]}]


def test_every_word_about_every_column_means_whom_pandas_finds(shop: Shop) -> None:
    leaves = amounts(shop.world, shop.world.at) + standing(shop.world)
    groups = [{"any": leaves[start : start + 20]} for start in range(0, len(leaves), 20)]
    some = 0
    for _, definition, people in shop.looks(groups):
        for number, leaf in enumerate(seen(definition.rule, definition.others)):
            expected = shop.world.meant(leaf.document())
            found = {person for person, row in people.items() if row[f"holds_{number}"]}
            assert found == expected, (leaf.document(), sorted(found ^ expected)[:5])
            some += 0 < len(expected) < len(people)
    assert some > 0.5 * len(leaves), (some, len(leaves))


# ── groups and membership ──────────────────────────────────────────────────────────────────────────────────────────────────────


def trees(world: segmented.World, at: datetime, count: int) -> list[dict[str, Any]]:
    """Groups inside groups, membership both ways, opposites; the same ones at every run."""
    chance, leaves = random.Random(17), amounts(world, at) + standing(world)
    leaves += [
        {"segment": name, "version": version, "member": inside} for name, version in (BUYERS, TELLERS) for inside in (True, False)
    ] * 20

    def made(depth: int) -> dict[str, Any]:
        if depth == 0 or chance.random() < 0.3:
            return dict(chance.choice(leaves))
        return {chance.choice(["all", "any"]): [made(depth - 1) for _ in range(chance.randint(2, 3))]}

    return [{kind: [made(2), made(2)]} for kind in ("all", "any") for _ in range(count // 2)]


def test_a_group_and_membership_of_another_segment_mean_whom_pandas_finds(shop: Shop) -> None:
    made = Audiences(lambda needs: shop.lake.reader, ZONE)
    sizes = []
    for document in trees(shop.world, shop.world.at, 16):
        audience = made.of(Definition("seg_oracle00", 1, PROFILING, "marketing", parse(document), others=shop.others), shop.world.at)
        expected = shop.world.meant(document)
        assert set(audience.virtual_ids.to_pylist()) == {virtual_id(person, audience.month) for person in expected}, document
        sizes.append(len(expected))
    assert sum(0 < size < len(shop.world.everybody) for size in sizes) >= 8, sizes


def test_everybodys_membership_follows_from_what_their_explanation_says_was_seen(shop: Shop) -> None:
    """S-05: for every person, whether in or out, and every rule."""
    for document, definition, people in shop.looks(trees(shop.world, shop.world.at, 6)):
        expected = shop.world.meant(document)
        assert people.keys() == shop.world.everybody
        for person, row in people.items():
            look = looked_into(definition, row, "test")
            assert segmented.reproduced(look.steps) is look.inside is (person in expected), document
