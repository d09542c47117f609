"""`piying demo`: an empty home becomes a small invented retailer, or a real one with invented people; then the server stays.

Promise: everything goes the way that anybody's data goes: files, sockets, mappings, the pipeline, the lake, the months' close. Every row is
accounted for. Whoever interrupts it goes on by the same command. Nobody in it exists.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import accounts, acts, asking, cubes, intake
from app.cli import demo_feed, demo_papers, demo_state, demo_told
from app.cli.demo_server import Processes, check_free
from app.cli.demo_state import State
from app.cli.opening import opened
from privacy.errors import Conflict, Invalid

if TYPE_CHECKING:
    from app.wiring import Services
    from ingestion.sources.synthetic.files import File, Made

RETAILER, JOURNEY = "retailer", "complete-journey"
ACTOR = "demo"
ROLES = ("integrator", "marketer", "officer", "administrator")
APP = "demo-app"
"""The source whose messages come over sockets."""
AMERICAN = 'zone = "America/New_York"\ncurrency = "USD"\n'
"""Settings under which the real data's days and amounts mean what they meant."""
CONTROLLER = '[controller]\nname = "Lantern Tea (invented) 灯影茶"\ncontact = "privacy@lantern-tea.example"\n'
"""Who answers for the data: receipts name them."""


@click.command("demo")
@click.option("--members", type=click.IntRange(40), help="How many members to invent, or households to take; default: 50000, or all.")
@click.option("--months", type=click.IntRange(1, 18), default=12, show_default=True, help="How many whole months.")
@click.option("--until", help="Last day, YYYY-MM-DD: the end of a month that is closed; default: the last one that is.")
@click.option("--dataset", type=click.Choice([RETAILER, JOURNEY]), default=RETAILER, show_default=True, help="Whose data.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the Parquet files of complete-journey are; default: its package.")
@click.option("--port", type=int, help="Where to serve; default: server.port of the settings.")
@click.option("--no-serve", is_flag=True, help="Start no server: messages come as files, too, and the command ends.")
def demo_command(
    members: int | None, months: int, until: str | None, dataset: str, folder: Path | None, port: int | None, no_serve: bool
) -> None:
    """Fill an empty home with invented retail data, close its months, read six facts, serve."""
    from app.settings import home_folder, load

    home = home_folder().resolve()
    if port is not None:
        os.environ["PIYING_SERVER_PORT"] = str(port)  # the links and the children must name the same
    if not no_serve:
        server = load(home).server
        check_free(server.host, server.port)
    services = _home(home, dataset)
    wanted = State(dataset, members or (50_000 if dataset == RETAILER else 0), _until(services, until).isoformat(), months)
    if not (home / demo_state.NAME).exists() and acts.list_sources(services):
        raise Conflict(f"{home} holds data that are no demonstration's: name an empty folder with PIYING_HOME", code="demo_home_taken")
    state = demo_state.load(home, wanted)
    processes = None if no_serve else _processes(services)
    try:
        run = Run(services, home, state, processes, folder)
        run.fill()
        run.close()
        run.show()
        if processes is not None:
            _stay(services, processes)
    except KeyboardInterrupt:
        click.echo(f"\nstopped; the same command goes on from here. To start over, delete {home}")
        raise SystemExit(130) from None
    finally:
        if processes is not None:
            processes.stop()


def _home(home: Path, dataset: str) -> Services:
    """The services of a home, which is made where there is none."""
    from app.cli.home import initialise
    from app.settings import FILE_NAME

    if not home.exists():
        home.mkdir(mode=0o700, parents=True)
        (home / FILE_NAME).write_text((AMERICAN if dataset == JOURNEY else "") + CONTROLLER, encoding="utf-8")
    initialise()
    click.echo(f"home: {home}")
    return opened()


def _processes(services: Services) -> Processes:
    server = services.settings.server
    processes = Processes(server.host, server.port)
    processes.serve()
    return processes


def _stay(services: Services, processes: Processes) -> None:
    """Serves until somebody ends it."""
    processes.start("worker")
    click.echo(f"\nserving on {services.base_url} until you press Ctrl-C; later: piying serve")
    services.close()
    processes.stay()


class Run:
    """One run of the command: goes on where the state says."""

    def __init__(self, services: Services, home: Path, state: State, processes: Processes | None, folder: Path | None) -> None:
        self.services, self.home, self.state, self.processes, self.folder = services, home, state, processes, folder
        self.steps = demo_told.Steps()
        self._stopping = False

    # ── data ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def fill(self) -> None:
        """Makes the files, takes them in and moves them into the lake."""
        if self.state.taken:
            click.echo("the data are in already")
            return
        work = self.home / "demo"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        with self.steps.step("inventing") as step:
            made = self._made(work)
            step.said = f"{sum(one.rows for one in made.files):,} rows"
        demo_papers.write(self.services, self.home)
        self.state.truth = dict(made.truth)
        if made.erasures:
            demo_state.note_erasures(self.home, made.erasures)
        self.state.save(self.home)
        self._take_all(made)
        shutil.rmtree(work)
        wrong = demo_told.show_books(self.state.done)
        if wrong:
            raise Conflict(f"rows of {', '.join(wrong)} are not accounted for", code="demo_unaccounted")
        self.state.taken = True
        self.state.save(self.home)
        click.echo()

    def _made(self, work: Path) -> Made:
        last = date.fromisoformat(self.state.until)
        if self.state.dataset == JOURNEY:
            return self.services.journey(work, self.folder, last=last, households=self.state.members or None)
        made = self.services.synthetic(work, members=self.state.members, first=months_back(last, self.state.months - 1), last=last)
        return demo_papers.with_shares(made)

    def _take_all(self, made: Made) -> None:
        """Every file in its turn. Messages go over their socket beside the files that follow them; a later file of messages waits for that."""
        sent: dict[str, Future[dict[str, Any]]] = {}
        with ThreadPoolExecutor(1, "messages") as beside:
            try:
                for file in made.files:
                    if file.name in self.state.done:
                        continue
                    if file.live and self.processes is not None:
                        sent[file.name] = beside.submit(self._sent, file, made.namespace)
                    else:
                        self._note(file.name, self._imported(file, made.namespace))
                for name, told in sent.items():
                    self._note(name, told.result())
            except BaseException:  # an interruption, too: the messages under way end first, and what it was goes on
                self._stopping = True
                raise
        self.state.done = {file.name: self.state.done[file.name] for file in made.files}

    def _note(self, name: str, told: dict[str, Any]) -> None:
        self.state.done[name] = told
        self.state.save(self.home)

    def _imported(self, file: File, namespace: str) -> dict[str, Any]:
        if file.source not in {one["name"] for one in acts.list_sources(self.services)}:
            acts.add_source(self.services, actor=ACTOR, name=file.source, kind="file", namespace=namespace)
        mapping = Path(str(files("ingestion.sources") / "mappings" / f"{file.mapping}.toml"))
        with self.steps.step(file.name) as step:
            step.said = f"{file.rows:,} rows"
            told = intake.import_file(
                self.services, file.path, source_name=file.source, mapping_path=mapping, actor=ACTOR, progress=step.at
            )
        return _books(file, file.source, "file", told)

    def _sent(self, file: File, namespace: str) -> dict[str, Any]:
        """Messages over the socket, beside everything else; no bar of their own, for there is one already."""
        assert self.processes is not None
        key = self._key(APP, namespace)
        self.processes.wait_until_ready()
        server = self.services.settings.server
        with self.steps.step(file.name, quiet=True) as step:
            step.said = f"{file.rows:,} rows by socket"
            told = demo_feed.send(server.host, server.port, key, file.path, stopping=lambda: self._stopping)
        return _books(file, APP, "socket", told)

    def _key(self, source: str, namespace: str) -> str:
        """The write key of the mini-program's source; a new one where it was made before, for keys are shown once."""
        known = {one["name"]: one["source"] for one in acts.list_sources(self.services)}
        if source in known:
            return str(acts.rotate_source(self.services, known[source], actor=ACTOR, overlap=timedelta())["write_key"])
        categories = {"statistics": "analytics.statistics"}
        made = acts.add_source(self.services, actor=ACTOR, name=source, kind="mini_program", namespace=namespace, categories=categories)
        return str(made["write_key"])

    # ── months and facts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Moves what waits into the lake and closes the months."""
        if self.state.complete:
            return
        with self.steps.step("into the lake") as step:
            step.said = f"{intake.flush(self.services)['rows']:,} rows"
        last = date.fromisoformat(self.state.until)
        months = [months_back(last, back) for back in range(self.state.months - 1, -1, -1)]
        with self.steps.step("closing months") as step:
            for done, month in enumerate(months):
                step.at(done, len(months))
                asking.close_month(self.services, month.year * 100 + month.month, actor=ACTOR)
            step.said = f"{len(months)} months"
        self.state.complete = True
        self.state.save(self.home)
        self.steps.sum()

    def show(self) -> None:
        """The facts, and where to go next."""
        if self.state.truth:
            spent = max(month["epsilon_spent"] for month in asking.budget(self.services)["items"])
            demo_told.show_facts(self.state.truth, cubes.facts(self.services), spent)
        else:
            demo_told.show_overview(cubes.overview(self.services))
        demo_told.show_links(self._links())
        demo_told.show_question()

    def _links(self) -> dict[str, str]:
        """A one-time link for each role: a new account, or another link for one that nobody signed in to yet."""
        known = {str(one["email"]): one for one in accounts.everybody(self.services)}
        links = {}
        for role in ROLES:
            email = f"{role}@localhost"
            one = known.get(email)
            if one is None:
                links[role] = str(acts.add_user(self.services, email, role, actor=ACTOR)["link"])
            elif one["signed_in_at"] is None:
                links[role] = str(accounts.new_link(self.services, str(one["user"]), actor=ACTOR)["link"])
            else:
                links[role] = f"{email} has signed in already"
        return links


def _books(file: File, source: str, way: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a file's rows."""
    return {"source": source, "way": way, "made": file.rows} | {verdict: told[verdict] for verdict in demo_feed.VERDICTS}


def _until(services: Services, said: str | None) -> date:
    """The last day of the last month: what was said, if that month is closed by the calendar."""
    month = services.last_closed_month()
    closed = months_back(date(month // 100, month % 100, 1), -1) - timedelta(days=1)
    try:
        last = closed if said is None else date.fromisoformat(said)
    except ValueError:
        raise Invalid("a day is written YYYY-MM-DD", code="bad_day", field="until") from None
    if last > closed or (last + timedelta(days=1)).day != 1:
        raise Invalid(f"the last day is the end of a month, and that month is closed: {closed} or earlier", code="bad_day", field="until")
    return last


def months_back(day: date, months: int) -> date:
    """The first day of the month so many months before a day's month."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
