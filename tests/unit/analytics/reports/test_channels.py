"""What each channel brings and costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.behaviour import CHANNELS, ask, told, world
from tests.oracles import behaviour as oracle

STEPS = ("impression", "open", "click", "visit", "bought")


def test_steps_sales_cost_and_return_agree_with_an_independent_count(tmp_path: Path) -> None:
    rows = world(people=300, orders=60)
    for line in rows["order_lines"]:
        line["net_minor"] = min(line["net_minor"], 5_000)  # nobody reaches the bound
    document = ask(tmp_path, "channels", rows)
    known = oracle.paths(rows["touches"], rows["order_lines"], CHANNELS)
    furthest: dict[tuple[int, str], int] = {}
    since: dict[int, object] = {}
    for row in rows["touches"]:
        if row["channel"] in CHANNELS:
            key = row["run_id"], row["channel"]
            furthest[key] = max(furthest.get(key, 0), STEPS.index(row["kind"]))
            since[row["run_id"]] = min(since.get(row["run_id"], row["hour"]), row["hour"])
    last = {person: path[-1] for person, (path, converted) in known.items() if converted}
    for person, channel in last.items():
        furthest[person, channel] = 4
    people = told(document, "people", "channel", "step")
    for channel in CHANNELS:
        for number, step in enumerate(STEPS):
            assert people[channel, step] == sum(place >= number for (_, one), place in furthest.items() if one == channel)
    lines = oracle.sales(rows["order_lines"])
    sales = dict.fromkeys(CHANNELS, 0)
    for line in lines.itertuples():
        if line.run_id in last and line.hour >= since[line.run_id]:
            sales[last[line.run_id]] += line.paid
    found = told(document, "sales", "channel")
    assert found == pytest.approx(sales, abs=100)  # thousandths of 50 yuan, cut for each person
    assert told(document, "cost", "channel") == {"email": 150_000, "sms": 80_000, "wechat": 0}
    returns = told(document, "roi", "channel")
    assert set(returns) == {"email", "sms"}
    assert returns["email"] == pytest.approx(found["email"] / 150_000 - 1, abs=1e-5)


def test_a_cost_is_exact_and_a_return_is_as_wide_as_its_sales(tmp_path: Path) -> None:
    document = {(row["channel"], row["measure"]): row for row in ask(tmp_path, "channels", world()) if "step" not in row}
    cost, sales, back = (document["sms", name] for name in ("cost", "sales", "roi"))
    assert cost["low"] == cost["high"] == 80_000
    assert back["high"] - back["low"] == pytest.approx((sales["high"] - sales["low"]) / 80_000, abs=1e-5)
