"""Whoever it is and whatever they did: a slice of the plan, all its marginals together, moves by at most what was priced (P-7, P-8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics import metrics
from analytics.aggregate import aggregate_vector
from analytics.engine import Engine, Session
from analytics.reports import plan
from analytics.reports.planrows import PlanRows, labels
from privacy.records import Aggregate, Bounds
from tests.fakes.chain import HOUSE, ZONE, reader

MONTH, PERSON = 202605, 0
MID = plan.load(50_000)
BEGIN = metrics.month_start(MONTH, ZONE)
_people = st.one_of(st.just(PERSON), st.integers(0, 3))
_amounts = st.one_of(st.integers(-20_000, 60_000), st.integers(-(2**45), 2**45), st.none())
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "order_key": st.one_of(st.integers(0, 12), st.none()),
            "store_id": st.sampled_from(("S1", "S2", "nowhere", None)),
            "product_id": st.sampled_from(("D1", "D2", "unknown", None)),
            "kind": st.sampled_from(("sale", "sale", "return", None)),
            "net_minor": _amounts,
            "currency": st.sampled_from(("CNY", None, "USD")),
            "channel": st.sampled_from(("pos", "delivery", None)),
            "hour": st.integers(0, 700).map(lambda number: BEGIN + timedelta(hours=number)),
        }
    ),
    min_size=10,
    max_size=80,
)
MONTHS = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "sex": st.sampled_from(("female", "male", None)),
            "age_band": st.sampled_from(("20-24", "60+", None, "elsewhere")),
            "occupation": st.sampled_from(("student", None)),
            "stage": st.sampled_from(("active", "new", None)),
            "recency_band": st.one_of(st.integers(0, 5), st.none()),
            "first_purchase_month": st.sampled_from((202601, 202605, None)),
        }
    ),
    min_size=3,
    max_size=12,
)
"""More than one row a person too: two people who were merged after the close."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as session:
        yield session


def released(engine: Session, name: str, held: dict[str, list[dict[str, Any]]]) -> Aggregate:
    """The exact vector of a slice as the release door would get it, at a bound that bites."""
    made, one = reader(engine, held), MID.slice(name)
    bounds = Bounds(clip=min(one.clip, 5))
    with PlanRows(made, MID, HOUSE, labels(made, MID, HOUSE, MONTH), MONTH) as rows:
        return aggregate_vector(rows.view, rows.vector(one), rows.blocks(one), bounds, measure="amount")


@given(lines=LINES, people=MONTHS, name=st.sampled_from(("sales", "days", "reach", "demography", "cohorts")))
@settings(max_examples=4, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
def test_taking_any_person_out_moves_a_slice_by_at_most_its_bound_and_nobody_elses_part(
    engine: Session, lines: list[dict[str, Any]], people: list[dict[str, Any]], name: str
) -> None:
    held = {"order_lines": [{"month": MONTH} | row for row in lines], "person_month": [{"month": MONTH} | row for row in people]}
    others = {table: [row for row in rows if row["run_id"] != PERSON] for table, rows in held.items()}
    own = {table: [row for row in rows if row["run_id"] == PERSON] for table, rows in held.items()}
    whole, without, alone = (released(engine, name, one) for one in (held, others, own))
    moved = [one - other for one, other in zip(whole.values, without.values, strict=True)]
    sensitivity = 1_000 * min(MID.slice(name).clip, 5)
    assert sum(part * part for part in moved) <= sensitivity**2
    assert moved == list(alone.values)
