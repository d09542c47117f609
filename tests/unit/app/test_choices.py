from __future__ import annotations

from typing import cast

import pytest

from app import choices
from app.stores import Role, Stores
from app.wiring import Services
from privacy.errors import Invalid


class Platform:
    """The console's transactions of a store, as services hand them out."""

    def __init__(self, stores: Stores) -> None:
        self.begin_console = lambda: stores.begin_platform(Role.CONSOLE)
        self.read_console = lambda: stores.read_platform(Role.CONSOLE)


@pytest.fixture
def services(stores: Stores) -> Services:
    return cast(Services, Platform(stores))


def test_who_chose_nothing_gets_what_the_browser_says(services: Services) -> None:
    assert choices.of(services, "usr_1") == choices.Choice("", "")


def test_a_choice_is_kept_for_its_account_alone(services: Services) -> None:
    assert choices.keep(services, "usr_1", language="zh_Hans_CN") == choices.Choice("zh_Hans_CN", "")
    assert choices.keep(services, "usr_1", theme="dark") == choices.Choice("zh_Hans_CN", "dark")
    assert choices.keep(services, "usr_1", language="") == choices.Choice("", "dark")
    assert choices.of(services, "usr_1") == choices.Choice("", "dark")
    assert choices.of(services, "usr_2") == choices.Choice()


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"theme": "neon"}])
def test_what_there_is_not_cannot_be_chosen(services: Services, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        choices.keep(services, "usr_1", **wrong)
    assert raised.value.code == "bad_choice"
    assert choices.of(services, "usr_1") == choices.Choice()
