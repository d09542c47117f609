"""Carrying exports: who is in a part when it goes, one key for ever, crashes, isolation, replay."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.carriage import Parcel, Sent
from privacy.delivery import pauses, register
from privacy.errors import NotFound
from privacy.identity.keys import Keyring
from tests.unit.privacy.delivery.office import DSP, OTHER, Office, Recipient
from tests.unit.privacy.identity.people import NOW

A, B, C = "+8613800138000", "+8613900139000", "+8613700137000"


@pytest.fixture
def office(stores: Stores, keyring: Keyring) -> Office:
    return Office(stores, keyring)


def rows(parcel: Parcel) -> list[list[str]]:
    return list(json.loads(parcel.body)["payload"]["data"])


def test_a_part_goes_once_in_the_recipients_form_and_is_acknowledged(office: Office) -> None:
    people = office.people(A, B)
    (delivery,) = office.export("exp_1", people, [A, B])
    recipient = Recipient()
    assert office.round(recipient) == ["acknowledged"]
    assert office.round(recipient) == []
    (parcel,) = recipient.got
    assert (parcel.method, parcel.media, len(rows(parcel))) == ("POST", "application/json", 2)
    assert parcel.signature
    (shown,) = office.door.listing(batch="exp_1")
    assert (shown["id"], shown["state"], shown["rows"], shown["attempts"]) == (delivery, "acknowledged", 2, 1)


def test_nothing_about_anybody_stands_in_names_keys_tables_or_the_log(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    recipient = Recipient()
    office.round(recipient)
    (parcel,) = recipient.got
    digest = rows(parcel)[0][0]
    told = repr(parcel) + repr(office.log.entries) + repr(office.door.listing()) + repr(office.door.board())
    for value in (A, A[1:], digest, people[0].hex(), repr(people[0])):
        assert value not in told
    with office.stores.read_vault() as tx:
        kept = tx.execute(sa.text("SELECT handle, sealed FROM export_holding")).all()
    assert all(people[0] not in bytes(handle) + bytes(box) and digest.encode() not in bytes(box) for handle, box in kept)


def test_who_withdrew_before_a_part_went_is_not_in_it_and_nobody_is_told_of_them(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.say(one, "share.dsp", "withdrawn")
    recipient = Recipient()
    assert office.round(recipient) == ["acknowledged"]
    (parcel,) = recipient.got
    assert len(rows(parcel)) == 1
    assert office.door.board()[0]["removals"]["open"] == 0


def test_a_withdrawal_between_the_look_and_the_sending_counts(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.door.notice()
    office.say(one, "marketing.profiling", "withdrawn")
    recipient = Recipient()
    office.door.send(DSP, recipient, sealed_for=None)
    assert len(rows(recipient.got[0])) == 1
    assert office.round(recipient) == [], "the recipient is not told of somebody it never had"


def test_who_may_have_been_in_an_attempt_that_failed_is_removed_later(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    assert office.door.send(DSP, Recipient([Sent("again", "http_503")]), sealed_for=None) == "waiting"
    office.say(one, "marketing.profiling", "withdrawn")
    office.later(hours=1)
    recipient = Recipient()
    assert office.door.send(DSP, recipient, sealed_for=None) == "acknowledged"
    assert len(rows(recipient.got[0])) == 1
    assert office.round(recipient) == ["acknowledged"]
    assert len(rows(recipient.got[1])) == 1


def test_a_part_whose_everybody_withdrew_is_not_sent_at_all(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.say(one, "share.dsp", "withdrawn")
    recipient = Recipient()
    assert office.door.send(DSP, recipient, sealed_for=None) == "acknowledged"
    assert recipient.got == []
    assert office.door.listing()[0]["code"] == "empty"


def test_killed_between_sending_and_writing_it_down_the_part_goes_again_under_its_key(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])

    class Killed(BaseException):
        """kill -9, as near as a test comes to it."""

    class Dies(Recipient):
        def send(self, parcel: Parcel) -> Sent:
            self.got.append(parcel)
            raise Killed

    dead = Dies()
    with pytest.raises(Killed):
        office.door.send(DSP, dead, sealed_for=None)
    assert office.door.send(DSP, dead, sealed_for=None) is None, "its lease still holds"
    office.later(seconds=register.LEASE.total_seconds() + 1)
    recipient = Recipient()
    assert office.door.send(DSP, recipient, sealed_for=None) == "acknowledged"
    assert recipient.got[0].key == dead.got[0].key
    assert recipient.got[0].body == dead.got[0].body


def test_a_recipient_that_fails_is_left_alone_and_others_are_not_touched(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    office.export("exp_2", people, [A], recipient=OTHER)
    office.export("exp_3", people, [A])
    down = Recipient([Sent("again", "http_503", 600)])
    assert office.door.send(DSP, down, sealed_for=None) == "waiting"
    assert office.door.send(DSP, down, sealed_for=None) is None, "also its other parts wait"
    assert office.door.due() == [OTHER]
    assert office.door.send(OTHER, Recipient(), sealed_for=None) == "acknowledged"
    office.later(seconds=599)
    assert office.door.due() == []
    office.later(seconds=2)
    assert office.door.due() == [DSP]
    assert office.round(Recipient()) == ["acknowledged", "acknowledged"]


def test_a_dead_recipient_becomes_a_dead_letter_that_can_be_replayed_under_its_key(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    down = Recipient([Sent("again", "destination_unreachable")])
    begun, states = office.now, []
    while not states or states[-1] != "dead":
        states += office.round(down)
        office.later(minutes=20)
    assert len(down.got) == pauses.ATTEMPTS
    assert office.now - begun >= timedelta(minutes=15)
    assert office.door.replay(actor="usr_1", recipient=DSP) == 1
    up = Recipient()
    assert office.round(up) == ["acknowledged"]
    assert {parcel.key for parcel in down.got} == {up.got[0].key}
    assert "delivery.replay" in office.actions()


def test_what_is_refused_is_dead_at_once(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    assert office.round(Recipient([Sent("refused", "http_400")])) == ["dead"]
    assert office.door.listing(state="dead")[0]["code"] == "http_400"


def test_an_export_that_is_over_is_not_sent_any_more(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A], expires_at=NOW + timedelta(hours=1))
    office.later(hours=2)
    recipient = Recipient()
    assert office.round(recipient) == []
    assert recipient.got == []
    assert office.door.replay(actor="usr_1") == 0
    assert office.door.listing()[0]["code"] in ("expired", "revoked")


def test_what_lies_there_is_looked_at_until_it_is_taken(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    slow = Recipient([Sent("offered", "waits"), Sent("acknowledged", "taken")])
    assert office.round(slow) == ["waiting"]
    office.later(seconds=pauses.LOOK.total_seconds())
    assert office.round(slow) == ["acknowledged"]


def test_a_form_of_clear_values_never_travels_unsealed(office: Office) -> None:
    people = office.people(A)
    office.hand("exp_1", "sms", people, [{"phone": A, "sender": "s", "sender_contact": "c", "opt_out": "o"}])
    recipient = Recipient()
    assert office.door.send(DSP, recipient, sealed_for=None) == "dead"
    assert recipient.got == []
    assert office.door.listing()[0]["code"] == "recipient_key_missing"


def test_a_control_row_leaves_with_the_others_and_belongs_to_nobody(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one, b""], [A, C])
    recipient = Recipient()
    office.round(recipient)
    assert len(rows(recipient.got[0])) == 2
    office.door.notice(everybody=True)
    assert office.door.board()[0]["removals"]["open"] == 0


def test_rows_that_no_export_claims_are_swept(office: Office) -> None:
    people = office.people(A)

    class Died(Exception):
        """The release failed after the vault had committed."""

    with pytest.raises(Died), office.stores.begin_platform() as tx:
        office.hand("exp_lost", "meta", people, [{"PHONE": "x"}], tx=tx)
        raise Died
    assert office.door.listing() == []
    assert office.door.sweep() == 0
    office.later(days=2)
    assert office.door.sweep() == 1


def test_what_never_left_leaves_nobody_there(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    away = Recipient([Sent("again", "destination_unreachable", reached=False)])
    office.round(away)
    office.say(one, "share.dsp", "withdrawn")
    office.later(hours=1)
    recipient = Recipient()
    assert office.round(recipient) == ["acknowledged"]
    assert [parcel.method for parcel in recipient.got] == ["POST"], "nobody is told of somebody they never had"
    assert len(rows(recipient.got[0])) == 1


def test_where_the_gates_papers_do_not_stand_nothing_goes_and_nobody_was_there(office: Office) -> None:
    people = office.people(A)
    office.export("exp_1", people, [A])
    office.gate.closed = NotFound("over", code="recipient_not_active")
    recipient = Recipient()
    assert office.round(recipient) == ["dead"]
    office.say(people[0], "share.dsp", "withdrawn")
    assert office.round(recipient) == []
    assert recipient.got == []
    assert office.door.listing()[0]["code"] == "recipient_not_active"


def test_who_is_too_young_for_the_gate_is_not_in_a_part_and_the_look_at_everybody_takes_them_out(office: Office) -> None:
    one, other, third = office.people(A, B, C)
    office.gate.minors = {one}
    office.export("exp_1", [one, other, third], [A, B, C])
    recipient = Recipient()
    office.round(recipient)
    assert len(rows(recipient.got[0])) == 2
    office.gate.minors = {one, other}
    assert office.round(recipient) == []
    office.door.notice(everybody=True)
    assert office.round(recipient) == ["acknowledged"]
    assert (recipient.got[1].method, len(rows(recipient.got[1]))) == ("DELETE", 1)
    assert rows(recipient.got[1])[0] in rows(recipient.got[0])


def test_a_part_is_acknowledged_by_hand_only_after_it_went(office: Office) -> None:
    people = office.people(A)
    (delivery,) = office.export("exp_1", people, [A])
    with pytest.raises(Exception, match="not sent"):
        office.door.acknowledge(delivery, actor="usr_1")
    with pytest.raises(NotFound):
        office.door.acknowledge("dlv_none", actor="usr_1")
    office.round(Recipient([Sent("offered", "waits")]))
    assert office.door.acknowledge(delivery, actor="usr_1")["state"] == "acknowledged"
