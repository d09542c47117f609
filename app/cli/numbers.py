"""`piying report`, `budget`, `close-month`: protected numbers and what they cost."""

from __future__ import annotations

from typing import Any

import click

from app import asking
from app.cli.opening import opened
from app.cli.output import as_json, emit, table


@click.command("report")
@click.argument("kind")
@click.option("--from", "from_", help="First month, YYYY-MM; default: the last closed one.")
@click.option("--to", help="Last month, YYYY-MM; default: the first.")
@click.option("--by", multiple=True, help="Group by this, too.")
@click.option("--where", multiple=True, help="Filter, such as channel=pos or store_id=S01|S02.")
@click.option("--price", type=int, help="What to pay, in nano-rho, among the kind's prices; default: the plan's own.")
@click.option("--quote", is_flag=True, help="Only tell what it would cost.")
@as_json
def report_command(
    kind: str, from_: str | None, to: str | None, by: tuple[str, ...], where: tuple[str, ...], price: int | None, quote: bool, json_: bool
) -> None:
    """Ask for a protected report. KIND: store-month, rfm, funnel."""
    body = {"kind": kind, "from_": from_, "to": to, "by": by, "where": where, "price": price}
    services = opened()
    if quote:
        emit(asking.quote(services, body), json_)
        return
    document = asking.ask(services, body, asked_by="cli")
    emit(document, json_, lambda: show(document))


def show(document: dict[str, Any]) -> None:
    """A report on the terminal: each number as wide as it is known, then what it cost and what is left."""
    rows = document["rows"]
    hidden_words = {"value", "low", "high", "reading"} | ({"segment"} if rows and "name" in rows[0] else set())
    names = [name for name in rows[0] if name not in hidden_words] if rows else []
    window = document["window"]
    table(
        [*names, "released", "95 % between"],
        [[*(_word(row[name]) for name in names), *_number(row)] for row in rows],
        title=f"{document['kind']}, {window['from']} to {window['to']}",
    )
    hidden = document["hidden_share"]
    cost = document["cost"]
    click.echo(f"margins are 95 % of the noise; hidden by the bound: {'not known' if hidden is None else f'up to {hidden:.1%}'}")
    paid = "repeated, free" if document["cached"] else f"cost rho {cost['rho_nano'] / 1e9:.6f} (epsilon {cost['epsilon']:.2f})"
    left = ", ".join(f"{month}: {budget['after'] / 1e9:.6f}" for month, budget in document["budget"].items())
    click.echo(f"{paid}; left of rho by month: {left}")


def _word(value: Any) -> str:
    """A name in both languages, or a word as it is."""
    return f"{value['en']} {value['zh']}" if isinstance(value, dict) else str(value)


def _number(row: dict[str, Any]) -> tuple[str, str]:
    """A number only where its margin is small (dp_rules section 6); money in whole units."""
    unit = 100 if row.get("measure") == "sales" else 1
    read = row["reading"]
    between = f"{read['low'] / unit:,.0f} – {read['high'] / unit:,.0f}"
    if read["as"] == "number":
        return f"{read['value'] / unit:,.0f}", between
    if read["as"] == "about":
        return f"about {read['value'] / unit:,.0f}", between
    if read["as"] == "band":
        return "between", between
    return f"too few to tell: readable from about {read['readable_from'] / unit:,.0f}", between


@click.command("budget")
@as_json
def budget_command(json_: bool) -> None:
    """Show every month's privacy budget; it never refreshes."""
    known = asking.budget(opened())
    columns = ("month", "cap_nano", "spent_nano", "left_nano")
    emit(known, json_, lambda: table(columns, [[str(one["month"]), *(one[name] for name in columns[1:])] for one in known["items"]]))


@click.command("close-month")
@click.argument("month")
@click.option("--at", help="Pretend that it is this instant (ISO 8601, with zone); for tests and demonstrations.")
@as_json
def close_month_command(month: str, at: str | None, json_: bool) -> None:
    """Close a month (YYYY-MM): person_month and its default plan, bought once. Closing again buys what was missing."""
    services = opened(at=at)
    emit(asking.close_month(services, asking.month_of(month, "month"), actor="cli"), json_)
