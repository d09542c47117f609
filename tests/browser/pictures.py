"""`make pictures`: a small demonstration in an empty folder, entered by its own links, photographed for the README.

Promise: everybody in it is invented; its seed and its days are fixed, its noise is drawn anew. A picture that came out larger than it may be
stops the command. Run: python -m tests.browser.pictures [folder].
"""

from __future__ import annotations

import csv
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests import chromium
from tests.house import ROOT

FOLDER = ROOT / "docs" / "pictures"
DEMONSTRATION = ("--members", "8000", "--months", "4", "--until", "2026-10-31")
PASSWORD = "a password for pictures alone"
LARGEST = 200_000
"""Bytes of one picture."""
WIDE, NARROW = (1280, 800), (390, 780)


@dataclass(frozen=True, slots=True)
class Shown:
    """A running demonstration: its address, its links by role, its home."""

    address: str
    links: dict[str, str]
    home: Path


Way = Callable[[Page, Shown], None]
QUESTION = "/reports/new/store_month?by=channel&w.channel=pos|delivery"


@dataclass(frozen=True, slots=True)
class Picture:
    """Who looks, the way there, and how it is shown."""

    name: str
    role: str
    way: Way
    language: str = "en"
    theme: str = "light"
    size: tuple[int, int] = WIDE


# ── ways ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def to(path: str, *, scroll: str = "") -> Way:
    """A page by its address; scrolled to something, if that is named."""

    def go(tab: Page, shown: Shown) -> None:
        tab.goto(path)
        if scroll:
            tab.locator(scroll).first.evaluate("one => one.scrollIntoView({ block: 'start' })")

    return go


def clicked(path: str, *links: str) -> Way:
    """A page and then the first of each of these links."""

    def go(tab: Page, shown: Shown) -> None:
        tab.goto(path)
        for link in links:
            tab.locator(link).first.click()
            tab.wait_for_load_state()

    return go


def answered(tab: Page, shown: Shown) -> None:
    """A question by channel: its price, paid, its answer; asked again, the stored answer."""
    tab.goto(QUESTION)
    tab.locator("section form[method=post] button").click()
    tab.wait_for_url("**/releases/rel_*", timeout=120_000)
    tab.wait_for_load_state("networkidle")


def looked_up(tab: Page, shown: Shown) -> None:
    """One of those whom the demonstration lists for erasure, by card number."""
    with (shown.home / "demo-erase.csv").open(encoding="utf-8") as listed:
        card = next(csv.DictReader(listed))["member_card"]
    tab.goto("/people")
    tab.select_option("[name=type]", "member_card")
    tab.fill("[name=value]", card)
    tab.select_option("[name=purpose]", "rights_request")
    tab.fill("[name=reason]", "asks what is held about them")
    tab.locator("main form button[type=submit]").first.click()
    tab.wait_for_url("**/people/*")


PICTURES = (
    Picture("marketer-overview", "marketer", to("/")),
    Picture("report-price", "marketer", to(QUESTION)),
    Picture("report-answer", "marketer", answered),
    Picture("report-narrow", "marketer", answered, theme="dark", size=NARROW),
    Picture("source", "integrator", clicked("/sources", "main td a")),
    Picture("imports", "integrator", to("/imports")),
    Picture("quarantine", "integrator", to("/quarantine"), theme="dark"),
    Picture("receipt", "officer", clicked("/consents", "main td a")),
    Picture("person", "officer", looked_up),
    Picture("access-log", "officer", to("/access-log")),
    Picture("zh-marketer-overview", "marketer", to("/"), language="zh_Hans_CN"),
    Picture("zh-report-answer", "marketer", answered, language="zh_Hans_CN", theme="dark"),
    Picture("zh-source", "integrator", clicked("/sources", "main td a"), language="zh_Hans_CN"),
    Picture("zh-person", "officer", looked_up, language="zh_Hans_CN"),
)


# ── the demonstration ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def demonstration(home: Path) -> Iterator[Shown]:
    """Fills an empty home, says what it says, and serves until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
    command = [sys.executable, "-m", "app.cli", "demo", *DEMONSTRATION, "--port", str(port)]
    process = subprocess.Popen(command, env={**clean, "PIYING_HOME": str(home)}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield _told(process, home)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _told(process: subprocess.Popen[str], home: Path) -> Shown:
    links, address = {}, ""
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := re.match(r"  (\w+) +(https?://\S+#\S+)$", line):
            links[found[1]] = found[2]
        if found := re.match(r"serving on (\S+)", line):
            address = found[1]
            break
    if not address:
        raise SystemExit("the demonstration did not come up")
    return Shown(address, links, home)


def enter(browser: Browser, link: str, address: str) -> Page:
    """Uses a one-time link as its holder does: a password, then the sign-in."""
    tab = browser.new_context(base_url=address, locale="en-GB", timezone_id="Asia/Shanghai", reduced_motion="reduce").new_page()
    tab.goto(link)
    tab.fill("[name=password]", PASSWORD)
    tab.fill("[name=repeated]", PASSWORD)
    tab.locator("main form button").click()
    email = tab.locator("main strong").inner_text()
    tab.goto("/sign-in")
    tab.fill("[name=email]", email)
    tab.fill("[name=password]", PASSWORD)
    tab.locator("main form button").click()
    tab.wait_for_url(f"{address}/")
    return tab


def take(tab: Page, picture: Picture, shown: Shown, folder: Path) -> int:
    """One picture; its bytes."""
    chosen = {"piying_language": picture.language, "piying_theme": picture.theme}
    tab.context.add_cookies([{"name": name, "value": value, "url": shown.address} for name, value in chosen.items()])
    tab.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    picture.way(tab, shown)
    tab.wait_for_load_state("networkidle")
    raw = tab.screenshot(path=folder / f"{picture.name}.png", animations="disabled", caret="hide")
    return len(raw)


def main(folder: Path = FOLDER) -> None:
    """Takes all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    too_large = []
    with (
        tempfile.TemporaryDirectory(prefix="piying-pictures-") as home,
        demonstration(Path(home) / "home") as shown,
        chromium.started() as browser,
    ):
        tabs = {role: enter(browser, link, shown.address) for role, link in shown.links.items()}
        for picture in PICTURES:
            size = take(tabs[picture.role], picture, shown, folder)
            print(f"{picture.name:<28}{size:>9,} bytes", flush=True)
            too_large += [picture.name] if size > LARGEST else []
    if too_large:
        raise SystemExit(f"larger than {LARGEST:,} bytes: {', '.join(too_large)}")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
