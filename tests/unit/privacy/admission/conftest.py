"""Desks to hand rows in at: on SQLite, or on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stores import Stores
from privacy.identity.keys import Keyring
from tests.stores import sqlite_stores
from tests.unit.privacy.admission.desk import Desk


@pytest.fixture
def desk(tmp_path: Path, keyring: Keyring) -> Iterator[Desk]:
    with sqlite_stores(tmp_path) as stores:
        yield Desk(stores, keyring)


@pytest.fixture
def anywhere(stores: Stores, keyring: Keyring) -> Desk:
    """A desk on each database."""
    return Desk(stores, keyring)
