"""After a delivery: a no reaches every recipient that holds the person, once, signed, measured; an overdue one stops what would be added."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.stores import Stores
from privacy.carriage import Sent
from privacy.delivery import desk, suppressions
from privacy.errors import Refused
from privacy.identity.keys import Keyring
from tests.unit.privacy.delivery.office import DSP, OTHER, PURPOSES, Office, Recipient
from tests.unit.privacy.delivery.test_desk import A, B, C, rows
from tests.unit.privacy.identity.people import NOW


@pytest.fixture
def office(sqlite_tables: Stores, keyring: Keyring) -> Office:
    return Office(sqlite_tables, keyring)


@pytest.fixture
def sqlite_tables(sqlite: Stores) -> Stores:
    from privacy.orm import PlatformBase, VaultBase

    with sqlite.begin_vault() as tx:
        VaultBase.metadata.create_all(tx)
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
    return sqlite


def holdings(office: Office) -> int:
    with office.stores.read_vault() as tx:
        return int(tx.execute(sa.text("SELECT count(*) FROM export_holding")).scalar_one())


def test_a_withdrawal_after_delivery_is_one_removal_in_the_recipients_own_form(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    recipient = Recipient()
    office.round(recipient)
    office.later(hours=1)
    office.say(one, "share.dsp", "withdrawn")
    office.later(minutes=3)
    assert office.round(recipient) == ["acknowledged"]
    assert office.round(recipient) == []
    added, removed = recipient.got
    assert removed.method == "DELETE"
    assert len(rows(removed)) == 1
    assert rows(removed)[0] in rows(added)
    assert office.door.board()[0]["removals"] == {
        "open": 0, "oldest": None, "oldest_seconds": None, "removals": 1, "removed": 1, "latency_longest": 180, "latency_mean": 180,
    }  # fmt: skip
    assert holdings(office) == 1, "what the recipient let go of is forgotten here"


def test_a_person_of_two_exports_is_in_the_removal_once_however_often_they_withdraw(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.export("exp_2", [one], [A])
    recipient = Recipient()
    office.round(recipient)
    for purpose in PURPOSES:
        office.say(one, purpose, "withdrawn")
    office.door.notice()
    office.say(one, "share.dsp", "withdrawn")
    office.door.notice(everybody=True)
    assert office.round(recipient) == ["acknowledged"]
    assert len(rows(recipient.got[-1])) == 1
    office.door.notice(everybody=True)
    assert office.round(recipient) == []


def test_every_recipient_is_told_and_only_of_people_it_holds(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.export("exp_2", [other], [B], recipient=OTHER)
    first, second = Recipient(), Recipient()
    office.round(first)
    office.round(second, OTHER)
    office.say(one, "marketing.profiling", "withdrawn")
    assert office.round(first) == ["acknowledged"]
    assert office.round(second, OTHER) == []
    office.say(other, "marketing.profiling", "withdrawn")
    assert office.round(first) == ["acknowledged"]
    assert office.round(second, OTHER) == ["acknowledged"]


def test_the_removal_is_signed_and_names_nobody(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    recipient = Recipient()
    office.round(recipient)
    office.say(one, "share.dsp", "withdrawn")
    office.round(recipient)
    with office.stores.read_platform() as tx:
        row = tx.execute(sa.select(suppressions.SuppressionDeltaRow.__table__)).one()
    key = Ed25519PublicKey.from_public_bytes(office.keyring.public_key())
    key.verify(bytes.fromhex(row.signature), row.manifest.encode())
    told = json.loads(row.manifest)
    assert (told["people"], told["recipient"]) == (1, DSP)
    assert rows(recipient.got[0])[0][0] not in row.manifest


def test_the_removal_is_the_same_bytes_that_its_manifest_names(office: Office) -> None:
    import hashlib

    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    recipient = Recipient()
    office.round(recipient)
    office.say(one, "share.dsp", "withdrawn")
    office.round(recipient)
    with office.stores.read_platform() as tx:
        told = json.loads(tx.execute(sa.select(suppressions.SuppressionDeltaRow.manifest)).scalar_one())
    assert told["lists"][0]["sha256"] == [hashlib.sha256(recipient.got[-1].body).hexdigest()]


def test_a_removal_that_fails_is_tried_until_it_is_acknowledged_and_never_dies(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.round(Recipient())
    office.say(one, "share.dsp", "withdrawn")
    down = Recipient([Sent("again", "http_503")])
    for _ in range(30):
        assert office.round(down) == ["waiting"]
        office.later(minutes=30)
    up = Recipient()
    assert office.round(up) == ["acknowledged"]
    assert {parcel.key for parcel in down.got} == {up.got[0].key}


def test_an_overdue_removal_is_one_alarm_and_stops_what_would_be_added_there_until_it_is_acknowledged(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one], [A])
    office.round(Recipient())
    office.say(one, "share.dsp", "withdrawn")
    office.export("exp_2", [other], [B])
    office.export("exp_3", [other], [B], recipient=OTHER)
    down = Recipient([Sent("again", "http_503")])
    office.door.notice()
    office.door.prepare()
    office.later(hours=25)
    assert office.door.alarm() == [DSP]
    assert office.door.alarm() == []
    assert office.door.send(DSP, down, sealed_for=None) == "waiting"
    assert [parcel.method for parcel in down.got] == ["DELETE"]
    with office.stores.begin_platform() as tx:
        with pytest.raises(Refused, match="not acknowledged"):
            office.door.check_open(tx, DSP)
        office.door.check_open(tx, OTHER)
    assert office.door.board()[0]["blocked"] is True
    assert office.round(Recipient(), OTHER) == ["acknowledged"]
    office.later(hours=1)
    up = Recipient()
    assert office.round(up) == ["acknowledged", "acknowledged"]
    assert [parcel.method for parcel in up.got] == ["DELETE", "POST"]
    assert office.door.board()[0]["blocked"] is False
    assert office.actions().count("suppression.overdue") == 1


def test_erasure_tells_first_and_forgets_after_even_if_the_vault_knows_the_person_no_more(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    recipient = Recipient()
    office.round(recipient)
    assert office.door.tell([one], suppressions.ERASED) == {"recipients": 1, "noticed": 1}
    with office.stores.begin_vault() as tx:
        for table in ("identifier", "data_key"):
            tx.execute(sa.text(f"DELETE FROM {table}"))
        tx.execute(sa.text("DELETE FROM person WHERE person = :one"), {"one": one})
    assert office.round(recipient) == ["acknowledged"]
    assert len(rows(recipient.got[-1])) == 1
    with office.stores.read_platform() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(suppressions.SuppressionRow)).scalar_one() == 0
    assert holdings(office) == 1


def test_a_correction_takes_the_old_value_out(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    recipient = Recipient()
    office.round(recipient)
    office.door.tell([one], suppressions.CORRECTED)
    with office.stores.read_platform() as tx:
        assert office.door.leaving(tx, DSP) == {office.handle(one)}
    office.export("exp_2", [one], [C])
    assert office.round(recipient) == ["acknowledged", "acknowledged"]
    assert rows(recipient.got[1]) == rows(recipient.got[0])
    assert recipient.got[1].method == "DELETE"
    with office.stores.read_platform() as tx:
        assert office.door.leaving(tx, DSP) == set()


def test_revoking_stops_what_has_not_gone_and_takes_back_what_has(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one], [A])
    recipient = Recipient()
    office.round(recipient)
    office.export("exp_2", [other], [B])
    assert office.door.revoke("exp_2", actor="usr_1") == {"stopped": 1, "noticed": 0, "never_sent": 1}
    assert office.door.revoke("exp_1", actor="usr_1") == {"stopped": 0, "noticed": 1, "never_sent": 0}
    assert office.door.revoke("exp_1", actor="usr_1")["noticed"] == 0
    assert office.round(recipient) == ["acknowledged"]
    assert [parcel.method for parcel in recipient.got] == ["POST", "DELETE"]
    assert office.door.replay(actor="usr_1") == 0, "what was revoked stays dead"
    assert holdings(office) == 0


def test_whose_consent_runs_out_is_taken_out_by_the_look_at_everybody(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.round(Recipient())
    with office.stores.begin_platform() as tx:
        tx.execute(sa.text("UPDATE consent_event SET valid_until = received_at + 1, state = state"))
        tx.execute(sa.text("UPDATE consent_state SET expires = since + 1"))
    assert office.door.notice()["noticed"] == 0
    assert office.door.notice(everybody=True)["noticed"] == 1


def test_who_comes_back_and_leaves_again_is_told_again(office: Office) -> None:
    (one,) = office.people(A)
    recipient = Recipient()
    for turn in range(2):
        office.export(f"exp_{turn}", [one], [A])
        office.round(recipient)
        office.later(minutes=1)
        office.say(one, "share.dsp", "withdrawn")
        office.round(recipient)
        office.later(minutes=1)
        office.say(one, "share.dsp", "granted")
    assert [parcel.method for parcel in recipient.got] == ["POST", "DELETE", "POST", "DELETE"]


def test_a_withdrawal_shows_whom_it_reached(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    recipient = Recipient([Sent("acknowledged"), Sent("again", "http_503"), Sent("acknowledged")])
    office.round(recipient)
    office.say(one, "share.dsp", "withdrawn")
    office.round(recipient)
    with office.stores.read_platform() as tx:
        assert (desk.told(tx, [office.handle(one)], "share.dsp", NOW), desk.confirmed(tx, [office.handle(one)], "share.dsp", NOW)) == (1, 0)
    office.later(hours=1)
    office.round(recipient)
    with office.stores.read_platform() as tx:
        assert desk.confirmed(tx, [office.handle(one)], "share.dsp", NOW) == 1


def test_a_crash_between_the_acknowledgement_and_the_closing_is_made_good(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.round(Recipient())
    office.say(one, "share.dsp", "withdrawn")
    office.door.notice()
    office.door.prepare()
    with office.stores.begin_platform() as tx:
        tx.execute(sa.text("UPDATE export_delivery SET state = 'acknowledged' WHERE action = 'remove'"))
    assert office.door.settle() == 1
    assert office.door.settle() == 0
    assert holdings(office) == 0
