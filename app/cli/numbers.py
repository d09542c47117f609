"""`piying report`, `budget`, `close-month`: protected numbers and what they cost."""

from __future__ import annotations

from typing import Any

import click

from app import asking, teams
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("report")
@click.argument("kind")
@click.option("--from", "from_", help="First month, YYYY-MM; default: the last closed one.")
@click.option("--to", help="Last month, YYYY-MM; default: the first.")
@click.option("--by", multiple=True, help="Group by this, too.")
@click.option("--where", multiple=True, help="Filter, such as channel=pos or store_id=S01|S02.")
@click.option("--measure", "measures", multiple=True, help="Only this measure, where the report lets them be chosen.")
@click.option("--price", type=int, help="What to pay, in nano-rho, among the kind's prices; default: the plan's own.")
@click.option("--quote", is_flag=True, help="Only tell what it would cost.")
@as_json
def report_command(
    kind: str,
    from_: str | None,
    to: str | None,
    by: tuple[str, ...],
    where: tuple[str, ...],
    measures: tuple[str, ...],
    price: int | None,
    quote: bool,
    json_: bool,
) -> None:
    """Ask for a protected report. KIND: store-month, sales, trend, distribution, keys, rfm, funnel and the others of the manual."""
    body = {"kind": kind, "from_": from_, "to": to, "by": by, "where": where, "measures": measures, "price": price}
    services = opened()
    if quote:
        emit(asking.quote(services, body), json_)
        return
    document = asking.ask(services, body, asked_by="cli")
    emit(document, json_, lambda: show(document))


def show(document: dict[str, Any]) -> None:
    """A report on the terminal: each number as wide as it is known, then what it cost and what is left."""
    window = document["window"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in document["rows"]:
        groups.setdefault(row.get("marginal", ""), []).append(row)
    for marginal, rows in groups.items():
        hidden_words = {"value", "low", "high", "reading", "marginal", "expected"} | ({"segment"} if "name" in rows[0] else set())
        names = [name for name in rows[0] if name not in hidden_words]
        table(
            [*names, "released", "95 % between"],
            [[*(_word(row[name]) for name in names), *_number(row)] for row in rows],
            title=f"{document['kind']}{' ' + marginal if marginal else ''}, {window['from']} to {window['to']}",
        )
    follows(document.get("derived", []))
    hidden = document["hidden_share"]
    cost = document["cost"]
    click.echo(f"margins are 95 % of the noise; hidden by the bound: {'not known' if hidden is None else f'up to {hidden:.1%}'}")
    paid = "repeated, free" if document["cached"] else f"cost rho {cost['rho_nano'] / 1e9:.6f} (epsilon {cost['epsilon']:.2f})"
    left = ", ".join(f"{month}: {budget['after'] / 1e9:.6f}" for month, budget in document["budget"].items())
    click.echo(f"{paid}; left of rho by month: {left}")


def follows(derived: list[dict[str, Any]]) -> None:
    """What follows from the rows: sums, means, shares, slopes, quartiles, with their intervals; money in minor units."""
    if not derived:
        return
    lines = []
    for one in derived:
        of = ", ".join(one["of"].values()) or (f"{one['share']:.0%}" if one["share"] else "all")
        between = "too few to tell" if one["value"] is None else f"{_exact(one['low'])} – {_exact(one['high'])}"
        lines.append(
            [one["what"], one["measure"], of, _exact(one["value"]), between if one["way"] in (None, "open") else f"{one['way']}, {between}"]
        )
    table(["follows", "of", "in", "value", "95 % between"], lines)


def _exact(value: float | None) -> str:
    return "" if value is None else f"{value:,.3f}" if abs(value) < 10 else f"{value:,.0f}"


def _word(value: Any) -> str:
    """A name in both languages, or a word as it is."""
    return f"{value['en']} {value['zh']}" if isinstance(value, dict) else str(value)


def _number(row: dict[str, Any]) -> tuple[str, str]:
    """A number only where its margin is small (dp_rules section 6); money in whole units."""
    from app.figures.speech import MONEY, SHARES

    if row.get("measure") in SHARES:
        return f"{row['value']:.1%}", f"{row['low']:.1%} – {row['high']:.1%}"
    unit = 100 if row.get("measure") in MONEY else 1
    read = row["reading"]
    between = f"{read['low'] / unit:,.0f} – {read['high'] / unit:,.0f}"
    if read["as"] == "number":
        return f"{read['value'] / unit:,.0f}", between
    if read["as"] == "about":
        return f"about {read['value'] / unit:,.0f}", between
    if read["as"] == "band":
        return "between", between
    return f"too few to tell: readable from about {read['readable_from'] / unit:,.0f}", between


@click.group("budget", invoke_without_command=True)
@as_json
@click.pass_context
def budget_command(context: click.Context, json_: bool) -> None:
    """Show every month's privacy budget, and teams' shares of the questions."""
    if context.invoked_subcommand is not None:
        return
    known = asking.budget(opened())
    columns = ("month", "cap_nano", "spent_nano", "left_nano")
    emit(known, json_, lambda: table(columns, [[str(one["month"]), *(one[name] for name in columns[1:])] for one in known["items"]]))


@budget_command.command("teams")
@as_json
def teams_(json_: bool) -> None:
    """Show the teams' shares of the question slice, what each has left of the newest month, and proposals that wait."""
    known = teams.known(opened(), editing=True)
    emit(known, json_, lambda: _shares(known))


@budget_command.command("share")
@click.argument("team")
@click.argument("percent")
@as_json
def share(team: str, percent: str, json_: bool) -> None:
    """Propose a team's share of the question slice, in whole per cent. An officer who is signed in confirms it: the command line is nobody."""
    emit({"share": teams.propose(opened(), team, percent, actor="cli")}, json_)


@budget_command.command("member")
@click.argument("email")
@click.argument("team", default="")
@as_json
def member(email: str, team: str, json_: bool) -> None:
    """Put an account that asks questions into a team; without a team out of every one."""
    services = opened()
    account = teams.account_of(services, email)
    teams.assign(services, account, team, actor="cli")
    emit({"account": account, "team": team.strip()}, json_)


def _shares(known: dict[str, Any]) -> None:
    rows = [
        [
            one["team"] or "everybody else",
            f"{one['permille'] / 10:g} %",
            *([f"{one['months'][0]['left_nano'] / 1e9:.6f}"] if one["months"] else [""]),
        ]
        for one in known["items"]
    ]
    table(["team", "share", "left of rho in the newest month"], rows)
    for one in known["waiting"]:
        click.echo(f"proposal {one['share']} waits for another officer: {one['team']}, {one['permille'] / 10:g} %")


@click.command("close-month")
@click.argument("month")
@click.option("--at", help="Pretend that it is this instant (ISO 8601, with zone); for tests and demonstrations.")
@as_json
def close_month_command(month: str, at: str | None, json_: bool) -> None:
    """Close a month (YYYY-MM): person_month and its default plan, bought once. Closing again buys what was missing."""
    services = opened(at=at)
    emit(asking.close_month(services, asking.month_of(month, "month"), actor="cli"), json_)
