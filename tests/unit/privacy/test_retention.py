"""People whose batch never arrived leave the vault; nobody whom the ledger knows does."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit import reading
from privacy.audit.log import AuditLog, head
from privacy.audit.stored import verify
from privacy.consent import ledger, registry
from privacy.consent.ledger import ConsentAct
from privacy.errors import Unavailable
from privacy.identity import box, ephemeral, keystate, pseudonyms, vault  # noqa: F401 (their tables)
from privacy.identity.keys import Keyring
from privacy.orm import PlatformBase, to_micros
from privacy.records import Log
from privacy.retention import LogEnds, Retention
from privacy.vocabulary import LogKind
from tests.fakes.log import RecordingLog, RefusingLog
from tests.unit.privacy.identity.people import NOW, admit, count

DAY = timedelta(days=1)


@dataclass
class Home:
    stores: Stores
    keyring: Keyring
    log: RecordingLog

    def door(self, now: datetime = NOW, log: Log | None = None) -> Retention:
        return Retention(
            begin_vault=self.stores.begin_vault,
            begin_platform=self.stores.begin_platform,
            read_platform=self.stores.read_platform,
            keyring=self.keyring,
            log=log or self.log,
            clock=lambda: now,
        )

    def admit(self, *phones: str, at: datetime = NOW - DAY) -> list[bytes]:
        """People in the vault."""
        return [person for person in admit(self.stores, self.keyring, now=at, phone=list(phones)) if person is not None]

    def say(self, person: bytes, state: str = "granted", purpose: str = "analytics.statistics") -> None:
        """An act of theirs in the ledger."""
        handle = pseudonyms.handles(person, self.keyring.block_cipher(pseudonyms.CONSENT_HANDLE))
        moment = to_micros(NOW - DAY)
        with self.stores.begin_platform() as tx:
            ledger.append(tx, [ConsentAct(handle, purpose, state, "explicit", moment, moment)])

    def people(self) -> int:
        return count(self.stores, "person")


@pytest.fixture
def home(stores: Stores, keyring: Keyring, clock: Callable[[], datetime]) -> Home:
    with stores.begin_vault() as tx:
        keystate.register(tx, keyring, now=NOW - 30 * DAY)
    with stores.begin_platform() as tx:
        registry.seed(tx, datetime(2026, 1, 1, tzinfo=UTC))
    return Home(stores, keyring, RecordingLog())


def test_who_never_arrived_goes_with_everything_the_vault_held(home: Home) -> None:
    known, lost = home.admit("+8613800138000", "+8613900139000")
    home.say(known)
    assert home.door().sweep_orphans(timedelta(hours=6)) == 1
    assert home.people() == 1
    assert (count(home.stores, "identifier"), count(home.stores, "data_key")) == (1, 1)
    with home.stores.read_vault() as tx:
        assert vault.lookup(tx, home.keyring, "phone", "+8613900139000") is None
        assert vault.lookup(tx, home.keyring, "phone", "+8613800138000") == known
    assert lost != known


def test_it_may_be_repeated(home: Home) -> None:
    (known,) = home.admit("+8613800138000")
    home.say(known)
    for expected in (0, 0):
        assert home.door().sweep_orphans(timedelta(hours=6)) == expected
    assert home.people() == 1


@pytest.mark.parametrize("state", ["granted", "withdrawn", "denied"])
def test_whoever_said_anything_stays_yes_or_no(home: Home, state: str) -> None:
    """A no that is forgotten would let the next source assert a yes."""
    for purpose, phone in (("analytics.statistics", "+8613800138000"), ("marketing.channel.sms", "+8613900139000")):
        home.say(home.admit(phone)[0], state, purpose)
    assert home.door().sweep_orphans(timedelta(hours=6)) == 0
    assert home.people() == 2


def test_a_batch_that_is_on_its_way_is_left_alone(home: Home) -> None:
    home.admit("+8613800138000", at=NOW - timedelta(hours=5))
    assert home.door().sweep_orphans(timedelta(hours=6)) == 0
    assert home.door(NOW + timedelta(hours=2)).sweep_orphans(timedelta(hours=6)) == 1


def test_who_takes_part_in_a_merge_stays(home: Home) -> None:
    """Their history hangs on the one who stayed."""
    first, second = home.admit("+8613800138000", "+8613900139000")
    admit(home.stores, home.keyring, phone=["+8613800138000"], email=["a@example.com"], now=NOW - DAY)
    admit(home.stores, home.keyring, phone=["+8613900139000"], email=["a@example.com"], now=NOW - DAY)
    home.say(first)
    with home.stores.read_vault() as tx:
        assert vault.merged_into(tx)
    assert home.door().sweep_orphans(timedelta(hours=6)) == 0
    assert home.people() == 2
    assert second != first


def test_the_entry_comes_first_and_without_it_nobody_goes(home: Home) -> None:
    home.admit("+8613800138000")
    with pytest.raises(Unavailable):
        home.door(log=RefusingLog()).sweep_orphans(timedelta(hours=6))
    assert home.people() == 1
    home.door().sweep_orphans(timedelta(hours=6))
    (entry,) = home.log.entries
    assert (entry.kind, entry.action, entry.actor) == (LogKind.ERASURE, "orphans.sweep", "schedule")
    assert entry.facts == {"before": NOW - timedelta(hours=6)}


def test_many_people_are_swept_in_steps(home: Home) -> None:
    phones = [f"+86138{number:08d}" for number in range(1, 401)]
    people = home.admit(*phones)
    for person in people[::100]:
        home.say(person)
    assert home.door().sweep_orphans(timedelta(hours=6)) == 396
    with home.stores.read_vault() as tx:
        left = set(tx.execute(sa.select(vault.Person.person)).scalars())
    assert left == set(people[::100])


def test_what_entries_of_daily_work_say_ends_and_the_log_still_verifies(stores: Stores) -> None:
    """What a consent rests on stays; an entry names what was ended."""
    kept, moments = timedelta(days=31 * 36), [NOW]
    log = AuditLog(lambda: moments[0], os.urandom)
    with stores.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
        for kind in (LogKind.READ, LogKind.CONSENT, LogKind.EXPORT):
            log(tx, kind, "some.act", actor="cli")
    door = LogEnds(begin=stores.begin_platform, read=stores.read_platform, log=log, clock=lambda: moments[0])
    assert door.payloads(kept) == (2, NOW + kept, 0)
    moments[0] = NOW + kept
    assert door.end_payloads(kept) == 0
    moments[0] = NOW + kept + timedelta(microseconds=1)
    assert door.payloads(kept)[2] == 2
    assert door.end_payloads(kept) == 2
    assert door.end_payloads(kept) == 0
    with stores.read_platform() as tx:
        said = {line.kind: line.facts for line in reading.lines(tx, reading.Filter(), limit=10).items}
        assert said["consent"] is not None
        assert said["read"] is None
        with closing(reading.evidence(tx)) as entries, closing(reading.nodes(tx)) as nodes:
            assert verify(entries, [], keys=[], nodes=nodes, head=head(tx))["ok"]
