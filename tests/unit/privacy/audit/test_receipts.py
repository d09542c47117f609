"""The offline verifier of receipts: a fixed vector, two other implementations, and every single change of a receipt."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from privacy.audit import receipts
from privacy.consent import receipts as made
from privacy.consent.registry import notice_hash

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""The first test key of RFC 8032."""
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
"""Of this key, as RFC 8037 (A.3) prints it."""
WORDS = {"version": "v1", "texts": {"en": "We count visits.", "zh": "我们统计到店。"}, "purposes": ["analytics.statistics"]}
REFERENCE, SALT = bytes(range(16)), bytes(range(32))
STATEMENT: dict[str, Any] = {
    "schema": receipts.SCHEMA,
    "receipt": "rcp_" + "a" * 26,
    "subject": made.commitment(REFERENCE, SALT),
    "purpose": {"key": "analytics.statistics", "name": {"en": "Statistics", "zh": "统计分析"}},
    "decision": {"state": "granted", "kind": "explicit"},
    "notice": {"version": "v1", "sha256": notice_hash("v1", WORDS["texts"], WORDS["purposes"]), "languages": ["en", "zh"]},  # type: ignore[arg-type]
    "at": {"decided": "2026-06-15T04:30:00.000000Z"},
    "log": {"origin": "piying/test", "entry": 7},
}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keys(public: bytes = PUBLIC, kid: str | None = None) -> str:
    return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": encoded(public), "kid": kid or receipts.thumbprint(public)}]})


def signed(statement: Any = STATEMENT, header: dict[str, Any] | None = None, seed: bytes = SEED) -> str:
    """A compact JWS, put together by hand."""
    said = header or {"alg": "Ed25519", "kid": THUMBPRINT, "typ": receipts.TYPE}
    start = f"{encoded(made.canonical(said))}.{encoded(made.canonical(statement))}"
    return f"{start}.{encoded(Ed25519PrivateKey.from_private_bytes(seed).sign(start.encode()))}"


def file(**changes: Any) -> str:
    parts = {"format": receipts.SCHEMA, "jws": signed(), "notice": WORDS, "opening": {"reference": REFERENCE.hex(), "salt": SALT.hex()}}
    return json.dumps({name: value for name, value in (parts | changes).items() if value is not None}, ensure_ascii=False)


def test_a_whole_receipt_holds_and_a_bare_signature_does_too() -> None:
    told = receipts.verify(file(), keys())
    assert (told["ok"], told["reason"], told["notice"], told["subject"]) == (True, "", "matches", "opens")
    assert (told["receipt"], told["key"], told["statement"]) == (STATEMENT["receipt"], THUMBPRINT, STATEMENT)
    bare = receipts.verify(signed() + "\n", keys())
    assert (bare["ok"], bare["notice"], bare["subject"]) == (True, "absent", "closed")


def test_the_name_of_a_key_is_the_one_that_the_standard_prints() -> None:
    assert receipts.thumbprint(PUBLIC) == THUMBPRINT
    assert Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw() == PUBLIC


def test_the_same_statement_has_the_same_bytes_for_ever() -> None:
    """A fixed vector: whoever changes the form makes another schema."""
    assert hashlib.sha256(signed().encode()).hexdigest() == VECTOR


VECTOR = "dd255f6a9143924a6516429096400363ef24c91938decc2f6c7692bb3106c906"


def test_two_other_implementations_agree() -> None:
    """The bare signature over the signing input, and another library for the whole of RFC 7515."""
    token = signed()
    start, _, signature = token.rpartition(".")
    Ed25519PrivateKey.from_private_bytes(SEED).public_key().verify(decoded(signature), start.encode())
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": encoded(PUBLIC)})
    opened = joserfc_jws.deserialize_compact(token, key, algorithms=["Ed25519"])
    assert json.loads(opened.payload) == receipts.verify(token, keys())["statement"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in leaves(inner, (*path, name))]
    if isinstance(value, list):
        return [found for place, inner in enumerate(value) for found in leaves(inner, (*path, place))]
    return [path]


@pytest.mark.parametrize("path", leaves(STATEMENT), ids=lambda path: ".".join(map(str, path)))
def test_a_change_of_any_field_fails(path: tuple[Any, ...]) -> None:
    changed = json.loads(json.dumps(STATEMENT))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = inner[path[-1]] + 1 if isinstance(inner[path[-1]], int) else inner[path[-1]] + "x"
    start, payload, signature = signed().split(".")
    forged = ".".join((start, encoded(made.canonical(changed)), signature))
    assert payload not in forged
    assert receipts.verify(file(jws=forged), keys())["reason"] == "signature"


def test_a_change_of_any_sign_fails() -> None:
    token = signed()
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        told = receipts.verify(token[:place] + other + token[place + 1 :], keys())
        assert not told["ok"], place
        assert told["statement"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"notice": {**WORDS, "version": "v2"}}, "notice_differs"),
        ({"notice": {**WORDS, "texts": {"en": "We sell your visits."}}}, "notice_differs"),
        ({"notice": {**WORDS, "purposes": ["marketing.profiling"]}}, "notice_differs"),
        ({"notice": "words"}, "notice_differs"),
        ({"opening": {"reference": REFERENCE.hex(), "salt": bytes(32).hex()}}, "subject_differs"),
        ({"opening": {"reference": bytes(16).hex(), "salt": SALT.hex()}}, "subject_differs"),
        ({"opening": {"reference": "phone"}}, "subject_differs"),
        ({"format": "another"}, "receipt_form"),
        ({"jws": None}, "receipt_form"),
        ({"jws": "a.b"}, "receipt_form"),
        ({"jws": signed({**STATEMENT, "schema": "another"})}, "schema_unknown"),
        ({"jws": signed({"schema": receipts.SCHEMA})}, "schema_unknown"),
        ({"jws": signed(["a list"])}, "receipt_form"),
        ({"jws": signed(seed=bytes(32))}, "signature"),
        ({"jws": signed(header={"alg": "none", "kid": THUMBPRINT, "typ": receipts.TYPE})}, "algorithm"),
        ({"jws": signed(header={"alg": "HS256", "kid": THUMBPRINT, "typ": receipts.TYPE})}, "algorithm"),
        ({"jws": signed(header={"alg": "Ed25519", "kid": THUMBPRINT})}, "algorithm"),
        ({"jws": signed(header={"alg": "Ed25519", "kid": THUMBPRINT, "typ": receipts.TYPE, "jwk": {}})}, "algorithm"),
        ({"jws": signed(header={"alg": "Ed25519", "kid": "another", "typ": receipts.TYPE})}, "key_unknown"),
    ],
)
def test_whatever_does_not_fit_is_named(changes: dict[str, Any], reason: str) -> None:
    told = receipts.verify(file(**changes), keys())
    assert (told["ok"], told["reason"]) == (False, reason)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": 1}', keys(kid="another"), keys(bytes(31), THUMBPRINT)])
def test_keys_that_are_none_verify_nothing(text: str) -> None:
    assert receipts.verify(file(), text)["reason"] == "keys_form"


def test_a_receipt_of_another_house_is_by_an_unknown_key() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert receipts.verify(file(), keys(other))["reason"] == "key_unknown"


def test_a_name_that_stands_twice_is_no_receipt() -> None:
    start = encoded(made.canonical({"alg": "Ed25519", "kid": THUMBPRINT, "typ": receipts.TYPE}))
    body = made.canonical(STATEMENT)[:-1] + b',"receipt":"rcp_other"}'
    start = f"{start}.{encoded(body)}"
    token = f"{start}.{encoded(Ed25519PrivateKey.from_private_bytes(SEED).sign(start.encode()))}"
    assert receipts.verify(token, keys())["reason"] == "receipt_form"


@pytest.mark.slow
def test_the_one_file_runs_alone(tmp_path: Path) -> None:
    """Copied away from everything of ours, without a home, it still says what holds."""
    alone = tmp_path / "check.py"
    alone.write_bytes(Path(receipts.__file__).read_bytes())
    (tmp_path / "receipt.json").write_text(file(), encoding="utf-8")
    (tmp_path / "keys.json").write_text(keys(), encoding="utf-8")
    command = [sys.executable, "-I", str(alone), str(tmp_path / "receipt.json"), "--keys", str(tmp_path / "keys.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"]
