"""Names of people and rows outside the vault."""

from __future__ import annotations

import hashlib
import hmac
import os

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

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


def column_cipher(letter: bytes) -> pseudonyms.BlockCipher:
    return INTERNATIONAL.permutation(letter * 32)


def library_cmac(key: bytes, message: bytes) -> bytes:
    state = CMAC(algorithms.AES(key))
    state.update(message)
    return state.finalize()


def test_row_macs_repeat_within_a_key_and_keep_absence() -> None:
    made = pseudonyms.row_macs(column_cipher(b"k"), pa.array(["a", None, "b", "a"])).to_pylist()
    assert made[0] == made[3] != made[2]
    assert made[1] is None
    assert made[0] == int.from_bytes(library_cmac(b"k" * 32, b"a")[:8], "big") >> 1
    assert pseudonyms.row_macs(column_cipher(b"j"), pa.array(["a"])).to_pylist() != made[:1]
    assert pseudonyms.row_macs(column_cipher(b"k"), pa.chunked_array([["a"], ["b"]])).to_pylist() == [made[0], made[2]]


def test_message_digests_keep_absence_and_places() -> None:
    ids = pa.array(["m1", None, "m2", "m1"])
    made = pseudonyms.message_digests(column_cipher(b"k"), ids)
    assert made.type == pa.binary(16)
    assert made.to_pylist()[0] == made.to_pylist()[3] != made.to_pylist()[2]
    assert made.to_pylist()[1] is None
    assert pseudonyms.message_digests(column_cipher(b"k"), ids.slice(1, 2)).to_pylist() == made.to_pylist()[1:3]
    assert pseudonyms.message_digests(column_cipher(b"k"), pa.array([], pa.string())).to_pylist() == []


def test_many_cmacs_are_the_cryptographic_librarys() -> None:
    """Values of every length around the block, of one length and of many, out of a slice, with nulls that have bytes underneath."""
    key = os.urandom(32)
    words = ["x" * length for length in (0, 1, 15, 16, 17, 31, 32, 33, 100, 0)] + ["茶" * 5, "茶" * 16]
    for values in (pa.array(words), pa.array(["y", *words]).slice(1), *(pa.array([word] * 3) for word in words)):
        made = pseudonyms.cmacs(INTERNATIONAL.permutation(key), values)
        assert made == b"".join(library_cmac(key, word.encode()) for word in values.to_pylist())
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.array([True, False]).buffers()[1], *pa.array(["a", "b"]).buffers()[1:]])
    assert pseudonyms.cmacs(INTERNATIONAL.permutation(key), hidden) == library_cmac(key, b"a") + library_cmac(key, b"")


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
