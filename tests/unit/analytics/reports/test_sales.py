"""People, orders, lines and sales by public dimensions: against an independent count in pandas, exactly, before any noise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analytics import metrics
from analytics.engine import Engine, Session
from analytics.reports import sales
from analytics.reports.base import Options, Reports
from analytics.reports.kinds import KINDS
from analytics.reports.purchases import WHOLE, adding
from privacy import errors
from tests.fakes.chain import HOUSE, ZONE, reader
from tests.fakes.releases import FakeReleases

MAY, JUNE = 202605, 202606
REPORT = sales.REPORT
HOURS = {"morning": range(6, 11), "noon": range(11, 14), "afternoon": range(14, 17), "evening": range(17, 22)}
PARTS = {hour: name for name, hours in HOURS.items() for hour in hours}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def world(seed: int = 5, people: int = 12) -> dict[str, list[dict[str, Any]]]:
    """Two months of small orders that no bound cuts: every word of every list, words of no list, returns, another currency."""
    chance = random.Random(seed)
    lines, closed = [], []
    for month in (MAY, JUNE):
        begin = metrics.month_start(month, ZONE)
        for person in range(people):
            closed.append(
                {
                    "run_id": person,
                    "month": month,
                    "tier": chance.choice(["basic", "gold", "Platin", None]),
                    "sex": chance.choice(["female", "male"]),
                    "age_band": "20-24",
                    "occupation": None,
                }
            )
            for order in range(chance.randint(0, 2)):
                head = {
                    "run_id": person,
                    "month": month,
                    "order_key": person * 10 + order,
                    "hour": begin + timedelta(hours=chance.randrange(24 * 28)),
                    "store_id": chance.choice(["S1", "S2", "S9", None]),
                    "channel": chance.choice(["pos", "delivery", "fax", None]),
                }
                for _ in range(chance.randint(1, 2)):
                    own = {
                        "product_id": chance.choice(["D1", "D2", "D3", "D4", "D9", None]),
                        "kind": chance.choice(["sale", "sale", "sale", "return", None]),
                        "net_minor": chance.choice([400, 1_100, -300, None]),
                        "currency": chance.choice(["CNY", "CNY", None, "USD"]),
                    }
                    lines.append(head | own)
    return {"order_lines": lines, "person_month": closed}


def oracle(held: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """The lines in words, by means of pandas alone."""
    frame = pd.DataFrame(held["order_lines"])
    frame = frame[frame.currency.fillna("CNY") == "CNY"].copy()
    frame["sale"] = frame.kind.fillna("sale") == "sale"
    frame["paid"] = [
        (net if sale else -abs(net)) if net == net else 0 for net, sale in zip(frame.net_minor.astype(float), frame.sale, strict=True)
    ]
    first = (
        frame.groupby(["run_id", "month", "order_key"])
        .agg(hour=("hour", "min"), store_id=("store_id", "min"), channel=("channel", "min"))
        .reset_index()
    )
    first["store"] = first.store_id.where(first.store_id.isin(["S1", "S2", "S3"]), "other")
    first["region"] = first.store.map({"S1": "east", "S2": "east"}).fillna("other")
    first["channel"] = first.channel.where(first.channel.isin(["pos", "delivery"]), "other")
    local = [hour.astimezone(ZoneInfo(ZONE)) for hour in first.hour]
    first["weekday"] = [DAYS[one.weekday()] for one in local]
    first["daypart"] = [PARTS.get(one.hour, "night") for one in local]
    first["day"] = [f"{one.day:02d}" for one in local]
    people = pd.DataFrame(held["person_month"])[["run_id", "month", "tier", "sex", "age_band"]]
    first = first.merge(people, how="left")
    first["tier"] = first.tier.where(first.tier.isin(["basic", "gold"]), "other")
    products = {"D1": "milk_tea", "D2": "low_sugar", "D3": "snack"}
    frame["category"] = frame.product_id.map(products).fillna("other")
    keep = ["run_id", "month", "order_key", "sale", "paid", "category"]
    return frame[keep].merge(first.drop(columns=["hour", "store_id"]), on=["run_id", "month", "order_key"])


def counted(lines: pd.DataFrame, by: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, float]]:
    found = {}
    for cell, rows in lines.groupby([lines[name].astype(str) for name in by]):
        sold = rows[rows.sale]
        orders = sold.drop_duplicates(["run_id", "month", "order_key"])
        key = cell if isinstance(cell, tuple) else (cell,)
        found[key] = {"orders": len(orders), "people": orders.run_id.nunique(), "lines": len(sold), "sales": float(rows.paid.sum())}
    return found


def asked(session: Session, held: Any, options: Options, kind: str = "sales", **public: Any) -> dict[str, Any]:
    reports = Reports(reader(session, held, **public), FakeReleases(), HOUSE, KINDS)  # type: ignore[arg-type]
    return reports.ask(kind, options, "usr_1")


ALL = ("orders", "lines", "sales", "people")


@pytest.mark.parametrize(
    "by",
    [
        ("store",),
        ("region", "channel"),
        ("category", "tier"),
        ("weekday", "daypart"),
        ("month", "sex"),
        ("store", "category", "month"),
        ("age_band", "channel", "weekday"),
    ],
)
def test_every_cell_is_what_pandas_counts_and_empty_cells_are_there(session: Session, by: tuple[str, ...]) -> None:
    held = world()
    document = asked(session, held, Options(MAY, JUNE, by, measures=ALL))
    wanted = counted(oracle(held), by)
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for row in document["rows"]:
        found.setdefault(tuple(row[name] for name in by), {})[row["measure"]] = row["value"]
    assert set(wanted) <= set(found)
    for cell, values in found.items():
        expected = wanted.get(cell, dict.fromkeys(ALL, 0))
        assert values == pytest.approx(expected, abs=4), cell  # amounts are cut to thousandths of a unit of 20 yuan
        assert all(values[name] == expected[name] for name in ("orders", "lines", "people"))
    assert len(found) == len(document["rows"]) / 4


@pytest.mark.parametrize(
    ("where", "keep"),
    [
        (("channel=pos|delivery", "weekday!=mon"), lambda one: one.channel.isin(["pos", "delivery"]) & (one.weekday != "mon")),
        (("category=snack",), lambda one: one.category == "snack"),
        (("tier=gold", "daypart!=night"), lambda one: (one.tier == "gold") & (one.daypart != "night")),
    ],
)
def test_filters_choose_orders_lines_and_people(session: Session, where: tuple[str, ...], keep: Any) -> None:
    held = world(seed=6, people=30)
    lines = oracle(held)
    found = asked(session, held, Options(MAY, MAY, ("store",), where, measures=("orders", "people")))
    wanted = counted(lines[keep(lines) & (lines.month == MAY)], ("store",))
    for row in found["rows"]:
        assert row["value"] == wanted.get((row["store"],), {"orders": 0, "people": 0})[row["measure"]]


def test_sums_add_up_to_the_row_and_people_are_not_added_over_stores(session: Session) -> None:
    document = asked(session, world(), Options(MAY, MAY, ("store", "channel"), measures=ALL))
    totals = {one["measure"]: one["value"] for one in document["derived"] if one["what"] == "total"}
    assert set(totals) == {"orders", "lines", "sales"}
    for name, value in totals.items():
        assert value == pytest.approx(sum(row["value"] for row in document["rows"] if row["measure"] == name), abs=0.01)


def test_what_adds_up_is_a_matter_of_the_question_alone() -> None:
    def of(months: int, *by: str) -> frozenset[str]:
        return adding(REPORT.question(Options(MAY, MAY if months == 1 else JUNE, by), HOUSE))

    assert of(1, "store") == {"orders", "lines", "sales"}
    assert of(1, "category", "store") == {"lines", "sales"}, "an order has several categories"
    assert of(1, "tier", "sex") == {"orders", "lines", "sales", "people"}
    assert of(2, "tier", "month") == {"orders", "lines", "sales"}, "who bought in both months stands in two rows"


def test_too_many_cells_are_refused_before_a_price_is_told(session: Session) -> None:
    import pyarrow as pa

    many = [f"S{number}" for number in range(200)]
    stores = pa.table({"id": many, "region": ["east"] * 200})
    products = pa.table({"id": [f"D{number}" for number in range(40)], "category": [f"c{number}" for number in range(40)]})
    reports = Reports(reader(session, world(), stores=stores, products=products), FakeReleases(), HOUSE, KINDS)  # type: ignore[arg-type]
    for act in (reports.quote, lambda kind, options: reports.ask(kind, options, "usr_1")):
        with pytest.raises(errors.Invalid) as refused:
            act("sales", Options(MAY, MAY, ("store", "category", "daypart")))
        assert (refused.value.code, refused.value.field) == ("too_many_cells", "by")
    assert reports.quote("sales", Options(MAY, MAY, ("store", "category"), measures=("orders",)))["affordable"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (Options(MAY, MAY, ("store", "region", "channel", "tier")), "many_groupings"),
        (Options(MAY, MAY, ("hour",)), "unknown_grouping"),
        (Options(MAY, MAY, ("day",)), "unknown_grouping"),
        (Options(MAY, MAY, ("store",), ("run_id=1",)), "unknown_filter"),
        (Options(MAY, MAY, ("store",), ("channel=carrier_pigeon",)), "unknown_value"),
        (Options(MAY, MAY, ("store",), measures=("persons",)), "unknown_measure"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_before_anything_is_read(session: Session, options: Options, code: str) -> None:
    releases = FakeReleases()
    reports = Reports(reader(session, world()), releases, HOUSE, KINDS)  # type: ignore[arg-type]
    with pytest.raises(errors.PiyingError) as refused:
        reports.ask("sales", options, "usr_1")
    assert refused.value.code == code
    assert releases.read == []


def test_the_order_of_groupings_measures_and_filters_makes_no_other_question(session: Session) -> None:
    releases = FakeReleases()
    one = REPORT.question(Options(MAY, MAY, ("store", "channel"), ("tier=gold", "channel=pos"), measures=("people", "orders")), HOUSE)
    other = REPORT.question(Options(MAY, MAY, ("store", "channel"), ("channel=pos", "tier=gold"), measures=("orders", "people")), HOUSE)
    assert one.canonical() == other.canonical()
    assert releases.known(one) is None


def test_people_by_their_own_words_weigh_one_and_hide_nothing(session: Session) -> None:
    question = REPORT.question(Options(MAY, MAY, ("tier", "sex"), measures=("people",)), HOUSE)
    assert question.bounds == WHOLE
    assert asked(session, world(), Options(MAY, MAY, ("tier", "sex"), measures=("people",)))["hidden_share"] == 0.0


def test_the_release_tells_how_much_its_own_bound_hides(session: Session) -> None:
    held = world(people=40)
    assert asked(session, held, Options(MAY, MAY, ("store",)))["hidden_share"] == 0.0
    glutton = {"run_id": 99, "month": MAY, "hour": metrics.month_start(MAY, ZONE), "store_id": "S1", "kind": "sale", "net_minor": 2_000}
    held["order_lines"] += [glutton | {"order_key": number} for number in range(1_000)]
    assert 0.5 < asked(session, held, Options(MAY, MAY, ("store",)))["hidden_share"] < 1.0


def test_a_month_that_is_not_closed_has_no_words_of_people(session: Session) -> None:
    held = reader(session, world())
    held.month_closed = lambda name, month: False
    reports = Reports(held, FakeReleases(), HOUSE, KINDS)
    with pytest.raises(errors.Refused) as refused:
        reports.ask("sales", Options(MAY, MAY, ("tier",)), "usr_1")
    assert refused.value.code == "month_not_closed"
    assert reports.ask("sales", Options(MAY, MAY, ("store",)), "usr_1")["rows"]
