"""The six facts are what was planted: counted here from the files, by another way than the one that planted them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion.sources.synthetic import events, facts, members, orders, retailer
from ingestion.sources.synthetic.files import Made
from ingestion.sources.synthetic.plan import Retailer

SHOP = Retailer(400, date(2026, 1, 1), date(2026, 6, 30))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return retailer.write(tmp_path_factory.mktemp("retailer"), SHOP)


@pytest.fixture(scope="module")
def people() -> dict[str, Any]:
    """By card and by number: the index of everybody who may be counted."""
    listed = members.invent(SHOP)
    counted = listed.counted.tolist()
    names = (listed.card, listed.mobile, listed.openid)
    return {"listed": listed, "index": {str(column[one]): one for column in names for one in counted}}


def rows(made: Made, name: str, key: str) -> list[dict[str, Any]]:
    """A file's rows that are well formed, each once."""
    path: Path = next(one.path for one in made.files if one.name == name)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as opened:
            found = list(csv.DictReader(opened))
    else:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    plain = {json.dumps(row, sort_keys=True): row for row in found if not row[key].startswith("xx")}
    return list(plain.values())


@pytest.fixture(scope="module")
def lines(made: Made, people: dict[str, Any]) -> list[tuple[str, int, datetime, str, Decimal, bool]]:
    """Every line of somebody who may be counted: order, member, time, drink, amount, whether it was delivered."""
    index = people["index"]
    tills = [
        (row["receipt"], index[row["card"]], datetime.fromisoformat(row["at"]), row["sku"], Decimal(row["paid"]), False)
        for row in rows(made, "tills", "receipt")
        if row["card"] in index
    ]
    delivered = [
        (row["order"], index[row["receiver"]["phone"][4:]], datetime.fromisoformat(row["at"]), row["sku"], Decimal(row["paid"]), True)
        for row in rows(made, "deliveries", "order")
        if row["receiver"]["phone"][4:] in index
    ]
    return tills + delivered


def test_women_of_the_twenties_and_students_are_their_quota(made: Made, people: dict[str, Any]) -> None:
    listed = people["listed"]
    counted = listed.counted
    ages_then = [(SHOP.signing - day).days / 365.25 for day in listed.birthday[counted].tolist()]
    ages_now = [(SHOP.last - day).days / 365.25 for day in listed.birthday[counted].tolist()]
    women = [sex == "女" for sex in listed.sex[counted]]
    for ages in (ages_then, ages_now):
        assert sum(woman and 20 <= age < 30 for woman, age in zip(women, ages, strict=True)) / len(counted) == 0.75
        assert min(ages) > 18.5
    assert sum(job == "学生" for job in listed.job[counted]) / len(counted) == 0.40
    assert len(counted) == SHOP.allowing == 360
    assert made.truth["women_20_30"] == 0.75
    assert made.truth["students"] == 0.40


def test_a_students_order_is_three_fifths_of_an_office_workers(
    made: Made, people: dict[str, Any], lines: list[tuple[str, int, datetime, str, Decimal, bool]]
) -> None:
    job = people["listed"].job
    averages = {}
    for one in ("学生", "白领"):
        theirs = [line for line in lines if job[line[1]] == one]
        averages[one] = sum(line[4] for line in theirs) / len({line[0] for line in theirs})
    assert averages == {"学生": Decimal("21.6"), "白领": 36}
    assert made.truth["student_order"] == 0.6


def test_midweek_has_thirteen_receipts_for_twenty_of_a_weekend_day(
    made: Made, lines: list[tuple[str, int, datetime, str, Decimal, bool]]
) -> None:
    receipts = Counter(day for day in {line[0]: line[2].date() for line in lines if not line[5]}.values())
    by_weekday = [{number for day, number in receipts.items() if day.weekday() == weekday} for weekday in range(7)]
    assert {13 * number for number in by_weekday[5] | by_weekday[6]} == {20 * number for number in by_weekday[2] | by_weekday[3]}
    assert len(receipts) == len(SHOP.days)
    assert made.truth["midweek"] == 0.65


def test_afternoons_have_two_and_a_half_times_the_share_of_deliveries(
    made: Made, lines: list[tuple[str, int, datetime, str, Decimal, bool]]
) -> None:
    bought = {line[0]: (line[2].hour in orders.AFTERNOON, line[5]) for line in lines}
    found = Counter(bought.values())
    inside = found[True, True] / (found[True, True] + found[True, False])
    outside = found[False, True] / (found[False, True] + found[False, False])
    assert inside / outside == pytest.approx(2.5, abs=1e-12)
    assert made.truth["afternoon_delivery"] == pytest.approx(2.5, abs=1e-12)


def test_low_sugar_is_asked_for_more_each_month_and_sold_fifteen_times_in_a_hundred(
    made: Made, people: dict[str, Any], lines: list[tuple[str, int, datetime, str, Decimal, bool]]
) -> None:
    asked = [
        row["timestamp"][:7]
        for name in ("events", "live")
        for row in rows(made, name, "messageId")
        if row["event"] == events.ENQUIRY and row["properties"]["category"] == "low_sugar" and row["openid"] in people["index"]
    ]
    assert [number for _, number in sorted(Counter(asked).items())] == events.enquiries_by_month(SHOP) == [25, 30, 36, 43, 52, 62]
    low = {f"D{number}" for number in range(52, 61)}
    assert sum(line[3] in low for line in lines) * 100 == len(lines) * 15
    assert made.truth["low_sugar_share"] == 0.15


def test_the_whole_demonstration_is_exact() -> None:
    """50,000 members and twelve months, in memory."""
    whole = Retailer(50_000, date(2025, 11, 1), date(2026, 10, 31))
    listed = members.invent(whole)
    truth = facts.truth(whole, listed, orders.counted(whole, listed))
    assert len(listed.counted) == 46_000
    assert truth == {
        "women_20_30": 0.75,
        "students": 0.40,
        "student_order": 0.6,
        "midweek": 0.65,
        "afternoon_delivery": pytest.approx(2.5, abs=1e-12),
        "low_sugar": pytest.approx(1.2, abs=1e-5),
        "low_sugar_share": 0.15,
    }


@pytest.mark.parametrize("number", [40, 57, 211])
@pytest.mark.parametrize("months", [1, 2, 5])
def test_facts_are_exact_at_every_size(number: int, months: int) -> None:
    shop = Retailer(number, date(2026, 1, 1), date(2026, months + 1, 1) - (date(2026, 1, 2) - date(2026, 1, 1)))
    listed = members.invent(shop)
    bought = orders.counted(shop, listed)
    truth = facts.truth(shop, listed, bought)
    assert (truth["women_20_30"], truth["students"], truth["low_sugar_share"]) == (0.75, 0.4, 0.15)
    assert truth["student_order"] == pytest.approx(0.6, abs=1e-12)
    assert truth["midweek"] == pytest.approx(0.65, abs=1e-12)
    assert truth["afternoon_delivery"] == pytest.approx(2.5, abs=1e-12)
    assert (bought.off >= 0).all(), "nobody pays more than the price"
