"""`piying quality`: how complete, valid and fresh a source's data is, before and after the rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from app import quality
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("quality")
@click.argument("source")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day; default: 31 days.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day; default: today.")
@as_json
def quality_command(source: str, first: datetime | None, last: datetime | None, json_: bool) -> None:
    """Show a source's data quality by field, before and after the rules: exact counts, no person."""
    told = quality.report(opened(), source, first=first and first.date(), last=last and last.date())
    emit(told, json_, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    fields = ("completeness_before", "validity_before", "completeness_after")
    rows = [
        [record["record"], one["field"], one["present"], *("" if one[name] is None else f"{one[name]:.1%}" for name in fields)]
        for record in told["records"]
        for one in record["fields"]
    ]
    table(
        ("record", "field", "present", "complete before", "valid before", "complete after"),
        rows,
        f"{told['name']}: {told['from']} – {told['to']}",
    )
    late = told["freshness"]["lateness"]
    table(("rows came within", "rows"), [[name.replace("_", " "), number] for name, number in late.items()])
    dropped: dict[str, int] = {}
    for day in told["days"]:
        for path, number in day["dropped_fields"].items():
            dropped[path] = dropped.get(path, 0) + number
    if dropped:
        table(("dropped or unknown field", "times"), [[path, number] for path, number in sorted(dropped.items())])
