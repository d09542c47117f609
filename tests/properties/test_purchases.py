"""Whoever it is and whatever they bought: a question about purchases, its histogram with it, moves by at most what was priced (P-7, P-8)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics import metrics
from analytics.engine import Engine, Session
from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from privacy.records import Aggregate
from tests.fakes.chain import HOUSE, ZONE, reader

MAY, JUNE, PERSON = 202605, 202606, 0
BEGIN = {month: metrics.month_start(month, ZONE) for month in (MAY, JUNE)}
_people = st.one_of(st.just(PERSON), st.integers(0, 3))
_months = st.sampled_from((MAY, JUNE))
_amounts = st.one_of(st.integers(-20_000, 60_000), st.integers(-(2**45), 2**45), st.none())
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "run_id": _people,
            "month": _months,
            "order_key": st.one_of(st.integers(0, 12), st.none()),
            "store_id": st.sampled_from(("S1", "S2", "nowhere", None)),
            "product_id": st.sampled_from(("D1", "D2", "unknown", None)),
            "kind": st.sampled_from(("sale", "sale", "return", None)),
            "net_minor": _amounts,
            "currency": st.sampled_from(("CNY", None, "USD")),
            "channel": st.sampled_from(("pos", "delivery", None)),
            "at": st.integers(0, 700),
        }
    ),
    min_size=10,
    max_size=40,
)
MONTHS = st.lists(
    st.fixed_dictionaries({"run_id": _people, "month": _months, "tier": st.sampled_from(("gold", "silver", None))}), min_size=2, max_size=10
)
"""More than one row a person too: two people who were merged after the close."""

ASKED = [
    ("sales", Options(MAY, MAY, ("store", "category", "weekday"), measures=("orders", "lines", "sales", "people"))),
    ("sales", Options(MAY, JUNE, ("tier", "channel"))),
    ("sales", Options(MAY, MAY, ("tier",), measures=("people",))),
    ("sales", Options(MAY, JUNE, ("month", "category"), ("category!=snack",), measures=("people",))),
    ("trend", Options(MAY, MAY, ("day", "channel"), measures=("orders", "sales"))),
    ("distribution", Options(MAY, JUNE, ("spent",))),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with Engine(folder / "lake", folder / "scratch", threads=1).session() as opened:
        yield opened


def read(session: Session, kind: str, options: Options, lines: Sequence[dict[str, Any]], closed: Sequence[dict[str, Any]]) -> Aggregate:
    """The report's own read, over rows in memory."""
    timed = [
        {name: value for name, value in row.items() if name != "at"} | {"hour": BEGIN[row["month"]] + timedelta(hours=row["at"])}
        for row in lines
    ]
    held = reader(session, {"order_lines": timed, "person_month": list(closed)})
    report = KINDS[kind]
    question = report.question(options, HOUSE)
    return report.read(held, question, report.cells(held, question, HOUSE), HOUSE)


@pytest.mark.parametrize(("kind", "options"), ASKED)
@given(lines=LINES, closed=MONTHS)
@settings(max_examples=3, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
def test_a_question_about_purchases_moves_by_at_most_the_priced_norm(
    session: Session, kind: str, options: Options, lines: list[dict[str, Any]], closed: list[dict[str, Any]]
) -> None:
    def of(mine: bool) -> list[list[dict[str, Any]]]:
        return [[row for row in rows if (row["run_id"] == PERSON) == mine] for rows in (lines, closed)]

    whole, without, alone = (read(session, kind, options, *rows) for rows in ((lines, closed), of(mine=False), of(mine=True)))
    moved = [one - other for one, other in zip(whole.values, without.values, strict=True)]
    assert moved == list(alone.values), "nobody else's part depends on whether this person is there"
    bounds = KINDS[kind].question(options, HOUSE).bounds
    assert sum(part * part for part in moved) <= bounds.sensitivity**2


def test_the_bound_is_nearly_reached_so_the_property_is_not_empty(session: Session) -> None:
    """Somebody who buys everything everywhere moves table and histogram together by nearly the whole priced norm."""
    lines = [
        {
            "run_id": PERSON,
            "month": MAY,
            "order_key": number,
            "store_id": f"S{number % 3 + 1}",
            "kind": "sale",
            "net_minor": 900_000,
            "at": number,
        }
        for number in range(300)
    ]
    options = Options(MAY, MAY, ("store",))
    values = read(session, "sales", options, lines, []).values
    bounds = KINDS["sales"].question(options, HOUSE).bounds
    assert 0.999 * bounds.sensitivity < math.sqrt(sum(value * value for value in values)) <= bounds.sensitivity
