"""`piying cubes`: what the closed months' releases say, for nothing."""

from __future__ import annotations

from typing import Any

import click

from app import cubes
from app.cli.opening import opened
from app.cli.output import as_json, emit, table

WHAT = ("overview", "facts", "list", "releases")
_HIDDEN = {"value", "low", "high", "reading", "releases", "months"}


@click.command("cubes")
@click.argument("what")
@click.option("--by", multiple=True, help="Group by this; `month` keeps months apart.")
@click.option("--where", multiple=True, help="Filter by a grouping, such as channel=pos|delivery.")
@click.option("--from", "from_", help="First month, YYYY-MM.")
@click.option("--to", help="Last month, YYYY-MM; default: the first.")
@as_json
def cubes_command(what: str, by: tuple[str, ...], where: tuple[str, ...], from_: str | None, to: str | None, json_: bool) -> None:
    """Read what was released of closed months. WHAT: overview, facts, list, releases, or a measure: orders, sales, lines, people, reach,
    enquiries. It never costs anything."""
    services = opened()
    if what in ("list", "releases"):
        found = cubes.catalogue(services) if what == "list" else cubes.releases(services)
        emit(found, json_, lambda: _list(found["items"]))
        return
    if what == "overview":
        document = cubes.overview(services, from_, to)
    elif what == "facts":
        document = cubes.facts(services)
    else:
        document = cubes.table(services, what, by, from_, to, where=where)
    emit(document, json_, lambda: show(document))


@click.command("diagnose")
@as_json
def diagnose_command(json_: bool) -> None:
    """Tell what stands out in the last twelve closed months: everything that was released is compared, and ranked. It costs nothing."""
    document = cubes.diagnosis(opened())
    emit(document, json_, lambda: diagnosed(document))


def diagnosed(document: dict[str, Any]) -> None:
    """Each finding in words, its number and between which ends it lies."""
    lines = []
    for row in document["rows"]:
        group = ", ".join("+".join(values) for values in row["group"].values()) or "altogether"
        against = ", ".join("+".join(values) for values in row["against"].values())
        between = f"{_shown(row['low'])} – {_shown(row['high'])}"
        lines.append([str(row["rank"]), row["scan"], row["measure"], group, against, _shown(row["value"]), between])
    table(["", "what", "of", "group", "against", "released", "between"], lines)
    if not lines:
        click.echo("nothing stands out that noise alone could not have made")
    click.echo(f"{document['compared']} comparisons; all margins hold together with 95 %; cost: nothing")


def show(document: dict[str, Any]) -> None:
    """A table of released numbers, each between its margins."""
    rows = document["rows"]
    names = [name for name in rows[0] if name not in _HIDDEN] if rows else []
    table(
        [*names, "released", "95 % between"],
        [[*(str(row[name]) for name in names), _shown(row["value"]), f"{_shown(row['low'])} – {_shown(row['high'])}"] for row in rows],
    )
    for name in document.get("missing", ()):
        click.echo(f"not to be read from these months: {name}")
    hidden = document["hidden_share"]
    bound = "not known" if hidden is None else f"up to {hidden:.1%}"
    click.echo(f"margins are 95 % of the noise; hidden by the bound: {bound}; cost: nothing")


def _shown(value: float) -> str:
    """Whole numbers as such, shares and ratios with three digits after the point."""
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.0f}"


def _list(items: list[dict[str, Any]]) -> None:
    columns = list(items[0]) if items else []
    table(columns, [[str(one[name]) for name in columns] for one in items])
