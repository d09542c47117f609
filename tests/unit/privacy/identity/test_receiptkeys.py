"""Keys of receipts: apart from the checkpoints', chosen by the act's own time, published in every version."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.jwk import KeySet

from privacy.audit.receipts import _decoded
from privacy.identity import receiptkeys
from privacy.identity.keys import Keyring
from tests.conftest import NOW


def test_a_receipt_keeps_its_bytes_through_a_rotation_and_a_later_one_has_the_new_key(tmp_path: Path) -> None:
    times = iter([NOW, NOW + timedelta(days=30)])
    clock = lambda: next(times)  # noqa: E731
    ring = Keyring.create(tmp_path / "keys.json", random=os.urandom, clock=clock)
    before = receiptkeys.sign(ring, b"{}", NOW + timedelta(days=1))
    other = Keyring.open(tmp_path / "keys.json")
    assert ring.rotate("receipt", random=os.urandom, clock=clock) == 2
    assert receiptkeys.sign(ring, b"{}", NOW + timedelta(days=1)) == before
    late = NOW + timedelta(days=31)
    assert receiptkeys.sign(ring, b"{}", late) != before
    assert receiptkeys.sign(other, b"{}", late) == receiptkeys.sign(ring, b"{}", late), "a program that runs since before agrees"
    assert [receiptkeys.version_at(ring, at) for at in (NOW - timedelta(days=9), NOW, late)] == [1, 1, 2]
    published = KeySet.import_key_set(receiptkeys.public_keys(ring))
    for token in (before, receiptkeys.sign(ring, b"{}", late)):
        assert jws.deserialize_compact(token, published, algorithms=["Ed25519"]).payload == b"{}"


def test_what_is_published_is_no_private_half_and_not_the_checkpoints_key() -> None:
    def clock() -> datetime:
        return NOW

    ring = Keyring.fresh(random=os.urandom, clock=clock)
    (key,) = receiptkeys.public_keys(ring)["keys"]
    assert key.keys() == {"alg", "crv", "kid", "kty", "use", "x"}
    assert _decoded(key["x"], "x") != ring.public_key()
    start, _, signature = receiptkeys.sign(ring, b"{}", NOW).rpartition(".")
    Ed25519PublicKey.from_public_bytes(_decoded(key["x"], "x")).verify(_decoded(signature, "x"), start.encode())
