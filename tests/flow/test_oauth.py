"""Clients that sign instead of carrying a write key, as Segment's server clients do."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from app import acts
from privacy.errors import Invalid
from tests.flow.bad_input import problem
from tests.house import House, bearer, sqlite_house, track

HERE = "https://in.shop.example"
PRIVATE, STRANGER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def pem(key: Any) -> str:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def assertion(house: House, client: str, *, key: Any = PRIVATE, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """What Segment's clients send: of the client, about it, for this server, for a minute, with an id."""
    now = int(house.clock().timestamp())
    said = {"iss": client, "sub": client, "aud": HERE, "iat": now - 5, "exp": now + 55, "jti": str(now)} | claims
    message = f"{part(header or {'alg': 'RS256', 'kid': 'k', 'typ': 'JWT'})}.{part(said)}"
    return f"{message}.{part(key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def ask(house: House, signed: str, **more: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed,
        "scope": "tracking_api:write",
    }
    return house.client.post("/token", data=form | more)


@pytest.fixture
def signing(template_home: Path, tmp_path: Path) -> Iterator[tuple[House, str, str]]:
    """A house that knows its address, a source and its client."""
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_SERVER_BASE_URL": HERE}) as house:
        source, key = house.source()
        assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
        house.clock.forward(seconds=1)
        made = acts.add_client(house.services, source, pem(PRIVATE), actor="test")
        assert made["audience"] == HERE
        yield house, source, made["client"]


def test_a_signed_assertion_buys_a_key_for_an_hour_that_sends_like_any_other(signing: tuple[House, str, str]) -> None:
    house, source, client = signing
    answer = ask(house, assertion(house, client))
    told = answer.get_json()
    assert (answer.status_code, told["expires_in"], told["token_type"]) == (200, 3600, "Bearer")
    assert answer.headers["Cache-Control"] == "no-store"
    sent = house.client.post("/v1/batch", json={"batch": [track(1)], "writeKey": "whatever"}, headers=bearer(told["access_token"]))
    assert sent.get_json()["stored"] == 1
    assert len(acts.show_source(house.services, source)[0]["keys"]) == 1, "a short-lived key is no key of the source's own"
    house.clock.forward(hours=1)
    assert problem(house.client.post("/v1/batch", json={"batch": []}, headers=bearer(told["access_token"])), 401)


def test_an_assertion_buys_one_key(signing: tuple[House, str, str]) -> None:
    house, _, client = signing
    signed = assertion(house, client)
    assert ask(house, signed).status_code == 200
    assert problem(ask(house, signed), 400)["code"] == "assertion_used"
    assert ask(house, assertion(house, client, jti="another")).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "claims"),
    [
        ("of another server", {"aud": "https://elsewhere.example"}),
        ("of no server", {"aud": None}),
        ("about somebody else", {"sub": "cli_other"}),
        ("of an unknown client", {"iss": "cli_" + "0" * 24, "sub": "cli_" + "0" * 24}),
        ("ended", {"exp": 0}),
        ("for a year", {"exp": 1_900_000_000}),
        ("without an end", {"exp": None}),
        ("with a strange end", {"exp": "soon"}),
        ("of the future", {"iat": 1_900_000_000}),
        ("without an id", {"jti": ""}),
        ("signed by another", {"key": STRANGER}),
        ("unsigned", {"header": {"alg": "none"}}),
        ("signed by a secret", {"header": {"alg": "HS256"}}),
        ("with no header", {"header": ["RS256"]}),
    ],
)
def test_an_assertion_that_is_wrong_anywhere_buys_nothing(signing: tuple[House, str, str], wrong: str, claims: dict[str, Any]) -> None:
    house, _, client = signing
    before = house.counts()
    assert problem(ask(house, assertion(house, client, **claims)), 400)["code"] == "assertion_invalid", wrong
    assert house.counts() == before


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "é.é.é", "x" * 9_000, ".".join([part({"a": 1})] * 3), f"{part(b'{')}.{part({})}.AA"])
def test_what_is_no_assertion_buys_nothing(signing: tuple[House, str, str], text: str) -> None:
    house, _, _ = signing
    assert problem(ask(house, text), 400)["code"] == "assertion_invalid"


def test_another_grant_or_a_body_that_is_no_form_is_refused(signing: tuple[House, str, str]) -> None:
    house, _, client = signing
    for more in ({"grant_type": "password"}, {"client_assertion_type": "x"}):
        assert problem(ask(house, assertion(house, client), **more), 400)["code"] == "assertion_invalid"
    for raw, status in ((b"\xff", 400), (b"{}", 400), (b"", 400), (b"a=b&" * 50, 400), (b"a" * 20_000, 413)):
        assert problem(house.client.post("/token", data=raw), status)
    assert house.client.post("/token/").status_code == 400


def test_a_changed_byte_of_a_right_assertion_makes_it_wrong(signing: tuple[House, str, str]) -> None:
    house, _, client = signing
    right = assertion(house, client)
    for place in range(10, len(right) - 3, max(1, len(right) // 25)):
        if right[place] == ".":
            continue
        changed = right[:place] + ("A" if right[place] != "A" else "B") + right[place + 1 :]
        assert ask(house, changed).status_code == 400
    assert ask(house, right).status_code == 200


def test_an_ended_client_and_a_disabled_source_buy_nothing_more(signing: tuple[House, str, str]) -> None:
    house, source, client = signing
    other = acts.add_client(house.services, source, pem(PRIVATE), actor="test")["client"]
    token = bearer(house.token("integrator"))
    assert house.client.post(f"/api/sources/{source}/clients/endings", json={"client": client}, headers=token).status_code == 200
    assert acts.show_source(house.services, source)[0]["clients"] == [other]
    assert problem(ask(house, assertion(house, client)), 400)
    assert problem(house.client.post(f"/api/sources/{source}/clients/endings", json={"client": client}, headers=token), 404)
    acts.disable_source(house.services, source, actor="test")
    assert problem(ask(house, assertion(house, other)), 403)["code"] == "source_disabled"


def test_only_a_strong_public_key_of_a_server_source_is_registered(sqlite_only: House) -> None:
    house = sqlite_only
    source, _ = house.source()
    page, _ = house.source("page", public=True)
    token = bearer(house.token("integrator"))
    secret = PRIVATE.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for text in ("x", secret, pem(small), pem(ec.generate_private_key(ec.SECP256R1()))):
        answer = house.client.post(f"/api/sources/{source}/clients", json={"public_key": text}, headers=token)
        assert problem(answer, 422)["code"] == "public_key_invalid"
    with pytest.raises(Invalid):
        acts.add_client(house.services, page, pem(PRIVATE), actor="test")
    answer = house.client.post(f"/api/sources/{source}/clients", json={"public_key": pem(PRIVATE)}, headers=token)
    assert answer.status_code == 201


def test_a_clock_a_minute_off_is_forgiven(signing: tuple[House, str, str]) -> None:
    house, _, client = signing
    now = int(house.clock().timestamp())
    assert ask(house, assertion(house, client, iat=now + 50, exp=now + 110)).status_code == 200
    assert ask(house, assertion(house, client, iat=now - 110, exp=now - 50, jti="b")).status_code == 200
    house.clock.now -= timedelta(hours=3)
    assert problem(ask(house, assertion(house, client, iat=now, exp=now + 60, jti="c")), 400)
