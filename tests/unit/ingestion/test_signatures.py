"""Signatures of webhooks: fixed vectors, every way to be wrong, the clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import signatures
from privacy.errors import NotConfigured, Refused

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
SECRET = b"whs_0123456789abcdef"
BODY = '{"id":1,"note":"\u4f4e\u7cd6"}'.encode()
SHOPIFY = [("shopify", SECRET)]
TIMESTAMPED = [("timestamped", SECRET)]


def check(headers: Mapping[str, str], body: bytes = BODY, secrets: list[tuple[str, bytes]] | None = None, now: datetime = NOW) -> str:
    """The code of the refusal, or "" where there is none."""
    try:
        signatures.check(lambda name: headers.get(name, ""), body, SHOPIFY if secrets is None else secrets, now=now)
    except (Refused, NotConfigured) as refused:
        return refused.code
    return ""


def shopify(body: bytes = BODY, secret: bytes = SECRET) -> dict[str, str]:
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()}


def stamped(at: datetime = NOW, body: bytes = BODY, secret: bytes = SECRET) -> dict[str, str]:
    clock = str(int(at.timestamp()))
    return {"X-Signature": f"t={clock},v1={hmac.new(secret, clock.encode() + b'.' + body, hashlib.sha256).hexdigest()}"}


def test_both_schemes_are_hmac_sha256_as_rfc_4231_has_it() -> None:
    """Test case 2 of the RFC; under the timestamped scheme the clock and a full stop stand before the body."""
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    given_ = {"X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode()}
    assert check(given_, b"what do ya want for nothing?", [("shopify", b"Jefe")]) == ""
    clock = int(NOW.timestamp())
    expected = hmac.new(b"Jefe", b"%d.x" % clock, hashlib.sha256).hexdigest()
    assert check({"X-Signature": f"t={clock},v1={expected.upper()}"}, b"x", [("timestamped", b"Jefe")]) == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Shopify-Hmac-Sha256": ""},
        {"X-Shopify-Hmac-Sha256": "not base64!"},
        {"X-Shopify-Hmac-Sha256": "\u00e9"},
        shopify(secret=b"another secret of somebody"),
        shopify(body=BODY + b" "),
        stamped(),
    ],
)
def test_what_is_not_signed_with_the_sources_secret_and_scheme_is_refused(headers: dict[str, str]) -> None:
    assert check(headers) == "signature_wrong"


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=00", "t=x,v1=00", "t=1,t=2,v1=00", "t=99999999999999,v1=00", "v1", "t=\u0661,v1=00", "," * 99]
)
def test_a_header_that_cannot_be_read_is_a_wrong_signature(header: str) -> None:
    assert check({"X-Signature": header}, secrets=TIMESTAMPED) == "signature_wrong"


def test_a_timestamped_signature_is_taken_for_five_minutes_either_way() -> None:
    for seconds, code in ((0, ""), (299, ""), (-299, ""), (302, "signature_stale"), (-302, "signature_stale"), (86_400, "signature_stale")):
        assert check(stamped(NOW - timedelta(seconds=seconds)), secrets=TIMESTAMPED) == code


def test_the_clock_is_signed_too() -> None:
    old = stamped(NOW - timedelta(hours=1))["X-Signature"]
    moved = f"t={int(NOW.timestamp())},{old.split(',')[1]}"
    assert check({"X-Signature": moved}, secrets=TIMESTAMPED) == "signature_wrong"


def test_while_a_sender_changes_over_both_secrets_count() -> None:
    secrets = [("timestamped", b"the newest secret of all"), *SHOPIFY]
    assert check(shopify(), secrets=secrets) == ""
    assert check(stamped(secret=b"the newest secret of all"), secrets=secrets) == ""
    both = stamped()["X-Signature"] + "," + stamped(secret=b"x" * 20)["X-Signature"].split(",")[1]
    assert check({"X-Signature": both}, secrets=TIMESTAMPED) == ""


def test_a_source_without_a_secret_takes_nothing() -> None:
    assert check(shopify(), secrets=[]) == "secret_missing"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.binary(max_size=40))
def test_no_header_whatever_is_right_by_chance_or_raises_anything_else(header: str, body: bytes) -> None:
    for name, secrets in (("X-Signature", TIMESTAMPED), ("X-Shopify-Hmac-Sha256", SHOPIFY)):
        assert check({name: header}, body, secrets) == "signature_wrong"
