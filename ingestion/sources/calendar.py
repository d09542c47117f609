"""Public holidays and working days of a country, from the `holidays` library, as rows of the record `calendar`.

Promise: one row for each day of the years asked, under one region's name, with the days that were moved (China's working weekends) as the
library has them; the same question gives the same rows, so that asking again stores nothing twice. There are no people in here.
Weather comes from files by a mapping: of one day and region each column keeps what was loaded last in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from ingestion.fieldrules import FieldRule
from ingestion.mapping import FileMapping
from privacy.errors import Invalid
from privacy.records import RawBatch

if TYPE_CHECKING:
    from privacy.records import SourceFacts

FIRST_YEAR, LAST_YEAR = 1950, 2100
"""What the dictionary takes as a day."""
COLUMNS = ("day", "region", "holiday", "working_day")
MAPPING = FileMapping("calendar", {name: FieldRule(name) for name in COLUMNS}, {})
"""The rows have the dictionary's own names."""


class Place(NamedTuple):
    """Whose holidays: a country (ISO 3166, two letters) and, where holidays differ inside it, a subdivision; `region` is the rows' region."""

    country: str
    subdivision: str | None = None
    region: str | None = None
    language: str | None = None

    @property
    def named(self) -> str:
        """The region under which the rows stand: by default CN, or US-CA."""
        return self.region or "-".join(part for part in (self.country, self.subdivision) if part)


def read(source: SourceFacts, place: Place, first: int, last: int, *, now: datetime) -> Iterator[RawBatch]:
    """One batch a year. Raises Invalid for a place, a language or a year that the library does not have."""
    if not FIRST_YEAR <= first <= last <= LAST_YEAR:
        raise Invalid("the years are not in order, or before 1950 or after 2100", code="calendar_unknown", field="year")
    return _batches(source, place, range(first, last + 1), _holidays(place, first, last), now)


def _batches(source: SourceFacts, place: Place, years: range, known: Any, now: datetime) -> Iterator[RawBatch]:
    for year in years:
        days = [date(year, 1, 1) + timedelta(days=number) for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
        rows = [
            (day.isoformat(), place.named, "; ".join(known.get_list(day)) or None, "true" if known.is_working_day(day) else "false")
            for day in days
        ]
        table = pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(COLUMNS)})
        digest = hashlib.sha256(repr(rows).encode()).digest()
        yield RawBatch(source, now, table=table, chunk=digest)


def worked(country: str) -> Callable[[date], bool]:
    """Whether a day is worked on in a country, moved days included where they are published; Monday to Friday where nobody knows."""
    try:
        known = _holidays(Place(country), FIRST_YEAR, FIRST_YEAR)
    except Invalid:
        return lambda day: day.weekday() < 5
    return lambda day: bool(known.is_working_day(day))


def _holidays(place: Place, first: int, last: int) -> Any:
    import holidays

    try:
        known = holidays.country_holidays(place.country, subdiv=place.subdivision)
        language = place.language or known.default_language
        if place.language is not None and place.language not in known.supported_languages:
            raise Invalid("the holidays of this country have no names in this language", code="calendar_unknown", field="language")
        return holidays.country_holidays(place.country, subdiv=place.subdivision, years=range(first, last + 1), language=language)
    except RuntimeError:  # the library's word for a place that it does not have
        raise Invalid("the holidays of this country or subdivision are not known", code="calendar_unknown", field="country") from None
