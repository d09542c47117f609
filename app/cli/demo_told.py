"""What the demonstration says: a line a step, the books of every file, the six facts, where to go next.

Promise: plain lines where nobody watches; what is shown of people is a release, with its margin, beside what was planted.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from app.cli.demo_feed import VERDICTS
from app.cli.output import table

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

FACTS = {
    "women_20_30": "women of 20 to 29, of all members",
    "students": "students, of all members",
    "student_order": "a student's order, of an office worker's",
    "midweek": "visits Wed and Thu, of Sat and Sun's",
    "afternoon_delivery": "delivery 14-17 h, of the rest of the day's",
    "low_sugar": "low-sugar enquiries, of the month before's",
    "low_sugar_share": "low-sugar drinks, of drinks sold",
}


class Step:
    """One step under way."""

    def __init__(self, bar: Progress | None, task: TaskID | None) -> None:
        self._bar, self._task = bar, task
        self.said = ""

    def at(self, done: int, of: int) -> None:
        """How far it has come."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=of)


class Steps:
    """Says what is done, with what it took: seconds on the clock, and seconds of this process's work."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @contextmanager
    def step(self, name: str, *, quiet: bool = False) -> Iterator[Step]:
        """A step: a bar while it runs, if somebody watches and unless it is quiet, and a line when it is done."""
        clock, work = time.monotonic(), time.process_time()
        if sys.stdout.isatty() and not quiet:
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

            columns = (TextColumn(f"{name:<28}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
            with Progress(*columns, transient=True) as bar:
                step = Step(bar, bar.add_task(name, total=None))
                yield step
        else:
            step = Step(None, None)
            yield step
        took = f"{time.monotonic() - clock:6.1f} s {time.process_time() - work:6.1f} s of work"
        click.echo(f"{name:<28}{step.said:<24}{took}")

    def sum(self) -> None:
        """What everything took."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        spent = f"{time.process_time():.0f} s of work in this process"
        click.echo(f"all of it in {time.monotonic() - self._began:.0f} s ({spent}, {memory:,.0f} MiB at most)")


def show_books(done: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What became of every row; the files whose rows do not add up."""
    rows = [[name, one["way"], one["made"], *(one[verdict] for verdict in VERDICTS)] for name, one in done.items()]
    sums = [sum(one[column] for one in done.values()) for column in ("made", *VERDICTS)]
    click.echo()
    table(
        ("rows of", "by", "made", *VERDICTS),
        [*rows, ["all", "", *sums]],
        title="Every row: made = stored + duplicate + quarantined + refused",
    )
    return [name for name, one in done.items() if one["made"] != sum(one[verdict] for verdict in VERDICTS)]


def show_facts(truth: Mapping[str, float], read: Mapping[str, Any], epsilon: float) -> None:
    """The planted facts beside what was released of them."""
    known = {row["fact"]: row for row in read["rows"]}
    rows = [[words, f"{truth[name]:.3f}", *_released(known.get(name))] for name, words in FACTS.items()]
    click.echo()
    table(("planted", "truth", "released", "95 % between"), rows, title="Six facts, read for nothing from the cubes of the closed months")
    click.echo(f"each month's close cost epsilon {epsilon:.2f}, once; what is read from its cubes afterwards costs nothing more")


def _released(one: Mapping[str, Any] | None) -> tuple[str, str]:
    return ("too few to tell", "") if one is None else (f"{one['value']:.3f}", f"{one['low']:.3f} – {one['high']:.3f}")


def show_overview(read: Mapping[str, Any]) -> None:
    """The released totals of the closed months."""
    rows = [[str(one["month"]), one["measure"], f"{one['value']:,.0f}", f"{one['low']:,.0f} – {one['high']:,.0f}"] for one in read["rows"]]
    click.echo()
    table(("month", "what", "released", "95 % between"), rows, title="Read for nothing from the cubes of the closed months")


def show_links(links: Mapping[str, str]) -> None:
    """A link for each role."""
    click.echo()
    click.echo("Sign in, a link for each role; each works once:")
    for role, link in links.items():
        click.echo(f"  {role:<14}{link}")


def show_question() -> None:
    """One question to try."""
    click.echo()
    click.echo("A question to try, as a marketer or here; --quote tells its price first:")
    click.echo("  piying report store-month --by channel --where 'channel=pos|delivery' --quote")
