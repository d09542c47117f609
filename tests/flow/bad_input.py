"""What tests of bad input share: a house to send it to, a secret to look for, and what an answer must be.

Promise: an answer that passes here has a code, adds up, and repeats nothing of what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from tests.house import House, bearer, sqlite_house

SECRET = "13912345678"
"""A phone number of nobody; whatever is wrong with the request around it, no answer repeats it."""
NEST = b"[" * 100_000 + b"]" * 100_000
GOOD = [("customer_no", "u-1")]


@contextmanager
def opened(template: Path, home: Path) -> Iterator[tuple[House, str]]:
    """A house on SQLite where u-1 allows everything, for requests that change nothing else; and a server key."""
    with sqlite_house(template, home) as house:
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


def contents(home: Path) -> dict[str, bytes]:
    """Every file of a home but the shared memory of databases."""
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.suffix not in (".db-shm", ".db-wal")}


def in_clear(house: House) -> list[str]:
    """The last look at a house that had to take it all: files in which the secret stands."""
    files = contents(house.home)
    assert {"vault.db", "platform.db"} <= {Path(path).name for path in files}
    return [path for path, found in files.items() if SECRET.encode() in found]
