"""Credits of channels by four rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.reports.base import Options
from tests.fakes.behaviour import CHANNELS, ask, hour, reports, told, world
from tests.oracles import behaviour as oracle


def test_credits_agree_with_an_independent_count_of_the_same_paths(tmp_path: Path) -> None:
    rows = world(people=40)
    known = oracle.paths(rows["touches"], rows["order_lines"], CHANNELS)
    found = told(ask(tmp_path, "attribution", rows), "conversions", "channel", "rule")
    for cell, number in oracle.credited(known).items():
        assert found[cell] == pytest.approx(number, abs=0.001 * (len(known) + 1))  # thousandths, cut downward for each person


def test_a_rule_hands_out_at_most_one_conversion_a_person(tmp_path: Path) -> None:
    rows = world(people=40)
    converted = sum(bought for _, bought in oracle.paths(rows["touches"], rows["order_lines"], CHANNELS).values())
    found = told(ask(tmp_path, "attribution", rows), "conversions", "channel", "rule")
    for rule in ("first", "last"):
        assert sum(found[channel, rule] for channel in CHANNELS) == converted
    for rule in ("linear", "position"):
        assert converted - 0.1 < sum(found[channel, rule] for channel in CHANNELS) <= converted


def test_the_planted_order_of_channels_is_recovered(tmp_path: Path) -> None:
    """E-mail opens, WeChat closes: first and last touch say so."""
    touches = [
        {"run_id": person, "hour": hour(place + 1), "channel": channel, "kind": "click"}
        for person in range(50)
        for place, channel in enumerate(("email", "sms", "wechat"))
    ]
    lines = [{"run_id": person, "hour": hour(9), "order_key": 1, "kind": "sale", "net_minor": 100} for person in range(50)]
    found = told(ask(tmp_path, "attribution", {"touches": touches, "order_lines": lines}), "conversions", "channel", "rule")
    assert (found["email", "first"], found["wechat", "last"], found["sms", "first"]) == (50, 50, 0)
    assert found["email", "position"] == pytest.approx(20)
    assert found["sms", "position"] == pytest.approx(10)


def test_the_quote_tells_margins_in_conversions(tmp_path: Path) -> None:
    quoted = reports(tmp_path, {}).quote("attribution", Options(202601, 202601))
    assert quoted["margins"] == {"conversions": 0.5}
