"""The consent log as pages and routes use it: names beside numbers, days of the controller's, a code that a camera reads."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app import consents, facts
from privacy.errors import Invalid
from tests.house import House


def test_sources_and_staff_are_named_and_days_are_those_of_the_controllers_zone(house: House) -> None:
    source, key = house.source("shop")
    house.clock.now = house.clock.now.replace(hour=15, minute=59)  # 23:59 in Shanghai
    house.grant(key, [("customer_no", "u-1")])
    house.clock.forward(minutes=2)
    house.grant(key, [("customer_no", "u-2")])
    every = consents.page(house.services, {}, actor="test")
    assert (every.entries, every.grants, every.withdrawals) == (4, 4, 0)
    assert {(row["source"], row["source_name"], row["by_name"]) for row in every.rows} == {(source, "shop", "shop")}
    assert consents.page(house.services, {"days": "1"}, actor="test").entries == 2
    assert consents.page(house.services, {"days": "7"}, actor="test").entries == 4
    assert consents.page(house.services, {"since": "2026-06-16"}, actor="test").entries == 2
    assert consents.page(house.services, {"until": "2026-06-15"}, actor="test").entries == 2
    assert consents.page(house.services, {"since": "2026-06-01", "days": "1"}, actor="test").entries == 2
    house.clock.now += timedelta(days=40)
    assert consents.page(house.services, {"days": "30"}, actor="test").entries == 0


def test_a_cursor_that_is_not_ours_is_refused(house: House) -> None:
    with pytest.raises(Invalid) as raised:
        consents.page(house.services, {}, actor="test", after="-1")
    assert raised.value.code == "bad_cursor"


def test_a_file_holds_what_the_pages_together_hold(house: House) -> None:
    _, key = house.source("shop")
    house.grant(key, [("customer_no", f"u-{number}") for number in range(40)])
    first = consents.page(house.services, {}, actor="test")
    second = consents.page(house.services, {}, actor="test", after=first.next)
    every = list(consents.every(house.services, {}, actor="test", form="csv"))
    assert [row["receipt"] for row in every] == [row["receipt"] for row in first.rows + second.rows]
    assert (len(every), second.next) == (80, None)


def test_a_code_is_one_square_of_bars_with_a_quiet_margin() -> None:
    size, path = consents.drawn("a" * 1_200)
    bars = [(int(x), int(y), int(width)) for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path)]
    assert path == "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in bars)
    assert min(x for x, _, _ in bars) == min(y for _, y, _ in bars) == 4
    assert max(x + width for x, _, width in bars) == max(y for _, y, _ in bars) + 1 == size - 4


def test_there_is_no_notice_before_one_is_published(house: House) -> None:
    assert facts.notices(house.services) == []
