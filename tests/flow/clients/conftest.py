"""What the live clients need, and the plain word of what is not here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ingestion.inbox import Tally
from tests import chromium
from tests.flow.clients.pages import MODULES
from tests.house import House

HERE = Path(__file__).parent


def missing_for_node() -> str:
    """Why the Node clients cannot run here; empty if they can."""
    if shutil.which("node") is None:
        return "node is not here: install Node.js (apt-get install nodejs npm)"
    return "" if MODULES.is_dir() else "the Node clients are not installed: make tests/flow/clients/node_modules"


def missing_for_browser() -> str:
    """Why the browser clients cannot run here; empty if they can."""
    if chromium.path() is None:
        return "chromium is not here: install it (apt-get install chromium)"
    return "" if MODULES.is_dir() else "the browser clients are not installed: make tests/flow/clients/node_modules"


def run_node(client: str, address: str, key: str) -> subprocess.CompletedProcess[str]:
    """Says a few things through one of the Node SDKs."""
    return subprocess.run(["node", "say.mjs", client, address, key], cwd=HERE, capture_output=True, text=True, timeout=180, check=False)


def tallied(house: House) -> dict[str, int]:
    """Items by verdict over all sources and days."""
    import sqlalchemy as sa

    with house.services.read_console() as tx:
        rows = tx.execute(sa.select(Tally.verdict, sa.func.sum(Tally.number)).group_by(Tally.verdict))
        return {verdict: int(number) for verdict, number in rows if number}


@pytest.fixture
def shared_people(sqlite_only: House) -> Any:
    """A browser's source and the desk's source of one shop: who the desk knows, the page means too."""

    def make(kind: str, **options: Any) -> tuple[House, str, str]:
        _, page_key = sqlite_only.source("page", kind, public=True, namespace="shop", **options)
        _, desk_key = sqlite_only.source("desk", kind, namespace="shop")
        return sqlite_only, page_key, desk_key

    return make
