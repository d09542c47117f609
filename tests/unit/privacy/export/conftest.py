"""A whole deployment on SQLite for the tests of the gate, with its people in it: made once, copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import gatehouse, house


@pytest.fixture(scope="session")
def gate_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a recipient and people who allow everything."""
    folder = tmp_path_factory.mktemp("gate")
    house.make_home(folder / "empty", {}, house.Clock())
    with gatehouse.shop(folder / "empty", folder / "home") as made:
        gatehouse.Scene(made)
    return folder / "home"


@pytest.fixture
def sqlite_house(gate_home: Path, tmp_path: Path) -> Iterator[house.House]:
    """Services on a copy of it, with a clock that the test moves."""
    with gatehouse.shop(gate_home, tmp_path / "home") as made:
        yield made


@pytest.fixture
def scene(sqlite_house: house.House) -> gatehouse.Scene:
    """The same people, the same recipient."""
    return gatehouse.Scene(sqlite_house)
