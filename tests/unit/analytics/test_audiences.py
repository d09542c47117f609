"""Audiences: who is in one, under which purpose and use it is made, and why somebody is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from analytics.audiences import Audiences, change
from analytics.lake.reader import LakeReader
from analytics.segments.compiled import Needs
from analytics.segments.definition import Definition
from analytics.segments.parse import parse
from privacy.errors import Refused
from privacy.vocabulary import PROFILING, STATISTICS
from tests.fakes.lake import Lake
from tests.fakes.population import virtual_id

ZONE = "Asia/Shanghai"
AT = datetime(2026, 6, 30, 4, tzinfo=UTC)
BUYERS = Definition("seg_buyers00", 1, PROFILING, "marketing", parse({"count": "orders", "within": {"days": 30}, "at_least": 1}))


@pytest.fixture
def shop(lake: Lake) -> Lake:
    lake.allow("ann", "bob", "old-ann", purpose=PROFILING)
    lake.allow("out", purpose=STATISTICS)
    june = {"month": 202606, "hour": AT - timedelta(days=3), "order_key": 1, "kind": "sale"}
    earlier = june | {"month": 202604, "hour": AT - timedelta(days=80)}
    lake.put("order_lines", [{"person": "bob", **earlier}, *({"person": one, **june} for one in ("ann", "out", "old-ann"))])
    return lake


def audiences(lake: Lake, asked: list[Needs] | None = None) -> Audiences:
    def reader(needs: Needs) -> LakeReader:
        if asked is not None:
            asked.append(needs)
        return lake.reader

    return Audiences(reader, ZONE)


def test_an_audience_holds_virtual_ids_of_the_month_of_those_who_allow_its_purpose(shop: Lake) -> None:
    made = audiences(shop).of(BUYERS, AT)
    assert made.virtual_ids.to_pylist() == sorted(virtual_id(one, 202606) for one in ("ann", "old-ann"))
    assert (made.purpose, made.use, made.month, made.version, made.digest) == (PROFILING, "marketing", 202606, 1, BUYERS.digest)
    assert made.policy == "test"
    assert "virtual_ids" not in repr(made)


def test_people_who_turned_out_to_be_one_are_in_it_once(shop: Lake) -> None:
    shop.populations.merged["old-ann"] = "ann"
    assert len(audiences(shop).of(BUYERS, AT).virtual_ids) == 1


def test_who_withdraws_is_out_of_the_next_audience(shop: Lake) -> None:
    shop.withdraw("ann", purpose=PROFILING)
    assert audiences(shop).of(BUYERS, AT).virtual_ids.to_pylist() == [virtual_id("old-ann", 202606)]


@pytest.mark.parametrize("purpose", [STATISTICS, "service.fulfilment", "marketing.channel.sms"])
def test_attack_50_a_segment_of_another_purpose_makes_no_audience(shop: Lake, purpose: str) -> None:
    shop.allow("ann", purpose=purpose)
    with pytest.raises(Refused) as raised:
        audiences(shop).of(replace(BUYERS, purpose=purpose), AT)
    assert raised.value.code == "segment_purpose"


@pytest.mark.parametrize("use", ["pricing", "terms"])
def test_attack_53_a_segment_for_prices_or_terms_needs_a_review(shop: Lake, use: str) -> None:
    with pytest.raises(Refused) as raised:
        audiences(shop).of(replace(BUYERS, use=use), AT)
    assert raised.value.code == "segment_use_refused"
    assert len(audiences(shop).of(replace(BUYERS, use=use, review="asm_1"), AT).virtual_ids) == 2


def test_the_lake_is_opened_for_what_the_rule_needs(shop: Lake) -> None:
    asked: list[Needs] = []
    audiences(shop, asked).of(replace(BUYERS, rule=parse({"stage": ["new"]})), AT)
    assert asked[-1].tags == ("stage",)
    assert len(asked[-1].months) == 12


def test_why_somebody_is_in_is_told_from_their_own_rows(shop: Lake) -> None:
    made = audiences(shop)
    rule = parse({"any": [{"count": "orders", "within": {"days": 30}, "at_least": 1}, {"profile": "sex", "is": ["male"]}]})
    definition = replace(BUYERS, rule=rule)
    look = made.why(definition, AT, [virtual_id("ann", 202606)])
    assert look is not None
    assert look.inside
    counted = next(step for step in look.steps if "count" in step["rule"])
    assert (counted["holds"], counted["saw"]) == (True, {"amount": 1})
    stated = next(step for step in look.steps if "profile" in step["rule"])
    assert (stated["holds"], stated["saw"]) == (False, {"sex": None})
    bob = made.why(definition, AT, [virtual_id("bob", 202606)])
    assert bob is not None
    assert not bob.inside


def test_of_somebody_who_does_not_allow_it_nothing_is_told(shop: Lake) -> None:
    assert audiences(shop).why(BUYERS, AT, [virtual_id("out", 202606)]) is None
    assert audiences(shop).why(BUYERS, AT, []) is None


def test_a_change_is_who_came_and_who_went() -> None:
    came, went = change(pa.array([1, 2, 3]), pa.array([2, 3, 4]))
    assert (came.to_pylist(), went.to_pylist()) == ([4], [1])
