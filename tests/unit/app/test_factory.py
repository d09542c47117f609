"""Headers on every answer, a lock before every route, and ingestion that never redirects."""

from __future__ import annotations

import pytest

from app import factory
from app.factory import HEADERS, LARGEST, OPEN_WHILE_LOCKED, create_app
from privacy.errors import Locked
from tests.house import House, basic, bearer, track


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/budgets", "/v1/batch", "/nothing/here", "/api/openapi.json"])
def test_every_answer_carries_the_security_headers_and_a_name(house: House, path: str) -> None:
    answer = house.client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["X-Request-Id"].startswith("req_")
    assert "Set-Cookie" not in answer.headers


def test_while_keys_are_locked_every_route_but_healthz_and_static_files_answers_503_and_writes_nothing(house: House) -> None:
    _, key = house.source()
    token = house.token("officer")
    house.services.lock = Locked("gone", code="keys_missing")
    before = house.counts()
    app = create_app(house.services)
    client = app.test_client()
    asked = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_WHILE_LOCKED:
            continue
        kind = next(iter(getattr(rule._converters.get("kind"), "items", ["x"])))
        path = rule.build({name: kind if name == "kind" else "x" for name in rule.arguments}, append_unknown=False)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            answer = client.open(str(path and path[1]), method=method, json=track(), headers={**basic(key), "X-Token": token})
            assert answer.status_code == 503, (rule.rule, method)
            if method != "HEAD":
                assert "keys_missing" in answer.get_data(as_text=True), rule.rule
            assert answer.headers["Retry-After"] == "30"
            asked += 1
    assert asked > 20
    assert client.get("/healthz").status_code == 200
    assert house.counts() == before


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/batch/", "/v1/b", "/v1/import/"])
def test_ingestion_answers_with_and_without_a_slash_and_never_redirects(house: House, path: str) -> None:
    _, key = house.source()
    answer = house.send({"batch": [track()]}, key, path=path)
    assert answer.status_code == 200


def test_the_management_api_reads_json_as_strictly_as_ingestion(house: House) -> None:
    headers = {**bearer(house.token("integrator")), "Content-Type": "application/json"}
    before = house.counts()
    for body in (b'{"name":"a","name":"b","kind":"segment"}', b'{"name":NaN}', b'{"name":"\\ud800","kind":"segment"}', b"{"):
        answer = house.client.post("/api/sources", data=body, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_json"), body
    assert house.counts() == before


def test_a_body_larger_than_the_limit_is_refused_before_it_is_parsed(house: House) -> None:
    headers = {**bearer(house.token("integrator")), "Content-Type": "application/json"}
    answer = house.client.post("/api/sources", data=b" " * (LARGEST + 1), headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


def test_the_interface_is_described_and_the_description_is_complete(house: House) -> None:
    described = house.client.get("/api/openapi.json").get_json()
    assert described["openapi"] == "3.1.0"
    routes = {rule.rule for rule in house.app.url_map.iter_rules() if rule.rule.startswith("/api/") and "openapi" not in rule.rule}
    assert {path.replace("{", "<").replace("}", ">") for path in described["paths"]} == routes


def test_what_is_measured_is_the_route_and_never_the_path(house: House) -> None:
    house.client.get("/v1/verdicts/13800138000", headers=bearer(house.token("integrator")))
    told = house.client.get("/metrics", headers=bearer(house.token("administrator"))).get_data(as_text=True)
    assert "13800138000" not in told
    assert "/v1/verdicts/<" in told


def test_the_server_finds_the_factory_where_it_looks_for_it() -> None:
    assert factory.create_app is create_app
