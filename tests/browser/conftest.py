"""A furnished house behind a real socket, one account a role, and Debian's chromium; skipped, visibly, where the browser is absent."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab
from werkzeug.serving import make_server

from app import access, sessions, watching
from app.console import gate
from privacy.consent import registry
from tests.browser import filed
from tests.browser.walk import COLLECT, HEIGHT, PSEUDO, Pseudo, Watch
from tests.fakes import asked, known, lists, paperwork, segments
from tests.fakes.answered import store_month
from tests.house import Clock, House, bearer, make_home, sqlite_house, track

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
    tickets: dict[str, str] = field(default_factory=dict)
    post: lists.Post | None = None
    """Who says whom a segment of lists means."""
    kept: dict[tuple[str, bool], tuple[Tab, Watch]] = field(default_factory=dict)

    def cookies(self, role: str, language: str = "en", theme: str = "") -> list[dict[str, Any]]:
        """What the browser of somebody holds who is signed in; without a role of somebody who is not."""
        wanted = {"piying_language": language, "piying_theme": theme}
        if role:
            wanted[str(self.house.app.config["SESSION_COOKIE_NAME"])] = self.ticket(role)
        return [{"name": name, "value": value, "url": self.address, "httpOnly": True} for name, value in wanted.items() if value]

    def ticket(self, role: str) -> str:
        """A session's cookie, without the page that signs in (which has tests of its own)."""
        if role not in self.tickets:
            with self.house.services.begin_console() as tx:
                held = sessions.open_(tx, self.accounts[role], complete=True, now=self.house.clock(), random=secrets.token_bytes)
            self.tickets[role] = held
        serializer = self.house.app.session_interface.get_signing_serializer(self.house.app)  # type: ignore[attr-defined]
        return str(serializer.dumps({gate.TICKET: self.tickets[role]}))

    @contextmanager
    def tab(
        self, browser: Browser, role: str = "", *, language: str = "en", theme: str = "", width: int = 1280, script: bool = True
    ) -> Iterator[Tab]:
        """A page of a fresh browser for a role."""
        context = self._context(browser, script)
        context.add_cookies(self.cookies(role, language, theme))  # type: ignore[arg-type]
        try:
            tab = context.new_page()
            tab.set_viewport_size({"width": width, "height": 900})
            yield tab
        finally:
            context.close()

    def look(
        self, browser: Browser, role: str, *, language: str = "en", theme: str = "light", width: int = 1280, script: bool = True
    ) -> tuple[Tab, Watch]:
        """A role's tab, kept for the whole run since a fresh one costs a second, and what was noticed in it."""
        if (role, script) not in self.kept:
            tab = self._context(browser, script).new_page()
            self.kept[role, script] = (tab, Watch(tab, self.address))
        tab, watch = self.kept[role, script]
        tab.context.clear_cookies()
        tab.context.add_cookies(self.cookies(role, language, theme))  # type: ignore[arg-type]
        tab.set_viewport_size({"width": width, "height": HEIGHT})
        watch.begin()
        return tab, watch

    def _context(self, browser: Browser, script: bool) -> BrowserContext:
        context = browser.new_context(java_script_enabled=script, base_url=self.address, reduced_motion="reduce")
        if script:
            context.add_init_script(COLLECT)
        return context


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """The furnished house, served by threads of this process."""
    folder = tmp_path_factory.mktemp("browser")
    make_home(folder / "template", {}, Clock())
    with sqlite_house(folder / "template", folder / "home", own=True) as house:
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
    made.things["account"] = made.accounts["officer"]
    made.things["source"], key = house.source("web shop")
    house.grant(key, [("customer_no", f"u-{number}") for number in range(1, 6)])
    made.things["receipt"] = _receipt(house, key)
    made.things["notice"] = "2026-05"
    made.things["release"] = store_month(house.services)
    house.batch([track(number, user=f"u-{number % 8}") for number in range(1, 17)] + [{"type": "track"}], key)
    _watched(made)
    officer = made.accounts["officer"]
    known.know(house)
    house.flush()
    made.things["proposal"] = known.propose(house.services)
    made.things |= {"case": known.case(house.services, officer), "nobody": known.case(house.services, officer, phone="13900009999")}
    made.things |= filed.furnish(house, made.accounts["integrator"])
    made.things["merge"] = known.merge(house.services, made.things["case"], officer)
    made.things |= paperwork.furnish(house.services)
    made.things |= asked.furnish(house.services, officer)
    made.things |= segments.furnish(house.services, made.accounts["marketer"])
    made.post = lists.Post(house)
    made.things |= lists.furnish(made.post, made.accounts["marketer"], officer)


def _watched(made: Open) -> None:
    """A source that anybody may send to, whose live events the integrator watches."""
    made.things["page"], key = made.house.source("shop pages", public=True)
    account = made.accounts["integrator"]
    integrator = access.Caller(account, "integrator", access.matrix()["integrator"], "")
    watching.open_(made.house.services, made.things["page"], caller=integrator)
    order = {"order_id": "O-1", "revenue": 42.5, "currency": "CNY", "products": [{"product_id": "P1", "quantity": 2, "price": 21.25}]}
    made.house.send({"batch": [track(1, event="Order Completed", properties=order), {"type": "track"}]}, key)


def _receipt(house: House, key: str) -> str:
    """An act of consent under a notice, withdrawn afterwards: the number of its receipt."""
    with house.services.stores.platform_owner.begin() as tx:
        registry.publish_notice(
            tx, "2026-05", {"en": "We count your visits.", "zh": "我们统计您的到店次数。"}, ["analytics.statistics"], house.clock()
        )
    act = {"identifier": {"type": "customer_no", "value": "u-6"}, "purpose": "analytics.statistics", "collection": "form", "language": "zh"}
    numbers = []
    for state in ("granted", "withdrawn"):
        said = {"consents": [act | {"state": state, "notice": "2026-05", "default_state": "unchecked"}]}
        numbers.append(house.client.post("/v1/consents", json=said, headers=bearer(key)).get_json()["items"][0]["receipt"])
    house.services.oversight.checkpoint()
    return str(numbers[0])
