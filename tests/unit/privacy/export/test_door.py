"""The gate on a whole deployment: who leaves, who decides, what a later no does (attacks 18, 19, 25, 26, 49 to 52)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from privacy.dp import ledger as budget
from privacy.errors import Conflict, Invalid, NotFound, PiyingError, Refused
from privacy.export import controlrows, manifest
from privacy.identity import contacts
from tests.fakes.paperwork import ABROAD, ADA, BOB
from tests.gatehouse import MONTH, PEOPLE, PHONES, RHO_NANO, Scene
from tests.house import House


def test_a_list_that_was_asked_for_and_approved_leaves_sealed_with_a_signed_manifest(scene: Scene) -> None:
    """Exactly the people who allow it, in the recipient's form, with sender and way out in every row."""
    id_ = scene.approved()
    told = scene.door.release(id_, actor=BOB)
    assert told["state"] == "released"
    rows = scene.opened(id_)
    assert sorted(row["phone"] for row in rows) == sorted(PHONES)
    assert {row["opt_out"] for row in rows} == {"TD"}
    shown = scene.door.show(id_, exact=True)
    assert manifest.genuine(shown["manifest"], shown["signature"], scene.ring.public_key(), shown["officers"])
    assert shown["manifest"]["asked_by"] == ADA
    assert shown["manifest"]["approved_by"] == BOB
    assert shown["officers"]["people"] == PEOPLE
    assert shown["downloads"] == 1
    assert scene.delivery.queued[0][1] == PEOPLE


def test_nobody_approves_or_rejects_what_they_asked_for(scene: Scene) -> None:
    """Four eyes."""
    made = scene.door.request(scene.wish(), actor=ADA)
    for act in (lambda: scene.door.approve(made["id"], actor=ADA), lambda: scene.door.reject(made["id"], "no", actor=ADA)):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "own_request"
    assert scene.door.show(made["id"], exact=False)["state"] == "requested"


def test_an_approval_that_nobody_uses_ends(scene: Scene) -> None:
    """After three days it releases nothing, and says so itself at the next round."""
    id_ = scene.approved()
    scene.house.clock.forward(days=4)
    with pytest.raises(Conflict) as over:
        scene.door.release(id_, actor=BOB)
    assert over.value.code == "export_approval_over"
    assert scene.door.expire() == 1
    assert scene.door.show(id_, exact=False)["state"] == "expired"


def test_who_says_no_to_any_of_it_is_kept_back_under_that_reason(scene: Scene) -> None:
    """Purpose, recipient, channel: each by itself; the counts add up to the audience."""
    scene.allow(PHONES[:3], ["marketing.profiling"], "withdrawn")
    scene.allow(PHONES[3:7], scene.share, "withdrawn")
    scene.allow(PHONES[7:12], ["marketing.channel.sms"], "withdrawn")
    id_ = scene.approved()
    scene.door.release(id_, actor=BOB)
    officers = scene.door.show(id_, exact=True)["officers"]
    assert officers["exclusions"] == {
        "purpose_consent_missing": 3,
        "recipient_consent_missing": 4,
        "channel_consent_missing": 5,
    }
    assert {row["phone"] for row in scene.opened(id_)} == set(PHONES[12:])


def test_a_no_after_the_release_is_left_out_of_the_next_download_and_one_before_it_never_leaves(scene: Scene) -> None:
    """Attack 26: before, after the seal, before the download; the manifest's revision says so."""
    id_ = scene.approved()
    scene.allow(PHONES[:1], scene.share, "withdrawn")
    scene.door.release(id_, actor=BOB)
    scene.allow(PHONES[1:2], scene.share, "withdrawn")
    left = {row["phone"] for row in scene.opened(id_)}
    assert left == set(PHONES[2:])
    assert scene.door.show(id_, exact=True)["manifest"]["revision"] == 2
    assert {row["phone"] for row in scene.opened(id_)} == left
    assert scene.door.show(id_, exact=True)["manifest"]["revision"] == 2


def test_a_file_whose_time_is_over_or_that_was_called_back_is_gone(scene: Scene) -> None:
    """Attack 52."""
    first, second = scene.approved(), scene.approved(expires_at=scene.services.clock() + timedelta(days=2))
    for id_ in (first, second):
        scene.door.release(id_, actor=BOB)
    scene.door.revoke(first, actor=BOB)
    scene.house.clock.forward(days=2)
    for id_ in (first, second):
        with pytest.raises(NotFound) as gone:
            scene.door.take(id_, actor=BOB)
        assert gone.value.code == "export_gone"


def test_an_agreement_that_is_over_stops_what_was_released_too(scene: Scene) -> None:
    """Attack 52: the term of the processor ended."""
    id_ = scene.approved()
    scene.door.release(id_, actor=BOB)
    agreement = scene.services.agreements.listing()[0]
    scene.services.agreements.end(agreement["id"], seen=agreement["version"], actor=BOB)
    with pytest.raises(Refused) as refused:
        scene.door.take(id_, actor=BOB)
    assert refused.value.code == "agreement_ended"


def test_two_lists_that_differ_by_one_person_are_not_both_released(scene: Scene) -> None:
    """Attack 19: a segment edited by one rule, to the same recipient; noise and margin make it certain."""
    scene.door = scene.gate(cap=None)
    scene.door.release(scene.approved(), actor=BOB)
    scene.segments["all"] = PHONES[1:]
    with pytest.raises(Refused) as refused:
        scene.door.release(scene.approved(), actor=BOB)
    assert refused.value.code == "export_difference_too_small"


def test_withdrawals_between_two_lists_do_not_hide_that_they_differ_by_one_person(scene: Scene) -> None:
    """Attack 19 again: three hundred who said no meanwhile are no part of the difference."""
    scene.door = scene.gate(cap=None)
    scene.door.release(scene.approved(), actor=BOB)
    scene.segments["all"] = [*PHONES[:0], *PHONES[1:]]
    scene.allow(PHONES[50:52], scene.share, "withdrawn")
    id_ = scene.approved()
    with pytest.raises(Refused) as refused:
        scene.door.release(id_, actor=BOB)
    assert refused.value.code == "export_difference_too_small"


def test_a_group_that_may_be_too_small_does_not_leave(scene: Scene) -> None:
    """Forty are fewer than fifty, and no noise lets them through."""
    scene.segments["all"] = PHONES[:40]
    with pytest.raises(Refused) as refused:
        scene.door.release(scene.approved(), actor=BOB)
    assert refused.value.code == "export_too_small"


def test_asking_again_on_the_same_day_gives_the_same_number_and_costs_nothing(scene: Scene) -> None:
    """Noise cannot be averaged away."""
    id_ = scene.approved()
    first = scene.door.preview(id_, actor=ADA)
    with scene.services.read_console() as tx:
        spent = budget.accounts(tx)[MONTH].spent_nano
    assert scene.door.preview(id_, actor=ADA) == first
    with scene.services.read_console() as tx:
        assert budget.accounts(tx)[MONTH].spent_nano == spent == RHO_NANO
    assert "people" not in first


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": "analytics.statistics"}, "purpose_not_of_segment"),
        ({"use": "service"}, "use_not_of_segment"),
        ({"fields": ("email",)}, "export_fields"),
        ({"fields": ("phone", "phone")}, "export_fields"),
        ({"fields": ("national_id",)}, "export_fields"),
        ({"channel": "email"}, "recipient_purpose"),
        ({"form": "google", "fields": ("phone",)}, "form_abroad"),
        ({"form": "email", "fields": ("email",)}, "column_not_agreed"),
        ({"ground": "contract"}, "export_ground"),
        ({"justification": "tea"}, "export_justification"),
    ],
)
def test_what_was_not_agreed_is_refused_when_it_is_asked_for(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """Attacks 50 and 51, and the forms of platforms abroad."""
    with pytest.raises(PiyingError) as refused:
        scene.door.request(scene.wish(**changes), actor=ADA)
    assert refused.value.code == code
    assert scene.door.listing() == []


def test_the_cap_keeps_back_who_left_often_enough(scene: Scene) -> None:
    """One list a week and channel."""
    scene.door = scene.gate(cap=1)
    scene.door.release(scene.approved(), actor=BOB)
    id_ = scene.approved()
    with pytest.raises(Refused) as refused:
        scene.door.release(id_, actor=BOB)
    assert refused.value.code in ("export_too_small", "export_empty")


def test_people_who_go_abroad_are_counted_once_and_only_with_consent_to_it(sqlite_house: House) -> None:
    """Attack 49: two lists of the same people to a recipient abroad count them once; consent to the country is a consent of its own."""
    scene = Scene(sqlite_house, ABROAD | {"purposes": ["marketing.channel.sms"], "categories": ["phone"]}, mechanism="standard_contract")
    scene.door = scene.gate(cap=None)
    scene.allow(PHONES[10:], ["crossborder.sg"])
    for _ in range(2):
        scene.door.release(scene.approved(), actor=BOB)
    assert scene.services.recipients.abroad()["people"] == PEOPLE - 10


def test_control_rows_stand_among_the_people_and_belong_to_this_recipient(scene: Scene) -> None:
    """They are counted on the manifest and are in no number of people."""
    owned = [f"+86139{number:08d}" for number in range(20)]
    with scene.services.begin_console() as tx:
        controlrows.register(tx, "phone", owned, domain=False, now=scene.services.clock())
    id_ = scene.approved()
    scene.door.release(id_, actor=BOB)
    phones = {row["phone"] for row in scene.opened(id_)}
    officers = scene.door.show(id_, exact=True)["officers"]
    assert phones - set(PHONES) <= set(owned)
    assert officers["controls"] == len(phones - set(PHONES)) > 0
    assert officers["people"] == PEOPLE


def test_the_file_on_the_disk_and_every_row_of_the_stores_hold_no_address(scene: Scene) -> None:
    """Sealed at rest."""
    id_ = scene.approved()
    scene.door.release(id_, actor=BOB)
    kept = b"".join(path.read_bytes() for path in (scene.house.home / "exports").iterdir())
    with scene.services.read_console() as tx:
        told = json.dumps(
            [str(row) for table in ("export", "export_file", "export_person") for row in tx.exec_driver_sql(f"SELECT * FROM {table}")]
        )
    for phone in PHONES[:20]:
        assert phone.encode() not in kept
        assert phone not in told


def test_a_segment_that_changed_since_it_was_approved_is_not_released(scene: Scene) -> None:
    """The approval was for another rule."""
    id_ = scene.approved()
    scene.segments["all"] = PHONES[:-50]
    with pytest.raises(Refused) as refused:
        scene.door.release(id_, actor=BOB)
    assert refused.value.code == "export_definition_changed"


def test_somebody_elses_request_is_unknown_to_a_marketer(scene: Scene) -> None:
    """Attack 47: ids of others answer like ids that never were."""
    made = scene.door.request(scene.wish(), actor=ADA)
    with pytest.raises(NotFound):
        scene.door.show(made["id"], exact=False, asked_by="usr_eve0000000000")
    with pytest.raises(NotFound):
        scene.door.cancel(made["id"], actor="usr_eve0000000000")
    assert scene.door.cancel(made["id"], actor=ADA)["state"] == "cancelled"


def test_one_address_a_person_comes_back_in_the_order_of_the_people(scene: Scene) -> None:
    """The bulk reading behind every list."""
    people = scene.people(PHONES[:5])
    with scene.services.stores.read_vault() as tx:
        found = contacts.newest(tx, scene.ring, people, {}, ("phone", "email"))
    assert found["phone"].to_pylist() == PHONES[:5]
    assert found["email"].null_count == 5


def test_an_unknown_segment_asks_for_nobody(scene: Scene) -> None:
    """The request fails before anything is written."""
    with pytest.raises((NotFound, KeyError, Invalid)):
        scene.door.request(scene.wish(segment="other"), actor=ADA)
