"""Houses for whole-way tests: one home and one pair of databases is migrated a run, each test works on a copy."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import gatehouse
from tests.flow import attacked
from tests.flow.entering import quick
from tests.house import Clock, House, make_home, postgres_environment, postgres_house, sqlite_house
from tests.stores import postgres_database


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on SQLite as `piying init` leaves it."""
    home = tmp_path_factory.mktemp("template") / "home"
    make_home(home, {}, Clock())
    return home


@pytest.fixture(scope="session")
def gate_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose people allow several recipients everything."""
    return attacked.home(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def place(gate_home: Path, tmp_path: Path) -> Iterator[House]:
    """A copy of it, without the web."""
    with gatehouse.shop(gate_home, tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="session")
def template_databases(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Mapping[str, str], Path]]:
    """The server, its two migrated databases with their grants, and the home whose keys fit them."""
    home = tmp_path_factory.mktemp("template-pg") / "home"
    with postgres_database(postgres_server) as vault, postgres_database(postgres_server) as platform:
        make_home(home, postgres_environment(vault, platform), Clock())
        yield postgres_server, {"vault": vault, "platform": platform}, home


@pytest.fixture
def sqlite_only(template_home: Path, tmp_path: Path) -> Iterator[House]:
    """A house on SQLite, for what does not depend on the database."""
    with sqlite_house(template_home, tmp_path / "home") as house:
        yield house


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on each database."""
    if request.param == "sqlite":
        with sqlite_house(request.getfixturevalue("template_home"), tmp_path / "home") as made:
            yield made
    else:
        server, databases, keys = request.getfixturevalue("template_databases")
        with postgres_house(server, databases, keys, tmp_path / "home") as made:
            yield made


@pytest.fixture
def every_line(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any library logs, at debug level."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def door(house: House) -> House:
    """A house on each database whose hasher is quick: what is tested is not argon2's patience."""
    return quick(house)


@pytest.fixture
def small(sqlite_only: House) -> House:
    return quick(sqlite_only)
