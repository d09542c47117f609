"""The keyring: versions, the file, derivation."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from privacy import errors
from privacy.identity import keys, pseudonyms
from privacy.identity.keys import Keyring
from privacy.identity.profiles import COMMERCIAL, INTERNATIONAL, Profile
from tests.unit.privacy.identity import wycheproof

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


def clock() -> datetime:
    return NOW


def made(path: Path) -> Keyring:
    return Keyring.create(path / "keys.json", random=os.urandom, clock=clock)


def code_of(path: Path, deployment: str | None = None) -> str:
    with pytest.raises(errors.Locked) as caught:
        Keyring.open(path, deployment=deployment)
    return caught.value.code


def test_a_created_file_is_its_owners_alone_and_opens_to_the_same_keys(tmp_path: Path) -> None:
    ring = made(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    again = Keyring.open(tmp_path / "keys.json", deployment=ring.deployment)
    assert again.inventory() == ring.inventory()
    assert again.mac_key(pseudonyms.BLIND_INDEX) == ring.mac_key(pseudonyms.BLIND_INDEX)


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_a_file_keeps_its_profile_through_rotation_and_reload(tmp_path: Path, profile: Profile) -> None:
    path = tmp_path / "keys.json"
    ring = Keyring.create(path, random=os.urandom, clock=clock, profile=profile)
    ring.rotate("kek", random=os.urandom, clock=clock)
    ring.reload()
    assert json.loads(path.read_text())["profile"] == profile.name
    assert Keyring.open(path).profile is ring.profile is profile
    assert Keyring.open(path).inventory() == ring.inventory()


def test_a_file_that_names_no_profile_is_international_and_opens(tmp_path: Path) -> None:
    """Files are older than profiles; their keys have the check values they always had."""
    ring = made(tmp_path)
    path = tmp_path / "keys.json"
    document = json.loads(path.read_text())
    assert document.pop("profile") == "international"
    path.write_text(json.dumps(document))
    assert Keyring.open(path).inventory() == ring.inventory()
    kind, version, _, check = ring.inventory()[0]
    text = b"piying/check/v1" + b"".join(len(part).to_bytes(2, "big") + part for part in (kind.encode(), str(version).encode()))
    assert check == hmac.digest(ring.key(kind, version)[1], text, hashlib.sha256)[:16]


@pytest.mark.parametrize("name", ["commercial", "homemade", None, ["international"]])
def test_a_file_whose_profile_was_changed_by_hand_does_not_open(tmp_path: Path, name: object) -> None:
    """The check values are made under the profile, so keys cannot be moved to another one unnoticed."""
    made(tmp_path)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "profile": name}))
    assert code_of(path) == "keys_corrupt"


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(errors.Conflict):
        made(tmp_path)


def test_missing_unreadable_open_damaged_and_foreign_files_each_have_their_code(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert code_of(path) == "keys_missing"
    assert code_of(tmp_path) == "keys_unreadable"
    ring = made(tmp_path)
    assert code_of(path, deployment="0" * 32) == "keys_foreign"
    path.chmod(0o640)
    assert code_of(path) == "keys_permissions"
    path.chmod(0o600)
    document = json.loads(path.read_text())
    for damage in (
        "",
        "[]",
        "{}",
        json.dumps({**document, "format": "other"}),
        json.dumps({**document, "keys": document["keys"][1:]}),
        json.dumps({**document, "keys": [{**document["keys"][0], "check": "00" * 16}, *document["keys"][1:]]}),
        json.dumps({**document, "keys": [{**document["keys"][0], "key": "AAAA"}, *document["keys"][1:]]}),
        path.read_text()[:-20],
    ):
        path.write_text(damage)
        assert code_of(path, ring.deployment) == "keys_corrupt"


def test_neither_a_repr_nor_a_message_shows_a_key(tmp_path: Path) -> None:
    ring = made(tmp_path)
    shown = repr(ring) + repr(list(ring._versions.values()))
    for _, key in (ring.key(kind) for kind in keys.KINDS):
        assert key.hex() not in shown
        assert repr(key) not in shown


def test_a_rotation_adds_a_version_that_another_program_finds(tmp_path: Path) -> None:
    ring = made(tmp_path)
    other = Keyring.open(tmp_path / "keys.json")
    old = ring.key("kek")
    assert ring.rotate("kek", random=os.urandom, clock=clock) == 2
    assert ring.key("kek", 1) == old
    assert ring.versions("kek") == [1, 2]
    assert other.versions("kek") == [1]
    assert other.key("kek", 2) == ring.key("kek", 2)
    assert not list(tmp_path.glob("*.new"))


def test_two_programs_that_rotate_one_after_the_other_lose_no_version(tmp_path: Path) -> None:
    ring, other = made(tmp_path), Keyring.open(tmp_path / "keys.json")
    ring.rotate("kek", random=os.urandom, clock=clock)
    assert other.rotate("kek", random=os.urandom, clock=clock) == 3
    assert Keyring.open(tmp_path / "keys.json").versions("kek") == [1, 2, 3]


def test_programs_that_rotate_at_once_lose_no_version(tmp_path: Path) -> None:
    made(tmp_path)
    rings = [Keyring.open(tmp_path / "keys.json") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda ring: ring.rotate("kek", random=os.urandom, clock=clock), rings))
    assert sorted(versions) == list(range(2, 10))
    assert Keyring.open(tmp_path / "keys.json").versions("kek") == list(range(1, 10))


@pytest.mark.parametrize("kind", sorted(set(keys.KINDS) - keys.ROTATABLE))
def test_keys_of_rows_that_are_never_rewritten_are_not_rotated(tmp_path: Path, kind: str) -> None:
    with pytest.raises(errors.Refused) as caught:
        made(tmp_path).rotate(kind, random=os.urandom, clock=clock)
    assert caught.value.code == "key_not_rotatable"


def test_a_version_that_is_nowhere_locks(tmp_path: Path) -> None:
    with pytest.raises(errors.Locked) as caught:
        made(tmp_path).key("kek", 9)
    assert caught.value.code == "keys_outdated"


def test_a_file_replaced_by_another_deployments_locks_on_reload(tmp_path: Path) -> None:
    ring = made(tmp_path)
    (tmp_path / "keys.json").unlink()
    made(tmp_path)
    with pytest.raises(errors.Locked) as caught:
        ring.reload()
    assert caught.value.code == "keys_foreign"


def test_a_month_keeps_its_virtual_ids_when_the_lake_key_is_rotated() -> None:
    """Months that a clock may have reached already stay with the old key, wherever on Earth it stands."""
    ring = Keyring.fresh(random=os.urandom, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    person = os.urandom(16)
    months = ("202512", "202606", "202607", "202608")

    def ids() -> list[int]:
        return [int(pseudonyms.virtual_ids(person, ring.block_cipher(pseudonyms.VIRTUAL_ID, month))[0]) for month in months]

    before = ids()
    ring.rotate("lake", random=os.urandom, clock=lambda: datetime(2026, 6, 30, 23, 59, tzinfo=UTC))
    after = ids()
    assert after[:3] == before[:3]
    assert after[3] != before[3]


@pytest.mark.parametrize(("moment", "month"), [((2026, 6, 15), 202607), ((2026, 6, 30), 202607), ((2026, 12, 15), 202701)])
def test_a_lake_key_begins_with_a_month_no_clock_has_entered(moment: tuple[int, int, int], month: int) -> None:
    assert keys._first_month(datetime(*moment, tzinfo=UTC)) == month


def test_block_ciphers_turn_back_and_treat_each_block_by_itself() -> None:
    ring = Keyring.fresh(random=os.urandom, clock=clock)
    blocks = os.urandom(160)
    there = ring.block_cipher(pseudonyms.CONSENT_HANDLE)
    assert ring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(there(blocks)) == blocks
    assert there(blocks) == b"".join(there(blocks[at : at + 16]) for at in range(0, 160, 16))


def test_a_permutation_is_aes_256_of_fips_197() -> None:
    key = bytes(range(32))
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert INTERNATIONAL.permutation(key)(block).hex() == "8ea2b7ca516745bfeafc49904b496089"
    assert INTERNATIONAL.inverse_permutation(key)(INTERNATIONAL.permutation(key)(block)) == block


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_parts_are_length_prefixed(profile: Profile) -> None:
    root = os.urandom(32)
    assert len({profile.derive(root, *parts) for parts in (("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("abc", ""))}) == 5


@pytest.mark.parametrize("profile", [INTERNATIONAL, COMMERCIAL], ids=lambda one: one.name)
def test_every_label_has_a_root_and_every_label_its_own_key(profile: Profile) -> None:
    ring = Keyring.fresh(random=os.urandom, clock=clock, profile=profile)
    assert set(keys.ROOT_OF) == set(pseudonyms.LABELS)
    parts = {pseudonyms.VIRTUAL_ID: ("202606",)}
    assert len({ring.mac_key(label, *parts.get(label, ())) for label in pseudonyms.LABELS}) == len(pseudonyms.LABELS)


def test_a_signature_verifies_with_the_public_key_of_its_version() -> None:
    ring = Keyring.fresh(random=os.urandom, clock=clock)
    old = ring.signer()(b"note")
    ring.rotate("signing", random=os.urandom, clock=clock)
    Ed25519PublicKey.from_public_bytes(ring.public_key(1)).verify(old, b"note")
    assert ring.public_key(1) != ring.public_key()


def test_hkdf_answers_the_wycheproof_cases() -> None:
    seen = 0
    for group in wycheproof.groups("hkdf_sha256_test"):
        for case in group["tests"]:
            if case["result"] == "valid":
                prk = hmac.digest(bytes.fromhex(case["salt"]) or bytes(32), bytes.fromhex(case["ikm"]), hashlib.sha256)
                assert INTERNATIONAL.expand(prk, bytes.fromhex(case["info"]), case["size"]).hex() == case["okm"]
            else:
                with pytest.raises(ValueError):
                    INTERNATIONAL.expand(bytes(32), b"", case["size"])
            seen += 1
    assert seen >= 40


def test_a_million_ids_take_a_fraction_of_a_second() -> None:
    ring = Keyring.fresh(random=os.urandom, clock=clock)
    made_ids = pseudonyms.virtual_ids(os.urandom(16_000_000), ring.block_cipher(pseudonyms.VIRTUAL_ID, "202606"))
    assert len(np.unique(made_ids)) == 1_000_000
