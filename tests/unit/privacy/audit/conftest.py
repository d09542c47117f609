"""A platform store on SQLite alone, for what does not depend on the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stores import Stores
from privacy.audit.checkpoint import StoredCheckpoint
from privacy.orm import PlatformBase
from tests.stores import sqlite_stores


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Stores]:
    """Stores on SQLite with the tables of the log."""
    assert StoredCheckpoint.__tablename__ == "checkpoint", "importing it declares the tables of the log"
    with sqlite_stores(tmp_path) as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
        yield stores
