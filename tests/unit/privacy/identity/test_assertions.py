"""Public keys that sources sign with, and their signatures."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from privacy.errors import Invalid
from privacy.identity import assertions

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: PublicKeyTypes, form: serialization.PublicFormat = serialization.PublicFormat.SubjectPublicKeyInfo) -> str:
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_only_the_holder_of_the_private_half_signs() -> None:
    known = assertions.public_key(pem(PRIVATE.public_key()))
    signature = PRIVATE.sign(b"header.claims", padding.PKCS1v15(), hashes.SHA256())
    assert assertions.signed(known, b"header.claims", signature)
    assert not assertions.signed(known, b"header.claimz", signature)
    assert not assertions.signed(known, b"header.claims", signature[:-1])
    assert not assertions.signed(known, b"header.claims", b"")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert not assertions.signed(pem(other.public_key()), b"header.claims", signature)
    assert not assertions.signed(pem(ec.generate_private_key(ec.SECP256R1()).public_key()), b"header.claims", signature)


def test_other_hashes_and_paddings_are_no_rs256() -> None:
    known = pem(PRIVATE.public_key())
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    assert not assertions.signed(known, b"m", PRIVATE.sign(b"m", pss, hashes.SHA256()))
    assert not assertions.signed(known, b"m", PRIVATE.sign(b"m", padding.PKCS1v15(), hashes.SHA1()))


def test_a_key_has_one_spelling_and_a_length() -> None:
    one = pem(PRIVATE.public_key())
    assert assertions.public_key(one) == assertions.public_key("\n" + one.replace("\n", "\r\n")) == one
    assert assertions.public_key(pem(PRIVATE.public_key(), serialization.PublicFormat.PKCS1)) == one
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for text in ("", "wk_x", "é", pem(short.public_key())):
        with pytest.raises(Invalid) as caught:
            assertions.public_key(text)
        assert caught.value.code == "public_key_invalid"
