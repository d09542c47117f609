from __future__ import annotations

import pytest

from app.access import Caller, matrix
from app.console.nav import GROUPS, PLACES, opens, place


def caller(role: str) -> Caller:
    return Caller("usr_1", role, matrix()[role], "")


def test_every_entry_asks_for_a_permission_that_some_role_has() -> None:
    known = set().union(*matrix().values())
    assert {one.permission for _, entries in GROUPS for one in entries} <= known
    assert {permission for _, _, permission in PLACES} <= known


def test_an_entry_stands_once() -> None:
    paths = [one.path for _, entries in GROUPS for one in entries]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("number", "role", "address"),
    [
        ("rel_" + "0f" * 16, "marketer", "/releases/rel_" + "0f" * 16),
        ("src_abc123", "integrator", "/sources/src_abc123"),
        ("src_abc123", "marketer", None),
        ("imp_abc", "officer", "/imports/imp_abc"),
        ("rel_../../sign-out", "marketer", None),
        ("rel_" + "a" * 90, "marketer", None),
        ("13812345678", "officer", None),
        ("rel_é", "marketer", None),
    ],
)
def test_a_number_leads_only_where_the_role_may_go(number: str, role: str, address: str | None) -> None:
    assert place(number, caller(role)) == address


def test_a_marketer_sees_no_page_of_people_or_rows() -> None:
    closed = ("/people", "/consents", "/sources", "/imports", "/quarantine", "/users", "/settings")
    assert not any(opens(path, caller("marketer")) for path in closed)
    assert opens("/reports", caller("marketer"))
