"""Names of people and rows outside the vault."""

from __future__ import annotations

import hashlib
import hmac
import os

import numpy as np
import pyarrow as pa
import pytest

from privacy.identity import pseudonyms
from privacy.identity.profiles import INTERNATIONAL
from privacy.identity.pseudonyms import MacKey
from tests.unit.privacy.identity import wycheproof


def test_virtual_ids_are_the_first_63_bits_of_the_permuted_id() -> None:
    cipher = INTERNATIONAL.permutation(bytes(32))
    ids = os.urandom(16 * 50)
    made = pseudonyms.virtual_ids(ids, cipher)
    assert made.dtype == np.int64
    assert (made >= 0).all()
    assert made.tolist() == [int.from_bytes(cipher(ids[at : at + 16])[:8], "big") >> 1 for at in range(0, len(ids), 16)]


def test_no_people_have_no_names() -> None:
    cipher = INTERNATIONAL.permutation(bytes(32))
    assert pseudonyms.virtual_ids(b"", cipher).tolist() == []
    assert pseudonyms.handles(b"", cipher) == b""


def test_half_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        pseudonyms.virtual_ids(b"12345678", INTERNATIONAL.permutation(bytes(32)))


def test_the_blind_index_binds_the_type_and_its_length() -> None:
    key = os.urandom(32)
    (one,) = pseudonyms.blind_index(MacKey(key), "phone", ["x1"])
    assert one == hmac.digest(key, b"\0\x05phone" + b"x1", hashlib.sha256)
    assert (
        len(
            {
                *pseudonyms.blind_index(MacKey(key), "phone", ["x1"]),
                *pseudonyms.blind_index(MacKey(key), "phonex", ["1"]),
                *pseudonyms.blind_index(MacKey(key), "email", ["x1"]),
            }
        )
        == 3
    )


def test_row_macs_repeat_within_a_key_and_keep_absence() -> None:
    made = pseudonyms.row_macs(MacKey(b"k" * 32), pa.array(["a", None, "b", "a"])).to_pylist()
    assert made[0] == made[3] != made[2]
    assert made[1] is None
    assert made[0] == int.from_bytes(hmac.digest(b"k" * 32, b"a", hashlib.sha256)[:8], "big") >> 1
    assert pseudonyms.row_macs(MacKey(b"j" * 32), pa.array(["a"])).to_pylist() != made[:1]
    assert pseudonyms.row_macs(MacKey(b"k" * 32), pa.chunked_array([["a"], ["b"]])).to_pylist() == [made[0], made[2]]


def test_message_digests_differ_by_source_and_keep_absence() -> None:
    ids = pa.array(["m1", None, "m2", "m1"])
    made = pseudonyms.message_digests(MacKey(b"k" * 32), "web", ids)
    assert made.type == pa.binary(16)
    assert made.to_pylist()[0] == made.to_pylist()[3] != made.to_pylist()[2]
    assert made.to_pylist()[1] is None
    assert pseudonyms.message_digests(MacKey(b"k" * 32), "app", ids).to_pylist()[0] != made.to_pylist()[0]
    assert pseudonyms.message_digests(MacKey(b"k" * 32), "web", ids.slice(1, 2)).to_pylist() == made.to_pylist()[1:3]
    assert pseudonyms.message_digests(MacKey(b"k" * 32), "web", pa.array([], pa.string())).to_pylist() == []


def test_source_and_message_cannot_be_shifted_into_each_other() -> None:
    digests = [
        pseudonyms.message_digests(MacKey(b"k" * 32), source, pa.array([one])).to_pylist()[0] for source, one in (("a", "bc"), ("ab", "c"))
    ]
    assert digests[0] != digests[1]


def test_a_recipient_pseudonym_is_32_hexadecimal_digits_of_its_key() -> None:
    person = os.urandom(16)
    one, other = (pseudonyms.recipient_pseudonym(MacKey(key * 32), person) for key in (b"a", b"b"))
    assert one != other
    assert len(bytes.fromhex(one)) == 16


def test_many_macs_are_the_standard_librarys() -> None:
    for size in (0, 1, 32, 64, 65, 200):
        key = os.urandom(size)
        messages = [os.urandom(length) for length in (0, 1, 55, 64, 300)]
        assert pseudonyms.macs(MacKey(key), messages) == [hmac.digest(key, message, hashlib.sha256) for message in messages]


def test_many_macs_answer_the_wycheproof_cases() -> None:
    seen = 0
    for group in wycheproof.groups("hmac_sha256_test"):
        for case in group["tests"]:
            (made,) = pseudonyms.macs(MacKey(bytes.fromhex(case["key"])), [bytes.fromhex(case["msg"])])
            assert (made[: group["tagSize"] // 8].hex() == case["tag"]) == (case["result"] == "valid")
            seen += 1
    assert seen >= 80
