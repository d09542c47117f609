"""How commands print: one JSON object on stdout with --json, a few plain lines otherwise.

Promise: with --json nothing else is printed on stdout; progress goes to stderr.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

as_json = click.option("--json", "json_", is_flag=True, help="Print one JSON object on stdout.")


def emit(result: Mapping[str, Any], json_: bool, plain: Callable[[], None] | None = None) -> None:
    """Prints a result: as JSON, else by `plain`, else as `name: value` lines."""
    if json_:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
    elif plain is not None:
        plain()
    else:
        for name, value in result.items():
            click.echo(f"{name}: {value}")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """A table for the terminal; numbers to the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], (int, float)) for row in rows)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    Console().print(shown)
