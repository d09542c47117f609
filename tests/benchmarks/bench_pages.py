"""Server time of every page of the console on a house of moderate size: the demonstration with fewer members, its months closed.

Run: python -m tests.benchmarks.bench_pages [members] [months]. Each page is asked in this process, without a socket and a browser, by the role
that opens it; what is printed is the median and the slowest of its rounds after one to warm up, and N as run. Aim: a median of at most 150 ms.
"""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app import acts, cases, published
from app.settings import load
from privacy.errors import PiyingError
from tests.browser.pages import PAGES, Page
from tests.house import ROOT, Browser, House, open_house

ROUNDS = 11


def furnish(home: Path, members: int, months: int) -> None:
    """The demonstration, without its server."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
    words = ("demo", "--members", str(members), "--months", str(months), "--no-serve")
    command = [sys.executable, "-m", "app.cli", *words]
    subprocess.run(command, env={**clean, "PIYING_HOME": str(home)}, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def things(house: House, officer: str) -> dict[str, str]:
    """What the addresses of pages name, as far as this house has it."""
    found = {"source": str(acts.list_sources(house.services)[0]["source"]), "account": officer}
    stored = published.releases(house.services, {}, me=officer, limit=1)["rows"]
    card = (house.home / "demo-erase.csv").read_text(encoding="utf-8").split()[1]
    with contextlib.suppress(PiyingError):
        found["case"] = str(cases.open_(house.services, "member_card", card, purpose="data_quality", reason="bench", actor=officer)["case"])
    return found | {"release": str(stored[0]["id"])} if stored else found


def seconds(browser: Browser, address: str) -> tuple[int, list[float]]:
    """The status and the seconds of each round."""
    taken, status = [], 0
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        with browser.get(address) as answer:
            answer.get_data()
            status = answer.status_code
        taken.append(time.perf_counter() - began)
    return status, taken[1:]


@contextlib.contextmanager
def demonstration(members: int, months: int) -> Iterator[tuple[House, dict[str, Browser], dict[str, str]]]:
    """The house with its closed months, a signed-in browser a role, and what its addresses name."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="piying-bench-") as folder:
        home = Path(folder) / "home"
        furnish(home, members, months)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):  # one line a request
            house = open_house(load(home, {}), {})
            house.clock.now = datetime.now(UTC)
            roles = {role: house.browser(role) for role in ("officer", "integrator", "marketer", "administrator")}
            yield house, roles, things(house, roles["officer"].account)
            house.close()


def addressed(known: dict[str, str]) -> Iterator[tuple[Page, str | None]]:
    """Every page with its address, or None where the house has not what the address names."""
    for page in PAGES:
        try:
            yield page, page.address.format(**known)
        except KeyError:
            yield page, None


def main(members: int = 10_000, months: int = 3) -> None:
    medians, skipped = {}, []
    with demonstration(members, months) as (house, roles, known):
        for page, address in addressed(known):
            if address is None:
                skipped.append(page.address)
                continue
            status, taken = seconds(roles[page.role] if page.role else house.browser(), address)
            shown = page.address.split("?")[0]
            medians[f"{page.role or 'nobody':<14}{shown}  {status}"] = (statistics.median(taken), max(taken))
    print(f"pages: N = {members:,} members, {months} months, {len(medians)} pages, {ROUNDS} rounds each")
    for name, (median, worst) in sorted(medians.items(), key=lambda one: -one[1][0]):
        print(f"pages: {median * 1000:7.0f} ms median {worst * 1000:7.0f} ms at most  {name}")
    over, middle = sum(median > 0.150 for median, _ in medians.values()), statistics.median(median for median, _ in medians.values())
    print(f"pages: median of medians {middle * 1000:.0f} ms; {over} of {len(medians)} over 150 ms; left out: {skipped}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
