"""A session is known by its digest, ends when it must, and is ended everywhere at once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app import access, sessions
from app.stores import Stores


@pytest.fixture
def account(stores: Stores, now: datetime) -> str:
    with stores.begin_platform() as tx:
        return access.add_account(tx, "ada@example.com", "officer", now=now)[0]


def opened(stores: Stores, account: str, now: datetime, *, complete: bool = True) -> str:
    with stores.begin_platform() as tx:
        return sessions.open_(tx, account, complete=complete, now=now, random=secrets.token_bytes)


def lives(stores: Stores, ticket: str, at: datetime) -> bool:
    with stores.read_platform() as tx:
        return sessions.find(tx, ticket, now=at) is not None


def test_the_store_does_not_know_the_ticket(stores: Stores, account: str, now: datetime) -> None:
    ticket = opened(stores, account, now)
    with stores.read_platform() as tx:
        kept = str(tx.execute(sa.select(sessions.ConsoleSession)).all())
    assert ticket not in kept
    assert bytes.fromhex(ticket) not in kept.encode()


def test_it_ends_unused_after_half_an_hour_and_used_after_twelve(stores: Stores, account: str, now: datetime) -> None:
    ticket, at = opened(stores, account, now), now
    assert not lives(stores, ticket, now + sessions.IDLE)
    while at + timedelta(minutes=29) < now + sessions.LONGEST:
        at += timedelta(minutes=29)
        assert lives(stores, ticket, at)
        with stores.begin_platform() as tx:
            sessions.touch(tx, ticket, now=at)
    assert not lives(stores, ticket, now + sessions.LONGEST)


def test_one_that_waits_for_its_second_step_waits_ten_minutes(stores: Stores, account: str, now: datetime) -> None:
    ticket = opened(stores, account, now, complete=False)
    assert lives(stores, ticket, now + sessions.WAITING - timedelta(seconds=1))
    assert not lives(stores, ticket, now + sessions.WAITING)


def test_it_is_fresh_for_ten_minutes_and_again_after_the_password(stores: Stores, account: str, now: datetime) -> None:
    ticket, later = opened(stores, account, now), now + sessions.FRESH
    with stores.begin_platform() as tx:
        found = sessions.find(tx, ticket, now=later)
        assert found
        assert found.fresh(now)
        assert not found.fresh(later)
        assert not found.fresh(now - timedelta(seconds=1)), "a clock that was set back makes nobody fresh"
        sessions.freshen(tx, ticket, now=later)
        again = sessions.find(tx, ticket, now=later)
        assert again
        assert again.fresh(later)
        assert again.ends_at() == later + sessions.IDLE


def test_all_sessions_of_an_account_end_but_the_one_to_keep(stores: Stores, account: str, now: datetime) -> None:
    kept, other = opened(stores, account, now), opened(stores, account, now)
    with stores.begin_platform() as tx:
        assert sessions.end_all(tx, account, but=kept) == 1
    assert lives(stores, kept, now)
    assert not lives(stores, other, now)
    with stores.begin_platform() as tx:
        access.disable(tx, account, now=now)
    assert not lives(stores, kept, now), "an ended account has no session"
