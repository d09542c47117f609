"""The register of releases and the ledger's list: what was asked and paid, page by page, and never a number."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from app.stores import Stores
from privacy.dp import ledger, questions, register
from privacy.dp.register import Wanted
from tests.fakes.questions import NOW, ask


@pytest.fixture
def filled(stores: Stores) -> Stores:
    """Three answers, one reservation and one that was given up; of two months, by two accounts."""
    asked = [
        ("rel_1", ask(), "usr_a", "answered"),
        ("rel_2", ask(kind="rfm", where=(("sex", "=", "100%_a"),), months=(202604,)), "usr_b", "answered"),
        ("rel_3", ask(months=(202604, 202605), rho_nano=7_000_000), "usr_a", "answered"),
        ("rel_4", ask(kind="funnel"), "usr_a", "pending"),
        ("rel_5", ask(kind="funnel", months=(202604,)), "usr_a", "abandoned"),
    ]
    with stores.begin_platform() as tx:
        ledger.settle(tx, (202604, 202605), 50_000_000)
        for minute, (name, question, by, state) in enumerate(asked):
            now = NOW + timedelta(minutes=minute)
            text = questions.dumps(question)
            ledger.reserve(tx, name, questions.digest(question), text, question.rho_nano, asked_by=by, holder="", now=now)
            ledger.charge(tx, name, question.months, question.rho_nano, now=now)
            if state == "answered":
                ledger.store(tx, name, '{"cells":[],"measures":[],"values":[]}', sigma=2.5, half_width=5, now=now)
            if state == "abandoned":
                ledger.abandon(tx, name)
    return stores


def test_only_answers_are_listed_newest_first_and_page_by_page(filled: Stores) -> None:
    with filled.begin_platform() as tx:
        found = register.published(tx, Wanted())
        assert [one.id for one in found] == ["rel_3", "rel_2", "rel_1"]
        assert register.count(tx, Wanted()) == 3
        first = register.published(tx, Wanted(), limit=2)
        assert [one.id for one in register.published(tx, Wanted(), after=first[-1].id, limit=2)] == ["rel_1"]
        assert (found[0].months, found[0].rho_nano, found[0].clip, found[0].sigma) == ((202604, 202605), 7_000_000, 16, 2.5)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(kind="rfm"), ["rel_2"]),
        (Wanted(kind="store_month"), ["rel_3", "rel_1"]),
        (Wanted(kind="store%"), []),
        (Wanted(month=202605), ["rel_3", "rel_1"]),
        (Wanted(asked_by="usr_b"), ["rel_2"]),
        (Wanted(text="100%_a"), ["rel_2"]),
        (Wanted(text="1000_a"), []),
        (Wanted(kind="rfm", month=202605), []),
    ],
)
def test_filters_are_taken_literally_and_together(filled: Stores, wanted: Wanted, ids: list[str]) -> None:
    with filled.begin_platform() as tx:
        assert [one.id for one in register.published(tx, wanted)] == ids
        assert register.count(tx, wanted) == len(ids)


def test_one_entry_is_found_by_its_id_and_a_reservation_is_not_an_answer(filled: Stores) -> None:
    with filled.begin_platform() as tx:
        found = register.one(tx, "rel_2")
        assert found is not None
        assert found.where == (("sex", "=", "100%_a"),)
        assert register.one(tx, "rel_4") is None
        assert register.one(tx, "rel_" + os.urandom(4).hex()) is None


def test_the_ledger_shows_what_each_month_had_left_after_each_charge_and_adds_up_to_its_account(filled: Stores) -> None:
    """A question that was given up stays paid and stays listed."""
    with filled.begin_platform() as tx:
        rows = list(register.charges(tx))
        assert register.count_charges(tx) == len(rows) == 6
        assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
        for month, account in ledger.accounts(tx).items():
            own = list(register.charges(tx, month=month))
            assert own[0]["left_nano"] == account.left_nano
            assert sum(row["rho_nano"] for row in own) == account.spent_nano
            assert register.count_charges(tx, month=month) == len(own)
        assert {row["state"] for row in rows} == {"answered", "pending", "abandoned"}
        assert [row["seq"] for row in register.charges(tx, before=rows[1]["seq"], limit=2)] == [row["seq"] for row in rows[2:4]]
