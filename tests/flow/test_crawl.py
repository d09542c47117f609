"""Every page and answer that a role can reach by clicking: no link is dead, nobody is named, and what a marketer reads does not depend on people.

The last is tried as what it means: people come, act, withdraw, are looked up, their rows are refused and held; whatever a marketer can open
says the same afterwards to the byte, because all of it is a release, a public fact or the marketer's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app import access, described
from tests.fakes.answered import EXACT, store_month
from tests.flow.canary import NEEDLES, PERSON, hits
from tests.flow.crawling import Opened, crawl
from tests.house import House, bearer, sqlite_house, track

HARMLESS = re.compile(
    r'req_[0-9a-f]{24}|usr_[0-9a-f]+|marketer-[0-9a-f]{8}@example\.com|name="csrf_token" value="[^"]+"|"request_id": ?"[^"]*"'
    r"|tok_\w+"
)
"""What differs between two requests or two accounts and says nothing."""


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which everything has happened once: sources, rows, refusals, quarantine, a release, an import that failed, a look-up."""
    with sqlite_house(template_home, tmp_path_factory.mktemp("crawl") / "home") as made:
        _, key = made.source("web shop")
        store_month(made.services)
        live(made, key, people=range(1, 9), first=1)
        yield made


def live(house: House, key: str, *, people: range, first: int) -> None:
    """People allow, act and withdraw; some rows are refused, some held; an officer looks somebody up."""
    house.grant(key, [("customer_no", f"u-{number}") for number in people], at=(house.clock() - timedelta(days=3)).isoformat())
    house.grant(key, [("phone", PERSON["phone"]), ("email", PERSON["email"])])
    house.batch(
        [track(first + number, user=f"u-{number}") for number in range(people.start, people.stop + 4)] + [{"type": "track"}] * 2, key
    )
    house.grant(key, [("customer_no", f"u-{people.start}")], state="withdrawn")
    looked = {"identifier": {"type": "phone", "value": PERSON["phone"]}, "purpose": "data_quality", "reason": "two people seem to be one"}
    assert house.client.post("/api/subjects/lookups", json=looked, headers=bearer(house.token("officer"))).status_code < 300
    house.flush()


def key_of(house: House) -> str:
    """Another key of the first source."""
    from app import acts

    source = str(acts.list_sources(house.services)[0]["source"])
    return str(acts.rotate_source(house.services, source, actor="test")["write_key"])


@pytest.mark.parametrize("role", sorted(access.matrix()))
def test_every_link_that_a_role_sees_leads_somewhere_and_no_page_names_a_person(house: House, role: str) -> None:
    found = crawl(house.browser(role))
    assert len(found) > 20
    assert [(one.address, one.on, one.status) for one in found if one.status >= 400] == []
    assert {one.address: hits(one.text) for one in found if hits(one.text)} == {}


def test_what_a_marketer_can_open_does_not_depend_on_what_people_do(house: House) -> None:
    key = key_of(house)
    before = everything(house)
    assert len(before) > 40
    live(house, key, people=range(20, 33), first=500)
    after = everything(house)
    assert before.keys() == after.keys()
    assert [address for address in before if before[address] != after[address]] == []
    assert [address for address, text in after.items() if any(str(number) in text for number in EXACT)] == []


def test_the_same_crawl_sees_what_does_depend_on_people(house: House) -> None:
    """A control: an officer's pages change by the same acts."""
    key = key_of(house)
    before = plain(crawl(house.browser("officer")))
    live(house, key, people=range(40, 45), first=900)
    after = plain(crawl(house.browser("officer")))
    assert before["/"] != after["/"]


def everything(house: House) -> dict[str, str]:
    """All pages and all answers of the API that a new marketer can open."""
    found = plain(crawl(house.browser("marketer")))
    headers, document = bearer(house.token("marketer")), house.client.get("/api/openapi.json").get_json()
    release = next(address.split("/")[2] for address in found if address.startswith("/releases/rel_"))
    for path, method, _ in described.operations(document):
        body = {"kind": "store_month", "from": "2026-05"} if path == "/api/reports/quotes" else None
        if method == "get" or body:
            filled = re.sub(r"{\w+}", release, path)
            answer = house.client.open(filled, method=method.upper(), json=body, headers=headers)
            found[f"{method} {filled}"] = f"{answer.status_code} " + HARMLESS.sub("", answer.get_data(as_text=True))
    assert sum(json.dumps(text).startswith('"200') for text in found.values()) > 5
    return found


def plain(opened: list[Opened]) -> dict[str, str]:
    return {one.address: HARMLESS.sub("", one.text) for one in opened}


def test_the_needles_are_what_the_pages_are_searched_for() -> None:
    assert PERSON["phone"].encode() in NEEDLES
