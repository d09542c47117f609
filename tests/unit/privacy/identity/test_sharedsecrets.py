"""Secrets shared with senders: sealed, bound to their source, ending, resealed when the key-encryption key changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.errors import Locked
from privacy.identity import keystate, sharedsecrets
from privacy.identity.keys import Keyring
from privacy.identity.sharedsecrets import SourceSecret

DAY = timedelta(hours=24)


@pytest.fixture
def opened(stores: Stores, keyring: Keyring, now: datetime) -> Stores:
    with stores.begin_vault() as tx:
        keystate.register(tx, keyring, now=now)
    return stores


def put(stores: Stores, keyring: Keyring, secret: bytes, now: datetime, scheme: str = "shopify", source: str = "src_a") -> int:
    with stores.begin_vault() as tx:
        return sharedsecrets.put(tx, keyring, source, scheme, secret, overlap=DAY, now=now, random=os.urandom)


def known(stores: Stores, keyring: Keyring, now: datetime, source: str = "src_a") -> list[tuple[str, bytes]]:
    with stores.read_vault() as tx:
        return sharedsecrets.of_source(tx, keyring, source, now=now)


def test_a_secret_opens_for_its_source_and_stands_nowhere_in_clear(opened: Stores, keyring: Keyring, now: datetime) -> None:
    assert put(opened, keyring, b"a-secret-of-a-shop", now) == 1
    assert known(opened, keyring, now) == [("shopify", b"a-secret-of-a-shop")]
    assert known(opened, keyring, now, "src_b") == []
    with opened.read_vault() as tx:
        (sealed,) = tx.execute(sa.select(SourceSecret.sealed)).scalars()
    assert b"a-secret" not in bytes(sealed)


def test_the_one_before_works_for_another_day_and_is_then_gone(opened: Stores, keyring: Keyring, now: datetime) -> None:
    put(opened, keyring, b"first", now)
    assert put(opened, keyring, b"second", now, "timestamped") == 2
    both = [("timestamped", b"second"), ("shopify", b"first")]
    assert known(opened, keyring, now + DAY - timedelta(seconds=1)) == both
    assert known(opened, keyring, now + DAY) == both[:1]
    assert put(opened, keyring, b"third", now + 2 * DAY) == 3
    with opened.read_vault() as tx:
        assert tx.scalar(sa.select(sa.func.count()).select_from(SourceSecret)) == 2, "what has ended is deleted"


def test_a_third_secret_does_not_lengthen_the_first_ones_day(opened: Stores, keyring: Keyring, now: datetime) -> None:
    for hours, secret in ((0, b"first"), (0, b"second"), (20, b"third")):
        put(opened, keyring, secret, now + timedelta(hours=hours))
    assert [secret for _, secret in known(opened, keyring, now + timedelta(hours=25))] == [b"third", b"second"]


def test_a_secret_moved_to_another_source_does_not_open(opened: Stores, keyring: Keyring, now: datetime) -> None:
    put(opened, keyring, b"first", now)
    with opened.begin_vault() as tx:
        tx.execute(sa.update(SourceSecret).values(source_id="src_b"))
    with pytest.raises(Locked) as caught:
        known(opened, keyring, now, "src_b")
    assert caught.value.code == "sealed_value_damaged"


def test_after_a_rotation_secrets_are_sealed_again_and_open(
    opened: Stores, keyring: Keyring, now: datetime, clock: Callable[[], datetime]
) -> None:
    put(opened, keyring, b"first", now)
    put(opened, keyring, b"other", now, source="src_b")
    version = keyring.rotate("kek", random=os.urandom, clock=clock)
    with opened.begin_vault() as tx:
        keystate.activate(tx, keyring, "kek", version, now=now)
    for left in (1, 1, 0):
        with opened.begin_vault() as tx:
            assert sharedsecrets.rewrap(tx, keyring, limit=1, random=os.urandom) == left
    assert known(opened, keyring, now) == [("shopify", b"first")]
    assert known(opened, keyring, now, "src_b") == [("shopify", b"other")]
