"""Whoever it is and whatever they did: with and without them, what a report releases never differs by more than was priced (P-6, P-8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.engine import Engine, Session
from analytics.reports.base import House, Options, Report
from analytics.reports.kinds import KINDS
from analytics.reports.norms import StoreMonthNorms
from privacy.dictionary import catalogue
from privacy.records import Aggregate
from tests.fakes.view import MemoryReader

HOUSE = House(catalogue.load(), "Asia/Shanghai", "CNY")
Row = dict[str, Any]
PERSON = 0

bounded = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

_STORES = ("S1", "S2", "S3", "elsewhere")
_AMOUNTS = st.one_of(st.integers(-20_000, 60_000), st.integers(-(2**50), 2**50), st.none())
_people = st.one_of(st.just(PERSON), st.integers(0, 4))

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "order_key": st.one_of(st.integers(0, 40), st.none()),
            "store_id": st.sampled_from((*_STORES, None)),
            "kind": st.sampled_from(("sale", "sale", "return", "cancel", None)),
            "net_minor": _AMOUNTS,
            "currency": st.sampled_from(("CNY", None, "USD")),
            "channel": st.sampled_from(("pos", "delivery", None)),
        }
    ),
    min_size=10,
    max_size=120,
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "event": st.sampled_from(("product_viewed", "product_added", "order_completed", "cart_viewed")),
            "channel": st.sampled_from(("web", "app", None)),
            "store_id": st.sampled_from((*_STORES, None)),
        }
    ),
    min_size=5,
    max_size=60,
)
_band = st.one_of(st.integers(0, 5), st.none())
MONTHS = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "recency_band": _band,
            "frequency_band": _band,
            "value_band": _band,
            "sex": st.sampled_from(("female", "male", None)),
        }
    ),
    min_size=5,
    max_size=20,
)
"""More than one row a person too: two people who were merged after the close."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as session:
        yield session


def reads(engine: Session, report: Report, options: Options) -> Callable[[Sequence[Row]], Aggregate]:
    """The report's own read, over rows in memory."""
    question = report.question(options, HOUSE)
    public = {"stores": pa.table({"id": ["S1", "S2", "S3"]})}

    def read(rows: Sequence[Row]) -> Aggregate:
        reader: Any = MemoryReader(engine, {report.table: rows}, public)
        return report.read(reader, question, report.cells(reader, question, HOUSE), HOUSE)

    return read


def moves(read: Callable[[Sequence[Row]], Aggregate], rows: Sequence[Row]) -> tuple[int, bool]:
    """By how much the released vector moves with one person (squared), and whether by the same whoever else is there."""
    own = [row for row in rows if row["run_id"] == PERSON]
    others = [row for row in rows if row["run_id"] != PERSON]
    whole, without, alone = read(rows), read(others), read(own)
    assert whole.cells == without.cells == alone.cells
    moved = [one - other for one, other in zip(whole.values, without.values, strict=True)]
    return sum(part * part for part in moved), moved == list(alone.values)


@given(rows=LINES)
@bounded
@pytest.mark.parametrize("by", [("store_id",), ("store_id", "channel")])
def test_orders_sales_and_people_by_store_move_by_at_most_the_priced_norm(engine: Session, by: tuple[str, ...], rows: list[Row]) -> None:
    report = KINDS["store_month"]
    options = Options(202601, 202601, by, ("channel=pos|delivery",) if "channel" in by else ())
    distance, alike = moves(reads(engine, report, options), rows)
    assert alike
    assert distance <= report.bounds.sensitivity**2


@given(rows=MONTHS)
@bounded
@pytest.mark.parametrize("by", [(), ("sex",)])
def test_people_by_segment_move_by_at_most_the_priced_norm(engine: Session, by: tuple[str, ...], rows: list[Row]) -> None:
    report = KINDS["rfm"]
    distance, alike = moves(reads(engine, report, Options(202601, 202601, by)), rows)
    assert alike
    assert distance <= report.bounds.sensitivity**2


@given(rows=EVENTS)
@bounded
@pytest.mark.parametrize("by", [(), ("channel",), ("store_id",)])
def test_the_funnel_moves_by_at_most_the_priced_norm(engine: Session, by: tuple[str, ...], rows: list[Row]) -> None:
    report = KINDS["funnel"]
    where = ("channel=web|app",) if "channel" in by else ()
    distance, alike = moves(reads(engine, report, Options(202601, 202601, by, where)), rows)
    assert alike
    assert distance <= report.bounds.sensitivity**2


@given(rows=LINES)
@bounded
def test_the_histogram_of_norms_moves_by_at_most_the_priced_norm(engine: Session, rows: list[Row]) -> None:
    norms = StoreMonthNorms()
    question = norms.question(202601)
    of_plan = norms.plan.question(Options(202601, 202601), HOUSE)

    def read(some: Sequence[Row]) -> Aggregate:
        reader: Any = MemoryReader(engine, {"order_lines": some})
        return norms.read(reader, question, of_plan, [("S1",), ("S2",), ("S3",)], HOUSE)

    distance, alike = moves(read, rows)
    assert alike
    assert distance <= question.bounds.sensitivity**2


def test_the_bound_is_reached_so_the_property_is_not_empty(engine: Session) -> None:
    """Somebody who buys everything everywhere moves the vector by nearly the whole priced norm: no more noise is paid for than needed."""
    report = KINDS["store_month"]
    rows = [
        {"run_id": PERSON, "order_key": number, "store_id": f"S{number % 3 + 1}", "kind": "sale", "net_minor": 900_000}
        for number in range(300)
    ]
    values = reads(engine, report, Options(202601, 202601))(rows).values
    assert 0.999 * report.bounds.sensitivity < math.sqrt(sum(value * value for value in values)) <= report.bounds.sensitivity
