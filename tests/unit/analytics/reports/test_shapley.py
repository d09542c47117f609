"""A fair division of purchases among channels."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.fakes.behaviour import CHANNELS, ask, told, world
from tests.oracles import behaviour as oracle


def test_the_division_is_the_shapley_value_by_its_definition(tmp_path: Path) -> None:
    rows = world()
    known = oracle.paths(rows["touches"], rows["order_lines"], CHANNELS)
    document = ask(tmp_path, "shapley", rows)
    found = {row["channel"]: row["value"] for row in document if row["marginal"] == "channel"}
    for channel, value in oracle.shapley(known, CHANNELS).items():
        assert found[channel] == pytest.approx(value, abs=0.001)
    (whole,) = (row["value"] for row in document if row["marginal"] == "all")
    assert sum(found.values()) == pytest.approx(whole, abs=0.01)
    assert whole == sum(converted for _, converted in known.values())


def test_margins_are_those_of_the_sum_that_each_part_is(tmp_path: Path) -> None:
    """Three channels: a channel is in one set of one, two of two, one of three."""
    row = next(row for row in ask(tmp_path, "shapley", world()) if row["marginal"] == "channel")
    assert row["high"] - row["low"] == pytest.approx(2 * 0.5 * math.sqrt(1 + 2 / 4 + 1 / 9), abs=0.002)


def test_the_sets_are_all_there_whoever_bought(tmp_path: Path) -> None:
    document = [row for row in ask(tmp_path, "shapley", {}) if row["marginal"] == "channels"]
    assert list(told(document, "conversions", "channels")) == [
        "email", "sms", "wechat", "email+sms", "email+wechat", "sms+wechat", "email+sms+wechat"
    ]  # fmt: skip
