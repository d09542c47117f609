"""A furnished house behind a real socket, one account a role, and Debian's chromium; skipped, visibly, where the browser is absent."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from werkzeug.serving import make_server

from app import access, sessions
from app.console import gate
from tests.browser.walk import COLLECT, PSEUDO, Pseudo
from tests.fakes.answered import store_month
from tests.house import Clock, House, make_home, sqlite_house, track

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = os.environ.get("PIYING_SHOTS", "")
"""A folder for pictures of every page, if somebody wants to look."""


@dataclass
class Open:
    """A house that answers at an address."""

    house: House
    address: str
    accounts: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)
    """What the house was furnished with, by the names that addresses use."""

    def cookies(self, role: str, language: str = "en", theme: str = "") -> list[dict[str, Any]]:
        """What the browser of somebody holds who is signed in; without a role of somebody who is not."""
        wanted = {"piying_language": language, "piying_theme": theme}
        if role:
            wanted[str(self.house.app.config["SESSION_COOKIE_NAME"])] = self.ticket(role)
        return [{"name": name, "value": value, "url": self.address} for name, value in wanted.items() if value]

    def ticket(self, role: str) -> str:
        """A session's cookie, without the page that signs in (which has tests of its own)."""
        with self.house.services.begin_console() as tx:
            ticket = sessions.open_(tx, self.accounts[role], complete=True, now=self.house.clock(), random=secrets.token_bytes)
        serializer = self.house.app.session_interface.get_signing_serializer(self.house.app)  # type: ignore[attr-defined]
        return str(serializer.dumps({gate.TICKET: ticket}))

    @contextmanager
    def tab(
        self, browser: Browser, role: str = "", *, language: str = "en", theme: str = "", width: int = 1280, script: bool = True
    ) -> Iterator[Tab]:
        """A page of a fresh browser for a role."""
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, base_url=self.address, reduced_motion="reduce"
        )
        context.add_cookies(self.cookies(role, language, theme))  # type: ignore[arg-type]
        if script:
            context.add_init_script(COLLECT)
        try:
            yield context.new_page()
        finally:
            context.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """The furnished house, served by threads of this process."""
    folder = tmp_path_factory.mktemp("browser")
    make_home(folder / "template", {}, Clock())
    with sqlite_house(folder / "template", folder / "home") as house:
        house.app.extensions["babel"].instance.domain_instance.known[PSEUDO] = Pseudo()
        server = make_server("127.0.0.1", 0, house.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made = Open(house, f"http://127.0.0.1:{server.server_port}")
        furnish(made)
        yield made
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def furnish(made: Open) -> None:
    """One account a role, a source with stored, quarantined and refused items."""
    house = made.house
    with house.services.begin_console() as tx:
        for role in access.matrix():
            made.accounts[role], _ = access.add_account(tx, f"{role}@example.com", role, now=house.clock())
    made.things["source"], key = house.source("web shop")
    house.grant(key, [("customer_no", f"u-{number}") for number in range(1, 6)])
    made.things["release"] = store_month(house.services)
    house.batch([track(number, user=f"u-{number % 8}") for number in range(1, 17)] + [{"type": "track"}], key)
