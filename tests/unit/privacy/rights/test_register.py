"""The register: numbers, filters, pages, and one who comes second."""

from __future__ import annotations

import os
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.stores import Stores
from privacy.errors import Conflict, NotFound
from privacy.orm import PlatformBase
from privacy.rights import packages, register
from privacy.rights.packages import Package
from privacy.rights.register import Event, Request, Wanted


def made(now: datetime, **changes: Any) -> Request:
    nothing = dict.fromkeys(Request.__slots__)
    plain = {
        "number": register.new_number(os.urandom), "kind": "access", "regime": "pipl", "language": "zh", "channel": "phone", "detail": [],
        "subject": b"s" * 16, "found": "known", "step": "received", "version": 1, "opened_at": now, "received_on": now.date(), "opened_by": "usr_a",
        "deceased": False,
    }  # fmt: skip
    return Request(**{**nothing, **plain, **changes})  # type: ignore[arg-type]


def test_numbers_are_letters_that_make_no_word_and_no_telephone() -> None:
    numbers = {register.new_number(os.urandom) for _ in range(500)}
    assert len(numbers) == 500
    assert all(re.fullmatch(r"SR-[B-DF-HJ-NP-TV-XZ]{5}-[B-DF-HJ-NP-TV-XZ]{5}", number) for number in numbers)


def test_requests_are_filtered_paged_and_counted(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        for day in range(6):
            register.add(tx, made(now, received_on=date(2026, 6, 1) + timedelta(days=day), assignee="usr_b" if day % 2 else None))
        register.add(tx, made(now, step="closed", kind="deletion", subject=b"t" * 16))
        first, cursor = register.page(tx, Wanted(closed=False), limit=4)
        rest, end = register.page(tx, Wanted(closed=False), after=str(cursor), limit=4)
        assert [one.received_on.day for one in first + rest] == [1, 2, 3, 4, 5, 6]
        assert end is None
        wanted = {
            Wanted(unassigned=True, closed=False): 3, Wanted(assignee="usr_b"): 3, Wanted(kind="deletion"): 1, Wanted(proven=True): 0,
            Wanted(since=date(2026, 6, 5), closed=False): 2, Wanted(until=date(2026, 6, 2)): 2, Wanted(step="closed"): 1, Wanted(regime="gdpr"): 0,
        }  # fmt: skip
        assert {one: register.total(tx, one) for one in wanted} == wanted
        assert register.by_step(tx)["received"] == 6
        assert len(register.of_subjects(tx, [b"s" * 16, b"t" * 16])) == 7
        assert len(list(register.every(tx, Wanted(), 3))) == 3
        with pytest.raises(NotFound):
            register.page(tx, Wanted(), after="yesterday")
        with pytest.raises(NotFound):
            register.one(tx, "SR-NONE")


def test_of_two_who_act_at_once_the_second_is_told(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        one = made(now)
        register.add(tx, one)
        assert register.one(tx, one.number) == one
        register.change(tx, one, {"assignee": "usr_b"})
        with pytest.raises(Conflict):
            register.change(tx, one, {"assignee": "usr_c"})
        register.note(tx, one.number, Event(now, "usr_b", "assign", {"assignee": "usr_b"}, None, 7))
        assert [event.entry for event in register.events(tx, one.number)] == [7]


def test_a_package_is_counted_and_ends(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        package = Package("pkg_1", "SR-A", now, "usr_a", now + packages.LASTS, 10, 20, b"h" * 32, {"log": 1}, 0, None)
        packages.add(tx, package)
        packages.take(tx, "SR-A", now)
        assert packages.of(tx, "SR-A")[0].downloads == 1
        assert packages.ended(tx, now) == []
        assert [one.id for one in packages.ended(tx, now, ["SR-A"])] == ["pkg_1"]
        with pytest.raises(NotFound):
            packages.take(tx, "SR-A", now + packages.LASTS)
        packages.destroyed(tx, ["pkg_1"], now)
        assert packages.ended(tx, now + packages.LASTS) == []
        assert not packages.of(tx, "SR-A")[0].document(now)["opens"]
