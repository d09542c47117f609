"""Holidays and working days as rows of the calendar, by the library's own account of moved days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ingestion.canonical import canonicalise
from ingestion.sources import calendar
from ingestion.sources.calendar import MAPPING, Place
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch
from tests.conftest import NOW
from tests.unit.ingestion.sources.test_files import SOURCE


def batches(place: Place, first: int = 2026, last: int | None = None) -> list[RawBatch]:
    return list(calendar.read(SOURCE, place, first, last or first, now=NOW))


def days(place: Place) -> dict[str, Any]:
    (raw,) = batches(place)
    assert raw.table is not None
    return {row["day"]: row for row in raw.table.to_pylist()}


def test_every_row_is_a_row_of_the_dictionary() -> None:
    (raw,) = batches(Place("CN"))
    made = canonicalise(raw, MAPPING, load(), now=NOW, retention_days=1)
    (part,) = made.parts
    assert (made.malformed, made.dropped_fields, part.record, made.received) == ((), {}, "calendar", 365)
    assert part.fields["day"][0].as_py() == date(2026, 1, 1)
    assert part.fields["working_day"].null_count == 0


def test_china_works_on_the_weekends_that_were_moved_and_rests_on_the_days_for_them() -> None:
    china = days(Place("CN"))
    assert china["2026-10-01"] == {"day": "2026-10-01", "region": "CN", "holiday": "国庆节", "working_day": "false"}
    assert date(2026, 2, 14).weekday() == 5
    assert (china["2026-02-14"]["holiday"], china["2026-02-14"]["working_day"]) == (None, "true")
    assert china["2026-02-20"]["working_day"] == "false"
    assert china["2026-02-21"]["working_day"] == "false"
    assert china["2026-03-02"]["working_day"] == "true"


def test_subdivisions_have_holidays_and_a_region_of_their_own() -> None:
    scotland, england = days(Place("GB", "SCT")), days(Place("GB", "ENG", region="England"))
    assert scotland["2026-11-30"]["region"] == "GB-SCT"
    assert scotland["2026-11-30"]["working_day"] == "false"
    assert england["2026-11-30"] == {"day": "2026-11-30", "region": "England", "holiday": None, "working_day": "true"}
    assert days(Place("US"))["2026-07-03"]["holiday"] == "Independence Day (observed)"


def test_the_same_question_has_the_same_digest_and_another_has_another() -> None:
    one, again, other = batches(Place("US"))[0], batches(Place("US"))[0], batches(Place("US", "CA"))[0]
    assert one.chunk == again.chunk
    assert one.chunk != other.chunk
    assert [raw.table.num_rows for raw in batches(Place("US"), 2023, 2024) if raw.table is not None] == [365, 366]


def test_names_come_in_the_countrys_language_or_another_that_it_has() -> None:
    assert days(Place("CN", language="en_US"))["2026-10-01"]["holiday"] == "National Day"


@pytest.mark.parametrize(
    ("place", "first", "last", "field"),
    [
        (Place("XX"), 2026, 2026, "country"),
        (Place("US", "QQ"), 2026, 2026, "country"),
        (Place("CN", language="xx"), 2026, 2026, "language"),
        (Place("CN"), 2026, 2025, "year"),
        (Place("CN"), 1900, 2025, "year"),
        (Place("CN"), 2026, 2101, "year"),
    ],
)
def test_what_nobody_knows_is_refused(place: Place, first: int, last: int, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        list(calendar.read(SOURCE, place, first, last, now=NOW))
    assert (caught.value.code, caught.value.field) == ("calendar_unknown", field)
