"""Who is who through the whole house: what a report counts before a merge, in it, and after it was undone."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import sqlalchemy as sa

from privacy.audit.log import LogPayload
from tests.conftest import NOW
from tests.house import House, bearer, track

WHY = {"purpose": "data_quality", "reason": "the two say they are not the same"}
MONTH = NOW.year * 100 + NOW.month
STATISTICS, PROFILING = "analytics.statistics", "marketing.profiling"


def views(house: House, purpose: str = STATISTICS) -> list[int]:
    """How many products each person viewed, exactly, through the reader's own join: one number a person."""
    house.flush()
    with house.services.reader.open(purpose, [MONTH]) as view:
        events = view.people("events")
        seen = view.run(events.filter(events.event == "product_viewed").group_by("run_id").aggregate(number=events.event.count()))
    return sorted(seen["number"].to_pylist())


def send(house: House, key: str, *messages: dict[str, Any]) -> dict[str, Any]:
    return house.batch(list(messages), key)


def ask(house: House, officer: dict[str, str], path: str, **body: Any) -> dict[str, Any]:
    answer = house.client.post(f"/api/subjects/{path}", json={**WHY, **body}, headers=officer)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.get_json()
    return told


def two_people(house: House) -> tuple[str, dict[str, str]]:
    """Two customers who allow statistics, with three and two views; the key of their source and an officer's header."""
    _, key = house.source("shop")
    house.grant(key, [("customer_no", "u-1"), ("customer_no", "u-2")], purposes=[STATISTICS])
    told = send(house, key, *(track(number, user="u-1" if number < 3 else "u-2") for number in range(5)))
    assert told["stored"] == 5
    return key, bearer(house.token("officer"))


def alias(number: int) -> dict[str, Any]:
    return track(number, type="alias", user="u-1") | {"previousId": "u-2"}


def find(house: House, officer: dict[str, str], value: str = "u-1") -> dict[str, Any]:
    return ask(house, officer, "lookups", identifier={"type": "customer_no", "value": value}, namespace="shop")


def test_a_report_after_an_undone_merge_is_the_report_before_it(house: House) -> None:
    key, officer = two_people(house)
    before = views(house)
    assert before == [2, 3]
    assert send(house, key, alias(10))["stored"] == 1
    assert views(house) == [5]
    send(house, key, track(11, user="u-2"))
    handle = find(house, officer)["handle"]
    assert find(house, officer, "u-2")["handle"] == handle
    told = ask(house, officer, "reasons", handle=handle)
    (merge,) = told["merges"]
    assert (merge["rule"], sorted(merge["members"]), merge["undone_at"]) == ("alias", [1, 2], None)
    assert {(one["type"], one["rule"]) for one in told["links"]} >= {("customer_no", "same_record"), ("cookie", "alias")}
    undone = ask(house, officer, "unmerges", handle=handle, merge=merge["merge"])
    assert len({one["handle"] for one in undone["people"]}) == 2
    assert views(house) == [3, 3], "what u-2 did meanwhile is u-2's"
    assert find(house, officer)["handle"] != find(house, officer, "u-2")["handle"]
    assert send(house, key, alias(12))["stored"] == 1, "the row is kept, the link refused"
    assert views(house) == [3, 3]
    refused = ask(house, officer, "reasons", handle=find(house, officer)["handle"])["refused"]
    assert [(one["rule"], one["number"]) for one in refused] == [("kept_apart", 1)]
    with house.services.read_console() as tx:
        written = b"".join(payload or b"" for payload in tx.scalars(sa.select(LogPayload.payload)))
    actions = Counter(word for word in ("person.reasons", "person.unmerge", "person.find") if word.encode() in written)
    assert set(actions) == {"person.reasons", "person.unmerge", "person.find"}
    assert b"u-1" not in written
    assert b"u-2" not in written


def test_consent_in_a_merge_is_the_strictest_and_after_it_each_ones_own(sqlite_only: House) -> None:
    house = sqlite_only
    key, officer = two_people(house)
    send(house, key, alias(10))
    house.grant(key, [("customer_no", "u-1")], purposes=[PROFILING])
    assert views(house, PROFILING) == [5], "a person's own grant holds for all that they are"
    house.grant(key, [("customer_no", "u-2")], purposes=[STATISTICS], state="withdrawn")
    assert views(house) == [], "a no of one is a no of both"
    handle = find(house, officer)["handle"]
    (merge,) = ask(house, officer, "reasons", handle=handle)["merges"]
    house.clock.forward(seconds=1)
    undone = ask(house, officer, "unmerges", handle=handle, merge=merge["merge"])
    assert undone["consents"] == 1
    assert views(house) == [3]
    assert views(house, PROFILING) == [3], "the other one never said so"
    shown = house.services.preferences.show("customer_no", "u-2", actor="test", namespace="shop")["purposes"]
    assert [shown[one]["allowed"] for one in (STATISTICS, PROFILING)] == [False, False]
    again = house.client.post("/api/subjects/unmerges", json={**WHY, "handle": handle, "merge": merge["merge"]}, headers=officer)
    assert (again.status_code, again.get_json()["code"]) == (404, "merge_unknown")


def anonymous(number: int) -> dict[str, Any]:
    return track(number, user=None) | {"anonymousId": "visitor-0001"}


def signed_in(number: int, user: str) -> dict[str, Any]:
    return track(number, user=user) | {"anonymousId": "visitor-0001"}


def test_a_visitor_who_signs_in_is_one_person_with_what_they_did_before(house: House) -> None:
    """Then somebody else signs in on the same device: what came before is the first one's, what comes after the last one's."""
    _, key = house.source("shop")
    house.grant(key, [("cookie", "visitor-0001"), ("customer_no", "u-1"), ("customer_no", "u-2")], purposes=[STATISTICS])
    send(house, key, anonymous(1), anonymous(2))
    assert views(house) == [2]
    send(house, key, signed_in(3, "u-1"))
    send(house, key, anonymous(4))
    assert views(house) == [4]
    send(house, key, signed_in(5, "u-2"))
    send(house, key, anonymous(6), anonymous(7), anonymous(8), anonymous(9))
    assert views(house) == [4, 5]


def test_a_visitors_no_goes_with_them_and_their_yes_lifts_no_persons_no(house: House) -> None:
    """The row that shows who the visitor is, is refused for the no; that they are one stays, or the no would not hold."""
    _, key = house.source("shop")
    house.grant(key, [("cookie", "visitor-0001"), ("customer_no", "u-1"), ("customer_no", "u-2")], purposes=[STATISTICS])
    send(house, key, anonymous(1), track(2, user="u-1"))
    assert views(house) == [1, 1]
    house.clock.forward(seconds=5)
    house.grant(key, [("cookie", "visitor-0001")], purposes=[STATISTICS], state="withdrawn")
    assert views(house) == [1]
    assert send(house, key, signed_in(3, "u-1"))["refused"] == 1
    assert views(house) == []
    assert send(house, key, track(4, user="u-1"))["refused"] == 1
    house.clock.forward(seconds=5)
    house.grant(key, [("customer_no", "u-1")], purposes=[STATISTICS])
    assert views(house) == [2], "their own later yes lifts it for all that they are"
    house.grant(key, [("cookie", "visitor-0002")], purposes=[STATISTICS])
    house.grant(key, [("customer_no", "u-2")], purposes=[STATISTICS], state="withdrawn")
    other = {"anonymousId": "visitor-0002", "timestamp": house.clock().isoformat()}
    send(house, key, anonymous(5) | other)
    assert views(house) == [1, 2]
    assert send(house, key, signed_in(6, "u-2") | other)["refused"] == 1
    assert views(house) == [2], "a visitor's yes opens nothing of somebody who said no"


def test_one_number_in_two_sources_is_two_people_and_a_blocked_one_is_nobodys(sqlite_only: House) -> None:
    house = sqlite_only
    keys = [house.source(name)[1] for name in ("shop", "till")]
    for number, key in enumerate(keys):
        house.grant(key, [("customer_no", "u-1")], purposes=[STATISTICS])
        assert send(house, key, track(number, user="u-1"))["stored"] == 1
    assert views(house) == [1, 1]
    blocked = ["0000", "null", "Anonymous", "００００", "11111111", "test", "N/A", "undefined"]
    told = send(house, keys[0], *(track(10 + number, user=value) for number, value in enumerate(blocked)))
    assert told["refused"] == len(blocked)
    assert json.dumps(told).count("person_missing") <= 1
