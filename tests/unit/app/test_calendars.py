"""A calendar goes the way of a file and says what became of its days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import acts, calendars, intake
from privacy.errors import PiyingError, Refused
from tests.house import ROOT, House

WEATHER = ROOT / "ingestion" / "sources" / "mappings" / "retail_weather.toml"


def fill(house: House, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"country": "CN", "first": 2026, "last": 2026, "subdivision": None, "region": None, "language": None}
    return calendars.import_calendar(house.services, **({"source_name": "days", "actor": "test"} | asked | more))


def test_a_year_is_stored_once_and_weather_stands_beside_it_in_any_order(house: House, tmp_path: Path) -> None:
    house.source("days", "file")
    (tmp_path / "weather.csv").write_text("date,region,sky\n2026-10-01,CN,rain\n2026-10-02,CN,fog\n")
    weather = {"source_name": "days", "mapping_path": WEATHER, "actor": "test", "progress": lambda done, total: None}
    assert intake.import_file(house.services, tmp_path / "weather.csv", **weather)["stored"] == 2
    assert fill(house) == {"received": 365, "stored": 365, "duplicate": 0}
    assert fill(house) == {"received": 365, "stored": 0, "duplicate": 365}
    (tmp_path / "later.csv").write_text("date,region,sky\n2026-10-01,CN,sun\n")
    assert intake.import_file(house.services, tmp_path / "later.csv", **weather)["stored"] == 1
    house.flush()
    rows = {str(row["day"]): row for row in house.services.reader.open_table("calendar").to_pylist()}
    assert len(rows) == 365
    assert [
        (rows[day]["holiday"], rows[day]["working_day"], rows[day]["weather"]) for day in ("2026-10-01", "2026-10-02", "2026-10-10")
    ] == [
        ("国庆节", False, "sun"),
        ("国庆节", False, "fog"),
        (None, True, None),
    ]
    assert all(rows[day]["holiday"] for day in ("2026-01-02", "2026-02-20", "2026-10-06")), "days off in exchange keep their names"


def test_a_calendar_of_nowhere_or_into_nothing_stores_and_logs_nothing(house: House) -> None:
    house.source("days", "file")
    house.source("web")
    before = house.counts()
    for more, code in (
        ({"country": "XX"}, "calendar_unknown"),
        ({"first": 1}, "calendar_unknown"),
        ({"source_name": "web"}, "wrong_endpoint"),
        ({"source_name": "nobody"}, "source_not_found"),
    ):
        with pytest.raises(PiyingError) as caught:
            fill(house, **more)
        assert caught.value.code == code
    assert house.counts() == before


def test_a_disabled_source_takes_no_calendar(house: House) -> None:
    source, _ = house.source("days", "file")
    acts.disable_source(house.services, source, actor="test")
    with pytest.raises(Refused) as caught:
        fill(house)
    assert caught.value.code == "source_disabled"
