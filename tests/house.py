"""A whole deployment for tests: services on temporary stores, the application, a clock that the test moves.

Promise: a house is what `piying init` makes, with a clock of its own; it is copied from one that was migrated once a run, so that a test
waits for no schema. On PostgreSQL every part has the account and the grants that it has in production.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from app import access, acts, intake, sessions
from app.console import gate
from app.factory import create_app
from app.settings import Settings, load
from app.stores import Role, open_stores
from app.wiring import Services
from ingestion.inbox import Inbox
from migrations import grants, run
from privacy import custody
from privacy.errors import Locked
from tests.conftest import NOW
from tests.stores import postgres_database

ROOT = Path(__file__).parents[1]
PURPOSES = ("analytics.statistics", "marketing.profiling")


@dataclass(slots=True)
class Clock:
    """Stands still until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(slots=True)
class House:
    """One deployment and the ways in that tests use."""

    services: Services
    app: Flask
    clock: Clock
    environment: Mapping[str, str] = field(repr=False)

    @property
    def home(self) -> Path:
        return self.services.settings.home

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    # ── who may come in ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def source(self, name: str = "web", kind: str = "segment", **options: Any) -> tuple[str, str]:
        """A new source: its id and its write key."""
        made = acts.add_source(self.services, actor="test", name=name, kind=kind, **options)
        return str(made["source"]), str(made["write_key"])

    def token(self, role: str) -> str:
        """A bearer token with all permissions of a role."""
        with self.services.begin_console() as tx:
            _, code = access.add_account(tx, f"{role}-{secrets.token_hex(4)}@example.com", role, now=self.clock())
            return access.redeem(tx, code, now=self.clock())[1]

    def browser(self, role: str = "", *, account: str = "") -> Browser:
        """The browser of somebody who has just signed in; without a role and an account, of somebody who has not."""
        client, mark = self.app.test_client(), secrets.token_hex(20)
        with self.services.begin_console() as tx:
            if role and not account:
                account, _ = access.add_account(tx, f"{role}-{secrets.token_hex(4)}@example.com", role, now=self.clock())
            ticket = account and sessions.open_(tx, account, complete=True, now=self.clock(), random=secrets.token_bytes)
        with client.session_transaction() as held:
            held.update({"csrf_token": mark} | ({gate.TICKET: ticket} if ticket else {}))
        signed = URLSafeTimedSerializer(self.app.secret_key or b"", salt="wtf-csrf-token")
        return Browser(client, str(signed.dumps(mark)), account)

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, body: bytes | Any, key: str, *, path: str = "/v1/batch", headers: Mapping[str, str] | None = None) -> TestResponse:
        """Posts bytes as they are, anything else as JSON, with the write key where clients put it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, data=raw, headers={"Content-Type": "application/json", **basic(key), **(headers or {})})

    def batch(self, messages: Sequence[Any], key: str) -> dict[str, Any]:
        """Posts messages; the receipt of the request."""
        answer = self.send({"batch": list(messages)}, key)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        receipt: dict[str, Any] = answer.get_json()
        return receipt

    def grant(
        self,
        key: str,
        people: Sequence[tuple[str, str]],
        *,
        purposes: Sequence[str] = PURPOSES,
        state: str = "granted",
        at: str | None = None,
    ) -> TestResponse:
        """Records that people (type, value) allow purposes, by the consent API under a server key."""
        told = {} if at is None else {"at": at}
        items = [
            {"identifier": {"type": type_, "value": value}, "purpose": purpose, "state": state, **told}
            for type_, value in people
            for purpose in purposes
        ]
        return self.client.post("/v1/consents", json={"consents": items}, headers=bearer(key))

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> int:
        """Rows that wait for the lake."""
        with self.services.read_console() as tx:
            return int(tx.execute(sa.select(sa.func.coalesce(sa.func.sum(Inbox.rows), 0))).scalar_one())

    def counts(self) -> dict[str, int]:
        """Rows of every table of both stores."""
        found: dict[str, int] = {}
        stores = self.services.stores
        for name, owner in (("vault", stores.vault_owner), ("platform", stores.platform_owner)):
            with owner.read() as tx:
                for table in sa.inspect(tx).get_table_names():
                    found[f"{name}.{table}"] = int(tx.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())
        return found

    def flush(self) -> dict[str, Any]:
        return intake.flush(self.services)

    def close(self) -> None:
        self.services.stores.close()


@dataclass(slots=True)
class Browser:
    """A browser with its cookies, and the mark that pages of ours give it for their forms."""

    client: FlaskClient
    mark: str
    account: str

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> TestResponse:
        """Sends a form with its mark."""
        return self.client.post(path, data={"csrf_token": self.mark, **(data or {})}, **more)

    def renew(self) -> None:
        """Takes the mark from a page, after a sign-in has changed it."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/start").get_data(as_text=True))
        assert found
        self.mark = found[1]


def basic(key: str) -> dict[str, str]:
    """The header of Segment's and RudderStack's clients."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def track(number: int = 0, *, user: str | None = "u-1", at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """A well-formed message."""
    message: dict[str, Any] = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "timestamp": at.isoformat(),
        "properties": {"product_id": "P2"},
        "context": {},
        "userId": user,
    }
    return message | more


def zipped(body: Any) -> bytes:
    return gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode())


@contextmanager
def served(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a real server process on a home, without a worker, and the process; it is stopped by its own id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")}
    errors = (home / "server.err").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--no-worker", "--port", str(port)],
        env={**clean, **(environment or {}), "PIYING_HOME": str(home)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )
    errors.close()
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=15)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the server lives; no longer than two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


# ── making houses ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_home(home: Path, environment: Mapping[str, str], clock: Clock) -> None:
    """What `piying init` makes, but for the lake and the first administrator."""
    settings = load(home, environment)
    for folder in (home, settings.keys_path.parent, settings.lake_path, settings.temp_path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stores = open_stores(settings)
    for name, owner in (("vault", stores.vault_owner), ("platform", stores.platform_owner)):
        with owner.begin() as tx:
            run.upgrade(tx, "vault" if name == "vault" else "platform")
            grants.apply(tx, "vault" if name == "vault" else "platform")
    services = Services(settings, stores, lock=None, keyring=None, clock=clock)
    custody.initialise(
        settings.keys_path, stores.begin_vault, services.begin_jobs, services.log, clock=clock, random=secrets.token_bytes, actor="init"
    )
    with services.begin_console() as tx:
        services.seed_purposes(tx)
    stores.close()


@contextmanager
def sqlite_house(template: Path, home: Path, environment: Mapping[str, str] | None = None, *, own: bool = False) -> Iterator[House]:
    """A house on SQLite, copied from a template home. A test that changes the application itself has its `own`."""
    shutil.copytree(template, home, dirs_exist_ok=True)
    with _opened(home, environment or {}, own=own) as house:
        yield house


@contextmanager
def postgres_house(server: str, templates: Mapping[str, str], keys: Path, home: Path) -> Iterator[House]:
    """A house on PostgreSQL, its databases copied from templates; each role its own account."""
    shutil.copytree(keys, home, dirs_exist_ok=True)
    with (
        postgres_copy(server, templates["vault"]) as vault,
        postgres_copy(server, templates["platform"]) as platform,
        _opened(home, postgres_environment(vault, platform)) as house,
    ):
        yield house


@contextmanager
def postgres_copy(server: str, template: str) -> Iterator[str]:
    """A new database that is a copy of another one, which nobody may be using."""
    with postgres_database(server) as address:
        name = sa.make_url(address).database
        engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {sa.make_url(template).database}")
        engine.dispose()
        yield address


def postgres_environment(vault: str, platform: str) -> dict[str, str]:
    """Settings of two databases with an account for each role; whose addresses are given is the owner."""

    def account(url: str, role: str) -> str:
        return sa.make_url(url).set(username=f"piying_{role}").render_as_string(hide_password=False)

    return {
        "PIYING_VAULT_URL": account(vault, "vault"),
        "PIYING_VAULT_OWNER_URL": vault,
        "PIYING_PLATFORM_URL": account(platform, "jobs"),
        "PIYING_PLATFORM_OWNER_URL": platform,
        **{f"PIYING_PLATFORM_{role.upper()}_URL": account(platform, role) for role in Role},
    }


@contextmanager
def _opened(home: Path, environment: Mapping[str, str], *, own: bool = False) -> Iterator[House]:
    settings = load(home, {"PIYING_LIMITS_REQUESTS_PER_SECOND": "100000", "PIYING_LIMITS_PUBLIC_ANSWER": "20", **environment})
    used = _USED.setdefault((settings.server, settings.https), [])
    house = open_house(settings, environment, used.pop() if used and not own else None)
    try:
        yield house
    finally:
        house.close()
        if not own:
            used.append(house.app)


_USED: dict[Any, list[Flask]] = {}
"""Applications whose house is closed. Making one takes longer than most tests; all that it knows of a house are services, cookies and their key."""


def open_house(settings: Settings, environment: Mapping[str, str], app: Flask | None = None) -> House:
    """The services of a home as the server opens them: with keys that do not open it is locked. `app` is one that has no house any more."""
    clock, stores = Clock(), open_stores(settings)
    services = Services(settings, stores, lock=None, keyring=None, clock=clock)
    try:
        services._keyring = custody.open_keyring(settings.keys_path, stores.read_vault)
    except Locked as locked:
        services.lock = locked
    if app is None:
        return House(services, create_app(services), clock, environment)
    app.extensions["piying"] = services
    gate.register(app)
    return House(services, app, clock, environment)
