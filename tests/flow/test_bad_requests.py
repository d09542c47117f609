"""Whatever is sent in place of a request, to every door: a 4xx or a 503 with a code, never another 5xx, never a value, never a loss."""

from __future__ import annotations

import gzip
import io
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.bad_input import GOOD, NEST, SECRET, in_clear, opened, problem, receipt
from tests.house import House, basic, bearer, track, zipped


@pytest.fixture(scope="module")
def open_door(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    with opened(template_home, tmp_path_factory.mktemp("bad") / "home") as door:
        yield door


# ── the request as a whole ─────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "empty_body"),
    "white space": (b"  \n", 400, "empty_body"),
    "cut short": (b'{"batch":[{"phone":"' + SECRET.encode(), 400, "invalid_json"),
    "no JSON": (SECRET.encode() + b"&a=b", 400, "invalid_json"),
    "a number": (SECRET.encode(), 400, "invalid_json"),
    "a list": (b'["' + SECRET.encode() + b'"]', 400, "invalid_json"),
    "null": (b"null", 400, "invalid_json"),
    "not UTF-8": (b'{"batch":["\xff\xfe' + SECRET.encode() + b'"]}', 400, "invalid_json"),
    "UTF-16": (json.dumps({"batch": [SECRET]}).encode("utf-16"), 400, "invalid_json"),
    "100,000 brackets": (NEST, 400, "too_deep"),
    "100,000 brackets in an item": (b'{"batch":[' + NEST + b"]}", 400, "too_deep"),
    "100,000 objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, "too_deep"),
    "100,000 open brackets": (b"[" * 100_000, 400, "too_deep"),
    "four megabytes of escaped quotes": (b'\\"' * 2_000_000, 400, "invalid_json"),
    "four megabytes of quotes": (b'"' * 4_000_000, 400, "invalid_json"),
    "a key twice in the envelope": (b'{"batch":[],"sentAt":"a","sentAt":"b"}', 400, "invalid_json"),
    "a batch that is none": (b'{"batch":"' + SECRET.encode() + b'"}', 422, "batch_missing"),
    "too many items": (b'{"batch":[' + b",".join([b"{}"] * 2_501) + b"]}", 400, "too_many_items"),
    "too large": (b'{"batch":["' + b"a" * 4_194_304 + b'"]}', 413, "too_large"),
    "a gzip bomb": (gzip.compress(b" " * 50_000_000, 9), 413, "too_large"),
    "a gzip bomb in a gzip bomb": (gzip.compress(gzip.compress(b"0" * 50_000_000, 9), 9), 400, "invalid_json"),
    "half a gzip": (zipped({"batch": [SECRET] * 100})[:-12], 400, "bad_encoding"),
    "broken gzip": (b"\x1f\x8b" + SECRET.encode() * 20, 400, "bad_encoding"),
    "two gzips": (zipped({"batch": []}) * 2, 400, "bad_encoding"),
    "ten megabytes": (b'{"batch":[{"a":"' + b"a" * 10_000_000 + b'"}]}', 413, "too_large"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_request_that_cannot_be_read_is_refused_as_a_whole_and_writes_nothing(open_door: tuple[House, str], name: str) -> None:
    house, key = open_door
    body, status, code = WHOLE[name]
    before = house.counts()
    assert problem(house.send(body, key), status)["code"] == code
    assert house.counts() == before


def test_a_body_without_a_length_is_read_no_further_than_its_limit(open_door: tuple[House, str]) -> None:
    """Chunked transfer: nobody says beforehand how much will come."""

    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            Endless.taken += len(buffer)
            buffer[:] = b"a" * len(buffer)
            return len(buffer)

    house, key = open_door
    environment = {"wsgi.input": Endless(), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    answer = house.client.post("/v1/batch", headers=basic(key), environ_overrides=environment)
    assert problem(answer, 413)["code"] == "too_large"
    assert Endless.taken < 10_000_000


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "🦆"])
@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_the_content_type_does_not_matter(open_door: tuple[House, str], content_type: str, form: str) -> None:
    """rudder-sdk-node labels gzip as a form; Segment's browser client labels JSON as text."""
    house, key = open_door
    body = {"batch": [track(secrets.randbelow(10**9))]}
    raw = zipped(body) if form == "gzip" else json.dumps(body).encode()
    told = receipt(house.send(raw, key, headers={"Content-Type": content_type.encode().decode("latin-1")}))
    assert told["stored"] == 1


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("", 401, "key_missing"),
        ("wk_" + "a" * 52, 401, "key_unknown"),
        (f"wk_{SECRET}", 401, "key_unknown"),
        (f"{SECRET}\0", 401, "key_unknown"),
        ("wk_" + "a" * 10_000, 401, "key_unknown"),
    ],
)
@pytest.mark.parametrize("place", ["header", "bearer", "body", "query"])
def test_a_wrong_key_is_refused_wherever_it_stands(open_door: tuple[House, str], key: str, status: int, code: str, place: str) -> None:
    house, _ = open_door
    body: dict[str, Any] = {"batch": [track(1)], **({"writeKey": key.replace("\0", "")} if place == "body" else {})}
    headers = basic(key) if place == "header" else bearer(key.replace("\0", "")) if place == "bearer" else {}
    query = {"writeKey": key} if place == "query" else {}
    answer = house.client.post("/v1/batch", data=json.dumps(body).encode(), headers=headers, query_string=query)
    assert problem(answer, status)["code"] == code


def test_a_disabled_source_is_refused_and_an_old_key_ends_after_its_overlap(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source()
    integrator = bearer(house.token("integrator"))
    newer = house.client.post(f"/api/sources/{source}/rotations", headers=integrator).get_json()["write_key"]
    assert receipt(house.send({"batch": []}, key))["received"] == 0
    house.clock.forward(hours=25)
    assert problem(house.send({"batch": []}, key), 401)["code"] == "key_unknown"
    assert receipt(house.send({"batch": []}, newer))["received"] == 0
    house.client.post(f"/api/sources/{source}/disablement", headers=integrator)
    assert problem(house.send({"batch": []}, newer), 403)["code"] == "source_disabled"
    assert problem(house.grant(newer, GOOD), 403)["code"] == "source_disabled"


def test_a_source_of_files_does_not_take_messages(sqlite_only: House) -> None:
    _, key = sqlite_only.source(kind="file")
    assert problem(sqlite_only.send({"batch": []}, key), 422)["code"] == "wrong_endpoint"


# ── consent ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def consent(**changes: Any) -> dict[str, Any]:
    return {"identifier": {"type": "phone", "value": SECRET}, "purpose": "analytics.statistics", "state": "granted"} | changes


CONSENTS: dict[str, tuple[Any, int, str]] = {
    "an unknown purpose": ({"consents": [consent(purpose="marketing.everything")]}, 403, "purpose_unknown"),
    "a purpose that is a number": ({"consents": [consent(purpose="x" + SECRET)]}, 403, "purpose_unknown"),
    "an unknown state": ({"consents": [consent(state=SECRET)]}, 422, "invalid"),
    "no zone": ({"consents": [consent(at="2026-06-15T00:00:00")]}, 422, "invalid"),
    "a wrong zone": ({"consents": [consent(at="2026-06-15T00:00:00+99:00")]}, 422, "invalid"),
    "a time in words": ({"consents": [consent(at=SECRET)]}, 422, "invalid"),
    "a box ticked beforehand": ({"consents": [consent(default_state="checked")]}, 422, "consent_preticked"),
    "two subject matters": ({"consents": [consent(separate_for=["a", "b"])]}, 422, "consent_bundled"),
    "an identifier of another type": ({"consents": [consent(identifier={"type": "email", "value": SECRET})]}, 422, "bad_identifier"),
    "an unknown type": ({"consents": [consent(identifier={"type": SECRET, "value": SECRET})]}, 422, "invalid"),
    "an unknown member": ({"consents": [consent() | {SECRET: 1}]}, 422, "invalid"),
    "an unknown member outside": ({"consents": [consent()], SECRET: SECRET}, 422, "invalid"),
    "an unknown notice": ({"consents": [consent(notice=SECRET)]}, 422, "notice_unknown"),
    "none": ({"consents": []}, 422, "invalid"),
    "a list": ([consent()], 422, "invalid"),
    "too many": ({"consents": [consent()] * 1_001}, 422, "invalid"),
    "brackets": (NEST, 400, "too_deep"),
    "a key twice": (f'{{"consents":[{{"{SECRET}":1,"{SECRET}":2}}]}}'.encode(), 400, "invalid_json"),
    "a lone surrogate": (b'{"consents":[{"identifier":{"type":"phone","value":"\\ud800"}}]}', 400, "invalid_json"),
    "not JSON": (SECRET.encode() + b"=", 400, "invalid_json"),
    "too large": (b" " * 1_048_577, 413, "too_large"),
}


@pytest.mark.parametrize("name", CONSENTS)
def test_a_bad_act_of_consent_is_refused_with_a_code_and_nothing_is_recorded(open_door: tuple[House, str], name: str) -> None:
    house, key = open_door
    body, status, code = CONSENTS[name]
    before = house.counts()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert problem(house.client.post("/v1/consents", data=raw, headers=bearer(key)), status)["code"] == code
    assert house.counts() == before


# ── the management API ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BODIES = {
    "brackets": NEST,
    "not JSON": b'{"' + SECRET.encode(),
    "not UTF-8": b'{"name":"\xff' + SECRET.encode() + b'"}',
    "a list": b'["' + SECRET.encode() + b'"]',
    "an unknown member": b'{"' + SECRET.encode() + b'":1}',
    "a lone surrogate": b'{"name":"\\ud800' + SECRET.encode() + b'","code":"\\ud800aaaaaaaaaaaaaaaaaaaaaaaaa"}',
    "NUL": b'{"name":"\\u0000' + SECRET.encode() + b'","source":"\\u0000","kind":"\\u0000","code":"\\u0000aaaaaaaaaaaaaaaaaaaaaaaaaaaa"}',
    "5,000 digits": b'{"kind":"store_month","rho_nano":' + b"9" * 5_000 + b"}",
    "NaN": b'{"kind":"store_month","rho_nano":NaN}',
    "wrong types": b'{"kind":1,"name":[],"code":{},"scopes":"' + SECRET.encode() + b'","source":1}',
    "values": json.dumps({"kind": SECRET, "name": SECRET, "code": SECRET * 3, "source": SECRET, "scopes": [SECRET]}).encode(),
    "too large": b" " * 1_048_577,
}
POSTS = (
    "/api/sources", "/api/sources/src_x/rotations", "/api/tokens", "/api/tokens/redemptions", "/api/quarantine/replays", "/api/reports",
    "/api/reports/quotes",
)  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_the_management_api_refuses_what_it_cannot_read(open_door: tuple[House, str], name: str) -> None:
    house, _ = open_door
    for path in POSTS:
        for role in ("marketer",) if "report" in path else ("integrator",):
            headers = {**bearer(house.token(role)), "Content-Type": "application/json"}
            assert problem(house.client.post(path, data=BODIES[name], headers=headers), 400, 401, 403, 404, 413, 422)["code"]


@pytest.mark.parametrize(
    "address",
    [
        f"/{SECRET}", f"/v1//batch?writeKey={SECRET}", f"/v1/batch?writeKey={SECRET}", f"/api/releases/{SECRET}%00", f"/api/jobs/{SECRET}",
        f"/v1/verdicts/{SECRET}%00%FF", f"/api/audit/entries?cursor={SECRET}{SECRET}", "/api/audit/entries?cursor=%C2%B2",
        f"/api/audit/entries?cursor={SECRET}x", f"/api/sources/{SECRET}/rotations", f"//{SECRET}.example/%2e%2e/",
    ],
)  # fmt: skip
def test_no_address_breaks_anything_and_none_is_repeated_or_redirected(open_door: tuple[House, str], address: str) -> None:
    house, _ = open_door
    for role in ("integrator", "marketer", "officer"):
        assert problem(house.client.get(address, headers=bearer(house.token(role))), 403, 404, 405, 422)["code"]
    assert problem(house.client.delete(address), 401, 404, 405)["code"]


# ── afterwards ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_all_this_was_kept_in_clear(open_door: tuple[House, str]) -> None:
    assert in_clear(open_door[0]) == []
