"""Attacks 47 and 48: another role's things by their ids, and words that a database or a template could take for orders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import described, jobs
from tests.house import House, bearer, sqlite_house, track

INJECTIONS = (
    "' OR '1'='1",
    "x'; DROP TABLE source; --",
    '1" UNION SELECT email FROM account --',
    "src_1) OR 1=1 --",
    "created_at; SELECT pg_sleep(3)",
    "{{ 7 * 7 }}",
    "${7*7}",
    "../../keys/keyring.json",
    "%27%20OR%201=1",
    "\\x00",
)
TOLD = re.compile(r"sql|syntax error|operational|psycopg|pysqlite|traceback|keyring|no such column", re.IGNORECASE)


@pytest.fixture(scope="module")
def open_house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("roles") / "home") as house:
        yield house


def told(answer: Any) -> str:
    """An answer without the request's own name."""
    return re.sub(r'"req_[0-9a-f]{24}"', '""', answer.get_data(as_text=True))


# ── 47: another's things by their ids ──────────────────────────────────────────────────────────────────────────────────────────


def test_attack_47_another_integrators_source_answers_as_if_there_were_none(open_house: House) -> None:
    house = open_house
    owner, stranger = bearer(house.token("integrator")), bearer(house.token("integrator"))
    source = house.client.post("/api/sources", json={"name": "own-47", "kind": "segment"}, headers=owner).get_json()["source"]
    unknown = "src_" + "0" * (len(source) - 4)
    for path in ("/api/sources/{}/counts", "/api/sources/{}/quality"):
        assert house.client.get(path.format(source), headers=owner).status_code == 200
        hidden, absent = (house.client.get(path.format(one), headers=stranger) for one in (source, unknown))
        assert (hidden.status_code, told(hidden)) == (absent.status_code, told(absent)) == (404, told(absent)), path


@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("", "PATCH", {"requests_per_second": 1}),
        ("/rotations", "POST", {}),
        ("/revocations", "POST", {"key": "key_" + "0" * 12}),
        ("/clients", "POST", {"public_key": "PEM"}),
        ("/clients/endings", "POST", {"client": "cli_" + "0" * 24}),
        ("/disablement", "POST", None),
    ],
)
def test_attack_47_an_integrator_changes_no_source_of_another(open_house: House, path: str, method: str, body: Any) -> None:
    house = open_house
    owner, stranger = bearer(house.token("integrator")), bearer(house.token("integrator"))
    made = house.client.post("/api/sources", json={"name": "kept" + path.replace("/", "-"), "kind": "segment"}, headers=owner).get_json()
    before = house.client.get(f"/api/sources/{made['source']}", headers=owner)
    headers = stranger | {"If-Match": before.headers["ETag"]}
    answer = house.client.open(f"/api/sources/{made['source']}{path}", method=method, json=body, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "source_not_found")
    assert house.client.get(f"/api/sources/{made['source']}", headers=owner).get_json() == before.get_json()


def test_attack_47_a_marketer_reads_no_job_but_own_ones(open_house: House) -> None:
    house = open_house
    with house.services.begin_jobs() as tx:
        other = jobs.enqueue(tx, "import", {"import": "imp_1"}, by="usr_other", now=house.clock())
    marketer = bearer(house.token("marketer"))
    hidden, absent = (house.client.get(f"/api/jobs/{one}", headers=marketer) for one in (other, "job_" + "0" * 24))
    assert (hidden.status_code, told(hidden)) == (404, told(absent))
    assert house.client.get("/api/jobs", headers=marketer).get_json() == {"items": [], "next": None}


def test_attack_47_a_role_without_the_permission_learns_nothing_of_what_exists(open_house: House) -> None:
    """403 is told before anything is looked up, so a thing that is there and one that is not answer alike."""
    house = open_house
    source, _ = house.source("there-47")
    marketer = bearer(house.token("marketer"))
    for path in ("/api/sources/{}", "/api/sources/{}/counts", "/api/imports/{}", "/api/imports/{}/errors"):
        there, absent = (house.client.get(path.format(one), headers=marketer) for one in (source, "src_absent"))
        assert (there.status_code, told(there)) == (absent.status_code, told(absent)) == (403, told(absent)), path
    for path in ("/api/audit/entries", "/api/subjects/proposals", "/metrics", "/api/settings", "/api/health"):
        assert house.client.get(path, headers=marketer).status_code == 403, path


# ── 48: words that could be orders ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("word", INJECTIONS)
def test_attack_48_no_query_parameter_and_no_id_reaches_a_database_as_an_order(open_house: House, word: str) -> None:
    """Every GET of the document with the word as each of its ids and parameters, by the role that sees most."""
    house = open_house
    house.source() if not house.counts()["platform.source"] else None
    document = house.client.get("/api/openapi.json").get_json()
    tables = house.counts().keys()
    for role in ("officer", "integrator", "administrator"):
        headers = bearer(house.token(role))
        for path, method, operation in described.operations(document):
            if method != "get":
                continue
            names = [one["name"] for one in operation.get("parameters", ()) if one.get("in") == "query"]
            filled = re.sub(r"{\w+}", lambda _: word.replace("/", "%2F"), path)
            for name in names or [""]:
                answer = house.client.get(filled, query_string={name: word} if name else None, headers=headers)
                assert answer.status_code in (200, 403, 404, 422), (path, name, answer.status_code)
                text = told(answer)
                if answer.status_code != 200:
                    assert not TOLD.search(text), (path, name, text)
                    assert word not in text or word.isalnum(), (path, name)
    assert house.counts().keys() == tables


@pytest.mark.parametrize("word", INJECTIONS)
def test_attack_48_no_text_of_a_body_reaches_a_database_as_an_order(open_house: House, word: str) -> None:
    """Every example of the document with each of its texts replaced: refused by a rule, or kept as the text that it is."""
    house = open_house
    house.source("texts-48") if not any(one["name"] == "texts-48" for one in _sources(house)) else None
    document = house.client.get("/api/openapi.json").get_json()
    before = _sources(house)
    tokens = {role: bearer(house.token(role)) for role in ("officer", "integrator", "marketer")}
    for path, method, operation in described.operations(document):
        name = _shape(operation)
        for field, value in described.EXAMPLES.get(name, {}).items():
            if isinstance(value, str) and "redemptions" not in path:
                for role, headers in tokens.items():
                    body = described.EXAMPLES[name] | {field: word}
                    answer = house.client.open(re.sub(r"{\w+}", "x_0", path), method=method.upper(), json=body, headers=headers)
                    assert answer.status_code in (200, 201, 202, 400, 403, 404, 409, 412, 422, 428, 429), (path, field, role)
                    assert answer.status_code < 300 or not TOLD.search(told(answer)), (path, field, told(answer))
    assert [one for one in _sources(house) if one in before] == before


def test_attack_48_filters_of_pages_and_reports_are_a_closed_grammar(open_house: House) -> None:
    house = open_house
    page = house.browser("administrator").client
    marketer = bearer(house.token("marketer"))
    for word in INJECTIONS:
        for name in ("kind", "state"):
            assert page.get("/jobs", query_string={name: word}).status_code == 422, word
        assert page.get("/jobs", query_string={"after": word}).status_code == 422, word
        for body in ({"by": [word]}, {"where": [word]}, {"where": [f"store_id={word}"]}, {"kind": word}, {"from": word}):
            asked = house.client.post("/api/reports/quotes", json={"kind": "store_month", **body}, headers=marketer)
            assert asked.status_code in (200, 400, 404, 422), (word, body)
            assert not TOLD.search(told(asked)), (word, body)


def test_attack_48_what_is_written_into_a_source_comes_back_as_text_and_nothing_else(open_house: House) -> None:
    house = open_house
    owner = bearer(house.token("integrator"))
    made = house.client.post("/api/sources", json={"name": "kept-48", "kind": "segment", "namespace": INJECTIONS[1][:40]}, headers=owner)
    assert made.status_code in (201, 422)
    _, key = house.source("events-48")
    event = track(1) | {"event": INJECTIONS[1], "userId": INJECTIONS[2]}
    assert house.batch([event], key)["received"] == 1
    assert house.counts()["platform.source"] >= 2


def _sources(house: House) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.client.get("/api/sources", headers=bearer(house.token("officer"))).get_json()["items"]
    return found


def _shape(operation: dict[str, Any]) -> str:
    """The name of the shape of an operation's body."""
    found = re.search(r"#/components/schemas/(\w+)", json.dumps(operation.get("requestBody", {})))
    return found[1] if found else ""
