"""A keyring in memory and a vault that belongs to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime

import pytest

from app.stores import Stores
from privacy.identity import box, ephemeral, keystate, vault  # noqa: F401 (their tables)
from privacy.identity.keys import Keyring


@pytest.fixture
def keyring(clock: Callable[[], datetime]) -> Keyring:
    return Keyring.fresh(random=os.urandom, clock=clock)


@pytest.fixture
def vault_stores(stores: Stores, keyring: Keyring, now: datetime) -> Stores:
    """Stores whose vault is bound to `keyring`."""
    with stores.begin_vault() as tx:
        keystate.register(tx, keyring, now=now)
    return stores
