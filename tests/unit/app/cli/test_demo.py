"""The demonstration: every row accounted for as it was planned, those counted who were meant to be, gone on with after an end at any point."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import IO, Any

import pytest
import sqlalchemy as sa

from analytics.lake.reader import PERSON
from app.cli import demo_papers
from app.cli.demo_feed import VERDICTS
from app.cli.demo_state import ERASURES, NAME
from app.wiring import open_services
from ingestion.sources.synthetic import members, retailer
from ingestion.sources.synthetic.plan import Retailer
from privacy.vocabulary import STATISTICS
from tests.house import ROOT
from tests.unit.app.commands import run, told
from tests.unit.ingestion.sources.synthetic.test_journey import DATA, real

LINK = re.compile(r"http://\S+/start#\S+")


def kept(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / NAME).read_text(encoding="utf-8"))
    return found


def planned(state: dict[str, Any]) -> Retailer:
    last = date.fromisoformat(state["until"])
    number = last.year * 12 + last.month - state["months"]
    return Retailer(state["members"], date(number // 12, number % 12 + 1, 1), last)


def test_every_row_ends_as_it_was_planned(home: Path, said: str, tmp_path: Path) -> None:
    state = kept(home)
    made = demo_papers.with_shares(retailer.write(tmp_path, planned(state)))
    assert {one.name: asdict(one.expected) for one in made.files if one.expected} == {
        name: {verdict: told[verdict] for verdict in VERDICTS} for name, told in state["done"].items()
    }
    assert state["truth"] == made.truth
    assert "made = stored + duplicate + quarantined + refused" in said
    everything = [sum(one[column] for one in state["done"].values()) for column in ("made", *VERDICTS)]
    assert everything[0] == sum(everything[1:])
    assert re.search(r"all\D+" + r"\D+".join(f"{number:,}" for number in everything), said)


def test_those_are_counted_who_allow_it_and_nobody_else(home: Path) -> None:
    """Members who refuse or withdraw are left out, two records of one person are one, and nobody is a stranger."""
    shop = planned(kept(home))
    last = shop.last.year * 100 + shop.last.month
    with closing(open_services(home=home)) as services:
        with services.reader.open(STATISTICS, [last]) as view:
            people = view.run(view.people("person_month", (last,)).select(PERSON))
        with services.stores.read_vault() as tx:
            merges = tx.execute(sa.text("select count(*) from person_merge")).scalar_one()
    assert people.num_rows == len(set(people[PERSON].to_pylist())) == len(members.invent(shop).counted) == shop.allowing
    assert merges == members.joiners(shop, members.invent(shop))[1] > 0


def test_it_shows_the_facts_a_link_for_each_role_and_a_question(said: str) -> None:
    for words in ("women of 20 to 29", "students, of all members", "low-sugar drinks, of drinks sold", "0.750", "1.200", "epsilon"):
        assert words in said
    assert len(set(LINK.findall(said))) == 4
    for role in ("integrator", "marketer", "officer", "administrator"):
        assert re.search(rf"^  {role} +http", said, re.MULTILINE)
    assert "piying report store-month" in said


def test_nothing_was_bought_but_what_a_close_buys(home: Path) -> None:
    before = told(home, "budget")
    again = run(home, "demo", "--members", "40", "--months", "3", "--no-serve")
    assert again.code == 0, again.err
    assert "in already" in again.out
    assert len(set(LINK.findall(again.out))) == 4
    assert told(home, "budget") == before


def test_who_is_to_be_erased_stands_in_a_file_that_nobody_else_reads(home: Path) -> None:
    path = home / ERASURES
    head, *cards = path.read_text(encoding="utf-8").splitlines()
    assert head == "member_card"
    assert cards
    assert all(re.fullmatch(r"P\d{10}", card) for card in cards)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not (home / "demo").exists(), "the files themselves are gone"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--members", "41"), "demo_other"),
        (("--months", "4", "--members", "40"), "demo_other"),
        (("--until", "soon"), "bad_day"),
        (("--until", "2099-12-31"), "bad_day"),
        (("--until", "2026-05-30"), "bad_day"),
    ],
)
def test_what_it_cannot_do_it_says(home: Path, words: tuple[str, ...], code: str) -> None:
    answer = run(home, "demo", *words, "--no-serve")
    assert answer.code == 1
    assert f"({code})" in answer.err


def test_somebodys_own_home_is_left_alone(home: Path) -> None:
    (home / NAME).unlink()
    before = told(home, "source", "list")
    answer = run(home, "demo", "--no-serve")
    assert answer.code == 1
    assert "(demo_home_taken)" in answer.err
    assert told(home, "source", "list") == before


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = run(tmp_path / "home", "demo", "--port", str(taken.getsockname()[1]), environment={"PIYING_SERVER_PORT": "1"})
    assert answer.code == 1
    assert "(port_taken)" in answer.err
    assert not (tmp_path / "home").exists()


# ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def running(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """`piying demo` as a process."""
    command = [sys.executable, "-m", "app.cli", "demo", "--members", "40", "--months", "1", *words]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PIYING_HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield child, child.stdout
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def until(lines: IO[str], word: str) -> str:
    """What is printed until a word."""
    found = ""
    while word not in found:
        line = lines.readline()
        assert line, found
        found += line
    return found


@pytest.mark.slow
def test_it_sends_messages_over_sockets_and_its_server_stays_until_it_is_stopped(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running(tmp_path / "home", "--port", str(port)) as (child, lines):
        said = until(lines, "serving on")
        assert all(f":{port}/start#" in link for link in LINK.findall(said))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            assert json.load(answer) == {"ok": True}
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=120) == 130
    state = kept(tmp_path / "home")
    shop = planned(state)
    last = shop.last.year * 100 + shop.last.month
    with closing(open_services(home=tmp_path / "home")) as services, services.reader.open(STATISTICS, [last]) as view:
        assert view.run(view.people("person_month", (last,)).select(PERSON)).num_rows == shop.allowing, (
            "who withdrew by a message is left out"
        )
    assert {name: one["way"] for name, one in state["done"].items() if one["way"] != "file"} == {"live": "socket", "signals": "socket"}
    assert all(one["made"] == sum(one[verdict] for verdict in VERDICTS) for one in state["done"].values())
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


@pytest.mark.slow
def test_after_an_interruption_the_same_command_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "home", "--no-serve") as (child, lines):
        until(lines, "consents")
        child.send_signal(signal.SIGINT)
        said = lines.read()
        assert child.wait(timeout=120) == 130
    assert "goes on from here" in said
    assert not kept(tmp_path / "home")["complete"]
    again = run(tmp_path / "home", "demo", "--members", "40", "--months", "1", "--no-serve")
    assert again.code == 0, again.err
    state = kept(tmp_path / "home")
    assert state["complete"]
    shop = planned(state)
    with closing(open_services(home=tmp_path / "home")) as services:
        month = shop.last.year * 100 + shop.last.month
        with services.reader.open(STATISTICS, [month]) as view:
            held = view.run(view.people("order_lines", (month,)).select("line"))
    (tmp_path / "files").mkdir()
    made = demo_papers.with_shares(retailer.write(tmp_path / "files", shop))
    assert held.num_rows <= sum(one.expected.stored for one in made.files if one.expected and one.name in ("tills", "deliveries"))
    assert sum(one["made"] for one in state["done"].values()) == sum(one.rows for one in made.files)


@real
@pytest.mark.slow
def test_real_baskets_go_the_same_way(tmp_path: Path) -> None:
    words = ("--dataset", "complete-journey", "--folder", str(DATA), "--members", "40", "--months", "2", "--no-serve")
    answer = run(tmp_path / "home", "demo", *words)
    assert answer.code == 0, answer.err
    state = kept(tmp_path / "home")
    bought = state["done"]["transactions"]
    assert bought["stored"] > bought["refused"] > 0, "some households allow nothing"
    assert bought["quarantined"] == state["done"]["mailings"]["quarantined"] == 0
    assert all(one["made"] == sum(one[verdict] for verdict in VERDICTS) for one in state["done"].values())
    assert "people" in answer.out
    assert 'zone = "America/New_York"' in (tmp_path / "home" / "piying.toml").read_text(encoding="utf-8")
