"""`piying calendar`: public holidays and working days of a country."""

from __future__ import annotations

import click

from app import calendars
from app.cli.opening import opened
from app.cli.output import as_json, emit


@click.command("calendar")
@click.option("--country", required=True, help="Two letters (ISO 3166): CN, US, GB.")
@click.option("--year", required=True, type=int, help="First year.")
@click.option("--to", "last", type=int, help="Last year; by default the first.")
@click.option("--subdivision", help="Province, state or nation where its holidays differ: CA, SCT.")
@click.option("--region", help="Region of the rows; by default the country, with the subdivision (US-CA).")
@click.option("--language", help="Language of the names; by default the country's own (zh_CN).")
@click.option("--source", required=True, help="Name of a source of kind file.")
@as_json
def calendar_command(
    country: str, year: int, last: int | None, subdivision: str | None, region: str | None, language: str | None, source: str, json_: bool
) -> None:
    """Fill the calendar with holidays and working days. Repeating it stores nothing twice."""
    told = calendars.import_calendar(
        opened(),
        source_name=source,
        country=country,
        first=year,
        last=last or year,
        subdivision=subdivision,
        region=region,
        language=language,
        actor="cli",
    )
    emit(told, json_)
