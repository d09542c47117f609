"""A person whom a house knows well: found by a telephone, merged by a record, withdrawn, with rows that a no kept out. Tests only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app import cases
from app.wiring import Services
from privacy.identity import matching
from tests.house import House, track

PHONE, EMAIL, OTHER = "13800138000", "anna@example.com", "13900139000"
WHY = {"purpose": "rights_request", "reason": "asks what is held of her"}
ACTOR = "usr_0123456789abcdef"


@dataclass(frozen=True)
class Known:
    """The source that brought the person, and its key."""

    source: str
    key: str


def know(house: House) -> Known:
    """Two people with rows of their own turn out to be one by a record; then she withdraws, and two more rows are turned away."""
    source, key = house.source("desk")
    house.grant(key, [("phone", PHONE), ("email", EMAIL), ("phone", OTHER)], at="2026-05-01T10:00:00+08:00")
    house.batch([identify(900, "A-1", phone=PHONE), identify(901, "B-1", email=EMAIL)], key)
    house.batch([track(902, user="A-1"), track(903, user="A-1"), track(904, user="B-1")], key)
    house.batch([identify(905, "A-1", phone=PHONE, email=EMAIL)], key)
    house.clock.forward(minutes=1)
    house.grant(key, [("phone", PHONE)], state="withdrawn")
    house.clock.forward(minutes=1)
    house.batch([track(910 + number, user="A-1") for number in range(2)], key)
    return Known(source, key)


def identify(number: int, user: str, **traits: str) -> dict[str, Any]:
    """A message that says whose identifiers these are."""
    message: dict[str, Any] = track(number, user=user) | {"type": "identify", "traits": traits}
    return {name: value for name, value in message.items() if name not in ("event", "properties")}


def case(services: Services, actor: str, *, phone: str = PHONE) -> str:
    """A case of an account about who has this telephone."""
    opened = cases.open_(services, "phone", phone, actor=actor, **WHY)
    assert phone not in json.dumps(opened)
    return str(opened["case"])


def merge(services: Services, case: str, actor: str) -> str:
    """The name of the merge that made the person of a case one."""
    (one,) = cases.look(services, case, ["identities"], actor=actor)["merges"]
    return str(one["merge"])


def propose(services: Services) -> str:
    """A proposal: the person and somebody else look alike."""
    alike = matching.Pair(0, 1, 21_500, {"name": "equal", "place": "equal"})
    fields = {"name": ["a", "a"], "place": ["b", "b"], "birth_date": ["c", "c"]}
    phones = {"phone": [PHONE, OTHER]}
    services.kinship.propose(
        fields, phones, source="src_crm", namespace="desk", match=lambda columns, *, threshold: [alike], actor=ACTOR, **WHY
    )
    (one,) = services.kinship.proposals(actor=ACTOR)["items"]
    return str(one["proposal"])
