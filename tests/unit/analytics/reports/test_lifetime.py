"""People by their chance to come back and by what they are worth, out of one release."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.reports.base import Options
from analytics.reports.kinds import KINDS
from analytics.reports.lifetime import ANY, EACH, NAMES, TENURE_WORDS, every_cell
from analytics.reports.lifetimes import CHURN, TENURES, VALUE
from tests.fakes.behaviour import HOUSE, PUBLIC, ask, reports, told
from tests.fakes.buyers import MONTH, closed
from tests.fakes.view import MemoryReader

ROWS = closed(3_000, 5, r=0.9, alpha=5.0, a=0.5, b=3.0)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return ask(tmp_path_factory.mktemp("lifetime"), "lifetime", {"person_month": ROWS}, start=MONTH, end=MONTH)


def test_released_counts_agree_with_pandas_cell_by_cell(tmp_path: Path) -> None:
    from analytics.engine import Engine

    report = KINDS["lifetime"]
    question = report.question(Options(MONTH, MONTH), HOUSE)
    reader: Any = MemoryReader(Engine(tmp_path / "lake", tmp_path / "scratch", threads=1), {"person_month": ROWS}, PUBLIC)
    found = report.read(reader, question, report.cells(reader, question, HOUSE), HOUSE)
    frame = pd.DataFrame(ROWS)
    since = MONTH // 100 * 12 + MONTH % 100 - (frame.first_purchase_month // 100 * 12 + frame.first_purchase_month % 100)
    frame["tenure"] = [next(word for (low, high), word in zip(TENURES, TENURE_WORDS, strict=True) if low <= one <= high) for one in since]
    text = frame.astype({"further_band": str, "recency_band": str, "ticket_band": str})
    expected = Counter(zip(text.further_band, text.recency_band, text.tenure, [ANY] * len(text), strict=True))
    expected += Counter(zip(text.further_band, [ANY] * len(text), [ANY] * len(text), text.ticket_band, strict=True))
    assert {cell: value for cell, value in zip(found.cells, found.values, strict=True) if value} == {
        cell: number * round(1_000 * EACH) for cell, number in expected.items()
    }
    assert len(found.cells) == len(every_cell())


def test_bands_hold_everybody_once_and_their_sums_are_those_of_all(rows: list[dict[str, Any]]) -> None:
    (everybody,) = (row["value"] for row in rows if row["marginal"] == "all" and row["measure"] == "people")
    assert everybody == pytest.approx(len(ROWS), abs=0.01)
    for name, words, measure in (("churn", CHURN, "purchases"), ("value_band", VALUE, "worth")):
        people, parts, sums = (told(rows, one, name) for one in ("people", "share", measure))
        assert list(people) == list(words)
        assert sum(people.values()) == pytest.approx(len(ROWS), abs=0.1)
        assert sum(parts.values()) == pytest.approx(1, abs=1e-4)
        (whole,) = (row["value"] for row in rows if row["marginal"] == "all" and row["measure"] == measure)
        assert sum(sums.values()) == pytest.approx(whole, rel=1e-6)


def test_numbers_lie_inside_intervals_and_those_who_come_back_buy_more(rows: list[dict[str, Any]]) -> None:
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    people, purchases = told(rows, "people", "churn"), told(rows, "purchases", "churn")
    each = [purchases[band] / people[band] for band in CHURN]
    assert each == sorted(each)


def test_too_few_customers_have_one_row(tmp_path: Path) -> None:
    (row,) = ask(tmp_path, "lifetime", {"person_month": ROWS[:1]}, start=MONTH, end=MONTH)
    assert (row["measure"], row["marginal"]) == ("people", "all")


def test_the_order_of_the_groupings_changes_nothing(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    turned = reports(tmp_path, {"person_month": ROWS}).ask("lifetime", Options(MONTH, MONTH, NAMES[::-1]), "usr_1")["rows"]
    assert turned == rows
