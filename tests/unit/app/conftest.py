"""Homes for tests of the app: an empty one as `init` leaves it, and one that the demonstration filled. Each is made once a run.

The lake's catalogue knows its files by whole paths, so a filled home is used only where it was made: it is kept aside and put back.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import Clock, House, make_home, sqlite_house
from tests.unit.app.commands import run


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on SQLite as `piying init` leaves it, without lake and administrator."""
    home = tmp_path_factory.mktemp("template") / "home"
    make_home(home, {}, Clock())
    return home


@pytest.fixture
def house(template_home: Path, tmp_path: Path) -> Iterator[House]:
    """Services and application on a copy of the empty home, with a clock that the test moves."""
    with sqlite_house(template_home, tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a filled home works; beside it `kept` holds what it was after the demonstration."""
    home = tmp_path_factory.mktemp("filled") / "home"
    told = run(home, "demo", "--members", "40", "--months", "3", "--no-serve")
    assert told.code == 0, told.err
    (home.parent / "said.txt").write_text(told.out, encoding="utf-8")
    home.rename(home.parent / "kept")
    return home


@pytest.fixture
def home(_filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with three closed months of forty invented members; PIYING_HOME names it."""
    shutil.copytree(_filled.parent / "kept", _filled)
    monkeypatch.setenv("PIYING_HOME", str(_filled))
    yield _filled
    shutil.rmtree(_filled)


@pytest.fixture
def said(_filled: Path) -> str:
    """What the demonstration printed."""
    return (_filled.parent / "said.txt").read_text(encoding="utf-8")
