"""Who gets in while something else happens: between decision and commit, without a log, in another process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ingestion.inbox import Tally
from privacy.consent.ledger import ConsentEventRow
from privacy.errors import Raced, Unavailable
from tests.conftest import NOW
from tests.fakes.log import RecordingLog, RefusingLog
from tests.unit.privacy.admission.desk import ANNA, BO, COOKIE, Desk, born, claim, counts, erase, row

# ── races and faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def once(act: Callable[[], object]) -> Callable[[], None]:
    left = [act]

    def go() -> None:
        if left:
            left.pop()()

    return go


def test_a_withdrawal_between_decision_and_commit_is_seen_and_the_row_is_decided_again(anywhere: Desk) -> None:
    desk = anywhere
    desk.allow(ANNA, BO)
    desk.before_commit = once(lambda: desk.say(ANNA, "withdrawn"))
    receipt = desk.send(row(ANNA), row(BO))
    assert (receipt.stored, receipt.reasons) == (1, {"consent_withdrawn": 1})
    assert len(desk.lines()) == 1


def test_a_withdrawal_of_somebody_merged_is_seen_too(anywhere: Desk) -> None:
    desk = anywhere
    desk.allow(ANNA, BO)
    desk.send(row(ANNA, BO))
    desk.before_commit = once(lambda: desk.say(BO, "withdrawn"))
    assert desk.send(row(ANNA)).reasons == {"consent_withdrawn": 1}


def test_settling_a_stale_decision_raises_and_leaves_nothing(desk: Desk) -> None:
    desk.allow(ANNA)
    entry = desk.decide(row(ANNA))
    desk.say(ANNA, "withdrawn")
    with pytest.raises(Raced), desk.stores.begin_platform() as tx:
        entry.settle(tx, {})
    assert counts(desk, ConsentEventRow) == 2


def test_consent_of_somebody_else_meanwhile_is_no_race(desk: Desk) -> None:
    desk.allow(ANNA)
    desk.before_commit = once(lambda: desk.say(BO, "granted"))
    assert desk.send(row(ANNA)).stored == 1


def test_without_its_log_entry_a_batch_is_not_stored(desk: Desk) -> None:
    desk.allow(ANNA)
    before = counts(desk, ConsentEventRow)
    desk.log = RefusingLog()
    desk.door = desk.another_door()
    with pytest.raises(Unavailable):
        desk.send(row(ANNA, claims=[claim(granted=False)]))
    assert (desk.rows(), counts(desk, ConsentEventRow), counts(desk, Tally)) == (0, before, 0)


def test_a_batch_has_one_entry_with_counts_and_the_root_of_its_verdicts(desk: Desk) -> None:
    desk.allow(ANNA)
    assert isinstance(desk.log, RecordingLog)
    desk.log.entries.clear()
    desk.send(row(ANNA), row(BO), row(ANNA, ("email", "no address at all")))
    (entry,) = desk.log.entries
    assert (entry.kind, entry.action, entry.actor) == ("ingest", "ingest.batch", "src_web000000000")
    assert {name: entry.facts[name] for name in ("stored", "duplicate", "quarantined", "refused", "acts")} == {
        "stored": 1,
        "duplicate": 0,
        "quarantined": 1,
        "refused": 1,
        "acts": 0,
    }
    assert len(entry.facts["verdicts"]) == 32


# ── what one process does, another one's memory heeds ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two(anywhere: Desk) -> tuple[Desk, Callable[..., Any]]:
    """A desk whose own door has just met Anna and Bo, and how to send by another process's door."""
    desk = anywhere
    desk.allow(ANNA, BO)
    assert desk.send(row(ANNA), row(BO)).stored == 2
    assert desk.send(row(ANNA), row(BO)).stored == 2
    mine, other = desk.door, desk.another_door()

    def elsewhere(*items: Any, **more: Any) -> Any:
        desk.door = other
        try:
            return desk.send(*items, **more)
        finally:
            desk.door = mine

    return desk, elsewhere


def test_a_birth_date_that_another_process_noted_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    assert elsewhere(row(BO, record="member", birth_date=born(2015, 1, 1))).reasons == {"minor": 1}
    assert desk.send(row(ANNA), row(BO)).reasons == {"minor": 1}


def test_a_merge_that_another_process_found_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    assert elsewhere(row(ANNA, BO)).stored == 1
    desk.say(BO, "withdrawn")
    assert desk.send(row(ANNA), row(BO)).reasons == {"consent_withdrawn": 2}


def test_a_cookie_that_moved_to_another_person_in_another_process_is_theirs_in_the_next_batch(
    two: tuple[Desk, Callable[..., Any]],
) -> None:
    """A weak identifier follows the last strong person it was seen with."""
    desk, elsewhere = two
    desk.send(row(ANNA, COOKIE))
    assert desk.send(row(COOKIE)).stored == 1
    elsewhere(row(BO, COOKIE))
    desk.say(BO, "withdrawn")
    assert desk.send(row(COOKIE)).reasons == {"consent_withdrawn": 1}


def test_an_erasure_in_another_process_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, _ = two
    erase(desk, *BO)
    assert desk.send(row(ANNA), row(BO)).reasons == {"erased": 1}


def test_what_another_process_withdrew_or_granted_counts_in_the_next_batch(two: tuple[Desk, Callable[..., Any]]) -> None:
    desk, elsewhere = two
    elsewhere(row(BO, claims=[claim(granted=False)]))
    assert desk.send(row(BO)).reasons == {"consent_withdrawn": 1}
    later = desk.clock.at = NOW + timedelta(minutes=1)
    elsewhere(row(BO, at=later, claims=[claim(granted=True, at=later, explicit=True)]))
    assert desk.send(row(BO, at=later)).stored == 1
