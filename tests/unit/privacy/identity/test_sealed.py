"""Authenticated encryption of values."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag

from privacy import errors
from privacy.identity import sealed
from privacy.identity.keys import Keyring
from tests.unit.privacy.identity import wycheproof

PLACE = sealed.Place("identifier", "sealed")
KEY = bytes(range(32))


def seal(value: bytes, *, algorithm: int = sealed.PREFERRED, owner: bytes = b"owner", version: int = 1) -> bytes:
    return sealed.seal(sealed.aead(KEY, algorithm), version, PLACE, owner, os.urandom(12), value)


@pytest.mark.parametrize("algorithm", [sealed.GCM_SIV, sealed.GCM])
def test_a_sealed_value_opens_in_its_place_and_names_algorithm_and_version(algorithm: int) -> None:
    made = seal(b"13800138000", algorithm=algorithm, version=7)
    assert b"13800138000" not in made
    assert sealed.version_of(made) == (algorithm, 7)
    assert sealed.unseal(KEY, PLACE, b"owner", made) == b"13800138000"


@pytest.mark.parametrize("algorithm", [sealed.GCM_SIV, sealed.GCM])
def test_a_swapped_owner_table_column_version_or_algorithm_does_not_open(algorithm: int) -> None:
    made = seal(b"value", algorithm=algorithm)
    other = sealed.GCM if algorithm == sealed.GCM_SIV else sealed.GCM_SIV
    attempts = [
        (KEY, PLACE, b"other", made),
        (KEY, sealed.Place("identifier", "birth"), b"owner", made),
        (KEY, sealed.Place("person", "sealed"), b"owner", made),
        (KEY, sealed.Place("identifiers", "ealed"), b"owner", made),
        (bytes(32), PLACE, b"owner", made),
        (KEY, PLACE, b"owner", sealed.HEADER.pack(algorithm, 2) + made[3:]),
        (KEY, PLACE, b"owner", sealed.HEADER.pack(other, 1) + made[3:]),
        (KEY, PLACE, b"owner", made[:-1]),
        (KEY, PLACE, b"owner", made[:10]),
        (KEY, PLACE, b"owner", made[:-1] + bytes([made[-1] ^ 1])),
    ]
    for key, place, owner, value in attempts:
        with pytest.raises(errors.Locked) as caught:
            sealed.unseal(key, place, owner, value)
        assert caught.value.code == "sealed_value_damaged"
    with pytest.raises(errors.Locked) as caught:
        sealed.unseal(KEY, PLACE, b"owner", b"\x09" + made[1:])
    assert caught.value.code == "algorithm_unknown"


def test_whether_a_value_was_sealed_as_one_would_today_can_be_asked() -> None:
    assert sealed.today(seal(b"x", version=2), 2)
    assert not sealed.today(seal(b"x", version=1), 2)
    other = sealed.GCM if sealed.PREFERRED == sealed.GCM_SIV else sealed.GCM_SIV
    assert not sealed.today(seal(b"x", algorithm=other, version=2), 2)


def test_a_data_key_opens_for_its_owner_under_the_version_it_was_wrapped_with() -> None:
    ring = Keyring.fresh(random=os.urandom, clock=lambda: datetime.now(UTC))
    owners = [os.urandom(16), os.urandom(16)]
    (key, wrapped), (other, _) = sealed.new_data_keys(ring, owners, os.urandom)
    assert key != other
    ring.rotate("kek", random=os.urandom, clock=lambda: datetime.now(UTC))
    assert sealed.unwrap(ring, owners[0], wrapped) == key
    again = sealed.rewrap(ring, owners[0], wrapped, os.urandom)
    assert sealed.version_of(again)[1] == 2
    assert sealed.unwrap(ring, owners[0], again) == key
    with pytest.raises(errors.Locked):
        sealed.unwrap(ring, owners[1], wrapped)


@pytest.mark.parametrize(("name", "algorithm"), [("aes_gcm_siv_test", sealed.GCM_SIV), ("aes_gcm_test", sealed.GCM)])
def test_the_ciphers_answer_the_wycheproof_cases(name: str, algorithm: int) -> None:
    seen = 0
    for group in wycheproof.groups(name):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue
        for case in group["tests"]:
            key, iv, aad, message = (bytes.fromhex(case[part]) for part in ("key", "iv", "aad", "msg"))
            ciphertext = bytes.fromhex(case["ct"] + case["tag"])
            cipher = sealed.aead(key, algorithm)
            if case["result"] == "valid":
                assert cipher.encrypt(iv, message, aad) == ciphertext
                assert cipher.decrypt(iv, ciphertext, aad) == message
            else:
                with pytest.raises(InvalidTag):
                    cipher.decrypt(iv, ciphertext, aad)
            seen += 1
    assert seen >= 30
