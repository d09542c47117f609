"""Every table of both stores is cleared by an erasure, or somebody said why not; every step's places are looked at again."""

from __future__ import annotations

import re

from app import remains
from tests.contracts.tree import ROOT


def tables() -> set[str]:
    """Every table that a revision makes."""
    written = [path.read_text(encoding="utf-8") for path in (ROOT / "migrations").rglob("*.py")]
    return {name for text in written for name in re.findall(r'create_table\(\s*"(\w+)"', text)}


def test_a_new_table_has_a_place_that_clears_it_or_a_reason_to_stay() -> None:
    told = set(remains.TABLES) | remains.OF_NOBODY
    assert tables() - told == set(), "say in app/remains.py what an erasure does with it"
    assert told - tables() == set()


def test_what_a_step_clears_is_looked_at_before_the_certificate() -> None:
    cleared = {place for _, places in remains.STEPS for place in places} - {remains.GATE}
    assert cleared <= set(remains.LOOKED), "the gate's look is that of consent"
    assert len({place.name for place in remains.LOOKED}) == len(remains.LOOKED)


def test_the_key_goes_first_of_all_that_is_destroyed() -> None:
    order = [name for name, _ in remains.STEPS]
    assert order[:3] == ["close", "shred", "vault"], "closed, then shredded, then everything else"
    assert order.index("inbox") < order.index("lake")
