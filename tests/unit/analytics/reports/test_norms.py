"""The histogram of norms: bins as the release door reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.engine import Engine
from analytics.reports.base import House
from analytics.reports.norms import BINS, StoreMonthNorms
from privacy.dictionary import catalogue
from privacy.release import NORM_BINS
from tests.fakes.releases import FakeReleases
from tests.fakes.view import MemoryReader

HOUSE = House(catalogue.load(), "Asia/Shanghai", "CNY")


def test_the_bins_are_those_of_the_release_door() -> None:
    assert len(BINS) == NORM_BINS
    assert list(BINS) == sorted(BINS)


@pytest.mark.parametrize(
    ("orders", "net", "expected"), [(1, 0, 1), (1, 2_000, 1), (3, 3_000, 2), (40, 0, 6), (1, 2**50, 19), (0, 2_000, 0)]
)
def test_one_person_stands_in_the_bin_of_their_norm(tmp_path: Path, orders: int, net: int, expected: int) -> None:
    """√(orders² + (sales/2000)² + people²): one order of nothing has √2 and stands above 1."""
    rows: list[dict[str, Any]] = [
        {"run_id": 1, "order_key": number, "store_id": "S1", "kind": "sale", "net_minor": 0} for number in range(orders)
    ]
    rows.append({"run_id": 1, "order_key": 0, "store_id": "S1", "kind": "sale" if orders else "return", "net_minor": net})
    engine = Engine(tmp_path / "lake", tmp_path / "scratch", threads=1)
    reader: Any = MemoryReader(engine, {"order_lines": rows}, {"stores": pa.table({"id": ["S1"]})})
    releases: Any = FakeReleases()
    release = StoreMonthNorms().answer(reader, releases, HOUSE, 202601, "schedule")
    assert [number for number, value in enumerate(release.values) if value] == [expected]
    assert release.values[expected] == 1_000
    assert release.question.rho_nano == 500_000
