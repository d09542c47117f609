"""Whatever stands in one item among others: a 4xx or a 503 with a code, never another 5xx, never a value, never a loss."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.quarantine import QuarantineItem
from ingestion.verdicts import RequestVerdict
from privacy.vocabulary import FormRule
from tests.conftest import NOW
from tests.flow.bad_input import SECRET, in_clear, opened, problem, receipt, rules
from tests.house import House, bearer, track


@pytest.fixture(scope="module")
def open_door(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    with opened(template_home, tmp_path_factory.mktemp("bad") / "home") as door:
        yield door


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
    assert answer.status_code == 200 or problem(answer, 400, 401, 422)["code"]


# ── afterwards ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_all_this_was_kept_in_clear(open_door: tuple[House, str]) -> None:
    """Sealed items, rules, verdicts, and no secret in any file."""
    house, _ = open_door
    with house.services.read_console() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(QuarantineItem)).scalar_one() > 0
        assert tx.execute(sa.select(sa.func.count()).select_from(RequestVerdict)).scalar_one() > 0
    assert in_clear(house) == []
