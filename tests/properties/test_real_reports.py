"""Reports over real shops' data, before any noise, against pandas: what nobody is weighed in exactly, and one weight a person exactly, too.

`EXACT` is a bound that is larger than anybody: then a report is a plain count, which pandas makes as well. With the report's own bound
pandas lays the same weights on the same people. A part of each file by default, whole with LONG_TESTS=1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analytics import profiles
from analytics.reports.asked import House, Options
from analytics.reports.distribution import EDGES
from analytics.reports.kinds import KINDS
from analytics.reports.purchases import inner
from privacy.records import Bounds, Measure, Question
from tests.fakes import loaded
from tests.fakes.lake import Lake
from tests.house import ROOT
from tests.oracles import complete_journey, hillstrom, online_retail, purchases

DATA = Path(os.environ.get("PIYING_TEST_DATA", ROOT.parent / "shared" / "data"))
WHOLE = bool(os.environ.get("LONG_TESTS"))
WEEKS = (1, 39) if WHOLE else (9, 10)
LINES = (0, 320_705) if WHOLE else (150_000, 190_000)
EXACT = Bounds(clip=2**21 + 2**17, scale=1)
"""Larger than what anybody paid in a month, in minor units; its inner bound is 2^21."""

pytestmark = pytest.mark.slow


@dataclass
class Shop:
    """A real shop: its lines in words, its lake, and the months that are whole in it."""

    lines: pd.DataFrame
    lake: Lake
    house: House
    months: tuple[int, int]


def there(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the files of {name} are not there: set PIYING_TEST_DATA")
    return folder


def opened(folder: Path, lines: pd.DataFrame, zone: str, currency: str, stores: list[str]) -> Shop:
    """The shop's lines in a lake: whole hours, keys of orders as numbers, nothing that a person could be known by."""
    columns = {"order_key": lines.order, "net_minor": lines.paid.abs(), "store_id": lines.store, "kind": lines.kind}
    table = lines[["person", "month", "hour", "product_id"]].assign(**columns)
    lake = loaded.lake(folder, {"order_lines": table})
    if stores:
        lake.put("stores", [{"id": one} for one in stores])
    months = sorted(lines.month.unique())
    return Shop(purchases.worded(lines, zone), lake, loaded.house(lake, zone, currency), (int(months[0]), int(months[-1])))


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    raw = complete_journey.lines(there("complete_journey"), WEEKS)
    local = raw.transaction_timestamp.dt.tz_localize("UTC")
    clock = local.dt.tz_convert(complete_journey.ZONE)
    cents = (raw.sales_value * 100).round().astype("int64")
    lines = pd.DataFrame(
        {
            "person": raw.household_id.astype(str),
            "month": clock.dt.year * 100 + clock.dt.month,
            "hour": local.dt.floor("h"),
            "order": raw.basket_id.astype("int64"),
            "store": raw.store_id.astype(str),
            "product_id": raw.product_id.astype(str),
            "kind": "sale",
            "sale": True,
            "paid": cents,
        }
    )
    return opened(tmp_path_factory.mktemp("journey"), lines, complete_journey.ZONE, "USD", sorted(lines.store.unique()))


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Lines that the import would keep: with a customer and whole pence. Without a store: the shop has none."""
    folder = tmp_path_factory.mktemp("retail")
    online_retail.cut(there("online_retail"), folder / "part.csv.gz", LINES)
    told = online_retail.lines(folder / "part.csv.gz")
    told = told[told.exact & ~told.nobody]
    sale = told.kind == "sale"
    net = told.net_minor.astype("int64")
    lines = pd.DataFrame(
        {
            "person": told.CustomerID,
            "month": told.month,
            "hour": pd.to_datetime(told.InvoiceDate).dt.tz_localize("Europe/London").dt.tz_convert("UTC").dt.floor("h"),
            "order": pd.factorize(told.InvoiceNo)[0].astype("int64"),
            "store": None,
            "product_id": told.StockCode,
            "kind": told.kind,
            "sale": sale,
            "paid": net.where(sale, -net.abs()),
        }
    )
    return opened(folder, lines, "Europe/London", "GBP", [])


def vector(shop: Shop, question: Question) -> dict[tuple[str, ...], dict[str, int]]:
    """The report's exact aggregate, read through the lake: the table, without the histogram beside it."""
    report = KINDS[question.kind]
    cells = report.cells(shop.lake.reader, question, shop.house)
    found = report.read(shop.lake.reader, question, cells, shop.house)
    width = len(found.measures)
    rows = [found.values[place : place + width] for place in range(0, len(cells) * width, width)]
    return {cell: dict(zip(found.measures, row, strict=True)) for cell, row in zip(cells, rows, strict=True)}


def asked(shop: Shop, kind: str, by: tuple[str, ...], measures: tuple[str, ...] = (), *, exact: bool, last: bool = False) -> Question:
    first = shop.months[1] if last else shop.months[0]
    question = KINDS[kind].question(Options(first, shop.months[1] if last else first, by, measures=measures), shop.house)
    plain = tuple(Measure(one.name) for one in question.measures)
    return replace(question, bounds=EXACT, measures=plain) if exact else question


def of(shop: Shop, question: Question) -> pd.DataFrame:
    return shop.lines[shop.lines.month.isin(question.months)]


BY = [("sales", ("weekday", "daypart")), ("trend", ("day",)), ("trend", ("week", "daypart"))]


@pytest.mark.parametrize(("kind", "by"), BY)
@pytest.mark.parametrize("name", ["journey", "retail"])
def test_sales_and_trends_of_real_shops_are_what_pandas_counts(
    request: pytest.FixtureRequest, name: str, kind: str, by: tuple[str, ...]
) -> None:
    shop: Shop = request.getfixturevalue(name)
    question = asked(shop, kind, by, purchases.MEASURES, exact=True)
    lines = of(shop, question)
    if "week" in by:
        lines = lines.assign(week=[str((int(day) - 1) // 7 + 1) for day in lines.day])
    _same(vector(shop, question), purchases.totals(purchases.each(lines, by), by))


@pytest.mark.parametrize("name", ["journey", "retail"])
def test_one_weight_a_person_is_laid_on_real_shops_as_pandas_lays_it(request: pytest.FixtureRequest, name: str) -> None:
    """Under the bound that is priced: people are weighed down, and every thousandth of an order and of a person is the same. Squares of amounts
    are fractions of a unit, whose sum in another order may differ in its last bit: a sum of millions of thousandths by one or two."""
    shop: Shop = request.getfixturevalue(name)
    question = asked(shop, "sales", ("weekday",), ("orders", "sales", "people"), exact=False)
    parts = purchases.each(of(shop, question), ("weekday",))
    units = {one.name: one.unit for one in question.measures}
    clip = float(inner(question.bounds).clip)
    assert purchases.hidden(parts, units, clip) > 0.001, "somebody is weighed down, or else this says nothing"
    found, wanted = vector(shop, question), purchases.totals(purchases.weighted(parts, units, clip), ("weekday",), tuple(units))
    for cell, values in found.items():
        sums = wanted.get(cell, dict.fromkeys(units, 0))
        assert {**values, "sales": 0} == {**sums, "sales": 0}, cell
        assert abs(values["sales"] - sums["sales"]) <= 2, cell


def _same(found: Mapping[tuple[str, ...], Mapping[str, int]], wanted: purchases.Sums) -> None:
    assert set(wanted) <= set(found)
    for cell, values in found.items():
        assert values == {name: wanted.get(cell, {}).get(name, 0) for name in values}, cell
    assert sum(sum(values.values()) for values in wanted.values()) > 0


def test_orders_and_sales_by_store_are_what_pandas_counts(journey: Shop) -> None:
    question = asked(journey, "store_month", (), exact=True)
    parts = purchases.each(of(journey, question), ("store",))
    _same(vector(journey, question), purchases.totals(parts, ("store",), ("orders", "sales", "people")))


@pytest.mark.parametrize("value", list(EDGES))
@pytest.mark.parametrize("name", ["journey", "retail"])
def test_how_orders_amounts_and_baskets_are_spread_is_what_pandas_counts(request: pytest.FixtureRequest, name: str, value: str) -> None:
    shop: Shop = request.getfixturevalue(name)
    question = asked(shop, "distribution", (value,), exact=False)
    found = [values["people"] for values in vector(shop, question).values()]
    assert found == [1_000 * count for count in purchases.spread(of(shop, question), value, EDGES[value])]


@pytest.mark.parametrize("name", ["journey", "retail"])
def test_the_eight_segments_of_a_real_close_are_what_pandas_counts(request: pytest.FixtureRequest, name: str) -> None:
    """The first month is closed by the program; days are told from its end."""
    shop: Shop = request.getfixturevalue(name)
    month, zone = shop.months[0], shop.house.zone
    end = profiles.metrics.month_end(month, zone)
    if not shop.lake.reader.month_closed("person_month", month):
        assert profiles.close_month(shop.lake.reader, shop.lake.writer, month, zone=zone, now=datetime(2026, 1, 1, tzinfo=UTC))
    found = vector(shop, asked(shop, "rfm", (), exact=False))
    wanted = purchases.segments(shop.lines[shop.lines.month <= month], pd.Timestamp(end))
    assert {cell[0]: values["people"] for cell, values in found.items()} == {name: 1_000 * count for name, count in wanted.items()}
    assert sum(wanted.values()) > 100


@pytest.mark.parametrize("name", ["journey", "retail"])
def test_everybody_stands_under_at_most_four_of_their_products(request: pytest.FixtureRequest, name: str) -> None:
    """Which four is a matter of a hash; that they are their own, and how many, is counted by pandas."""
    shop: Shop = request.getfixturevalue(name)
    question = asked(shop, "keys", (), exact=False)
    found = KINDS["keys"].read(shop.lake.reader, question, (), shop.house)
    lines = of(shop, question)
    sold = lines[lines.sale][["person", "product_id"]].drop_duplicates()
    true = sold.groupby("product_id").size()
    assert sum(found.values) == int(np.minimum(sold.groupby("person").size(), 4).sum())
    assert all(0 < count <= true[key] for (key,), count in zip(found.cells, found.values, strict=True))


# ── the e-mail experiment ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Lake, House]:
    people = hillstrom.customers(there("hillstrom"))
    people = people.assign(person=people.index.astype(str), month=200803)
    touches = people.assign(hour=pd.Timestamp("2008-03-01T08", tz="UTC"), kind="impression", channel="email", experiment="mail")
    bought = people[people.cents > 0].assign(hour=pd.Timestamp("2008-03-09T12", tz="UTC"), kind="sale", currency="USD")
    lines = bought.assign(order_key=bought.index.to_numpy(), net_minor=bought.cents)
    lake = loaded.lake(
        tmp_path_factory.mktemp("mailed"),
        {
            "touches": touches[["person", "month", "hour", "kind", "channel", "experiment", "arm"]],
            "order_lines": lines[["person", "month", "hour", "kind", "order_key", "net_minor", "currency"]],
        },
    )
    return people, lake, loaded.house(lake, "UTC", "USD")


@pytest.mark.parametrize("cap", [500, 100])
def test_the_experiments_sums_are_what_pandas_counts(mailed: tuple[pd.DataFrame, Lake, House], cap: int) -> None:
    """At a cap that nobody reaches, and at one that cuts the largest purchases."""
    people, lake, house = mailed
    report = KINDS["experiment"]
    where = ("experiment=mail", "arm=control|mens|womens", f"cap={cap}")
    question = report.question(Options(200803, 200803, (), where), house)
    cells = report.cells(lake.reader, question, house)
    found = report.read(lake.reader, question, cells, house)
    rows = dict(zip([cell[0] for cell in found.cells], zip(*[iter(found.values)] * 4, strict=True), strict=True))
    wanted = hillstrom.sums(people, cap * 100)
    assert {arm: dict(zip(found.measures, row, strict=True)) for arm, row in rows.items() if arm != "several"} == wanted
    assert rows["several"] == (0, 0, 0, 0)


def test_the_experiments_differences_are_the_published_ones(mailed: tuple[pd.DataFrame, Lake, House]) -> None:
    """Conversion 1.253, .884 and .573 %, spend 1.4226, 1.0772 and .6528: the read-out's differences from those without mail."""
    _, lake, _ = mailed
    where = ("experiment=mail", "arm=control|mens|womens", "cap=500", "split=equal")
    rows: list[dict[str, Any]] = loaded.reports(lake, "UTC", "USD").ask("experiment", Options(200803, 200803, (), where), "usr_1")["rows"]
    told = {(row["arm"], row["measure"]): row["value"] for row in rows}
    assert told["mens", "rate_difference"] == pytest.approx(0.01253 - 0.00573, abs=1e-5)
    assert told["womens", "rate_difference"] == pytest.approx(0.00884 - 0.00573, abs=1e-5)
    assert told["mens", "spent_difference"] == pytest.approx(142.26 - 65.28, abs=0.6), "amounts are cut to thousandths of the cap"
    assert told["womens", "spent_difference"] == pytest.approx(107.72 - 65.28, abs=0.6)
    assert sum(row["value"] for row in rows if row["measure"] == "people") == 64_000
