"""Every door leaves its entry, shows nothing while none can be written (attack 43), and a flood of tries does not flood the log (attack 44)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app import access, evidence, jobs
from privacy.audit.log import LogEntry, LogPayload
from tests.fakes.answered import store_month
from tests.flow.allowed import ALLOWED
from tests.flow.canary import NEEDLES, PERSON
from tests.flow.leaves import LEAVES
from tests.flow.matrix import PAGES, PERMISSIONS
from tests.flow.test_faults import broken_log, log_size
from tests.house import Browser, House, bearer, sqlite_house, track

WHY = {"purpose": "complaint", "reason": "asks what is held"}
LOOK = {"identifier": {"type": "phone", "value": PERSON["phone"]}, **WHY}
FORM = {"type": "phone", "value": PERSON["phone"], **WHY}


class Desk:
    """A house in which something of everything is there, an officer at a browser and one with a token, and an integrator's token."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.source, key = house.source("shop")
        house.grant(key, [("phone", PERSON["phone"]), ("phone", "13900000001")])
        house.batch([track(1, user="u-1"), {"type": "track", "messageId": "broken"}], key)
        self.release = store_month(house.services)
        self.officer = house.browser("officer")
        self.tokens = {role: bearer(house.token(role)) for role in ALLOWED}
        self.browsers = {role: house.browser(role) for role in ALLOWED} | {"officer": self.officer}
        self.receipt = house.client.get("/api/consents", headers=self.tokens["officer"]).get_json()["items"][0]["receipt"]
        self.case = house.client.post("/api/subjects/lookups", json=LOOK, headers=self.tokens["officer"]).get_json()
        self.page_case = self.officer.post("/people", FORM).headers["Location"].rpartition("/")[2]
        shown = self.officer.post("/evidence/new", {"scope": "period", "since": "2026-01-01", "redaction": "commitments", "language": "en"})
        self.pack = shown.headers["Location"].rpartition("/")[2]
        while jobs.run_one(house.services.begin_jobs, house.services.handlers, "test", clock=house.clock):
            pass

    def path(self, rule: str, *, page: bool) -> str:
        known = {
            "source_id": self.source, "receipt_id": self.receipt, "case_id": self.page_case if page else self.case["case"],
            "pack_id": self.pack, "entry_id": "3", "release_id": self.release, "measure": "orders", "kind": "store_month",
        }  # fmt: skip
        return re.sub(r"<(?:[^>:]*:)?(\w+)>", lambda found: known.get(found[1], "x_0000"), rule)

    def body(self, rule: str) -> dict[str, Any] | None:
        return {
            "/api/audit/packs": {"scope": "period", "since": "2026-06-01"},
            "/api/subjects/lookups": LOOK,
            "/api/subjects/cases/<case_id>/reveals": {"ref": self.case["identifiers"][0]["ref"], **WHY},
            "/api/subjects/cases/<case_id>/decisions": {"purpose": "analytics.statistics", "state": "withdrawn", "collection": "paper"},
            "/api/subjects/reasons": {"handle": self.case["handle"], **WHY},
            "/api/sources": {"name": "another", "kind": "segment"},
            "/api/sources/<source_id>": {"requests_per_second": 7},
            "/api/tokens": {},
            "/api/users": {"email": "new@example.com", "role": "marketer"},
            "/api/imports": {"source": "files", "format": "csv", "size": 1, "sha256": "0" * 64},
            "/api/quarantine/replays": {"source": "shop"},
            "/people": FORM,
            "/evidence/new": {"scope": "period", "since": "2026-06-01", "redaction": "commitments", "language": "en"},
        }.get(rule)

    def role(self, permission: str) -> str:
        order = ("officer", "integrator", "administrator", "marketer")
        return next(role for role in order if permission in ALLOWED[role])

    def ask(self, method: str, rule: str, permission: str) -> TestResponse:
        """Opens an address as whoever may."""
        page, role = (method, rule) in PAGES, self.role(permission)
        path, body = self.path(rule, page=page), self.body(rule)
        if page:
            browser: Browser = self.browsers[role]
            return browser.get(path) if method == "GET" else browser.post(path, body)
        headers = dict(self.tokens[role])
        if method == "PATCH":
            headers["If-Match"] = self.house.client.get(path, headers=headers).headers.get("ETag", "")
        return self.house.client.open(path, method=method, headers=headers, json=body)


@pytest.fixture
def desk(template_home: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_house(template_home, tmp_path / "home") as house:
        house.source("files", "file")
        yield Desk(house)


def acts_since(house: House, size: int) -> list[str]:
    with house.services.read_console() as tx:
        return list(tx.scalars(sa.select(LogPayload.action).where(LogPayload.seq >= size).order_by(LogPayload.seq)))


def test_every_address_that_leaves_an_act_is_an_address() -> None:
    assert LEAVES.keys() <= PERMISSIONS.keys() | PAGES.keys()


def test_every_door_leaves_the_act_that_was_agreed(desk: Desk) -> None:
    """The last ones end what they work on: a case, a session."""
    ending = ("/closing", "/closings", "/sign-out")
    missed = {}
    for (method, rule), act in sorted(LEAVES.items(), key=lambda one: one[0][1].endswith(ending)):
        permission = (PAGES if (method, rule) in PAGES else PERMISSIONS)[method, rule]
        size = log_size(desk.house)
        answer = desk.ask(method, rule, permission)
        answer.get_data()
        if act not in acts_since(desk.house, size):
            missed[method, rule] = (answer.status_code, acts_since(desk.house, size))
    assert missed == {}


def test_nothing_about_people_is_shown_while_the_log_cannot_be_written(desk: Desk) -> None:
    """Attack 43: every address is opened with real ids while the database refuses entries; no door that leaves an act shows anything."""
    telling = [masked.encode() for masked in masks(desk)]
    shown = {}
    with broken_log(desk.house):
        for (method, rule), permission in (PERMISSIONS | PAGES).items():
            if permission in ("public", "write_key"):
                continue
            answer = desk.ask(method, rule, permission)
            raw = answer.get_data()
            if (method, rule) in LEAVES and answer.status_code < 400:
                shown[method, rule] = answer.status_code
            found = [one for one in (*telling, *NEEDLES) if one in raw]
            if found:
                shown[method, rule] = found[0]
    assert shown == {}


def masks(desk: Desk) -> list[str]:
    """What an officer's pages show of the person: masked identifiers, references, the number of a receipt."""
    found = [one["masked"] for one in desk.case["identifiers"]] + [one["ref"] for one in desk.case["identifiers"]]
    return [*found, desk.case["handle"], desk.receipt]


def test_a_control_while_the_log_works_the_same_walk_shows_them(desk: Desk) -> None:
    raw = desk.ask("GET", "/api/subjects/cases/<case_id>", "person.find").get_data()
    assert masks(desk)[0].encode() in raw


def test_a_download_that_cannot_be_logged_gives_no_byte_and_is_not_counted(desk: Desk) -> None:
    with broken_log(desk.house):
        assert desk.officer.get(f"/evidence/{desk.pack}/pack.zip").status_code >= 500
        with pytest.raises(Exception, match=r".*"):
            evidence.write(desk.house.services, evidence.Asked("whole"), io.BytesIO(), actor="cli")
    assert evidence.one(desk.house.services, desk.pack)["downloads"] == 0


def test_ten_thousand_denied_requests_do_not_grow_the_log(desk: Desk) -> None:
    """Attack 44, by size: denied at the door, at the permission, at the limit of look-ups; genuine entries before and after are all there."""
    house = desk.house
    genuine = log_size(house)
    marketer, officer = desk.tokens["marketer"], desk.tokens["officer"]
    for number in range(300):
        assert house.client.get("/api/audit/entries", headers=bearer(f"pat_{number:043d}")).status_code == 401
        assert house.client.get("/api/audit/entries", headers=marketer).status_code == 403
        house.client.post("/api/audit/cosignatures", json={"note": f"{number}"}, headers=officer)
        house.client.get(f"/api/consents/rcp_{number:020d}", headers=officer)
    denied = log_size(house) - genuine
    assert denied <= 2, acts_since(house, genuine)[:5]
    answers = [house.client.post("/api/subjects/lookups", json=LOOK, headers=officer).status_code for _ in range(80)]
    assert answers.count(429) >= 15
    acts = acts_since(house, genuine)
    assert acts.count("person.limited") == 1, "one entry says that the limit was met"
    desk.officer.get("/access-log")
    assert acts_since(house, genuine)[-1] == "log.read"
    assert house.services.oversight.check()["ok"]
    with house.services.read_console() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(LogEntry)) == log_size(house)


def test_roles_that_may_read_the_log_are_the_officers(desk: Desk) -> None:
    assert {role for role, rights in access.matrix().items() if {"log.read", "log.bundle", "log.witness"} & rights} == {"officer"}
