"""The command line: a list of names, each loaded only when it is called, so that `piying --help` answers at once.

Promise: exit 0 done, 1 refused or failed with one clear line, 2 wrong usage. No command takes a person's identifier as an argument, and
no failure prints a value: of what nobody foresaw it names the type and the place.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("app.cli.setup", "Make keys, stores and the first administrator's link."),
    "doctor": ("app.cli.setup", "Check keys, stores, log, lake and settings."),
    "user": ("app.cli.accounts", "Add accounts, list them, make tokens."),
    "source": ("app.cli.sources", "Add, list, rotate and disable sources."),
    "serve": ("app.cli.serve", "Serve the endpoints and the API."),
    "worker": ("app.cli.serve", "Do queued and scheduled work."),
    "import": ("app.cli.files", "Import a file by a mapping."),
    "calendar": ("app.cli.calendars", "Fill the calendar with holidays and working days."),
    "pull": ("app.cli.pulls", "Read databases, streams and watched folders."),
    "flush": ("app.cli.files", "Move what was admitted into the lake."),
    "quality": ("app.cli.quality", "Show how complete, valid and fresh a source's data is."),
    "quarantine": ("app.cli.files", "List and replay items whose form failed."),
    "close-month": ("app.cli.numbers", "Close a month: person_month and its releases."),
    "report": ("app.cli.numbers", "Ask for a protected report."),
    "audience": ("app.cli.segments", "Say what a segment means, write segments down, buy their size, keep audiences of them."),
    "export": ("app.cli.exports", "Ask for lists of people, decide about them, release, take, call back and trace them."),
    "cubes": ("app.cli.cubes", "Read what was released of closed months, for nothing."),
    "diagnose": ("app.cli.cubes", "Tell what stands out in the closed months, for nothing."),
    "budget": ("app.cli.numbers", "Show every month's privacy budget, and teams' shares of the questions."),
    "consent": ("app.cli.people", "Record, show and import consent."),
    "receipt": ("app.cli.receipts", "Show and verify signed receipts of consent, print the keys that verify them."),
    "subject": ("app.cli.erasures", "Find a person by an identifier read from stdin, see why links hold, undo and propose merges."),
    "audit": ("app.cli.audit", "Verify the access log, make checkpoints and bundles, work with witnesses."),
    "controls": ("app.cli.accountability", "Ask every control of the law about this house."),
    "register": ("app.cli.accountability", "Show the register of processing."),
    "pack": ("app.cli.accountability", "Take, write and check audit packs."),
    "dictionary": ("app.cli.facts", "Show the data dictionary."),
    "inventory": ("app.cli.facts", "List where data about people is."),
    "keys": ("app.cli.setup", "List key versions and rotate them."),
    "backup": ("app.cli.copies", "Copy stores and lake, and the keys apart."),
    "restore": ("app.cli.copies", "Put a backup back, without those who were erased since."),
    "retention": ("app.cli.copies", "End what is over its time, or show what will end next."),
    "demo": ("app.cli.demo", "Fill an empty home with invented retail data, close its months, read six facts, serve."),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called, and the one place where an error becomes a line and an exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        try:
            return super().main(words, *more, **options)
        except Exception as error:  # the outermost place: any error becomes one line and an exit code, never a traceback
            sys.exit(_told(error, json_="--json" in words))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="piying")
def piying() -> None:
    """Piying: a customer data platform in which marketing follows the story and never holds a person."""


def _told(error: Exception, *, json_: bool) -> int:
    """Prints an error on stderr; the text of one that is not of the family may quote a value and stays unsaid."""
    from privacy.errors import PiyingError

    if isinstance(error, PiyingError):
        code, message = error.code, error.message
    else:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = "/".join(last.filename.replace("\\", "/").split("/")[-3:])
        code, message = "internal", f"something failed that nobody foresaw: {type(error).__name__} at {place}:{last.lineno}"
    click.echo(json.dumps({"code": code, "message": message}, ensure_ascii=False) if json_ else f"piying: {message} ({code})", err=True)
    return 1


def main() -> None:
    """Runs the command."""
    piying(prog_name="piying")
