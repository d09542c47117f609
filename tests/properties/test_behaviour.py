"""Whoever it is and whatever they did: with and without them, a report of behaviour never moves by more than was priced (P-6, P-8, P-14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.engine import Engine, Session
from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from privacy.records import Aggregate
from tests.fakes.behaviour import CHANNELS, HOUSE, KINDS_OF_TOUCH, PUBLIC, Row, hour
from tests.fakes.view import MemoryReader

PERSON = 0
ASKED: Mapping[str, tuple[str, ...]] = {
    "heat_map": (),
    "baskets": ("threshold=99",),
    "attribution": (),
    "markov": (),
    "shapley": (),
    "channels": (),
    "experiment": ("experiment=x1",),
    "before_after": ("experiment=x1",),
    "lifecycle": (),
    "cohorts": (),
    "personas": (),
    "lifetime": (),
    "feedback": (),
    "content": (),
}
_who = st.one_of(st.just(PERSON), st.just(PERSON), st.integers(0, 3))
_month = st.sampled_from((202511, 202512, 202601, 202601, 202601))
_hours = st.integers(0, 700).map(lambda hours: hour(hours / 24))
_amounts = st.one_of(st.integers(-60_000, 60_000), st.integers(-(2**50), 2**50), st.none())
BANDS = ("recency_band", "frequency_band", "further_band", "ticket_band", "discount_band", "sharing_band")
_stages = st.sampled_from(("new", "active", "lost", "prospect", None))


def rows_of(**columns: Any) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.fixed_dictionaries({"run_id": _who, "month": _month, "hour": _hours} | columns), min_size=5, max_size=60)


WORLDS = st.fixed_dictionaries(
    {
        "touches": rows_of(
            channel=st.sampled_from((*CHANNELS, "unlisted", None)),
            kind=st.sampled_from(KINDS_OF_TOUCH),
            experiment=st.sampled_from(("x1", "x1", None)),
            arm=st.sampled_from(("a", "control", None)),
        ),
        "order_lines": rows_of(
            order_key=st.one_of(st.integers(0, 40), st.none()),
            kind=st.sampled_from(("sale", "sale", "return", "cancel", None)),
            net_minor=_amounts,
            currency=st.sampled_from(("CNY", None, "USD")),
            store_id=st.sampled_from(("S1", "S2", "S3", "elsewhere", None)),
        ),
        "events": rows_of(
            visit=st.one_of(st.integers(0, 30), st.none()),
            event=st.sampled_from(("product_added", "product_added", "product_removed", "order_completed")),
            product_id=st.sampled_from(("P1", "P2", None)),
            quantity=st.one_of(st.integers(-3, 20), st.none()),
            value_minor=st.one_of(st.integers(-5_000, 20_000), st.none()),
        ),
        "person_month": rows_of(
            stage=_stages,
            previous_stage=_stages,
            first_purchase_month=st.sampled_from((202508, 202509, 202511, 202601, None)),
            again_band=st.one_of(st.integers(0, 3), st.none()),
            **{name: st.one_of(st.integers(0, 6), st.none()) for name in BANDS},
        ),
        "feedback": rows_of(
            topic=st.sampled_from(("taste", "waiting", "unlisted", None)), store_id=st.sampled_from(("S1", "S2", "elsewhere", None))
        ),
    }
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as session:
        yield session


def read(engine: Session, kind: str, rows: Mapping[str, Sequence[Row]]) -> Aggregate:
    """The report's own read, over rows in memory."""
    report = KINDS[kind]
    question = report.question(Options(202511 if report.months else 202601, 202601, (), ASKED[kind]), HOUSE)
    reader: Any = MemoryReader(engine, rows, PUBLIC)
    return report.read(reader, question, report.cells(reader, question, HOUSE), HOUSE)


@given(rows=WORLDS)
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("kind", ASKED)
def test_a_person_moves_a_report_of_behaviour_by_at_most_the_priced_norm_whoever_else_is_there(
    engine: Session, kind: str, rows: dict[str, list[Row]]
) -> None:
    def only(keep: bool) -> dict[str, list[Row]]:
        return {name: [row for row in table if (row["run_id"] == PERSON) == keep] for name, table in rows.items()}

    whole, without, alone = read(engine, kind, rows), read(engine, kind, only(False)), read(engine, kind, only(True))
    assert whole.cells == without.cells == alone.cells
    moved = [one - other for one, other in zip(whole.values, without.values, strict=True)]
    assert moved == list(alone.values)
    assert sum(part * part for part in moved) <= KINDS[kind].bounds.sensitivity ** 2


@pytest.mark.parametrize("kind", ["attribution", "experiment", "before_after", "shapley", "lifecycle", "cohorts", "personas", "lifetime"])
def test_where_the_bound_is_said_to_hide_nothing_nobody_is_weighed_down(engine: Session, kind: str) -> None:
    """Somebody who did everything stays within the clip, and alone gives whole credits: no weight below 1 was needed."""
    assert KINDS[kind].hides_nothing or KINDS[kind].one_cell
    touches = [
        {
            "run_id": PERSON,
            "month": 202601,
            "hour": hour(day),
            "channel": CHANNELS[day % 3],
            "kind": "click",
            "experiment": "x1",
            "arm": "a",
        }
        for day in range(20)
    ]
    lines = [
        {"run_id": PERSON, "month": month, "hour": hour(27), "order_key": number, "kind": "sale", "net_minor": 10**9}
        for number, month in enumerate((202511, 202512, 202601))
    ]
    closed = [{"run_id": PERSON, "stage": "active", "previous_stage": "new", "first_purchase_month": 202510, "again_band": 1}]
    closed[0] |= {"recency_band": 5, "frequency_band": 5, "further_band": 5, "ticket_band": 6, "discount_band": 1, "sharing_band": 2}
    values = read(engine, kind, {"touches": touches, "order_lines": lines, "person_month": closed}).values
    whole = {"attribution": 4_000, "experiment": 4_000, "before_after": 7_000, "lifetime": 1_414}.get(kind, 1_000)
    assert whole - 12 <= sum(values) <= whole
