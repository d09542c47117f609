"""What the pages of exports show: what may be asked for, what is unusual about a request, what came before; and who is told none of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import access, exports, leaving, segments
from app.access import Caller
from privacy.errors import NotFound
from tests.fakes.paperwork import AGENCY, active
from tests.gatehouse import public_key
from tests.house import House

BODY = {"name": "Newcomers", "purpose": "marketing.profiling", "use": "marketing", "rule": {"stage": ["prospect"]}}


def caller(role: str, account: str) -> Caller:
    return Caller(account, role, access.matrix()[role], "")


def ask(house: House, segment: str, recipient: str, days: int = 5) -> str:
    body = {
        "segment": segment, "recipient": recipient, "channel": "sms", "form": "sms", "fields": ["phone"],
        "justification": "A message about the new tea", "expires_at": house.clock() + timedelta(days=days),
    }  # fmt: skip
    return str(exports.ask(house.services, body, actor="usr_ada")["id"])


def test_a_request_may_choose_what_the_recipient_is_registered_for_and_reads_its_papers(house: House) -> None:
    services = house.services
    segment = segments.add(services, BODY, actor="usr_ada")["id"]
    recipient = active(services, AGENCY, sealing_key=public_key())
    first = leaving.offer(services)
    assert (first["sources"], first["chosen"], first["offers"]) == ([(segment, "Newcomers")], None, None)
    told = leaving.offer(services, segment, recipient)
    assert told["offers"]["channels"] == ["sms"]
    assert told["agreement"]["recipient"] == recipient
    with pytest.raises(NotFound):
        leaving.offer(services, segment, "rec_nobody")
    wish = {"segment": segment, "recipient": recipient, "channel": "sms", "form": "sms", "fields": ["phone", "sex"]}
    said = leaving.said(services, wish)
    assert said["needs"] == ["marketing.profiling", "share.lantern-sms", "marketing.channel.sms"]
    assert (said["heat"], said["unused"], said["name"]) == ("high", ["sex"], "Newcomers")
    assert leaving.heat(services, ["sex"]) == "medium"
    assert leaving.heat(services, []) == "low"


def test_what_is_unusual_and_what_came_before_is_for_whoever_decides(house: House) -> None:
    services = house.services
    segment = segments.add(services, BODY, actor="usr_ada")["id"]
    recipient = active(services, AGENCY, sealing_key=public_key())
    first = ask(house, segment, recipient)
    house.clock.forward(minutes=1)
    second = ask(house, segment, recipient, days=9)
    officer, marketer = caller("officer", "usr_bob"), caller("marketer", "usr_ada")
    assert leaving.waiting(services) == [first, second]
    rows = leaving.queue(services, officer)["items"]
    assert [(one["id"], one["heat"], one["flags"], one["days"]) for one in rows] == [
        (second, "high", ["first"], 9),
        (first, "high", ["first"], 5),
    ]
    services.exports.approve(first, actor="usr_bob")
    told = leaving.whole(services, second, officer)
    assert [row["what"] for row in told["last"]["rows"] if row["differs"]] == ["days"]
    assert told["beside"] == {"previous": None, "next": None, "place": 1, "all": 1}
    assert leaving.whole(services, first, officer)["beside"]["next"] == second
    mine = leaving.whole(services, second, marketer)
    assert (mine["mine"], mine["flags"], mine["last"], mine["beside"], mine["after"]) == (True, [], None, {}, None)
    assert [one["id"] for one in leaving.mine(services, marketer)] == [second, first]
    assert leaving.mine(services, caller("marketer", "usr_eve")) == []
    with pytest.raises(NotFound):
        leaving.whole(services, second, caller("marketer", "usr_eve"))
