"""Snowplow's trackers: paths with a key and without, statuses that end their trying, events in an address that nobody writes down."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app import acts, holding
from ingestion import quarantine
from privacy.errors import Conflict, Invalid, Unavailable
from tests.flow.bad_input import NEST, SECRET, problem
from tests.house import House, served, sqlite_house, zipped

TP2 = "/com.snowplowanalytics.snowplow/tp2"
GOOD: dict[str, Any] = {"e": "pv", "eid": "e-1", "uid": "u-1", "url": "https://shop.example/p/1"}
ENDING = {200, 400, 401, 403, 422, 429, 503}
"""Every other status is repeated by these clients without limit."""


def payload(*events: Any) -> dict[str, Any]:
    return {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": list(events)}


def test_a_source_is_known_by_the_key_in_its_path_and_one_of_them_needs_none(house: House) -> None:
    _, root = house.source("tracker", "snowplow", root_paths=True)
    _, keyed = house.source("app", "snowplow")
    for key in (root, keyed):
        assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
    house.clock.forward(seconds=1)
    for prefix in ("", f"/c/{keyed}"):
        posted = [house.client.post(f"{prefix}{TP2}{slash}", json=payload(GOOD)).get_json() for slash in ("", "/")]
        assert [(one["stored"], one["duplicate"]) for one in posted] == [(1, 0), (0, 1)]
        asked = [house.client.get(f"{prefix}/i{slash}?{urlencode(GOOD | {'eid': 'e-2'})}").get_json() for slash in ("", "/")]
        assert [(one["stored"], one["duplicate"]) for one in asked] == [(1, 0), (0, 1)]
    assert house.rows() == 4


def test_the_root_paths_belong_to_one_source_at_a_time(sqlite_only: House) -> None:
    house = sqlite_only
    assert problem(house.client.post(TP2, json=payload(GOOD)), 401)["code"] == "key_missing"
    first, _ = house.source("first", "snowplow", root_paths=True)
    second, _ = house.source("second", "snowplow")
    with pytest.raises(Conflict):
        acts.change_source(house.services, second, actor="test", root_paths=True)
    with pytest.raises(Invalid):
        house.source("third", "segment", root_paths=True)
    acts.change_source(house.services, first, actor="test", root_paths=False)
    assert house.client.post(TP2, json=payload(GOOD)).status_code == 401
    acts.change_source(house.services, second, actor="test", root_paths=True)
    assert house.client.post(TP2, json=payload(GOOD)).status_code == 200
    acts.disable_source(house.services, second, actor="test")
    assert house.client.post(TP2, json=payload(GOOD)).status_code == 401


def test_whatever_is_sent_is_answered_with_a_status_that_ends_the_trying(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source("tracker", "snowplow", root_paths=True)
    _, segment = house.source("web", "segment")
    gone, disabled = house.source("old", "snowplow")
    acts.disable_source(house.services, gone, actor="test")
    before = house.counts()
    told = {
        "no JSON": (b"{", 400),
        "too deep": (NEST, 400),
        "empty": (b"", 400),
        "a list": (b"[]", 400),
        "broken gzip": (b"\x1f\x8bxx", 400),
        "a bomb": (zipped(b" " * 50_000_000), 422),
        "too large": (b'{"data":["' + b"a" * 4_194_304 + b'"]}', 422),
        "no data": (b'{"batch":[]}', 422),
        "too many": (b'{"data":[' + b",".join([b"{}"] * 2_501) + b"]}", 400),
    }
    for path in (TP2, f"/c/{key}{TP2}"):
        for name, (body, status) in told.items():
            answer = house.client.post(path, data=body)
            assert problem(answer, status), name
            assert answer.status_code in ENDING, name
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        for path in (TP2, f"/c/{key}{TP2}", "/com.snowplowanalytics.snowplow/tp1", "/com.snowplowanalytics.snowplow/"):
            assert problem(house.client.open(path, method=method), 422)
    for path, status in (("/i", 400), (f"/i?{'a' * 40_000}=b", 422), ("/c/wk_unknown/i?e=pv", 401), (f"/c/{disabled}/i?e=pv", 403)):
        assert problem(house.client.get(path), status)
    assert problem(house.client.post("/i", data=b"{}"), 422)
    assert problem(house.client.get(f"/c/{segment}/i?{urlencode(GOOD)}"), 422)["code"] == "wrong_endpoint"
    assert problem(house.client.post("/v1/batch", json={"batch": [], "writeKey": key}), 422)["code"] == "wrong_endpoint"
    assert house.client.head(f"/i?{urlencode(GOOD)}").status_code == 200
    assert house.counts() == before, "a look without a body is no event"


def test_a_fault_of_ours_is_a_503_there_and_comes_with_a_time(sqlite_only: House, capfd: pytest.CaptureFixture[str]) -> None:
    house = sqlite_only
    house.source("tracker", "snowplow", root_paths=True)
    house.services.__dict__["intake"] = None
    answer = house.client.post(TP2, json=payload(GOOD))
    assert problem(answer, 503)["code"] == "internal"
    assert int(answer.headers["Retry-After"]) > 0
    assert SECRET not in "".join(capfd.readouterr())


def test_a_store_that_is_away_says_by_itself_when_to_come_again(sqlite_only: House) -> None:
    house = sqlite_only
    _, key = house.source()

    class Away:
        def allow(self, source: str, rate: int) -> int:
            raise Unavailable("the store does not answer", code="store_unreachable", retry_after=17)

    house.services.__dict__["limiter"] = Away()
    for answer in (house.send({"batch": []}, key), house.client.get(f"/c/{key}/i?e=pv")):
        assert problem(answer, 503)["code"] == "store_unreachable"
        assert answer.headers["Retry-After"] == "17"


def test_an_event_in_an_address_passes_the_strict_gate_and_is_held_and_read_again(sqlite_only: House) -> None:
    """No text in an address may be what a body may not: a NUL is held, sealed; what a later look can read goes in at its own time."""
    house = sqlite_only
    source, key = house.source("tracker", "snowplow", root_paths=True)
    assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
    house.clock.forward(seconds=1)
    told = house.client.get("/i?e=pv&uid=u-1&eid=a%00b").get_json()
    assert told["quarantined"] == 1
    with house.services.read_intake() as tx:
        (held,) = quarantine.listing(tx, source_id=source)[0]
    assert (held.path, held.rule) == ("eid", "bad_text")
    off = 3 * 3_600_000
    now = int(house.clock().timestamp() * 1000)
    wait = house.source("later", "snowplow", on_no_consent="wait")
    late = GOOD | {"uid": "u-9", "dtm": str(now + off), "stm": str(now + off)}
    assert house.client.post(f"/c/{wait[1]}{TP2}", json=payload(late)).get_json()["quarantined"] == 1
    house.grant(wait[1], [("customer_no", "u-9")], at=house.clock().isoformat())
    house.clock.forward(hours=5)
    assert holding.replay_waiting(house.services)["stored"] == 1
    assert house.client.post(f"/c/{wait[1]}{TP2}", json=payload(late)).get_json()["duplicate"] == 1
    house.flush()
    (row,) = house.services._lake.load_table(("lake", "events")).scan().to_arrow().to_pylist()
    assert row["hour"].timestamp() * 1000 == now // 3_600_000 * 3_600_000, "by our clock when it first came, not when it was read again"


@pytest.mark.slow
def test_what_stands_in_an_address_is_in_no_log(sqlite_only: House, capfd: pytest.CaptureFixture[str]) -> None:
    house = sqlite_only
    _, key = house.source("tracker", "snowplow", root_paths=True)
    house.close()
    with served(house.home) as (address, _):
        for path in (f"/i?{urlencode(GOOD | {'uid': SECRET, 'page': SECRET})}", f"/c/{key}/i?{urlencode({'uid': SECRET, 'e': 'pv'})}"):
            with urllib.request.urlopen(address + path, timeout=10) as answer:
                assert answer.status == 200
    written = (house.home / "server.err").read_text() + "".join(capfd.readouterr())
    assert SECRET not in written
    assert key not in written


def test_under_its_rate_a_tracker_that_ignores_retry_after_still_delivers_everything(template_home: Path, tmp_path: Path) -> None:
    """Its clients repeat a 429 until it is a 200: with the clock going on, every event is stored once."""
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LIMITS_REQUESTS_PER_SECOND": "8"}) as house:
        _, key = house.source("tracker", "snowplow", root_paths=True)
        assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
        waiting, tries = [GOOD | {"eid": f"e-{number}"} for number in range(40)], 0
        while waiting:
            house.clock.forward(milliseconds=50)
            tries += 1
            answer = house.client.post(TP2, json=payload(waiting[0]))
            assert answer.status_code in (200, 429)
            if answer.status_code == 200:
                waiting.pop(0)
        assert house.rows() == 40
        assert 60 <= tries <= 120, "40 events at 8 a second, a second's worth of them at once"
