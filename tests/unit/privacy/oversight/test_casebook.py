"""Cases: of one account, for eight hours, and never two about one person alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.stores import Stores
from privacy.errors import NotFound
from privacy.orm import PlatformBase
from privacy.oversight import casebook
from privacy.oversight.casebook import Case
from tests.conftest import NOW

ME, OTHER = "usr_0123456789abcdef", "usr_fedcba9876543210"
CASE = Case("cas_" + "0" * 24, b"s" * 16, "known", "complaint", 7, NOW, NOW + casebook.LASTS)


@pytest.fixture
def book(sqlite: Stores) -> Stores:
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
    return sqlite


def test_a_case_opens_to_its_account_only_until_its_time_is_over(book: Stores) -> None:
    with book.begin_platform() as tx:
        casebook.open_(tx, CASE, ME)
        assert casebook.one(tx, CASE.id, ME, NOW) == CASE
        told = []
        for name, account, when in (
            (CASE.id, OTHER, NOW), (CASE.id, ME, NOW + casebook.LASTS), ("cas_nothing", ME, NOW), ("", ME, NOW)
        ):  # fmt: skip
            with pytest.raises(NotFound) as caught:
                casebook.one(tx, name, account, when)
            told.append(str(caught.value))
        assert len(set(told)) == 1, "whose it is, is not told"


def test_a_list_holds_ones_own_open_cases_the_newest_first(book: Stores) -> None:
    later = replace(CASE, id="cas_" + "1" * 24, opened_at=NOW + timedelta(hours=1), until=NOW + timedelta(hours=9))
    with book.begin_platform() as tx:
        casebook.open_(tx, CASE, ME)
        casebook.open_(tx, later, ME)
        casebook.open_(tx, replace(CASE, id="cas_" + "2" * 24), OTHER)
        assert [one.id for one in casebook.mine(tx, ME, NOW)] == [later.id, CASE.id]
        assert [one.id for one in casebook.mine(tx, ME, NOW + casebook.LASTS)] == [later.id]
        assert "subject" not in CASE.document()
        assert "ssss" not in repr(CASE)


def test_a_case_can_be_closed_and_what_is_over_is_swept(book: Stores) -> None:
    with book.begin_platform() as tx:
        casebook.open_(tx, CASE, ME)
        with pytest.raises(NotFound):
            casebook.close(tx, CASE.id, OTHER, NOW)
        casebook.close(tx, CASE.id, ME, NOW)
        assert casebook.mine(tx, ME, NOW) == []
        casebook.open_(tx, CASE, ME)
        assert (casebook.sweep(tx, NOW), casebook.sweep(tx, NOW + casebook.LASTS)) == (0, 1)
