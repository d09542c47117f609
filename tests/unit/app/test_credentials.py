"""Passwords are long, not uniform and in one spelling; a recovery code is there once."""

from __future__ import annotations

from datetime import datetime

import pytest

from app import credentials
from app.stores import Stores
from privacy.errors import Invalid


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elevenchars", "password_short"),
        ("ab" * 10, "password_weak"),
        ("x" * 257, "password_long"),
        ("my name is Adalovelace", "password_weak"),
    ],
)
def test_a_password_that_is_too_easy_is_refused_without_being_repeated(password: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        credentials.check(password, "adalovelace@example.com")
    assert refused.value.code == code
    assert password not in refused.value.message


@pytest.mark.parametrize("password", ["correct horse battery", "十二个汉字也是一个好密码", "   spaces count too   "])
def test_long_passwords_of_any_script_are_taken_as_they_are(password: str) -> None:
    assert credentials.check(password, "ada@example.com") == credentials.normal(password)


def test_what_an_account_has_survives_a_new_password(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        assert credentials.held(tx, "usr_1") is None
        credentials.set_password(tx, "usr_1", "first", now=now)
        credentials.change(tx, "usr_1", second_step="sealed", second_step_at=now, recovery=["aa", "bb"])
        credentials.set_password(tx, "usr_1", "second", now=now)
        had = credentials.held(tx, "usr_1", lock=True)
        assert had
        assert (had.password_hash, had.second_step, list(had.recovery)) == ("second", "sealed", ["aa", "bb"])
        assert credentials.spend(tx, had, "aa")
        left = credentials.held(tx, "usr_1")
        assert left
        assert not credentials.spend(tx, left, "aa")
        assert credentials.overview(tx) == {"usr_1": (True, None)}
