"""Real shops' files come in by the mappings that ship, and what the lake then holds equals an independent count to the last cent.

By default a part of each with the change of the clocks and the turn of a month, whole with LONG_TESTS=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from app import acts, intake
from tests.house import ROOT, Clock, House, make_home, sqlite_house
from tests.oracles import complete_journey, online_retail

DATA = Path(os.environ.get("PIYING_TEST_DATA", ROOT.parent / "shared" / "data"))
MAPPINGS = ROOT / "ingestion" / "sources" / "mappings"
JOURNEY, RETAIL = DATA / "complete_journey", DATA / "online_retail"
WHOLE = bool(os.environ.get("LONG_TESTS"))
WEEKS = (1, 39) if WHOLE else (9, 11)
LINES = (0, 320_705) if WHOLE else (110_000, 200_000)
"""Of the invoices: from the middle of February into May."""
CONSENTS = """
record = "consent"
id     = ["who", "purpose"]
[identifiers]
customer_no = "who"
[fields]
occurred_at = "at"
purpose     = "purpose"
state       = { const = "granted" }
"""

pytestmark = pytest.mark.slow


Opens = Callable[[str, datetime], AbstractContextManager[House]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opens:
    """Houses in another zone, in which it is some time ago."""

    @contextmanager
    def house(zone: str, now: datetime) -> Iterator[House]:
        environment, folder = {"PIYING_ZONE": zone}, tmp_path_factory.mktemp("real")
        make_home(folder / "template", environment, Clock(now))
        with sqlite_house(folder / "template", folder / "home", environment) as made:
            made.clock.now = now
            yield made

    return house


def load(house: House, file: Path, mapping: str | Path, source: str = "shop") -> dict[str, Any]:
    path = mapping if isinstance(mapping, Path) else MAPPINGS / f"{mapping}.toml"
    told = intake.import_file(house.services, file, source_name=source, mapping_path=path, actor="test", progress=lambda done, total: None)
    assert told["received"] == told["stored"] + told["duplicate"] + told["quarantined"] + told["refused"]
    return told


def everybody_agrees(house: House, who: list[str], at: str, folder: Path) -> None:
    """A consent file for everybody and both analytic purposes."""
    (folder / "consents.toml").write_text(CONSENTS)
    table = pd.DataFrame({"who": who}).merge(pd.DataFrame({"purpose": ["analytics.statistics", "marketing.profiling"]}), how="cross")
    table.assign(at=at).to_csv(folder / "consents.csv", index=False)
    told = load(house, folder / "consents.csv", folder / "consents.toml")
    assert told["stored"] == len(table)


def held(house: House, table: str, zone: str, measures: list[str], by: list[str]) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """The lake's rows through its reader and its engine, added up: rows, orders, people, rows with a quantity, and the measures."""
    reader = house.services.reader
    with reader.open("analytics.statistics", reader.months_held(table)) as view:
        rows = view.people(table)
        if "clock" in by:
            hours = view.run(rows.select("hour").distinct())["hour"]
            clock = pc.hour(pc.local_timestamp(pc.cast(hours, pa.timestamp("us", zone))))
            clocks = view.table(pa.table({"at": hours, "clock": clock}))
            rows = rows.inner_join(clocks, rows.hour == clocks["at"])
        measured: dict[str, Any] = {"people": rows.run_id.nunique()}
        if table == "order_lines":
            measured = {"orders": rows.order_key.nunique(), **measured, "counted": rows.quantity_milli.count()}
            measured |= {name: rows[name].sum().fill_null(0) for name in measures}
        found = view.run(rows.group_by(by).agg(rows=rows.count(), **measured))
    columns = [column for column in found.column_names if column not in by]
    return {tuple(row[one] for one in by): tuple(int(row[column]) for column in columns) for row in found.to_pylist()}


# ── the Complete Journey ───────────────────────────────────────────────────────────────────────────────────────────────────────

MONEY = ["quantity_milli", "gross_minor", "discount_minor", "net_minor"]
AFTERWARDS = datetime(2018, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def journey(opened: Opens, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, pd.DataFrame, dict[str, Any]]]:
    """A house with everything of the Complete Journey in it, the raw lines, and what was told of their import."""
    if not JOURNEY.is_dir():
        pytest.skip("the Complete Journey files are not there: set PIYING_TEST_DATA")
    folder = tmp_path_factory.mktemp("journey")
    raw = complete_journey.lines(JOURNEY, WEEKS)
    raw.to_parquet(folder / "lines.parquet", index=False)
    with opened("America/New_York", AFTERWARDS) as house:
        acts.add_source(house.services, actor="test", name="shop", kind="file")
        households = {*raw.household_id, *pd.read_parquet(JOURNEY / "campaigns.parquet").household_id}
        households |= set(pd.read_parquet(JOURNEY / "coupon_redemptions.parquet").household_id)
        everybody_agrees(house, [str(one) for one in sorted(households)], "2016-11-01T00:00:00Z", folder)
        told = load(house, folder / "lines.parquet", "complete_journey_transactions")
        for file, mapping in (
            ("products", "products"),
            ("campaign_descriptions", "campaigns"),
            ("campaigns", "mailings"),
            ("coupon_redemptions", "redemptions"),
        ):
            other = load(house, JOURNEY / f"{file}.parquet", f"complete_journey_{mapping}")
            assert other["stored"] == other["received"]
        house.flush()
        yield house, raw, told


def test_every_line_of_the_journey_is_stored_and_only_known_columns_were_left(journey: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    _, raw, told = journey
    assert told["stored"] == told["received"] == len(raw)
    assert told["dropped_fields"] == {}


@pytest.mark.parametrize("by", [["month", "store_id", "kind"], ["month", "clock"], ["month"]], ids="-".join)
def test_the_journeys_lines_orders_people_pieces_and_cents_equal_the_oracle(
    journey: tuple[House, pd.DataFrame, dict[str, Any]], by: list[str]
) -> None:
    """By New York's months and hours: the file's times are UTC, and the clocks change in the second week of March."""
    house, raw, _ = journey
    assert held(house, "order_lines", complete_journey.ZONE, MONEY, by) == complete_journey.totals(raw, JOURNEY, by)


def test_lines_of_products_that_the_product_file_lacks_are_kept(journey: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    house, raw, _ = journey
    products = house.services.reader.open_table("products")
    known = complete_journey.products(JOURNEY)
    assert {row["id"]: (row["category"], row["brand"]) for row in products.to_pylist()} == known
    lines = held(house, "order_lines", complete_journey.ZONE, [], ["product_id"])
    strangers = sum(counts[0] for (product,), counts in lines.items() if product not in known)
    assert strangers == complete_journey.absent_products(raw, JOURNEY) > 0
    assert {"infers:child", "infers:health", "infers:pregnancy", "infers:religion", "goods"} == set(products["flags"].to_pylist())


def test_the_journeys_campaigns_are_those_of_its_description(journey: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    house, _, _ = journey
    rows = house.services.reader.open_table("campaigns").to_pylist()
    assert {row["id"]: (row["name"], str(row["starts"]), str(row["ends"])) for row in rows} == complete_journey.campaigns(JOURNEY)


def test_mailings_and_redemptions_equal_the_oracle(journey: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    """The first days that the mapping of the mailings lists are those of the campaigns' description, which the oracle reads."""
    house, _, _ = journey
    assert held(house, "touches", complete_journey.ZONE, [], ["month", "campaign_id", "kind"]) == complete_journey.touches(JOURNEY)


def test_importing_the_journeys_small_files_again_stores_nothing(journey: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    house, _, _ = journey
    told = load(house, JOURNEY / "coupon_redemptions.parquet", "complete_journey_redemptions")
    assert told["duplicate"] == told["received"]


# ── Online Retail ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

LATER = datetime(2011, 9, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def retail(opened: Opens, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, pd.DataFrame, dict[str, Any]]]:
    """A house with all invoices of Online Retail in it, what they mean, and what was told of their import."""
    if not RETAIL.is_dir():
        pytest.skip("the Online Retail file is not there: set PIYING_TEST_DATA")
    folder = tmp_path_factory.mktemp("retail")
    file = folder / "invoices.csv.gz"
    online_retail.cut(RETAIL, file, LINES)
    meant = online_retail.lines(file)
    with opened("Europe/London", LATER) as house:
        acts.add_source(house.services, actor="test", name="shop", kind="file")
        everybody_agrees(house, sorted({*meant.CustomerID} - {""}), "2010-11-01T00:00:00Z", folder)
        told = load(house, file, "online_retail_invoices")
        assert load(house, file, "online_retail_members")["stored"] == len(online_retail.members(meant))
        house.flush()
        yield house, meant, told


def test_of_the_invoices_nobodys_lines_are_refused_and_counted(retail: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    _, meant, told = retail
    assert meant.nobody.any()
    assert set(meant.kind) == {"sale", "return", "cancel"}
    expected = online_retail.counts(meant)
    assert {name: told[name] for name in expected} == expected
    assert told["reasons"] == {"person_missing": expected["refused"], "wrong_type": expected["quarantined"]}
    assert told["duplicate"] == 0


@pytest.mark.parametrize("by", [["month", "kind"], ["month", "clock"], ["product_id"]], ids="-".join)
def test_sales_cancellations_pieces_and_pence_of_the_invoices_equal_the_oracle(
    retail: tuple[House, pd.DataFrame, dict[str, Any]], by: list[str]
) -> None:
    house, meant, _ = retail
    meant = meant.assign(product_id=meant.StockCode)
    expected = online_retail.totals(meant, by)
    found = held(house, "order_lines", "Europe/London", ["quantity_milli", "net_minor"], by)
    if by == ["product_id"]:
        found.pop((None,))
        expected = {key: value for key, value in expected.items() if key[0] not in online_retail.CHARGES}
    assert found == expected


def test_nobody_was_invented_for_lines_without_a_customer(retail: tuple[House, pd.DataFrame, dict[str, Any]]) -> None:
    house, meant, _ = retail
    counts = house.counts()
    people = meant.loc[~meant.nobody, "CustomerID"].nunique()
    assert counts["vault.person"] == people, {name: number for name, number in counts.items() if name.startswith("vault.")}


def test_without_consent_not_a_row_of_real_data_is_stored(opened: Opens, tmp_path: Path) -> None:
    if not JOURNEY.is_dir():
        pytest.skip("the Complete Journey files are not there: set PIYING_TEST_DATA")
    complete_journey.lines(JOURNEY, (1, 1)).to_parquet(tmp_path / "lines.parquet", index=False)
    with opened("America/New_York", AFTERWARDS) as house:
        acts.add_source(house.services, actor="test", name="shop", kind="file")
        before = house.counts()
        told = load(house, tmp_path / "lines.parquet", "complete_journey_transactions")
        assert told["reasons"] == {"consent_missing": told["received"]}
        mailed = load(house, JOURNEY / "campaigns.parquet", "complete_journey_mailings")
        assert mailed["stored"] == 0
        assert house.rows() == 0
        grown = {name for name, number in house.counts().items() if number > before[name]}
        assert not [name for name in grown if name.startswith("vault.")], grown
        assert house.flush()["rows"] == 0
