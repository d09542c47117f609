"""An invented retailer: the same seed gives the same files, byte for byte.

Promise: nobody in these files exists. Files have the shape in which a CRM, a till and a mini-program really write, so that they go the
same way as anybody's data. One member in twelve allows no statistics; the rest of the house must never see what those bought.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from faker import Faker

STORES = (
    ("S01", "人民广场店", "east", "tier1"),
    ("S02", "静安寺店", "east", "tier1"),
    ("S03", "天河店", "south", "tier1"),
    ("S04", "春熙路店", "west", "new_tier1"),
    ("S05", "大学城店", "south", "new_tier1"),
)
PRODUCTS = tuple(
    (f"D{number:02d}", name, category, price)
    for number, (name, category, price) in enumerate(
        [
            ("珍珠奶茶", "milk_tea", 15), ("茉莉奶绿", "milk_tea", 14), ("椰香奶茶", "milk_tea", 17), ("鲜橙果茶", "fruit_tea", 19),
            ("柠檬绿茶", "fruit_tea", 13), ("满杯葡萄", "fruit_tea", 22), ("低糖乌龙", "low_sugar", 16), ("无糖茉莉", "low_sugar", 14),
            ("拿铁", "coffee", 20), ("美式", "coffee", 15), ("芋圆", "snack", 8), ("鸡蛋仔", "snack", 12),
        ],
        start=1,
    )
)  # fmt: skip
JOBS = ("学生", "白领", "教师", "医护", "自由职业")
PROVINCES = ("上海", "广东", "四川", "江苏", "浙江")
PREFIXES = ("138", "139", "150", "186")
NOTICE = "retail-notice-2026-01"


@dataclass(frozen=True, slots=True)
class Retailer:
    """What to invent: how many members, from which day to which (both whole days in the shop's time zone), under which seed."""

    members: int
    first: date
    last: date
    seed: int = 7


def write(folder: Path, retailer: Retailer) -> dict[str, Path]:
    """Writes the five files into `folder`; returns mapping name → file, in the order in which they should be imported."""
    chance = np.random.default_rng(retailer.seed)
    people = _people(retailer, chance)
    makers: dict[str, tuple[str, Callable[[Path], None]]] = {
        "retail_stores": ("stores.csv", lambda path: _csv(path, ("id", "name", "region", "tier"), iter(STORES))),
        "retail_products": ("products.csv", lambda path: _csv(path, ("id", "name", "category", "price"), iter(PRODUCTS))),
        "retail_members": ("members.csv", lambda path: _csv(path, MEMBER_COLUMNS, _member_rows(people))),
        "retail_tills": ("tills.csv", lambda path: _csv(path, TILL_COLUMNS, _till_rows(people, retailer, chance))),
        "retail_clicks": ("clicks.jsonl", lambda path: _jsonl(path, _click_rows(people, retailer, chance))),
    }
    made = {}
    for mapping, (name, make) in makers.items():
        made[mapping] = folder / name
        make(made[mapping])
    return made


MEMBER_COLUMNS = (
    "card", "mobile", "mail", "name", "sex", "birthday", "job", "province", "level", "joined", "joined_by", "changed", "ok_statistics",
    "ok_marketing", "ok_at", "ok_notice", "note",
)  # fmt: skip
TILL_COLUMNS = ("receipt", "line", "at", "store", "sku", "channel", "cups", "price", "off", "paid", "card")


@dataclass(frozen=True, slots=True)
class _Person:
    card: str
    mobile: str
    mail: str
    name: str
    sex: str
    birthday: date
    job: str
    province: str
    level: str
    joined: date
    statistics: str
    marketing: str
    home: int
    visits_a_month: float


def _people(retailer: Retailer, chance: np.random.Generator) -> list[_Person]:
    fake = Faker("zh_CN")
    fake.seed_instance(retailer.seed)
    people = []
    for number in range(retailer.members):
        student = number % 5 < 2
        age = int(chance.integers(18, 24) if student else chance.integers(22, 55))
        says = "no" if number % 12 == 11 else "yes"
        people.append(
            _Person(
                card=f"P{880_000_000 + number * 7:010d}",
                mobile=f"{PREFIXES[number % 4]}{(number * 7919 + 12_345_678) % 10**8:08d}",
                mail=f"member{number}@example.com",
                name=fake.name(),
                sex="女" if number % 4 else "男",
                birthday=retailer.last - timedelta(days=age * 365 + int(chance.integers(20, 340))),
                job=JOBS[0] if student else JOBS[1 + int(chance.integers(0, 4))],
                province=PROVINCES[int(chance.integers(0, 5))],
                level=("普通", "银卡", "金卡")[min(2, int(chance.geometric(0.6)) - 1)],
                joined=retailer.first - timedelta(days=int(chance.integers(10, 400))),
                statistics=says,
                marketing="yes" if says == "yes" and number % 3 else "no",
                home=int(chance.integers(0, len(STORES))),
                visits_a_month=float(chance.gamma(1.2, 1.8)),
            )
        )
    return people


def _member_rows(people: list[_Person]) -> Iterator[tuple[object, ...]]:
    for index, person in enumerate(people):
        at = f"{person.joined.isoformat()} 10:{index % 60:02d}:00"
        yield (
            person.card, person.mobile, person.mail, person.name, person.sex, person.birthday, person.job, person.province, person.level,
            person.joined, "小程序" if index % 3 else "门店", at, person.statistics, person.marketing, at, NOTICE, "电话 " + person.mobile,
        )  # fmt: skip


def _till_rows(people: list[_Person], retailer: Retailer, chance: np.random.Generator) -> Iterator[tuple[object, ...]]:
    days = (retailer.last - retailer.first).days + 1
    receipt = 0
    for person in people:
        for _ in range(int(chance.poisson(person.visits_a_month * days / 30.4))):
            receipt += 1
            day = retailer.first + timedelta(days=int(chance.integers(0, days)))
            at = datetime.combine(day, time(int(chance.integers(9, 22)), int(chance.integers(0, 60))))
            store = person.home if chance.random() < 0.8 else int(chance.integers(0, len(STORES)))
            channel = "外卖" if chance.random() < 0.3 else "堂食"
            for line in range(1, int(chance.integers(1, 4))):
                sku, _, _, price = PRODUCTS[int(chance.integers(0, len(PRODUCTS)))]
                off = 2 if person.level == "金卡" else 0
                yield (f"R{receipt:08d}", line, at.isoformat(" "), STORES[store][0], sku, channel, 1, price, off, price - off, person.card)


def _click_rows(people: list[_Person], retailer: Retailer, chance: np.random.Generator) -> Iterator[dict[str, object]]:
    days = (retailer.last - retailer.first).days + 1
    for number in range(retailer.members * 2):
        person = people[int(chance.integers(0, len(people)))]
        start = datetime(retailer.first.year, retailer.first.month, retailer.first.day, tzinfo=UTC)
        start += timedelta(days=int(chance.integers(0, days - 1)), minutes=int(chance.integers(0, 1440)))
        depth = 1 + (chance.random() < 0.45) + (chance.random() < 0.2)
        for step, what in enumerate(("view", "add", "pay")[:depth]):
            yield {
                "id": f"c-{number}-{step}",
                "at": (start + timedelta(seconds=40 * step)).isoformat().replace("+00:00", "Z"),
                "what": what,
                "visit": f"v-{number}",
                "n": step,
                "sku": PRODUCTS[number % len(PRODUCTS)][0],
                "user": {"phone": "+86 " + person.mobile, "name": person.name},
            }


def _csv(path: Path, columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def _jsonl(path: Path, rows: Iterator[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
