"""What people decided, and who they are: through the doors, logged before anything is shown."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app import people
from privacy.audit.log import LogPayload
from privacy.audit.reading import Filter, Line, lines
from privacy.errors import Invalid, NotFound, Unavailable
from tests.fakes.log import RefusingLog
from tests.house import House

PHONE, ACTOR = "13800138000", "usr_0123456789abcdef"
WHY = {"purpose": "rights_request", "reason": "asks for a copy of what we hold", "actor": ACTOR}


@pytest.fixture
def known(house: House) -> House:
    """A house that knows one person."""
    assert record(house, "granted")["verdict"] == "stored"
    return house


def record(house: House, state: str) -> dict[str, Any]:
    item = {"identifier": {"type": "phone", "value": PHONE}, "purpose": "analytics.statistics", "state": state}
    (told,) = people.record_consents(house.services, [item], actor=ACTOR, source=None, idempotency_key=None)
    return told


def entries(house: House) -> tuple[Line, ...]:
    with house.services.read_console() as tx:
        return lines(tx, Filter(), limit=100).items


def test_an_act_is_recorded_and_shown(known: House) -> None:
    shown = people.show_consents(known.services, "phone", PHONE, actor=ACTOR)
    assert PHONE not in str(shown)
    assert "analytics.statistics" in str(shown)
    record(known, "withdrawn")
    assert people.show_consents(known.services, "phone", PHONE, actor=ACTOR) != shown


def test_a_person_is_found_masked_and_one_value_revealed_each_logged_first(known: House) -> None:
    found = people.find(known.services, "phone", PHONE, **WHY)
    (identifier,) = found["identifiers"]
    assert PHONE not in str(found)
    revealed = people.reveal(known.services, found["handle"], identifier["ref"], **WHY)
    assert revealed["value"].endswith(PHONE)
    first, *rest = entries(known)
    assert (first.seq, first.action, first.actor) == (revealed["entry"], "person.reveal", ACTOR)
    assert [one.action for one in rest[:2]] == ["person.show", "person.find"]


def test_without_the_log_nothing_is_shown(known: House) -> None:
    found = people.find(known.services, "phone", PHONE, **WHY)
    known.services.log = RefusingLog()  # type: ignore[assignment]
    del known.services.oversight
    with pytest.raises(Unavailable):
        people.reveal(known.services, found["handle"], found["identifiers"][0]["ref"], **WHY)
    with pytest.raises(Unavailable):
        people.find(known.services, "phone", PHONE, **WHY)


def test_an_unknown_person_looks_like_nobody(known: House) -> None:
    assert people.find(known.services, "phone", "13900139000", **WHY) == {"handle": None, "identifiers": []}
    with pytest.raises(NotFound):
        people.reveal(known.services, "00" * 16, "00" * 16, **WHY)


def test_a_purpose_outside_the_list_reveals_nothing(known: House) -> None:
    with pytest.raises(Invalid):
        people.find(known.services, "phone", PHONE, **{**WHY, "purpose": "curiosity"})


def test_no_identifier_stands_in_the_log(known: House) -> None:
    found = people.find(known.services, "phone", PHONE, **WHY)
    people.reveal(known.services, found["handle"], found["identifiers"][0]["ref"], **WHY)
    with known.services.read_console() as tx:
        written = b"".join(payload or b"" for payload in tx.scalars(sa.select(LogPayload.payload)))
    assert PHONE.encode() not in written
    assert found["handle"].encode() not in written
