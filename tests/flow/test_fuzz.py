"""Whatever comes in: an answer with counts that add up or a 4xx with a code, never a 5xx, never a traceback.

`make test-long` sends 200,000 mutants through the whole way in and 20,000 broken requests to a running server; the default, a hundredth.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest

from tests.flow.bad_input import opened, problem
from tests.flow.mutants import broken, mutants
from tests.house import House, basic, bearer, served, track

SEED = 20_261_122
LONG = bool(os.environ.get("LONG_TESTS"))
MUTANTS = 200_000 if LONG else 2_000
REQUESTS = 20_000 if LONG else 200
EXAMPLES = 100 if LONG else 4
"""Of each operation of the management API."""
SETTINGS = hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck))
BATCH = 100

ORDER = {"order_id": "O-1", "total": 129.5, "currency": "CNY", "products": [{"product_id": "P1", "quantity": 2, "price": 20.5}]}
SEEDS: tuple[Any, ...] = (
    track(1, context={"consent": {"categoryPreferences": {"Analytics": True}}, "page": {"path": "/x"}, "ip": "203.0.113.9"}),
    track(2, type="identify") | {"traits": {"phone": "13800138000", "birthday": "1990-04-01", "gender": "f", "email": "li@example.com"}},
    track(3, event="Order Completed", properties=ORDER, anonymousId="anon-1", sentAt="2026-06-15T04:30:00Z"),
    track(4, type="page") | {"name": "Sale", "category": "Shoes", "integrations": {"All": True}},
    track(5, type="alias") | {"previousId": "anon-1"},
    track(6, type="group") | {"groupId": "G-1", "traits": {"plan": "gold"}},
    track(7, event="Consent Preference Updated", context={"consent": {"categoryPreferences": {"Analytics": False}}}),
)


@pytest.fixture(scope="module")
def open_door(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    with opened(template_home, tmp_path_factory.mktemp("fuzz") / "home") as door:
        yield door


@pytest.mark.slow
def test_mutants_of_messages_are_each_stored_repeated_held_or_refused(open_door: tuple[House, str]) -> None:
    house, key = open_door
    total = dict.fromkeys(("stored", "duplicate", "quarantined", "refused"), 0)
    made = mutants(SEEDS, SEED, MUTANTS)
    for number in range(MUTANTS // BATCH):
        batch = [next(made) for _ in range(BATCH)]
        answer = house.send(json.dumps({"batch": batch, "sentAt": "2026-06-15T04:30:00Z"}).encode("utf-8", "surrogatepass"), key)
        assert answer.status_code == 200, (number, answer.get_data(as_text=True)[:500])
        told = answer.get_json()
        assert told["received"] == BATCH == sum(told[verdict] for verdict in total), number
        total = {verdict: total[verdict] + told[verdict] for verdict in total}
    assert all(total.values()), total


@pytest.mark.slow
def test_broken_requests_are_answered_or_refused_with_a_code(open_door: tuple[House, str]) -> None:
    house, key = open_door
    chance = random.Random(SEED)
    for number in range(REQUESTS):
        raw = broken({"batch": list(mutants(SEEDS, number, 2))}, chance)
        answer = house.send(gzip.compress(raw) if number % 3 == 0 else raw, key)
        if answer.status_code == 200:
            told = answer.get_json()
            assert told["received"] == sum(told[verdict] for verdict in ("stored", "duplicate", "quarantined", "refused")), number
        else:
            problem(answer, 400, 413, 422)


@pytest.mark.slow
def test_a_running_server_survives_broken_requests_and_writes_no_traceback(sqlite_only: House) -> None:
    """Bodies, headers, methods and paths that nobody should send, over real connections."""
    house = sqlite_only
    _, key = house.source()
    house.clock.now = datetime.now(UTC)
    house.grant(key, [("customer_no", "u-1")])
    chance = random.Random(SEED)
    unlimited = {"PIYING_LIMITS_REQUESTS_PER_SECOND": "100000"}
    seen: dict[int, int] = {}
    with served(house.home, unlimited) as (address, process):
        host = urlsplit(address)
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
        for number in range(REQUESTS):
            raw = broken({"batch": list(mutants(SEEDS, number, 2))}, chance)
            path = chance.choice(
                ("/v1/batch", "/v1/b", "/v1/t", "/v1/import/", "/v1/consents", "/v1/%00", "/beacon/v1/batch?writeKey=" + key, "/i?e=pv")
            )
            headers = {"Content-Type": chance.choice(("application/json", "text/plain", "x/y; charset=\u00ff", "")), **basic(key)}
            if chance.random() < 0.2:
                headers["Content-Encoding"] = chance.choice(("gzip", "br", "identity", "gzip, gzip"))
            if chance.random() < 0.1:
                headers["Authorization"] = chance.choice(
                    ("Basic ====", "Bearer", "Basic \u00e9\u00e9", "Digest x", "Bearer " + "x" * 5_000)
                )
            try:
                connection.request(chance.choice(("POST",) * 8 + ("PUT", "GET", "DELETE", "OPTIONS")), path, raw, headers)
                answer = connection.getresponse()
                answer.read()
            except (http.client.HTTPException, ConnectionError):
                connection.close()  # what is not HTTP at all ends the connection
                continue
            seen[answer.status] = seen.get(answer.status, 0) + 1
            assert answer.status < 500, (number, path, answer.status)
        connection.close()
        assert process.poll() is None
    assert seen[200] > 0
    assert seen[400] > 0
    assert b"Traceback" not in (house.home / "server.err").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("role", ["integrator", "officer", "administrator"])
def test_the_management_api_answers_whatever_its_description_allows_or_forbids(sqlite_only: House, role: str) -> None:
    """Generated from the API's own description: right values, wrong values, for each role."""
    import schemathesis

    house = sqlite_only
    token = house.token(role)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", house.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        each = hypothesis.given(case=operation.as_strategy())(lambda case: answered(case, token))
        hypothesis.seed(SEED)(hypothesis.settings(SETTINGS)(each))()


def answered(case: Any, token: str) -> None:
    """No 5xx; a refusal has a code and a message."""
    answer = case.call(headers=bearer(token))
    assert answer.status_code < 500, case.operation.label
    if answer.status_code >= 400:
        document = answer.json()
        assert document["code"], case.operation.label
        assert document["message"], case.operation.label
