"""`piying demo`: an empty home becomes a small invented retailer, three reports are printed, the server starts.

Promise: everything goes the way that anybody's data goes: files, mappings, the pipeline, the lake, the release door. Nobody in it exists.
"""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import acts, asking, intake
from app.cli.numbers import show
from app.cli.opening import opened
from app.cli.serve import serve_command

if TYPE_CHECKING:
    from app.wiring import Services

SOURCES = {
    "retail_stores": "demo-erp",
    "retail_products": "demo-erp",
    "retail_members": "demo-crm",
    "retail_tills": "demo-pos",
    "retail_clicks": "demo-app",
}
MONTHS = 3
REPORTS = ("store-month", "rfm", "funnel")


@click.command("demo")
@click.option("--members", default=3000, show_default=True, help="How many members to invent.")
@click.option("--until", help="Last day of the data, YYYY-MM-DD; default: the end of the last closed month.")
@click.option("--port", type=int, help="Where to serve; default: server.port of the settings.")
@click.option("--no-serve", is_flag=True, help="Stop after the reports.")
@click.pass_context
def demo_command(context: click.Context, members: int, until: str | None, port: int | None, no_serve: bool) -> None:
    """Fill an empty home with invented retail data, show three reports, serve."""
    from app.cli.home import initialise

    made = initialise()
    services = opened()
    click.echo(f"home: {services.settings.home}")
    last = date.fromisoformat(until) if until else _end_of_last_closed_month(services)
    if "demo-crm" not in {source["name"] for source in acts.list_sources(services)}:
        _fill(services, members, last)
    month = f"{last.year:04d}-{last.month:02d}"
    for kind in REPORTS:
        click.echo()
        show(asking.ask(services, {"kind": kind, "from_": month}, asked_by="demo"))
    click.echo()
    if made.get("link"):
        click.echo(f"first administrator (once): {made['link']}")
    click.echo("ask one yourself: piying report store-month --by channel --where store_id=S01 --quote")
    if not no_serve:
        services.close()
        context.invoke(serve_command, port=port)


def _fill(services: Services, members: int, last: date) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    first = _months_back(last, MONTHS - 1)
    for name in dict.fromkeys(SOURCES.values()):
        acts.add_source(services, actor="demo", name=name, kind="file")
    with (
        tempfile.TemporaryDirectory(dir=services.settings.home) as folder,
        Progress(TextColumn("{task.description:<18}"), BarColumn(), DownloadColumn()) as bar,
    ):
        made = services.synthetic(Path(folder), members=members, first=first, last=last)
        mappings = files("ingestion.sources") / "mappings"
        for name, path in made.items():
            task = bar.add_task(name, total=None)
            result = intake.import_file(
                services,
                path,
                source_name=SOURCES[name],
                mapping_path=Path(str(mappings / f"{name}.toml")),
                actor="demo",
                progress=lambda done, rows, task=task: bar.update(task, completed=done, total=rows),  # type: ignore[misc]
            )
            bar.update(task, description=f"{name}: {_said(result)}")
    flushed = intake.flush(services)
    click.echo(f"in the lake: {flushed['rows']:,} rows")
    for back in range(MONTHS - 1, -1, -1):
        month = _months_back(last, back)
        asking.close_month(services, month.year * 100 + month.month, actor="demo")
    click.echo(f"closed: {MONTHS} months")


def _said(result: dict[str, Any]) -> str:
    return ", ".join(f"{result[name]:,} {name}" for name in ("stored", "duplicate", "quarantined", "refused") if result[name])


def _end_of_last_closed_month(services: Services) -> date:
    """Months close on the seventh of the next one."""
    today = services.clock().astimezone(services.settings.time_zone).date()
    first = _months_back(today, 0 if today.day > 7 else 1)
    return first - timedelta(days=1)


def _months_back(day: date, months: int) -> date:
    """The first day of the month so many months before a day's month."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
