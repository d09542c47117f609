"""A platform store on SQLite alone, for what does not depend on the database."""

from __future__ import annotations

import pytest

from app.stores import Stores
from privacy.audit import checkpoint  # noqa: F401 (the tables of the log)
from privacy.orm import PlatformBase


@pytest.fixture
def on_sqlite(sqlite: Stores) -> Stores:
    """Stores on SQLite with the tables of the log."""
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
    return sqlite
