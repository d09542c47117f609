"""What a person's no keeps out is counted for that person, by item, purpose and month, and for nobody else."""

from __future__ import annotations

from privacy.consent import stopped
from privacy.identity import pseudonyms
from tests.conftest import NOW
from tests.unit.privacy.admission.desk import ANNA, BO, CLIENT, COOKIE, DAY, PROFILING, STATISTICS, Desk, Who, row, source

MONTH = NOW.year * 100 + NOW.month


def counted(desk: Desk, who: Who) -> list[tuple[str, int, int]]:
    person = desk.person(who)
    assert person is not None
    with desk.stores.read_platform() as tx:
        return stopped.of(tx, [desk.keyring.block_cipher(pseudonyms.CONSENT_HANDLE)(person)])


def test_items_that_a_no_kept_out_are_counted_by_purpose_and_month(anywhere: Desk) -> None:
    desk = anywhere
    desk.allow(ANNA, BO)
    desk.say(ANNA, "withdrawn")
    desk.say(ANNA, "denied", PROFILING)
    desk.clock.at = NOW + DAY
    later = {"at": desk.clock.at}
    desk.send(row(ANNA, **later), [row(ANNA, **later), row(ANNA, **later)], row(BO, **later))
    desk.send(row(ANNA, **later))
    assert counted(desk, ANNA) == [(STATISTICS, MONTH, 3), (PROFILING, MONTH, 3)], "an item of two rows is one item"
    assert counted(desk, BO) == []


def test_only_purposes_that_the_source_declared_are_counted_and_silence_is_no_no(desk: Desk) -> None:
    desk.allow(BO)
    desk.say(BO, "withdrawn")
    desk.say(ANNA, "granted", "marketing.channel.sms")
    desk.clock.at = NOW + DAY
    desk.send(row(ANNA, at=desk.clock.at), row(BO, at=desk.clock.at), source=source(purposes=frozenset({STATISTICS})))
    assert counted(desk, BO) == [(STATISTICS, MONTH, 1)]
    assert counted(desk, ANNA) == [], "nobody asked her: nothing of hers was stopped by a no"


def test_a_batch_that_is_not_committed_counts_nothing_and_a_public_page_counts_too(desk: Desk) -> None:
    desk.say(COOKIE, "withdrawn")
    desk.clock.at = NOW + DAY
    visit = row(COOKIE, at=desk.clock.at)
    desk.decide(visit)
    assert counted(desk, COOKIE) == []
    desk.send(visit, source=CLIENT)
    assert counted(desk, COOKIE) == [(STATISTICS, MONTH, 1)]
