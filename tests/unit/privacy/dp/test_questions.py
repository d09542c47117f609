"""Which questions are the same, which are refused, and which months exist."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from privacy.dp import questions
from privacy.errors import Invalid, Refused
from privacy.records import Aggregate, Bounds, Measure
from tests.fakes.questions import QUESTION, aggregate, ask

SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_the_same_question_in_every_order_has_one_digest() -> None:
    """Attacks 2 and 3, DP-05: filters, groups, measures and months may be written in any order, filters and months twice."""
    wanted = questions.digest(ask(months=(202604, 202605)))
    for months in permutations((202604, 202605)):
        for by in permutations(QUESTION.by):
            for where in permutations(QUESTION.where):
                for measures in permutations(QUESTION.measures):
                    again = ask(months=months + months[:1], by=by, where=where + where[:1], measures=measures)
                    assert questions.digest(again) == wanted


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "rfm"},
        {"version": 2},
        {"purpose": "marketing.profiling"},
        {"months": (202604,)},
        {"by": ("store_id",)},
        {"where": ()},
        {"measures": (Measure("orders"),)},
        {"measures": (Measure("orders"), Measure("sales", 1000))},
        {"bounds": Bounds(clip=8)},
        {"bounds": Bounds(clip=16, scale=100)},
        {"rho_nano": 4_999_999},
    ],
)
def test_whatever_changes_the_answer_changes_the_digest(changes: dict[str, Any]) -> None:
    assert questions.digest(ask(**changes)) != questions.digest(QUESTION)


def test_a_question_survives_being_stored_with_the_order_of_its_cells() -> None:
    asked = ask(by=("store_id", "channel"), measures=(Measure("sales", 2000), Measure("orders")))
    assert questions.loads(questions.dumps(asked)) == asked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"purpose": ""}, "purpose"),
        ({"version": 0}, "version"),
        ({"months": ()}, "months"),
        ({"months": (202613,)}, "months"),
        ({"months": (202600,)}, "months"),
        ({"months": (5,)}, "months"),
        ({"months": ("202605",)}, "months"),
        ({"months": tuple(range(190001, 190013)) * 1}, "months"),
        ({"measures": ()}, "measures"),
        ({"measures": (Measure("orders"), Measure("orders", 2))}, "measures"),
        ({"measures": (Measure("orders", 0),)}, "measures"),
        ({"by": ("store_id", "store_id")}, "by"),
        ({"rho_nano": 0}, "rho_nano"),
        ({"rho_nano": -5}, "rho_nano"),
        ({"rho_nano": 0.5}, "rho_nano"),
        ({"bounds": Bounds(clip=0)}, "clip"),
    ],
)
def test_a_question_of_wrong_form_is_refused_and_its_field_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        questions.check(ask(**changes))
    assert raised.value.field == field


def _closed(now: datetime, retention_months: int = 24, close_after_days: int = 7) -> tuple[int, ...]:
    return questions.closed_months(now, SHANGHAI, retention_months=retention_months, close_after_days=close_after_days)


def test_a_month_closes_on_its_public_day_in_the_controllers_zone() -> None:
    """May closes when 8 June begins in Shanghai, which is 16:00 UTC of the 7th."""
    assert _closed(datetime(2026, 6, 7, 15, 59, 59, tzinfo=UTC))[-1] == 202604
    assert _closed(datetime(2026, 6, 7, 16, 0, tzinfo=UTC))[-1] == 202605


def test_as_many_months_exist_as_retention_keeps() -> None:
    months = _closed(datetime(2026, 6, 15, tzinfo=UTC))
    assert (months[0], months[-1], len(months)) == (202406, 202605, 24)
    assert _closed(datetime(2026, 1, 20, tzinfo=UTC), retention_months=1) == (202512,)


@pytest.mark.parametrize(
    ("month", "code"), [(202606, "period_open"), (203001, "period_open"), (202405, "period_expired"), (197001, "period_expired")]
)
def test_open_future_and_expired_months_do_not_exist(month: int, code: str) -> None:
    """P-5: rows dated 1970 or 2030 open no budget."""
    with pytest.raises(Refused) as raised:
        questions.check_months(ask(months=(202605, month)), _closed(datetime(2026, 6, 15, tzinfo=UTC)))
    assert raised.value.code == code


@pytest.mark.parametrize(
    "bad",
    [
        Aggregate((), ("orders", "sales"), ()),
        Aggregate((("a",), ("a",)), ("orders", "sales"), (1, 2, 3, 4)),
        Aggregate((("a",),), ("orders",), (1,)),
        Aggregate((("a",),), ("orders", "sales"), (1,)),
        Aggregate((("a",),), ("sales", "orders"), (1, 2)),
    ],
)
def test_an_aggregate_that_is_not_the_priced_vector_is_refused(bad: Aggregate) -> None:
    with pytest.raises(Invalid) as raised:
        questions.check_aggregate(QUESTION, bad)
    assert raised.value.code == "bad_aggregate"


def test_more_cells_than_the_bound_can_prove_are_refused() -> None:
    wide = ask(bounds=Bounds(clip=1_000))
    with pytest.raises(Invalid):
        questions.check_aggregate(wide, aggregate(wide, stores=5_000))
    questions.check_aggregate(wide, aggregate(wide, stores=3_000))
