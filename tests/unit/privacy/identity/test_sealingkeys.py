"""Lists are sealed only for public keys that are ones: X25519 in three spellings, RSA of 3,072 bits and more."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from privacy.errors import Invalid
from privacy.identity import sealingkeys

AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
"""The recipient of age's own documentation."""


def pem(key: rsa.RSAPrivateKey | X25519PrivateKey) -> str:
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, info).decode()


def test_one_key_has_one_spelling_and_one_fingerprint() -> None:
    key = X25519PrivateKey.generate()
    raw = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    assert sealingkeys.checked(f" {raw}\n") == sealingkeys.checked(pem(key))
    assert sealingkeys.checked(raw).algorithm == "x25519"
    assert len(base64.b64decode(sealingkeys.checked(AGE).text)) == 32


def test_rsa_is_taken_from_3072_bits_on() -> None:
    assert sealingkeys.checked(pem(rsa.generate_private_key(65_537, 3_072))).algorithm == "rsa"
    with pytest.raises(Invalid):
        sealingkeys.checked(pem(rsa.generate_private_key(65_537, 2_048)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        AGE[:-1] + "q",
        AGE[:-1],
        base64.b64encode(bytes(32)).decode(),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        sealingkeys.checked(text)
    assert (refused.value.code, refused.value.field) == ("sealing_key_invalid", "sealing_key")
