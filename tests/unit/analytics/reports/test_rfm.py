"""People by the eight customary segments."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from analytics import metrics
from analytics.engine import Engine
from analytics.reports.base import House, Options, Reports
from analytics.reports.kinds import KINDS
from privacy import errors
from privacy.dictionary import catalogue
from tests.fakes.releases import FakeReleases
from tests.fakes.view import MemoryReader

ROWS: list[dict[str, Any]] = [
    {"run_id": number, "recency_band": recency, "frequency_band": frequency, "value_band": value, "sex": ["female", "male"][number % 2]}
    for number, (recency, frequency, value) in enumerate(product(range(6), range(6), range(6)))
]


class NeverClosed(MemoryReader):
    def month_closed(self, name: str, month: int) -> bool:
        return False


def reports(tmp_path: Path, reader: type[MemoryReader] = MemoryReader) -> Reports:
    engine = Engine(tmp_path / "lake", tmp_path / "scratch", threads=1)
    return Reports(reader(engine, {"person_month": ROWS}), FakeReleases(), House(catalogue.load(), "Asia/Shanghai", "CNY"), KINDS)  # type: ignore[arg-type]


def test_each_person_stands_in_the_segment_of_their_bands(tmp_path: Path) -> None:
    document = reports(tmp_path).ask("rfm", Options(202601, 202601), "usr_1")
    expected = dict.fromkeys((one.key for one in metrics.SEGMENTS), 0)
    for row in ROWS:
        name = metrics.segment(row["recency_band"], row["frequency_band"], row["value_band"])
        if name:
            expected[name] += 1
    assert {row["segment"]: row["value"] for row in document["rows"]} == expected
    assert [row["name"]["zh"] for row in document["rows"]] == [one.zh for one in metrics.SEGMENTS]
    assert document["hidden_share"] == 0.0


def test_a_grouping_by_a_closed_list_of_the_dictionary_has_all_its_cells(tmp_path: Path) -> None:
    document = reports(tmp_path).ask("rfm", Options(202601, 202601, ("sex",)), "usr_1")
    assert len(document["rows"]) == 8 * 4
    assert {row["sex"] for row in document["rows"]} == {"female", "male", "other", "unknown"}


def test_a_filter_on_the_profile_chooses_people(tmp_path: Path) -> None:
    everybody = reports(tmp_path).ask("rfm", Options(202601, 202601), "usr_1")
    women = reports(tmp_path).ask("rfm", Options(202601, 202601, (), ("sex=female",)), "usr_1")
    assert 0 < sum(row["value"] for row in women["rows"]) < sum(row["value"] for row in everybody["rows"])


def test_it_is_of_one_month_that_has_been_closed(tmp_path: Path) -> None:
    with pytest.raises(errors.Invalid) as refused:
        reports(tmp_path).ask("rfm", Options(202601, 202602), "usr_1")
    assert refused.value.code == "one_month_only"
    with pytest.raises(errors.Refused) as unclosed:
        reports(tmp_path, NeverClosed).ask("rfm", Options(202601, 202601), "usr_1")
    assert unclosed.value.code == "month_not_closed"
