"""How tests sign in: accounts whose holders used their link, browsers that filled in the form, codes of an authenticator."""

from __future__ import annotations

import re
from typing import Any

import argon2
import sqlalchemy as sa

from app import access, accounts, acts, signin
from privacy.audit.log import LogPayload
from tests.house import Browser, House

ADA, PASSWORD, OTHER = "ada.officer@example.com", "correct horse 电池 staple", "another horse 电池 staple"


def quick(house: House) -> House:
    house.services.__dict__["hasher"] = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return house


def account(house: House, role: str = "officer", email: str = ADA, password: str = PASSWORD) -> str:
    """An account whose holder used the link."""
    made = acts.add_user(house.services, email, role, actor="test")
    signin.start(house.services, made["link"].partition("#")[2], password, machine="test")
    return str(made["user"])


def enter(house: House, password: str = PASSWORD, email: str = ADA, **more: str) -> tuple[Browser, Any]:
    """A new browser and what it got for an address and a password."""
    browser = house.browser()
    answer = browser.post("/sign-in", {"email": email, "password": password, **more})
    browser.renew()
    return browser, answer


def log(house: House) -> list[dict[str, Any]]:
    with house.services.read_console() as tx:
        rows = tx.execute(sa.select(LogPayload.action, LogPayload.actor, LogPayload.payload).order_by(LogPayload.seq))
        return [{"action": row.action, "actor": row.actor, "payload": bytes(row.payload).decode()} for row in rows]


def second_step(house: House, browser: Browser) -> tuple[str, list[str]]:
    """Puts a second step into force through its pages; its sealed secret and the recovery codes."""
    assert browser.post("/account/second-step").status_code == 303
    found = accounts.proposed(house.services, browser.account or who(house))
    assert found
    picture = browser.get("/account/second-step.svg")
    assert (picture.mimetype, picture.data.lstrip()[:5]) in (("image/svg+xml", b"<?xml"), ("image/svg+xml", b"<svg "))
    assert b"style=" not in picture.data
    page = browser.get("/account/second-step").get_data(as_text=True)
    assert house.services.second_step.key(found[0]) in page
    answer = browser.post("/account/second-step/confirmations", {"code": code(house, found[0])})
    codes = re.findall(r"<code>([0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})</code>", answer.get_data(as_text=True))
    assert len(codes) == 10
    return found[0], codes


def code(house: House, sealed: str) -> str:
    """What an authenticator shows now."""
    return str(house.services.second_step._totp.from_source(sealed).generate(time=house.clock().timestamp()).token)


def who(house: House) -> str:
    with house.services.read_console() as tx:
        return access.account_id_of(tx, ADA)
