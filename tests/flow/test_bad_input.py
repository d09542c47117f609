"""Whatever is sent and whatever is missing: a 4xx or a 503 with a code, never another 5xx, never a value, never a loss."""

from __future__ import annotations

import gzip
import io
import json
import re
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.wiring import Services
from ingestion.quarantine import QuarantineItem
from ingestion.verdicts import RequestVerdict
from privacy.vocabulary import FormRule
from tests.conftest import NOW
from tests.house import House, basic, bearer, open_house, sqlite_house, track, zipped

SECRET = "13912345678"
"""A phone number of nobody; whatever is wrong with the request around it, no answer repeats it."""
NEST = b"[" * 100_000 + b"]" * 100_000
GOOD = [("customer_no", "u-1")]


@pytest.fixture(scope="module")
def open_door(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """A house on SQLite where u-1 allows everything, for requests that change nothing else; and a server key."""
    with sqlite_house(template_home, tmp_path_factory.mktemp("bad") / "home") as house:
        _, key = house.source()
        assert house.grant(key, GOOD).status_code == 201
        house.clock.forward(seconds=1)
        yield house, key


def problem(answer: TestResponse, *statuses: int) -> dict[str, Any]:
    """A problem document as clients need it, without the secret."""
    text = answer.get_data(as_text=True)
    assert answer.status_code in statuses, text[:300]
    document: dict[str, Any] = answer.get_json(force=True)
    assert document["code"]
    assert document["message"]
    assert document["status"] == answer.status_code
    assert answer.mimetype == "application/problem+json"
    assert SECRET not in text
    assert SECRET not in str(answer.headers)
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"]
    return document


def receipt(answer: TestResponse) -> dict[str, Any]:
    """A 200 whose counts add up."""
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200, text[:300]
    told: dict[str, Any] = answer.get_json()
    assert told["received"] == sum(told[verdict] for verdict in ("stored", "duplicate", "quarantined", "refused"))
    assert SECRET not in text
    return told


def rules(house: House, request_id: str) -> list[str | None]:
    """The reasons of a request's items, in order."""
    answer = house.client.get(f"/v1/verdicts/{request_id}", headers=bearer(house.token("integrator")))
    assert SECRET not in answer.get_data(as_text=True)
    return [item["reason"] for item in answer.get_json()["items"]]


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


# ── one item among others ──────────────────────────────────────────────────────────────────────────────────────────────────────


def item(text: str) -> bytes:
    """A message with raw JSON inside, as no serialiser of ours would write it."""
    return json.dumps(track(7)).encode()[:-1] + b"," + text.encode("utf-8", "surrogatepass") + b"}"


ITEMS: dict[str, tuple[bytes, FormRule]] = {
    "NaN": (item('"x":NaN'), FormRule.OUT_OF_RANGE),
    "Infinity": (item('"x":-Infinity'), FormRule.OUT_OF_RANGE),
    "1e400": (item('"x":1e400'), FormRule.OUT_OF_RANGE),
    "a huge integer": (item('"x":' + "9" * 30), FormRule.OUT_OF_RANGE),
    "5,000 digits": (item('"x":' + "9" * 5_000), FormRule.OUT_OF_RANGE),
    "a lone surrogate": (item(f'"x":"\\ud800{SECRET}"'), FormRule.BAD_TEXT),
    "a lone surrogate as a key": (item(f'"\\udfff{SECRET}":1'), FormRule.BAD_TEXT),
    "NUL": (item(f'"x":"{SECRET}\\u0000"'), FormRule.BAD_TEXT),
    "NUL in an id": (b'{"type":"track","event":"E","userId":"u-1\\u0000"}', FormRule.BAD_TEXT),
    "a key twice": (item(f'"x":{{"{SECRET}":1,"{SECRET}":2}}'), FormRule.DUPLICATE_KEY),
    "the user twice": (item(f'"userId":"{SECRET}"'), FormRule.DUPLICATE_KEY),
    "forty levels": (item('"x":' + "[" * 40 + "]" * 40), FormRule.TOO_DEEP),
    "not an object": (f'"{SECRET}"'.encode(), FormRule.NOT_AN_OBJECT),
    "null": (b"null", FormRule.NOT_AN_OBJECT),
    "more than 32 KB": (item('"x":"' + SECRET * 3_000 + '"'), FormRule.TOO_LARGE),
    "no user": (json.dumps(track(7, user=None)).encode(), FormRule.MISSING),
    "an unknown type": (json.dumps(track(7, type=SECRET)).encode(), FormRule.UNKNOWN_TYPE),
    "a user that is a list": (json.dumps(track(7) | {"userId": [SECRET]}).encode(), FormRule.WRONG_TYPE),
    "an id of a megabyte": (json.dumps(track(7) | {"messageId": SECRET * 60}).encode(), FormRule.TOO_LONG),
    "properties that are text": (json.dumps(track(7, properties=SECRET)).encode(), FormRule.WRONG_TYPE),
    "a field that is a list": (json.dumps(track(7, properties={"product_id": [SECRET]})).encode(), FormRule.WRONG_TYPE),
    "an amount that is none": (json.dumps(track(7, properties={"value": SECRET + "x"})).encode(), FormRule.WRONG_TYPE),
    "a future date": (json.dumps(track(7, at=NOW + timedelta(minutes=10))).encode(), FormRule.TIME_FUTURE),
    "a date too old": (json.dumps(track(7, at=NOW - timedelta(days=800))).encode(), FormRule.TIME_TOO_OLD),
    "the year 0001": (json.dumps(track(7, timestamp="0001-01-01T00:00:00+14:00")).encode(), FormRule.TIME_TOO_OLD),
    "the year 9999": (json.dumps(track(7, timestamp="9999-12-31T23:59:59-14:00")).encode(), FormRule.TIME_FUTURE),
    "a zone that is none": (json.dumps(track(7, timestamp="2026-06-15T00:00:00+99:00")).encode(), FormRule.BAD_TIME),
    "a place as a zone": (json.dumps(track(7, timestamp=f"2026-06-15T00:00:00[{SECRET}]")).encode(), FormRule.BAD_TIME),
    "a time in words": (json.dumps(track(7, timestamp=SECRET)).encode(), FormRule.BAD_TIME),
    "a phone that is none": (
        json.dumps(track(7, type="identify") | {"traits": {"phone": f"{SECRET}99999"}}).encode(),
        FormRule.BAD_IDENTIFIER,
    ),
}


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_whose_form_is_wrong_is_quarantined_alone(open_door: tuple[House, str], name: str) -> None:
    """Its neighbours are stored; the path and the rule are told, and not one value."""
    house, key = open_door
    raw, rule = ITEMS[name]
    first, last = (json.dumps(track(secrets.randbelow(10**9))).encode() for _ in range(2))
    answer = receipt(house.send(b'{"batch":[' + b",".join([first, raw, last]) + b"]}", key))
    assert (answer["stored"], answer["quarantined"]) == (2, 1)
    assert rules(house, answer["request_id"]) == [None, rule, None]
    assert SECRET not in house.client.get("/api/quarantine", headers=bearer(house.token("integrator"))).get_data(as_text=True)


def test_a_message_id_is_repeated_only_if_it_looks_random(open_door: tuple[House, str]) -> None:
    house, key = open_door
    answer = receipt(house.send({"batch": [track(1) | {"messageId": SECRET + secrets.token_hex(4)}]}, key))
    listed = house.client.get(f"/v1/verdicts/{answer['request_id']}", headers=bearer(house.token("integrator"))).get_json()["items"]
    assert listed == [{"index": 0, "message_id": None, "verdict": "stored", "reason": None, "path": None}]


def test_a_forbidden_field_refuses_the_row_and_is_not_kept(open_door: tuple[House, str]) -> None:
    house, key = open_door
    before = house.counts()
    answer = receipt(house.send({"batch": [track(8, properties={"face_template": SECRET})]}, key))
    assert answer["refused"] == 1
    after = house.counts()
    assert after["vault.sealed_payload"] == before["vault.sealed_payload"]
    assert after["platform.quarantine_item"] == before["platform.quarantine_item"]


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
            problem(house.client.post(path, data=BODIES[name], headers=headers), 400, 401, 403, 404, 413, 422)


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
        problem(house.client.get(address, headers=bearer(house.token(role))), 403, 404, 405, 422)
    problem(house.client.delete(address), 401, 404, 405)


# ── stores, disk, keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def held(house: House, store: str) -> Iterator[None]:
    """Another program holds the write lock of a store and does not let go."""
    engine = getattr(house.services.stores, f"begin_{store}")
    with engine():
        yield


@pytest.mark.parametrize("store", ["vault", "platform"])
def test_while_another_program_holds_a_database_requests_are_answered_503_and_their_retry_is_stored(
    template_home: Path, tmp_path: Path, store: str
) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        assert house.grant(key, GOOD).status_code == 201
        house.clock.forward(seconds=1)
        impatient(house.services)
        body = {"batch": [track(1, user="u-1"), track(2, user="u-1", event=SECRET)]}
        before = house.counts()
        with held(house, store):
            if store == "platform":
                assert problem(house.send(body, key), 503)["code"] == "store_locked"
            assert problem(house.grant(key, [("phone", SECRET)]), 503)["code"] == "store_locked"
            headers = bearer(key)
            assert house.client.get("/healthz").status_code == 200
            assert house.client.get("/readyz", headers=headers).status_code == 503
        house.services.stores.close()
        assert house.counts()["platform.inbox"] == before["platform.inbox"]
        assert receipt(house.send(body, key))["stored"] == 2
        assert house.grant(key, [("phone", SECRET)]).status_code == 201


def impatient(services: Services, milliseconds: int = 150) -> None:
    """The same stores, but nobody waits five seconds for a lock."""
    stores = services.stores
    for store in {id(one): one for one in (stores.vault, *stores.roles.values(), stores.vault_owner, stores.platform_owner)}.values():
        store.close()
        store.busy_timeout = milliseconds


@pytest.mark.parametrize("store", ["vault", "platform"])
def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_kept(template_home: Path, tmp_path: Path, store: str) -> None:
    """A store that cannot grow answers 503 with a time; with room again the same requests are stored, each once."""
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        impatient(house.services, 5_000)
        one = house.services.stores.vault if store == "vault" else house.services.stores.platform()
        refused: list[int] = []
        with cramped(one, pages=24):
            acknowledged = 0
            for number in range(60):
                people = [("phone", f"139{number:04d}{place:04d}") for place in range(20)]
                answer = house.grant(key, people)
                if answer.status_code == 503:
                    assert problem(answer, 503)["code"] == "disk_full"
                    refused.append(number)
                    break
                assert answer.status_code == 201
                acknowledged += len(people) * 2
        assert refused, "the disk was never full"
        assert house.counts()["platform.consent_event"] == acknowledged
        again = house.grant(key, [("phone", f"139{refused[0]:04d}{place:04d}") for place in range(20)])
        assert again.status_code == 201
        assert house.counts()["platform.consent_event"] == acknowledged + 40


@contextmanager
def cramped(store: Any, *, pages: int) -> Iterator[None]:
    """Every connection of the store finds a disk with room for so many pages more."""

    def limit(connection: Any, _record: Any) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={used + pages}")

    with store.begin():
        pass
    writing = store._writing
    writing.dispose()
    sa.event.listen(writing, "connect", limit)
    try:
        yield
    finally:
        store.close()


def test_events_on_a_full_disk_are_answered_503_and_their_retry_loses_and_doubles_nothing(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        assert house.grant(key, GOOD).status_code == 201
        house.clock.forward(seconds=1)
        bodies = [{"batch": [track(100 * number + place, user="u-1") for place in range(50)]} for number in range(40)]
        statuses = []
        with cramped(house.services.stores.platform(), pages=16):
            for body in bodies:
                answer = house.send(body, key)
                statuses.append(answer.status_code)
                if answer.status_code != 200:
                    problem(answer, 503)
        assert {200, 503} == set(statuses)
        assert house.rows() == 50 * statuses.count(200)
        receipts = [receipt(house.send(body, key)) for body in bodies]
        assert sum(one["duplicate"] for one in receipts) == 50 * statuses.count(200)
        assert house.rows() == 50 * len(bodies)


def unlink(keys: Path) -> None:
    keys.unlink()


def scribble(keys: Path) -> None:
    keys.write_text("{", encoding="utf-8")


def open_to_all(keys: Path) -> None:
    keys.chmod(0o644)


@pytest.mark.parametrize("harm", [unlink, scribble, open_to_all])
def test_without_its_keys_every_route_but_healthz_answers_503_and_nothing_is_written(
    template_home: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        token = house.token("integrator")
        house.services.stores.close()
        harm(house.services.settings.keys_path)
        locked = open_house(house.services.settings, {})
        before, files = locked.counts(), contents(house.home)
        for rule in locked.app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                path = re.sub(r"<[^>]*>", "x", rule.rule) if "any(" not in rule.rule else "/v1/batch"
                answer = locked.client.open(path, method=method, headers=bearer(token), json={"batch": [track(1)]})
                if rule.endpoint == "health.healthz":
                    assert answer.status_code == 200
                    continue
                assert problem(answer, 503)["code"].startswith("keys_")
        problem(locked.send({"batch": [track(1)]}, key), 503)
        problem(locked.client.get("/no/such/route"), 503)
        locked.close()
        assert locked.counts() == before
        locked.close()
        assert contents(house.home) == files


def contents(home: Path) -> dict[str, bytes]:
    """Every file of a home but the shared memory of databases."""
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix not in (".db-shm", ".db-wal")}


# ── anything ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = st.sampled_from(
    ["type", "userId", "anonymousId", "messageId", "event", "properties", "traits", "context", "timestamp", "sentAt", "consent", "products",
     "categoryPreferences", "consentManagement", "allowedConsentIds", "product_id", "value", "price", "quantity", "phone", "email", "page",
     "url", "birthday", "order_id", "previousId", "groupId", "originalTimestamp", "address", "region", "currency", "step"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.text(string.digits, max_size=30), WORDS,
    st.sampled_from(["track", "identify", "page", "alias", "group", "screen", "Order Completed", "2026-06-15T00:00:00Z", "CNY", "u-1", SECRET,
                     "1e999", "-0", "９９", "\u200b", "a" * 600, "Segment Consent Preference Updated"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=6), max_leaves=20
)
MESSAGES = st.dictionaries(WORDS, VALUES, max_size=8).map(
    lambda more: {"type": "track", "event": "Order Completed", "userId": "u-1"} | more
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(messages=st.lists(MESSAGES | VALUES, max_size=4), envelope=st.dictionaries(WORDS, VALUES, max_size=2))
def test_any_json_at_all_gets_an_answer_whose_counts_add_up(
    open_door: tuple[House, str], messages: list[Any], envelope: dict[str, Any]
) -> None:
    house, key = open_door
    body = json.dumps({**envelope, "batch": messages}).encode()
    answer = house.send(body, key)
    if answer.status_code == 200:
        assert receipt(answer)["received"] == len(messages)
    else:
        problem(answer, 400, 422)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=200),
    cut=st.integers(0, 80),
    start=st.sampled_from([b"", b"\x1f\x8b", b'{"batch":[', b'{"batch":[{"type":"track",']),
)
def test_any_bytes_at_all_are_a_receipt_or_a_problem(open_door: tuple[House, str], raw: bytes, cut: int, start: bytes) -> None:
    house, key = open_door
    answer = house.send(start + raw[cut:], key)
    if answer.status_code != 200:
        problem(answer, 400, 401, 422)


def test_nothing_of_all_this_was_kept_in_clear(open_door: tuple[House, str]) -> None:
    """The last look at the house that had to take it all: sealed items, rules, verdicts, and no secret in any file."""
    house, _ = open_door
    with house.services.read_console() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(QuarantineItem)).scalar_one() > 0
        assert tx.execute(sa.select(sa.func.count()).select_from(RequestVerdict)).scalar_one() > 0
    for path, found in contents(house.home).items():
        assert SECRET.encode() not in found, path
