"""The ledger on both databases: all months or none, never above the cap, never refreshed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.dp import ledger
from privacy.errors import BudgetExhausted, Unavailable
from tests.fakes.questions import NOW

MAY = 202605
SPRING = (202603, 202604, MAY)


def _spent(stores: Stores) -> dict[int, int]:
    with stores.begin_platform() as tx:
        return {month: account.spent_nano for month, account in ledger.accounts(tx).items()}


def _open(stores: Stores, cap: int = 50, months: tuple[int, ...] = SPRING) -> int:
    with stores.begin_platform() as tx:
        return ledger.settle(tx, months, cap)


def _charge(stores: Stores, name: str, months: tuple[int, ...], rho_nano: int) -> dict[int, ledger.Account]:
    with stores.begin_platform() as tx:
        return ledger.charge(tx, name, months, rho_nano, now=NOW)


def test_a_charge_takes_the_full_price_from_every_month(stores: Stores) -> None:
    _open(stores)
    before = _charge(stores, "rel_a", SPRING, 20)
    assert {month: account.left_nano for month, account in before.items()} == dict.fromkeys(SPRING, 50)
    assert _spent(stores) == dict.fromkeys(SPRING, 20)


def test_one_month_without_room_means_nothing_is_taken_from_any(stores: Stores) -> None:
    _open(stores)
    _charge(stores, "rel_a", (MAY,), 40)
    with pytest.raises(BudgetExhausted) as raised:
        _charge(stores, "rel_b", SPRING, 11)
    assert _spent(stores) == {202603: 0, 202604: 0, MAY: 40}
    assert "202605: 10" in raised.value.message
    assert "at most 10 would fit" in raised.value.message


def test_ten_tenths_fit_exactly_and_the_eleventh_does_not(stores: Stores) -> None:
    _open(stores, cap=50_000_000)
    for number in range(10):
        _charge(stores, f"rel_{number}", (MAY,), 5_000_000)
    with pytest.raises(BudgetExhausted):
        _charge(stores, "rel_more", (MAY,), 1)
    assert _spent(stores)[MAY] == 50_000_000


def test_an_absurd_price_is_refused_and_does_not_brick_the_months(stores: Stores) -> None:
    """Attack 7."""
    _open(stores)
    for absurd in (10**18, 2**80, 0, -5):
        with pytest.raises(BudgetExhausted):
            _charge(stores, "rel_absurd", SPRING, absurd)
    _charge(stores, "rel_cheap", SPRING, 1)
    assert _spent(stores) == dict.fromkeys(SPRING, 1)


def test_a_month_without_an_account_has_nothing_to_spend(stores: Stores) -> None:
    _open(stores)
    with pytest.raises(BudgetExhausted):
        _charge(stores, "rel_a", (MAY, 202606), 1)
    assert _spent(stores) == dict.fromkeys(SPRING, 0)


def test_a_cap_is_fixed_when_its_account_opens_and_only_falls(stores: Stores) -> None:
    """P-5: a setting raised later does not reach a closed month; one lowered does, and raising it back does not undo that."""
    assert _open(stores, cap=50) == 0
    assert _open(stores, cap=90) == 0
    assert _open(stores, cap=30) == 3
    assert _open(stores, cap=90, months=(*SPRING, 202606)) == 0
    with stores.begin_platform() as tx:
        caps = {month: account.cap_nano for month, account in ledger.accounts(tx).items()}
    assert caps == {**dict.fromkeys(SPRING, 30), 202606: 90}


def test_a_cap_never_falls_below_what_is_spent(stores: Stores) -> None:
    _open(stores)
    _charge(stores, "rel_a", (MAY,), 40)
    _open(stores, cap=10)
    assert _open(stores, cap=10) == 0
    with stores.begin_platform() as tx:
        assert {month: account.left_nano for month, account in ledger.accounts(tx).items()} == {202603: 10, 202604: 10, MAY: 0}


def test_no_setting_opens_more_than_a_quarter(stores: Stores) -> None:
    _open(stores, cap=10**12)
    with stores.begin_platform() as tx:
        assert {account.cap_nano for account in ledger.accounts(tx).values()} == {250_000_000}


def test_the_database_itself_refuses_to_be_overspent(stores: Stores) -> None:
    """Even a statement that forgets the condition cannot pass the cap."""
    _open(stores)
    with pytest.raises(sa.exc.IntegrityError), stores.begin_platform() as tx:
        tx.execute(sa.update(ledger.BudgetMonth).values(spent_nano=51))


def test_the_charges_replay_to_the_accounts(stores: Stores) -> None:
    _open(stores)
    _charge(stores, "rel_a", SPRING, 3)
    _charge(stores, "rel_b", (MAY,), 4)
    with stores.begin_platform() as tx:
        rows = tx.execute(sa.select(ledger.Charge.month, sa.func.sum(ledger.Charge.rho_nano)).group_by(ledger.Charge.month)).all()
    assert {row[0]: int(row[1]) for row in rows} == _spent(stores)


def _reserve(stores: Stores, name: str, digest: bytes = b"q" * 32) -> None:
    with stores.begin_platform() as tx:
        ledger.reserve(tx, name, digest, "{}", 7, asked_by="usr", holder="here", now=NOW)


def test_a_question_is_reserved_once_until_it_is_given_up(stores: Stores) -> None:
    _reserve(stores, "rel_a")
    with pytest.raises(Unavailable) as raised:
        _reserve(stores, "rel_b")
    assert raised.value.code == "answer_pending"
    with stores.begin_platform() as tx:
        assert ledger.abandon(tx, "rel_a")
    _reserve(stores, "rel_b")
    with stores.begin_platform() as tx:
        found = ledger.live(tx, b"q" * 32)
        assert found is not None
        assert found.id == "rel_b"
        assert ledger.lifetime_nano(tx) == 14  # what was given up was paid


def test_an_answer_is_stored_once_and_never_after_it_was_given_up(stores: Stores) -> None:
    _reserve(stores, "rel_a")
    with stores.begin_platform() as tx:
        assert ledger.store(tx, "rel_a", "{}", sigma=1.5, half_width=3, now=NOW)
        assert not ledger.store(tx, "rel_a", "[]", sigma=9.0, half_width=9, now=NOW)
        assert not ledger.abandon(tx, "rel_a")
        found = ledger.by_id(tx, "rel_a")
    assert found is not None
    assert (found.answer, found.sigma, found.half_width, found.state) == ("{}", 1.5, 3, ledger.ANSWERED)
    _reserve(stores, "rel_b", b"r" * 32)
    with stores.begin_platform() as tx:
        ledger.abandon(tx, "rel_b")
        assert not ledger.store(tx, "rel_b", "{}", sigma=1.5, half_width=3, now=NOW)


def test_a_reservation_grows_stale_with_its_lease(stores: Stores) -> None:
    _reserve(stores, "rel_a")
    with stores.begin_platform() as tx:
        row = ledger.by_id(tx, "rel_a")
    assert row is not None
    assert not ledger.stale(row, NOW + timedelta(seconds=299), timedelta(seconds=300))
    assert ledger.stale(row, NOW + timedelta(seconds=300), timedelta(seconds=300))


def test_answers_are_listed_newest_first_by_kind_and_charged_month_and_never_a_reservation(stores: Stores) -> None:
    _open(stores)
    told = [("rel_1", "cube", MAY), ("rel_2", "cubes", MAY), ("rel_3", "cube", 202604), ("rel_4", "cube", MAY), ("rel_5", "cube", MAY)]
    with stores.begin_platform() as tx:
        for number, (name, kind, month) in enumerate(told):
            ledger.reserve(tx, name, name.encode(), f'{{"kind":"{kind}","version":1}}', 1, asked_by="cli", holder="", now=NOW)
            ledger.charge(tx, name, (month,), 1, now=NOW)
            if name != "rel_5":
                assert ledger.store(tx, name, "{}", sigma=1.0, half_width=2, now=NOW + timedelta(minutes=number // 2))

        def names(**wanted: object) -> list[str]:
            return [row.id for row in ledger.answered(tx, **wanted)]  # type: ignore[arg-type]

        assert names() == ["rel_4", "rel_3", "rel_2", "rel_1"]
        assert names(kinds=("cube",)) == ["rel_4", "rel_3", "rel_1"]
        assert names(kinds=("cube",), months=(MAY,)) == ["rel_4", "rel_1"]
        assert names(before="rel_3", limit=1) == ["rel_2"]
        assert names(months=(202603,)) == []
