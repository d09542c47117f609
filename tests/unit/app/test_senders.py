"""What the endpoints of clients share: keys of headers, bodies within their limit, who hears what, which pages may read."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from flask import Flask, g

from app import senders
from privacy.errors import Invalid, Refused, Unavailable
from tests.house import House, basic

SHOP = "https://shop.example"


@pytest.fixture
def app(house: House) -> Flask:
    made = Flask(__name__)
    made.extensions["piying"] = house.services
    return made


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Basic " + base64.b64encode(b"wk_a:").decode(), "wk_a"),
        ("basic " + base64.b64encode(b"wk_a:secret").decode(), "wk_a"),
        ("Bearer  wk_a ", "wk_a"),
        ("Basic wk_a", ""),
        ("Basic " + base64.b64encode("wk_é:".encode()).decode(), ""),
        ("Digest wk_a", ""),
        ("", ""),
    ],
)
def test_a_key_is_the_user_of_basic_or_the_bearer(app: Flask, header: str, key: str) -> None:
    with app.test_request_context(headers={"Authorization": header}):
        assert senders.key_of_header() == key


@pytest.mark.parametrize("key", [None, "", 5, ["wk_a"], {"wk_a": 1}])
def test_without_a_key_nobody_is_anybody(app: Flask, key: object) -> None:
    with app.test_request_context(), pytest.raises(Refused) as caught:
        senders.by_key(key)
    assert caught.value.code == "key_missing"


def test_a_body_is_json_within_the_limit_of_its_inflated_size(house: House, app: Flask) -> None:
    limit = house.services.settings.limits.request_bytes
    for body, code in (
        (b"", "empty_body"),
        (gzip.compress(b" "), "empty_body"),
        (b"[]", "invalid_json"),
        (gzip.compress(b'{"batch":[' + b" " * limit + b"]}"), "too_large"),
        (gzip.compress(b"{}")[:-1], "bad_encoding"),
        (gzip.compress(b"{}") + b"x", "bad_encoding"),
        (json.dumps({"data": [1] * 2_501}).encode(), "too_many_items"),
    ):
        with app.test_request_context(data=body), pytest.raises(Invalid) as caught:
            senders.document(items="data")
        assert caught.value.code == code
    with app.test_request_context(data=gzip.compress(b'{"batch":[1]}')):
        assert senders.document().value == {"batch": [1]}


def test_a_client_key_hears_of_success_and_a_server_key_of_counts(house: House, app: Flask) -> None:
    for public, told in (
        (True, {"success"}),
        (False, {"success", "request_id", "received", "stored", "duplicate", "quarantined", "refused"}),
    ):
        _, key = house.source(f"public-{public}", public=public)
        with app.test_request_context(data=b'{"batch":[{}]}', headers=basic(key)):
            source = senders.by_key(senders.key_of_header())
            assert set(senders.receive(source, "batch", senders.document()).get_json()) == told


def test_a_page_reads_answers_of_its_own_source_once_that_is_known(house: House, app: Flask) -> None:
    _, key = house.source(public=True, origins=[SHOP])
    house.source("other", public=True, origins=["https://other.example"])
    for origin, known, read in ((SHOP, True, True), ("https://other.example", True, False), ("https://other.example", False, True)):
        with app.test_request_context(headers={"Origin": origin}):
            if known and read:
                senders.by_key(key)
            elif known:
                with pytest.raises(Refused):
                    senders.by_key(key)
            answer = senders.cors(app.response_class())
            assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is read
            assert answer.headers["Vary"] == "Origin"


def test_a_store_that_is_away_fails_no_answer_a_second_time(house: House, app: Flask) -> None:
    def away() -> None:
        raise Unavailable("the store does not answer")

    house.services.read_intake = away  # type: ignore[assignment,method-assign]
    with app.test_request_context(headers={"Origin": SHOP}):
        assert "Access-Control-Allow-Origin" not in senders.cors(app.response_class()).headers
        assert "sender" not in g


def test_the_address_is_the_settings_word_before_the_requests(house: House, app: Flask) -> None:
    with app.test_request_context(base_url="http://seen.example:81"):
        assert senders.base_address() == "http://seen.example:81"
