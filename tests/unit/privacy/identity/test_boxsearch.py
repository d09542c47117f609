"""A held payload that speaks of a person is found, however it is written."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.identity.boxsearch import holds, needles

PERSON = needles(
    [("phone", "+8613800138000"), ("email", "Zhang.San@example.com"), ("customer_no", "shop\x1f77"), ("openid", "oAbCdZq8-3f5_T1n0B0d")]
)


def sealed(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "payload",
    [
        sealed({"traits": {"phone": "13800138000"}}),
        sealed({"a": [{"b": "138 0013 8000"}]}),
        sealed({"phone": 13800138000}),
        sealed({"note": "电话１３８００１３８０００谢谢"}),
        sealed({"mail": "ZHANG.SAN@EXAMPLE.COM"}),
        sealed({"url": "https://x.example/?m=zhang.san%40example.com"}),
        sealed({"blob": base64.b64encode(b"tel 13800138000").decode()}),
        sealed({"13800138000": 1}),
        sealed({"userId": "77"}),
        sealed({"id": "wx:oAbCdZq8-3f5_T1n0B0d"}),
        sealed({"text": "S1;2026-01-01;13800138000;3"}),
        b"{broken 13800138000",
        b"\xff\xfe13800138000",
    ],
)
def test_the_person_is_found_in_whatever_failed(payload: bytes) -> None:
    assert holds(payload, PERSON)


@pytest.mark.parametrize(
    "payload",
    [
        sealed({"phone": "13900139000", "qty": 771}),
        sealed({"mail": "li@example.com"}),
        sealed([]),
        b"null",
        b"{broken",
        sealed({"a": None, "b": True}),
    ],
)
def test_another_persons_payload_stays(payload: bytes) -> None:
    assert not holds(payload, PERSON)


@given(st.binary(max_size=200))
def test_no_payload_breaks_the_search(payload: bytes) -> None:
    assert holds(payload, PERSON) in (True, False)
    assert not holds(payload, needles([]))
