"""The ledger as an officer reads it, on both databases: filters, cursor, totals, conflicts, the digest of an entry's acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.consent import ledger, listing, registry
from privacy.consent.ledger import ConsentAct
from privacy.consent.listing import Wanted
from privacy.orm import to_micros
from tests.conftest import NOW

STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"
ANNA, BO = b"a" * 16, b"b" * 16
AT = to_micros(NOW)
SECOND = 1_000_000


def act(who: bytes, state: str, second: int = 0, *, effective: int | None = None, kind: str = "explicit", **more: Any) -> ConsentAct:
    at = AT + (second if effective is None else effective) * SECOND
    return ConsentAct(who, more.pop("purpose", STATISTICS), state, kind, at, AT + second * SECOND, **more)


@pytest.fixture
def filled(stores: Stores) -> Stores:
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
        notice = registry.publish_notice(tx, "v1", {"en": "We count."}, [STATISTICS], NOW)
        form = {"collection": "form", "default_state": "unchecked"}
        ledger.append(tx, [act(ANNA, "granted", 0, evidence=form, notice=notice, by="usr_a", source_id="src_1")], entry=0)
        ledger.append(tx, [act(BO, "granted", 5, source_id="src_2", by="src_2"), act(BO, "denied", 5, purpose=PROFILING)], entry=1)
        ledger.append(tx, [act(ANNA, "withdrawn", 9)], entry=2)
    return stores


def seqs(stores: Stores, **wanted: Any) -> list[int]:
    with stores.read_platform() as tx:
        found, following = listing.page(tx, Wanted(**wanted), limit=500)
        assert following is None
        assert listing.totals(tx, Wanted(**wanted)).entries == len(found)
    return [one.seq for one in found]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [4, 3, 2, 1]),
        ({"purpose": PROFILING}, [3]),
        ({"state": "granted"}, [2, 1]),
        ({"state": "withdrawn"}, [4]),
        ({"method": "form"}, [1]),
        ({"method": "source"}, [2]),
        ({"method": "staff"}, [4, 3]),
        ({"method": "signal"}, []),
        ({"source": "src_1"}, [1]),
        ({"notice": "no such"}, []),
        ({"since": NOW + timedelta(seconds=5)}, [4, 3, 2]),
        ({"until": NOW + timedelta(seconds=5)}, [1]),
        ({"handles": [ANNA]}, [4, 1]),
        ({"handles": []}, []),
        ({"handles": [ANNA], "state": "granted"}, [1]),
        ({"conflicts": True}, []),
    ],
)
def test_everything_that_is_asked_for_must_hold(filled: Stores, wanted: dict[str, Any], expected: list[int]) -> None:
    assert seqs(filled, **wanted) == expected


def test_the_pages_follow_each_other_without_gap_or_repeat(filled: Stores) -> None:
    with filled.read_platform() as tx:
        first, following = listing.page(tx, Wanted(), limit=3)
        second, end = listing.page(tx, Wanted(), before=following, limit=3)
    assert [one.seq for one in (*first, *second)] == [4, 3, 2, 1]
    assert end is None


def test_grants_and_noes_are_counted(filled: Stores) -> None:
    with filled.read_platform() as tx:
        told = listing.totals(tx, Wanted())
        assert (told.entries, told.grants, told.withdrawals) == (4, 2, 2)
        assert listing.totals(tx, Wanted(source="none")) == (0, 0)


def conflicts(stores: Stores, acts: Sequence[ConsentAct]) -> list[int]:
    with stores.begin_platform() as tx:
        registry.seed(tx, NOW)
        for one in acts:
            ledger.append(tx, [one])
    return seqs(stores, conflicts=True)


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([act(ANNA, "granted", 0), act(ANNA, "withdrawn", 9)], []),
        ([act(ANNA, "withdrawn", 9), act(ANNA, "granted", 10, effective=1)], [2, 1]),
        ([act(ANNA, "withdrawn", 9), act(ANNA, "granted", 9)], [2, 1]),
        ([act(ANNA, "granted", 0), act(ANNA, "denied", 9, kind="asserted")], [2, 1]),
        ([act(ANNA, "withdrawn", 9), act(BO, "granted", 9)], []),
        ([act(ANNA, "withdrawn", 9), act(ANNA, "granted", 9, purpose=PROFILING)], []),
        ([act(ANNA, "granted", 9), act(ANNA, "granted", 10, effective=1)], []),
    ],
)
def test_a_conflict_is_a_yes_and_a_no_out_of_order_or_against_a_sources_word(
    stores: Stores, acts: list[ConsentAct], expected: list[int]
) -> None:
    assert conflicts(stores, acts) == expected


def test_beside_an_act_stand_the_moments_others_and_after_it_the_next_about_its_purpose(filled: Stores) -> None:
    with filled.read_platform() as tx:
        first, second = listing.act(tx, 1), listing.act(tx, 2)
        assert first is not None
        assert second is not None
        assert first.method == "form"
        assert [one.seq for one in listing.beside(tx, second)] == [3]
        assert listing.beside(tx, first) == []
        following = listing.after(tx, first)
        assert following is not None
        assert following.seq == 4
        assert listing.after(tx, following) is None
        assert listing.act(tx, 99) is None


def test_the_digest_of_an_entrys_acts_is_the_one_that_was_made_before_they_were_stored(filled: Stores) -> None:
    with filled.begin_platform() as tx:
        acts = [
            act(ANNA, "granted", 20, evidence={"collection": "form", "form": "统"}, notice="v1", by="usr_a", source_id="src_1"),
            act(BO, "denied", 20, effective=9_000, purpose=PROFILING),
            act(BO, "granted", 20, valid_until=AT + 99 * SECOND),
        ]
        aliases = {BO: [b"c" * 16]}
        before = ledger.sealed(tx, acts, aliases)
        last = ledger.append(tx, acts, aliases=aliases, entry=3)
        ledger.append(tx, [act(ANNA, "denied", 30)], entry=4)
        assert ledger.positions(acts, aliases, last) == [5, 6, 7]
        assert last == 8
        for position in (5, 6, 7, 8):
            one = listing.act(tx, position)
            assert one is not None
            assert listing.sealed(tx, one) == before
        other = listing.act(tx, 9)
        assert other is not None
        assert listing.sealed(tx, other) != before


def test_the_filter_names_what_it_filters_by() -> None:
    assert Wanted().named() == []
    assert Wanted(state="granted", conflicts=True, handles=[]).named() == ["state", "conflicts", "handles"]
    assert {one.name for one in fields(Wanted)} >= {"purpose", "method", "notice"}


def test_a_filter_by_state_reads_no_other_table(filled: Stores) -> None:
    with filled.read_platform() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(ledger.ConsentEventRow)) == 4
