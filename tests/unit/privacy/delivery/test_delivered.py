"""Exports that travel as the gate's own file: downloaded, or laid into a folder. Removals go after those who were really in it."""

from __future__ import annotations

import base64
import io

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.stores import Stores
from privacy.carriage import Sent
from privacy.delivery import delivered, suppressions
from privacy.delivery.delivered import DOWNLOAD, FOLDER, PUSH, Route
from privacy.errors import NotFound
from privacy.identity.keys import Keyring
from privacy.identity.open import unseal
from tests.unit.privacy.delivery.office import DSP, Office, Recipient
from tests.unit.privacy.delivery.test_afterwards import holdings, sqlite_tables  # noqa: F401 (a fixture)
from tests.unit.privacy.delivery.test_desk import A, B, C

PRIVATE = X25519PrivateKey.generate()
PUBLIC = base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()
WAITS = Recipient([Sent("offered", "waits")])


@pytest.fixture
def office(sqlite_tables: Stores, keyring: Keyring) -> Office:  # noqa: F811
    return Office(sqlite_tables, keyring, key=PUBLIC, route=Route(DOWNLOAD))


def test_a_download_makes_no_part_and_a_folder_gets_the_gates_own_sealed_file(office: Office) -> None:
    people = office.people(A)
    assert office.export("exp_1", people, [A]) == []
    office.route = Route(FOLDER)
    office.export("exp_2", people, [A])
    recipient = Recipient()
    assert office.round(recipient) == ["acknowledged"]
    (parcel,) = recipient.got
    assert parcel.body == b"sealed exp_2"
    assert parcel.name == "add-exp_2-0000.csv.sealed"


def test_what_lies_in_the_folder_is_looked_at_and_not_taken_again(office: Office) -> None:
    office.route = Route(FOLDER)
    office.export("exp_1", office.people(A), [A])
    folder = Recipient([Sent("offered", "laid_down")])
    assert office.round(folder) == ["waiting"]
    entries = len(office.log.entries)
    for _ in range(3):
        office.later(minutes=6)
        folder.looks = [Sent("offered", "waits_in_folder")]
        assert office.round(folder) == ["waiting"]
    assert len(office.log.entries) == entries, "looking is no act"
    office.later(minutes=6)
    folder.looks = [Sent("acknowledged", "taken")]
    assert office.round(folder) == ["acknowledged"]
    assert len(folder.got) == 1


def test_who_withdrew_before_anybody_took_the_file_is_in_no_removal(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.say(one, "share.dsp", "withdrawn")
    assert office.round(WAITS) == []
    with office.stores.begin_platform() as tx:
        office.door.gone(tx, "exp_1", [one])
        office.gate.got.add("exp_1")
    assert office.round(WAITS) == []
    office.say(one, "share.dsp", "granted")
    office.say(one, "share.dsp", "withdrawn")
    assert office.round(WAITS) == [], "they came back, but not into this file"
    assert holdings(office) == 1
    office.say(other, "share.dsp", "withdrawn")
    assert office.round(WAITS) == ["waiting"]
    assert office.door.removals()[0]["people"] == 1


def test_who_says_no_and_yes_again_before_the_file_is_taken_is_followed_from_then_on(office: Office) -> None:
    (one,) = office.people(A)
    office.export("exp_1", [one], [A])
    office.say(one, "share.dsp", "withdrawn")
    assert office.round(WAITS) == []
    office.later(minutes=1)
    office.say(one, "share.dsp", "granted")
    office.gate.got.add("exp_1")
    office.later(minutes=1)
    office.say(one, "share.dsp", "withdrawn")
    assert office.round(WAITS) == ["waiting"]


def test_who_was_in_a_revision_that_somebody_took_is_removed_although_a_later_one_is_without_them(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.gate.got.add("exp_1")
    office.say(one, "share.dsp", "withdrawn")
    with office.stores.begin_platform() as tx:
        office.door.gone(tx, "exp_1", [one])
        assert delivered.absent(tx) == set()
    assert office.round(WAITS) == ["waiting"]


def test_a_removal_for_a_recipient_without_an_interface_is_fetched_sealed_and_acknowledged_by_hand(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.gate.got.add("exp_1")
    office.say(one, "share.dsp", "withdrawn")
    waits = Recipient(looks=[Sent("offered", "waits_to_be_fetched", reached=False)])
    assert office.round(waits) == ["waiting"]
    assert waits.got == []
    (part,) = office.door.listing(action="remove")
    parcel = office.door.fetch(part["id"], sealed_for=PUBLIC, actor="usr_1")
    plain = io.BytesIO()
    assert unseal(io.BytesIO(parcel.body), PRIVATE, plain)["action"] == "remove"
    assert len(plain.getvalue().splitlines()) == 2, "the header and one row"
    assert office.door.acknowledge(part["id"], actor="usr_1")["state"] == "acknowledged"
    assert holdings(office) == 1
    assert "delivery.fetch" in office.actions()
    with pytest.raises(Exception, match="has this part"):
        office.door.fetch(part["id"], sealed_for=PUBLIC, actor="usr_1")


def test_parts_that_are_added_or_pushed_are_not_fetched(office: Office) -> None:
    office.route = Route(PUSH, {"audience": "a1"})
    (part,) = office.export("exp_1", office.people(A), [A])
    for delivery in (part, "dlv_none"):
        with pytest.raises(NotFound):
            office.door.fetch(delivery, sealed_for=PUBLIC, actor="usr_1")


def test_an_erasure_forgets_what_nobody_took_and_removes_what_somebody_did(office: Office) -> None:
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.export("exp_2", [one], [A])
    office.gate.got.add("exp_2")
    assert office.door.untold([one]) == 2
    office.door.tell([one], suppressions.ERASED)
    assert office.door.untold([one]) == 0
    assert office.round(WAITS) == ["waiting"]
    assert holdings(office) == 2, "the row of the file that nobody took is gone"


def test_what_the_gate_called_back_is_followed_and_what_another_list_put_there_stays(office: Office) -> None:
    office.route = Route(PUSH, {"audience": "a1"})
    one, other = office.people(A, B)
    office.export("exp_1", [one, other], [A, B])
    office.export("exp_2", [other], [B])
    recipient = Recipient()
    office.round(recipient)
    office.gate.back.add("exp_1")
    assert office.round(recipient) == ["acknowledged"]
    assert recipient.got[-1].method == "DELETE"
    assert office.door.removals()[0]["people"] == 1
    assert office.round(recipient) == []
    assert "delivery.revoke" in office.actions()


def test_a_pushed_list_that_is_over_is_taken_back(office: Office) -> None:
    office.route = Route(PUSH, {"audience": "a1"})
    office.export("exp_1", office.people(A), [A])
    recipient = Recipient()
    office.round(recipient)
    office.later(days=31)
    assert office.round(recipient) == ["acknowledged"]
    assert [parcel.method for parcel in recipient.got] == ["POST", "DELETE"]


def test_rows_of_lists_that_are_long_over_are_forgotten(office: Office) -> None:
    office.export("exp_1", office.people(A, B, C), [A, B, C])
    office.later(days=45)
    assert office.door.sweep() == 0
    office.later(days=20)
    assert office.door.sweep() == 3


def test_the_board_tells_how_each_recipient_gets_its_lists(office: Office) -> None:
    office.export("exp_1", office.people(A), [A])
    (line,) = office.door.board()
    assert (line["recipient"], line["way"], line["blocked"]) == (DSP, DOWNLOAD, False)
