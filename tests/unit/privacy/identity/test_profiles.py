"""Two families of algorithms: each known by its standard's own example, each good for everything, both readable in one vault."""

from __future__ import annotations

import hashlib
import os
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.stores import Stores
from privacy.identity import box, keys, keystate, monthkeys, profiles, pseudonyms, renewal, sealed, vault
from privacy.identity.keys import Keyring
from privacy.identity.profiles import COMMERCIAL, GCM, GCM_SIV, INTERNATIONAL, SM4_GCM, Profile
from privacy.orm import VaultBase
from privacy.vocabulary import IdentifierType
from tests.unit.privacy.identity.people import NOW, admit, resolve

A, B = "+8613800138000", "+8613800138001"
BOTH = pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)


def ring_of(profile: Profile) -> Keyring:
    return Keyring.fresh(random=os.urandom, clock=lambda: NOW, profile=profile)


@pytest.fixture(params=[INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def ring(request: pytest.FixtureRequest) -> Keyring:
    return ring_of(request.param)


@pytest.fixture
def stored(ring: Keyring, sqlite: Stores) -> Stores:
    """A vault under each profile; what a database does does not depend on it."""
    with sqlite.begin_vault() as tx:
        VaultBase.metadata.create_all(tx)
        keystate.register(tx, ring, now=NOW)
    return sqlite


# ── the standards' own examples ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("start", [COMMERCIAL.start, profiles.Sm3], ids=["the profile's", "the library's"])
def test_sm3_answers_the_examples_of_gb_t_32905(start: type[profiles.Sm3]) -> None:
    assert start(b"abc").digest().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert start(b"abcd" * 16).digest().hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_answers_the_example_of_gb_t_32907() -> None:
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    assert encryptor.update(key).hex() == "681edf34d206965e86b3e94f536e4246"


def test_the_commercial_permutation_is_sm4_under_a_derived_key() -> None:
    key, block = os.urandom(32), os.urandom(16)
    derived = COMMERCIAL.expand(key, b"piying/v1/sm4/permutation", 16)
    encryptor = Cipher(algorithms.SM4(derived), modes.ECB()).encryptor()
    assert COMMERCIAL.permutation(key)(block) == encryptor.update(block)
    assert derived not in {key[:16], key[16:], profiles.sm4_sealing_key(key)}


@pytest.mark.parametrize("start", [COMMERCIAL.start, profiles.Sm3], ids=["the profile's", "the library's"])
def test_an_hmac_with_sm3_is_the_cryptographic_librarys(start: type[profiles.Sm3]) -> None:
    for size in (0, 1, 32, 64, 65, 200):
        key = os.urandom(size)
        messages = [os.urandom(length) for length in (0, 1, 55, 64, 300)]
        expected = []
        for message in messages:
            state = hmac.HMAC(key, hashes.SM3())
            state.update(message)
            expected.append(state.finalize())
        assert pseudonyms.macs(pseudonyms.MacKey(key, start), messages) == expected


def test_without_an_sm3_of_hashlib_the_librarys_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, data: bytes = b"") -> None:
        raise ValueError("unsupported hash type " + name)

    monkeypatch.setattr(hashlib, "new", without)
    assert profiles._sm3() is profiles.Sm3


def test_a_derivation_with_sm3_is_the_second_half_of_the_librarys_hkdf() -> None:
    secret, salt, info = os.urandom(32), os.urandom(16), b"info"
    (uniform,) = pseudonyms.macs(COMMERCIAL.mac_key(salt), [secret])
    assert COMMERCIAL.expand(uniform, info, 48) == HKDF(hashes.SM3(), 48, salt, info).derive(secret)


# ── what a profile is ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_profiles_are_known_by_name_and_every_number_of_an_algorithm_is_taken_once() -> None:
    assert [profiles.named(name) for name in ("international", "commercial")] == [INTERNATIONAL, COMMERCIAL]
    assert set(profiles.ALGORITHMS) == {GCM_SIV, GCM, SM4_GCM} == {1, 2, 3}


def test_one_key_leads_to_values_of_two_profiles_that_never_meet() -> None:
    root, person = os.urandom(32), os.urandom(16)
    both = (INTERNATIONAL, COMMERCIAL)
    assert len({one.derive(root, "label") for one in both}) == 2
    assert len({one.permutation(root)(person) for one in both}) == 2
    assert len({pseudonyms.recipient_pseudonym(one.mac_key(root), person) for one in both}) == 2


def test_the_inventory_names_an_algorithm_for_every_kind_and_no_other_familys() -> None:
    for profile, own, others in ((INTERNATIONAL, ("AES-256", "SHA-256"), "SM"), (COMMERCIAL, ("SM4", "SM3"), "AES")):
        named = {kind: profile.algorithms_of(kind) for kind in keys.KINDS}
        assert all(any(word in text for word in own) for kind, text in named.items() if kind not in ("signing", "receipt"))
        assert not [kind for kind, text in named.items() if others in text]
        assert named["signing"] == named["receipt"] == "Ed25519"
    assert COMMERCIAL.algorithms_of("kek") == "SM4-GCM"
    assert COMMERCIAL.algorithms_of("index") == "HKDF-SM3, HMAC-SM3"
    assert COMMERCIAL.algorithms_of("lake") == "HKDF-SM3, SM4"


# ── everything under both ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_people_are_stored_found_and_opened(ring: Keyring, stored: Stores) -> None:
    people = admit(stored, ring, phone=[A, B], email=["a@x.cn", None])
    assert admit(stored, ring, phone=[B, A]) == [people[1], people[0]]
    with stored.begin_vault() as tx:
        vault.set_birth(tx, ring, [people[0] or b""], [date(2012, 6, 16)], today=NOW.date(), random=os.urandom)
    with stored.read_vault() as tx:
        assert vault.lookup(tx, ring, "email", "a@x.cn") == people[0]
        assert sorted(vault.identifiers_of(tx, ring, people[0] or b"")) == [("email", "a@x.cn"), ("phone", A)]
        assert vault.youths(tx, ring) == {people[0]: date(2012, 6, 16)}
        columns = (vault.DataKey.wrapped, vault.Identifier.sealed, vault.Person.birth)
        found = [value for column in columns for value in tx.execute(sa.select(column)).scalars() if value is not None]
    assert {sealed.version_of(value)[0] for value in found} == {ring.profile.sealing}


def test_an_erased_person_does_not_come_back(ring: Keyring, stored: Stores) -> None:
    with stored.begin_vault() as tx:
        vault.add_tombstones(tx, ring, [(IdentifierType.PHONE, A)], now=NOW)
    assert resolve(stored, ring, phone=[A, B]).erased.to_pylist() == [True, False]


def test_a_rotation_of_every_key_that_can_be_rotated_splits_nobody(ring: Keyring, stored: Stores) -> None:
    people = admit(stored, ring, phone=[A, B])
    for kind in sorted(keys.ROTATABLE):
        version = ring.rotate(kind, random=os.urandom, clock=lambda: NOW)
        with stored.begin_vault() as tx:
            keystate.activate(tx, ring, kind, version, now=NOW)
        assert admit(stored, ring, phone=[A, B]) == people


def test_a_boxed_payload_opens(ring: Keyring, stored: Stores) -> None:
    boxed = box.VaultBox(stored.begin_vault, ring, clock=lambda: NOW, random=os.urandom)
    assert boxed.open(boxed.seal("web", [b"one", b""], NOW + timedelta(days=7))) == [b"one", b""]


def test_row_and_message_keys_repeat_within_their_time_and_differ_by_profile(ring: Keyring, stored: Stores) -> None:
    month = pa.array([202605] * 2, pa.int32())

    def made() -> tuple[list[int], list[bytes]]:
        fresh = monthkeys.MonthKeys(ring, stored.begin_vault, stored.read_vault, os.urandom)
        orders = fresh.row_macs("order", pa.array(["O-1", "O-2"]), month, now=NOW).to_pylist()
        current, beside = fresh.message_ciphers(NOW, "web")
        assert not beside
        return orders, pseudonyms.message_digests(current, pa.array(["m"])).to_pylist()

    assert made() == made()


@BOTH
def test_virtual_ids_and_handles_are_permutations_that_the_keyring_alone_turns_back(profile: Profile) -> None:
    ring, people = ring_of(profile), os.urandom(16 * 1_000)
    may, june = (pseudonyms.virtual_ids(people, ring.block_cipher(pseudonyms.VIRTUAL_ID, month)) for month in ("202605", "202606"))
    assert len(np.unique(may)) == len(np.unique(june)) == 1_000
    assert not set(may.tolist()) & set(june.tolist())
    handles = pseudonyms.handles(people, ring.block_cipher(pseudonyms.CONSENT_HANDLE))
    assert ring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(handles) == people
    assert ring.inverse_block_cipher(pseudonyms.LOG_HANDLE)(handles) != people


# ── both in one vault ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_values_of_every_algorithm_open_in_one_vault_and_are_wrapped_anew_as_today(ring: Keyring, stored: Stores) -> None:
    """As after a change of OpenSSL or of the law: what stands was sealed by others than today's algorithm."""
    people = [one for one in admit(stored, ring, phone=[A, B, "+8613800138002"]) if one is not None]
    texts = dict(zip(people, (A, B, "+8613800138002"), strict=True))
    version, kek = ring.key("kek")
    with stored.begin_vault() as tx:
        numbers = {row.person: row.no for row in tx.execute(sa.select(vault.Person.person, vault.Person.no))}
        for person, algorithm in zip(people, (GCM_SIV, GCM, SM4_GCM), strict=True):
            key = os.urandom(32)
            wrapped = sealed.seal(sealed.aead(kek, algorithm), version, sealed.DATA_KEY, person, os.urandom(12), key)
            text = texts[person].encode()
            value = sealed.seal(sealed.aead(key, algorithm), 1, vault.IDENTIFIER_VALUE, person, os.urandom(12), text)
            tx.execute(sa.update(vault.DataKey).where(vault.DataKey.person_no == numbers[person]).values(wrapped=wrapped))
            tx.execute(sa.update(vault.Identifier).where(vault.Identifier.person_no == numbers[person]).values(sealed=value))
    with stored.read_vault() as tx:
        kept = list(tx.execute(sa.select(vault.DataKey.wrapped)).scalars())
        assert sum(not sealed.today(one, ring.profile, version) for one in kept) == 2

    def opened() -> list[list[tuple[IdentifierType, str]]]:
        with stored.read_vault() as tx:
            return [vault.identifiers_of(tx, ring, person) for person in people]

    expected = [[(IdentifierType.PHONE, texts[person])] for person in people]
    assert opened() == expected
    assert admit(stored, ring, phone=list(texts.values())) == people
    with stored.begin_vault() as tx:
        assert renewal.rewrap(tx, ring, random=os.urandom) == 2
        assert renewal.rewrap(tx, ring, random=os.urandom) == 0
        assert all(sealed.today(one, ring.profile, version) for one in tx.execute(sa.select(vault.DataKey.wrapped)).scalars())
    assert opened() == expected
