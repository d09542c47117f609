"""Every command: loads, helps, speaks JSON, ends with the right code, and never takes a person's identifier as an argument."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import pytest

from app.cli import COMMANDS, demo_told, output, piying
from app.wiring.doors import utc_now
from privacy.errors import Invalid
from tests.house import ROOT
from tests.unit.app.commands import PHONE, WHY, run, told

HEAVY = ("pandas", "pyarrow", "sqlalchemy", "flask", "ibis", "duckdb", "opendp", "numpy", "cryptography", "rich", "granian", "pyiceberg")
ENDLESS = {"serve", "worker", "demo"}
"""Commands that run on or show: they have no result to print as JSON."""
FILES = {("receipt", "show"), ("receipt", "keys")}
"""What these print is JSON by its nature: a file for somebody else."""


def leaves(name: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command, or those of its group and of the groups in it."""
    command = piying.get_command(click.Context(piying), name)
    assert command is not None
    yield from inside((name,), command)


def inside(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from inside((*words, inner), one)
    else:
        yield words, command


EVERY = [(words, command) for name in COMMANDS for words, command in leaves(name)]
every = pytest.mark.parametrize(("words", "command"), EVERY, ids=[" ".join(words) for words, _ in EVERY])


# ── every command ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@every
def test_a_command_helps(words: tuple[str, ...], command: click.Command) -> None:
    answer = run(None, *words, "--help")
    assert answer.code == 0
    assert f"Usage: piying {' '.join(words)}" in answer.out
    assert command.help
    assert answer.err == ""


@every
def test_a_command_speaks_json(words: tuple[str, ...], command: click.Command) -> None:
    names = {option for one in command.params for option in one.opts}
    assert ("--json" in names) == (words[0] not in ENDLESS and words not in FILES)


@every
def test_no_command_takes_an_identifier_of_a_person_as_an_argument(words: tuple[str, ...], command: click.Command) -> None:
    """The address of staff that signs in is no customer's identifier; a handle and a reference are none either."""
    taken = {one.name for one in command.params}
    assert not taken & {"identifier", "value", "phone", "mobile", "card", "openid", "customer", "person", "subject"}
    arguments = {one.name for one in command.params if isinstance(one, click.Argument)}
    assert "email" not in taken or words[0] in ("user", "budget", "export")
    assert arguments <= {
        *(
            "email",
            "name",
            "source",
            "source_id",
            "key_id",
            "import_id",
            "file",
            "kind",
            "month",
            "handle",
            "ref",
            "merge",
            "proposal",
            "what",
            "number",
            "pack",
            "case",
            "team",
            "erasure",
            "act",
            "folder",
            "percent",
            "segment",
            "audience",
            "recipient",
            "export",
            "delivery",
            "reason",
        )
    }


@every
def test_wrong_usage_is_2(words: tuple[str, ...], command: click.Command) -> None:
    answer = run(None, *words, "--no-such-option")
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: piying" in answer.err


def test_an_unknown_command_is_wrong_usage() -> None:
    assert run(None, "horoscope").code == 2


def test_help_lists_every_command_with_its_line() -> None:
    answer = run(None, "--help")
    assert answer.code == 0
    for name, (_, text) in COMMANDS.items():
        assert name in answer.out
        assert text.split(",")[0].rstrip(".") in " ".join(answer.out.split())


def test_the_line_of_a_command_is_the_one_it_helps_with() -> None:
    """The list says what the command's own help says, so that the two cannot part."""
    for name, (_, text) in COMMANDS.items():
        command = piying.get_command(click.Context(piying), name)
        if isinstance(command, click.Group):
            assert (command.help or "").splitlines()[0] == text


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom app.cli import piying\n"
        f"try:\n    piying({words!r}, prog_name='piying')\nexcept SystemExit as ended:\n    assert not ended.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "piying" in answer.stdout.lower()
    assert answer.stderr.strip() == "[]"


def test_the_module_is_the_program() -> None:
    answer = subprocess.run([sys.executable, "-m", "app.cli", "nothing"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.returncode == 2
    assert "Usage: piying" in answer.stderr


# ── a home is made ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_init_twice_is_safe(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = told(home, "init")
    keys = (home / "keys" / "keyring.json").read_bytes()
    users = told(home, "user", "list")
    again = told(home, "init")
    assert first["home"] == again["home"] == str(home)
    assert first["link"].startswith("http://")
    assert again["link"] is None
    assert (home / "keys" / "keyring.json").read_bytes() == keys
    assert told(home, "user", "list") == users
    assert told(home, "doctor")["ok"]
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_without_a_home_every_command_names_init(tmp_path: Path) -> None:
    for words in (["doctor"], ["budget"], ["serve", "--no-worker"], ["source", "list"]):
        answer = run(tmp_path / "none", *words)
        assert answer.code == 1
        assert "piying init" in answer.err
        assert answer.out == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("store", ["vault", "platform"])
def test_serve_refuses_a_schema_that_is_not_its_own_and_names_the_command(store: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    told(home, "init")
    for path in home.glob(f"{store}.db*"):
        path.unlink()
    answer = run(home, "serve", "--no-worker", "--port", "0")
    assert answer.code == 1
    assert "piying init" in answer.err
    assert "schema_not_current" in answer.err


def test_an_unknown_setting_stops_every_command(home: Path) -> None:
    answer = run(home, "budget", "--json", environment={"PIYING_LIMITS_HOPE": "1"})
    assert answer.code == 1
    assert set(answer.error) == {"code", "message"}


# ── results and errors ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["doctor"], {"ok", "checks"}),
        (["user", "list"], {"items"}),
        (["source", "list"], {"items"}),
        (["flush"], {"batches", "rows", "snapshot"}),
        (["quarantine", "list"], {"items"}),
        (["budget"], {"items", "delta", "epsilon"}),
        (["audit", "verify"], {"ok", "size", "root", "first_bad"}),
        (["audit", "checkpoint"], {"checkpoint"}),
        (["dictionary"], {"items"}),
        (["inventory"], {"items"}),
        (["register"], {"activities", "sources", "recipients", "retention", "stores"}),
        (["pack", "take"], {"pack", "size", "at"}),
        (["keys", "list"], {"items"}),
        (["keys", "rotate", "index"], {"kind", "version"}),
        (["report", "rfm", "--quote"], {"cost"}),
        (
            ["report", "store-month"],
            {"kind", "release", "question", "window", "rows", "hidden_share", "months", "cost", "budget", "cached"},
        ),
        (["user", "add", "ada@example.com", "--role", "officer"], {"user", "link"}),
        (["user", "token", "administrator@localhost"], {"user", "token"}),
        (["source", "add", "web", "--kind", "segment"], {"source", "kind", "write_key"}),
        (["quarantine", "replay", "--source", "demo-erp"], {"replayed", "stored", "duplicate", "quarantined", "refused", "reasons"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_ends_well_prints_one_object_and_in_words_no_less(words: list[str], keys: set[str], home: Path) -> None:
    assert keys <= set(told(home, *words))
    answer = run(home, *(["source", "add", "app", "--kind", "segment"] if words[:2] == ["source", "add"] else words))
    if words[:2] != ["user", "add"]:
        assert answer.code == 0, answer.err
        assert answer.out.strip() or words in (["quarantine", "list"],)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report", "horoscope"], "unknown_report"),
        (["report", "rfm", "--from", "May"], "bad_month"),
        (["report", "rfm", "--to", "2026-05"], "bad_month"),
        (["close-month", "2026-13"], "bad_month"),
        (["close-month", "2026-05", "--at", "soon"], "bad_instant"),
        (["close-month", "2099-01"], "period_open"),
        (["source", "rotate", "src_unknown"], "source_not_found"),
        (["user", "token", "nobody@example.com"], "account_unknown"),
        (["user", "add", "administrator@localhost", "--role", "officer"], "account_exists"),
        (["import", "none.csv", "--source", "demo-crm", "--mapping", "none.toml"], "file_unknown"),
        (["subject", "reveal", "no-handle", "ref", *WHY], "person_unknown"),
        (["keys", "rotate", "horoscope"], "key_not_rotatable"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_is_an_object_on_stderr_and_exit_1(words: list[str], code: str, home: Path) -> None:
    answer = run(home, *words, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert set(answer.error) == {"code", "message"}
    assert answer.error["code"] == code
    plain = run(home, *words)
    assert (plain.code, plain.out) == (1, "")
    *bar, line = plain.err.strip().splitlines()
    assert not bar or words[0] == "import", "progress stands on stderr, too"
    assert line == f"piying: {answer.error['message']} ({answer.error['code']})"


def _only(command: click.Command) -> click.Group:
    """A group of the same kind with one command."""

    class One(type(piying)):  # type: ignore[misc]
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return command

    return One("piying")


def test_what_nobody_foresaw_names_its_place_and_quotes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command("fails", context_settings={"ignore_unknown_options": True})
    @click.argument("words", nargs=-1)
    def fails(words: tuple[str, ...]) -> None:
        raise KeyError(PHONE)

    with pytest.raises(SystemExit) as ended:
        _only(fails).main(["fails", "--json"], prog_name="piying")
    told_ = json.loads(capsys.readouterr().err)
    assert ended.value.code == 1
    assert told_["code"] == "internal"
    assert "KeyError at app/cli/test_commands.py" in told_["message"]
    assert PHONE not in told_["message"]


def test_a_result_without_json_is_named_lines(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"a": 1, "b": "二"}, False)
    output.emit({"a": 1, "b": "二"}, True)
    assert capsys.readouterr().out == 'a: 1\nb: 二\n{"a": 1, "b": "二"}\n'


# ── months and numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def this_month() -> tuple[str, str]:
    """The running month, and an instant at which it is closed by the calendar."""
    today: datetime = utc_now()
    number = today.year * 12 + today.month
    return f"{today:%Y-%m}", f"{number // 12:04d}-{number % 12 + 1:02d}-09T00:00:00+08:00"


def test_a_month_closes_at_the_instant_that_is_told_and_not_before(home: Path) -> None:
    month, later = this_month()
    assert run(home, "close-month", month, "--json").error["code"] == "period_open"
    assert told(home, "close-month", month, "--at", later)["closed"]
    assert told(home, "close-month", month, "--at", later)["already"]
    assert run(home, "close-month", month, "--at", later[:-6], "--json").error["code"] == "bad_instant"


def test_a_report_repeats_for_nothing(home: Path) -> None:
    told(home, "report", "store-month")
    before = told(home, "budget")
    document = told(home, "report", "store-month")
    assert document["cached"]
    assert told(home, "budget") == before
    shown = run(home, "report", "store-month")
    assert "repeated, free" in shown.out


def test_names_in_two_languages_are_shown_in_one(home: Path) -> None:
    shown = run(home, "report", "rfm").out
    assert "{'en'" not in shown


# ── files and the demonstration ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_imported_once(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("id,name,region,tier\nS90,新店,east,tier1\n", encoding="utf-8")
    words = ("import", str(file), "--source", "demo-erp", "--mapping", str(ROOT / "ingestion/sources/mappings/retail_stores.toml"))
    first, again = told(home, *words), told(home, *words)
    assert (first["stored"], again["stored"], again["duplicate"]) == (1, 0, 1)
    assert run(home, *words).code == 0
    assert told(home, "flush")["rows"] == 1


def test_a_calendar_is_filled_once(home: Path) -> None:
    words = ("calendar", "--country", "US", "--subdivision", "CA", "--year", "2027", "--source", "demo-erp")
    assert told(home, *words) == {"received": 365, "stored": 365, "duplicate": 0}
    assert told(home, *words, "--to", "2028") == {"received": 731, "stored": 366, "duplicate": 365}
    told(home, "flush")
    assert run(home, "calendar", "--country", "XX", "--year", "2027", "--source", "demo-erp").code == 1


def test_the_demonstration_showed_the_facts_and_a_link_for_each_role(said: str) -> None:
    for fact in demo_told.FACTS.values():
        assert fact.partition(",")[0] in said  # a narrow terminal breaks the line after it
    assert said.count("/start#") == 4


def test_shares_of_teams_are_proposed_on_the_command_line_and_confirmed_by_nobody_there(home: Path) -> None:
    assert told(home, "budget", "share", "north", "40") == {"share": 1}
    known = told(home, "budget", "teams")
    assert [(one["team"], one["permille"]) for one in known["waiting"]] == [("north", 400)]
    assert known["items"] == [], "a share counts when an officer confirmed it"
    assert run(home, "budget", "share", "north", "400").code == 1
    assert run(home, "budget", "confirm", "1").code == 2
    assert run(home, "budget", "member", "nobody@example.com", "north").code == 1


def test_the_worker_does_what_is_due_and_stops(home: Path) -> None:
    assert run(home, "worker", "--once").code == 0


def test_a_category_is_written_with_its_purpose(home: Path) -> None:
    answer = run(home, "source", "add", "web", "--kind", "segment", "--category", "marketing")
    assert answer.code == 2
    made = told(home, "source", "add", "web", "--kind", "segment", "--category", "C4=marketing.profiling")
    assert made["name"] == "web"


def test_a_member_of_the_family_is_an_error_wherever_it_is_raised() -> None:
    @click.command("fails")
    def fails() -> None:
        raise Invalid("a rule", code="some_rule")

    with pytest.raises(SystemExit) as ended:
        _only(fails).main(["fails"], prog_name="piying")
    assert ended.value.code == 1
