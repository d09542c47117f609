"""Authenticated encryption of values."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag

from privacy import errors
from privacy.identity import sealed
from privacy.identity.keys import Keyring
from privacy.identity.profiles import COMMERCIAL, GCM, GCM_SIV, INTERNATIONAL, SM4_GCM, Profile
from tests.unit.privacy.identity import wycheproof

PLACE = sealed.Place("identifier", "sealed")
KEY = bytes(range(32))


def seal(value: bytes, *, algorithm: int = INTERNATIONAL.sealing, owner: bytes = b"owner", version: int = 1) -> bytes:
    return sealed.seal(sealed.aead(KEY, algorithm), version, PLACE, owner, os.urandom(12), value)


@pytest.mark.parametrize("algorithm", [GCM_SIV, GCM, SM4_GCM])
def test_a_sealed_value_opens_in_its_place_and_names_algorithm_and_version(algorithm: int) -> None:
    made = seal(b"13800138000", algorithm=algorithm, version=7)
    assert b"13800138000" not in made
    assert sealed.version_of(made) == (algorithm, 7)
    assert sealed.unseal(KEY, PLACE, b"owner", made) == b"13800138000"


@pytest.mark.parametrize("algorithm", [GCM_SIV, GCM, SM4_GCM])
def test_a_swapped_owner_table_column_version_or_algorithm_does_not_open(algorithm: int) -> None:
    made = seal(b"value", algorithm=algorithm)
    others = {GCM_SIV, GCM, SM4_GCM} - {algorithm}
    attempts = [
        (KEY, PLACE, b"other", made),
        (KEY, sealed.Place("identifier", "birth"), b"owner", made),
        (KEY, sealed.Place("person", "sealed"), b"owner", made),
        (KEY, sealed.Place("identifiers", "ealed"), b"owner", made),
        (bytes(32), PLACE, b"owner", made),
        (KEY, PLACE, b"owner", sealed.HEADER.pack(algorithm, 2) + made[3:]),
        *((KEY, PLACE, b"owner", sealed.HEADER.pack(other, 1) + made[3:]) for other in others),
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


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_whether_a_value_was_sealed_as_one_would_today_can_be_asked(profile: Profile) -> None:
    assert sealed.today(seal(b"x", algorithm=profile.sealing, version=2), profile, 2)
    assert not sealed.today(seal(b"x", algorithm=profile.sealing, version=1), profile, 2)
    for other in {GCM_SIV, GCM, SM4_GCM} - {profile.sealing}:
        assert not sealed.today(seal(b"x", algorithm=other, version=2), profile, 2)


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_a_data_key_opens_for_its_owner_under_the_version_it_was_wrapped_with(profile: Profile) -> None:
    ring = Keyring.fresh(random=os.urandom, clock=lambda: datetime.now(UTC), profile=profile)
    owners = [os.urandom(16), os.urandom(16)]
    (key, wrapped), (other, _) = sealed.new_data_keys(ring, owners, os.urandom)
    assert key != other
    assert sealed.version_of(wrapped) == (profile.sealing, 1)
    ring.rotate("kek", random=os.urandom, clock=lambda: datetime.now(UTC))
    assert sealed.unwrap(ring, owners[0], wrapped) == key
    again = sealed.rewrap(ring, owners[0], wrapped, os.urandom)
    assert sealed.version_of(again) == (profile.sealing, 2)
    assert sealed.unwrap(ring, owners[0], again) == key
    with pytest.raises(errors.Locked):
        sealed.unwrap(ring, owners[1], wrapped)


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_of_many_values_each_opens_for_its_owner_alone(profile: Profile) -> None:
    owners, keys = [bytes([one]) * 16 for one in range(5)], [bytes([one]) * 32 for one in range(5)]
    values = [b"x" * one for one in range(5)]
    made = sealed.seal_many([sealed.aead(key, profile.sealing) for key in keys], 1, PLACE, owners, values, os.urandom)
    assert [sealed.unseal(key, PLACE, owner, one) for key, owner, one in zip(keys, owners, made, strict=True)] == values
    assert len({one[3:15] for one in made}) == 5, "no nonce twice"
    assert sealed.seal_many([], 1, PLACE, [], [], os.urandom) == []


def test_sm4_gcm_answers_the_case_of_rfc_8998() -> None:
    """Appendix A.1."""
    cipher = sealed.Sm4Gcm(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce, aad = bytes.fromhex("00001234567800000000abcd"), bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex("".join(8 * two for two in ("aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa")))
    made = cipher.encrypt(nonce, plain, aad)
    assert made.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.decrypt(nonce, made, aad) == plain


def test_sm4_gcm_seals_with_128_bits_taken_from_the_key_and_not_with_the_key_itself() -> None:
    made = seal(b"value", algorithm=SM4_GCM)
    for half in (KEY[:16], KEY[16:]):
        with pytest.raises(InvalidTag):
            sealed.Sm4Gcm(half).decrypt(made[3:15], made[15:], PLACE.associated(b"owner", made[:3]))


@pytest.mark.parametrize(("name", "algorithm"), [("aes_gcm_siv_test", GCM_SIV), ("aes_gcm_test", GCM)])
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
