"""Exact numbers round the gate of exports, and lists that set somebody apart in another way than by two neighbours (attacks 17 to 19, 49)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from privacy.dp import ledger as budget
from privacy.errors import NotFound, Refused
from privacy.export import leavers, manifest
from tests.fakes.paperwork import ADA
from tests.flow.attacked import FAR, FARTHER, SECOND
from tests.gatehouse import MONTH, PHONES, RHO_NANO, Scene
from tests.house import House

SURE = 40_000_000
"""σ = 3.5: what is decided by noise is decided as it would be without, but for a probability below 10⁻¹²."""


def looks(scene: Scene) -> int:
    """How often people were looked for."""
    with scene.services.read_console() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM log_payload WHERE action = 'export.look'").scalar_one())


def members(scene: Scene, *exports: str) -> list[set[bytes]]:
    """Everybody who stands in lists."""
    with scene.services.read_console() as tx:
        return [set(leavers.of(tx, one, handed_out=True)) for one in exports]


def set_apart(one: set[bytes], other: set[bytes], minimum: int = 50) -> list[int]:
    """The groups into which two lists cut people, as far as they are too small."""
    return [len(part) for part in (one - other, other - one, one & other) if 0 < len(part) < minimum]


# ── what a marketer and a recipient can read out of a manifest ─────────────────────────────────────────────────────────────────


def test_a_marketers_manifest_does_not_change_with_people(place: House) -> None:
    """Somebody says no and a new revision is made: the marketer sees the same document, with no digest of anything that is counted."""
    scene = Scene(place)
    id_ = scene.released()
    before = scene.door.show(id_, exact=False)
    scene.allow(PHONES[:1], scene.share, "withdrawn")
    scene.opened(id_)
    after, officers = scene.door.show(id_, exact=False), scene.door.show(id_, exact=True)
    assert officers["manifest"]["revision"] == 2
    assert (after["manifest"], after["officers"], after["signature"]) == (before["manifest"], None, None)
    assert not {"rows", "size", "sha256", "revision", "made_at", "officer_sha256", "headers"} & after["manifest"].keys()


def test_the_digest_of_the_officers_part_is_found_by_trying_no_numbers(place: House) -> None:
    """Whoever holds the recipient's part knows everything else of it, and tries every number of people and of reasons."""
    scene = Scene(place)
    scene.allow(PHONES[:3], scene.share, "withdrawn")
    shown = scene.door.show(scene.released(), exact=True)
    known, told = dict(shown["officers"]), shown["manifest"]["officer_sha256"]
    assert hashlib.sha256(manifest.canonical(known)).hexdigest() == told
    assert len(bytes.fromhex(known.pop("salt"))) == 16
    for people in range(300):
        for reason in range(10):
            tried = known | {"people": people, "exclusions": {"recipient_consent_missing": reason}}
            assert hashlib.sha256(manifest.canonical(tried)).hexdigest() != told


# ── asking again ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cancelling_and_asking_again_otherwise_buys_no_fresh_noise_and_looks_for_nobody(place: House) -> None:
    """Another time, another reason, another form: the day's one number, paid once; the second time takes as long for any people."""
    scene = Scene(place)
    asked: list[dict[str, Any]] = [{}, {"justification": "Another message about tea"}, {"form": "tencent_ads"}]
    asked += [{"expires_at": scene.services.clock() + timedelta(days=days)} for days in (1, 40, 90)]
    told = []
    for changes in asked:
        id_ = str(scene.door.request(scene.wish(**changes), actor=ADA)["id"])
        told += [scene.door.preview(id_, actor=ADA) for _ in range(3)]
        scene.door.cancel(id_, actor=ADA)
    assert told.count(told[0]) == len(told) == 3 * len(asked)
    assert looks(scene) == 1
    with scene.services.read_console() as tx:
        assert budget.accounts(tx)[MONTH].spent_nano == RHO_NANO


def test_a_no_between_two_looks_of_a_day_changes_nothing_that_a_marketer_sees(place: House) -> None:
    scene = Scene(place)
    id_ = str(scene.door.request(scene.wish(), actor=ADA)["id"])
    before = scene.door.preview(id_, actor=ADA)
    scene.allow(PHONES[:30], scene.share, "withdrawn")
    assert scene.door.preview(id_, actor=ADA) == before


def test_a_strangers_request_is_no_place_to_read_on_from(place: House) -> None:
    """Attack 47: a page after an id of somebody else's answers like one after an id that never was."""
    scene = Scene(place)
    made = scene.door.request(scene.wish(), actor=ADA)
    codes = []
    for before in (str(made["id"]), "exp_" + "0" * 24):
        with pytest.raises(NotFound) as unknown:
            scene.door.listing(asked_by="usr_eve0000000000", before=before)
        codes.append((unknown.value.code, str(unknown.value)))
    assert codes[0] == codes[1]
    assert scene.door.listing(asked_by=ADA, before=str(made["id"])) == []


# ── lists that are laid side by side ───────────────────────────────────────────────────────────────────────────────────────────


def test_two_recipients_who_pool_their_telephones_find_nobody_alone(place: House) -> None:
    """Attack 19 with two companies: the first gets everybody, the second everybody but one."""
    first, second = Scene(place), Scene(place, SECOND)
    one = first.released()
    for scene in (first, second):
        scene.door = scene.gate(SURE, cap=None)
        scene.segments["all"] = PHONES[1:]
    other = second.released()
    pooled = members(first, one, other)
    assert set_apart(*pooled) == []
    assert len(pooled[0] - pooled[1]) == 50


def test_the_same_people_for_two_recipients_leave_whole(place: House) -> None:
    """What two companies both may have is no difference; who said no to one of them is absent there by their own act, and hides nobody else."""
    first, second = Scene(place), Scene(place, SECOND)
    second.allow(PHONES[:2], first.share, "withdrawn")
    assert len(first.phones(first.released())) == 198
    assert second.phones(second.released()) == set(PHONES)


def test_who_has_no_such_address_makes_up_no_minimum_and_no_group(place: House) -> None:
    """Attack 19 through the form: a list of telephones of people who have none is a list of the few who have one, and tells them apart."""
    scene = Scene(place)
    scene.door = scene.gate(SURE, cap=None, minimum=10)
    mails = [f"person-{number}@shop.example" for number in range(60)]
    scene.allow(mails, ["marketing.profiling", "marketing.channel.sms", *scene.share])
    scene.segments |= {"same-few": [*mails, *PHONES[:5]], "same-one": [*PHONES[:100], *mails[:40]]}
    with pytest.raises(Refused) as refused:
        scene.released(segment="same-few")
    assert refused.value.code == "export_too_small"
    first = scene.released(segment="same-one")
    assert scene.phones(first) == {*PHONES[:100]}
    assert scene.door.show(first, exact=True)["officers"]["exclusions"] == {"not_in_form": 40}
    scene.segments["same-one"] = [*PHONES[:102], *mails]
    second = scene.released(segment="same-one")
    assert scene.phones(second) == {*PHONES[:100]}
    assert scene.door.show(second, exact=True)["officers"]["exclusions"] == {"not_in_form": 60, "too_few_alike": 2}


def test_every_combination_of_three_rules_sets_nobody_apart(place: House) -> None:
    """AND, OR, NOT and one person less, in an order that nobody chose well: each pair of lists that left cuts people into large groups."""
    scene = Scene(place)
    scene.door = scene.gate(7_000_000, cap=None, minimum=10)  # σ = 8.5: a hundred people, and a difference by a hundred, pass surely
    target, everybody = PHONES[77], set(PHONES)
    one, two, three, four = ({phone for number, phone in enumerate(PHONES) if number // size % 2} for size in (1, 25, 50, 100))
    asked = [
        one, one - {target}, two, two | {target}, one & two, three, (one | two) - {target}, everybody - three, four, everybody - {target},
        (three & four) | {target}, everybody,
    ]  # fmt: skip
    left: list[str] = []
    refused: set[str] = set()
    for number, people in enumerate(asked):
        scene.segments[f"same-{number}"] = sorted(people)
        try:
            left.append(scene.released(segment=f"same-{number}"))
        except Refused as error:
            refused.add(error.code)
    assert len(left) >= 4
    assert "export_difference_too_small" in refused
    assert refused <= {"export_difference_too_small", "export_too_small", "export_empty"}
    for first, second in combinations(members(scene, *left), 2):
        assert set_apart(first, second, 10) == []


def test_a_definition_that_moves_through_three_steps_sets_nobody_apart(place: House) -> None:
    """A to B to C, each step by a few and by many, with another definition and a no between: every pair of the lists."""
    scene = Scene(place)
    scene.door = scene.gate(SURE, cap=None)
    left = []
    for people in (PHONES[:120], PHONES[1:121], PHONES[60:180], PHONES[61:181], PHONES[:200]):
        scene.segments["same"] = people
        left.append(scene.released(segment="same"))
        if len(left) == 2:
            scene.segments["same-other"] = PHONES[100:200]
            left.append(scene.released(segment="same-other"))
    for one, other in combinations(members(scene, *left), 2):
        assert set_apart(one, other) == []


# ── abroad ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def abroad(scene: Scene, before: int) -> Scene:
    """A scene in whose year so many people went abroad already, under marks of other lists."""
    from privacy.accountability import transfers

    scene.door = scene.gate(SURE, cap=None, minimum=10)
    marks = [hashlib.sha256(b"%d" % number).digest()[:16] for number in range(before)]
    with scene.services.begin_console() as tx:
        transfers.note(tx, 2026, marks, sensitive=False, now=scene.services.clock())
    return scene


def test_an_export_cut_into_eleven_pieces_for_two_recipients_is_stopped_at_the_threshold(place: House) -> None:
    """Attack 49: each piece is small; distinct people count, whoever gets them, under whatever epoch, and the eleventh is refused with a reason."""
    pieces = [40, 40, *[13] * 9]
    far, farther = abroad(Scene(place, FAR), 99_999 - sum(pieces[:10])), Scene(place, FARTHER)
    for scene in (far, farther):
        scene.door = scene.gate(
            90_000_000, cap=None, minimum=10
        )  # σ = 2.4: the day's count is that of the first piece, which passes surely
    for number in range(11):
        scene = (far, farther)[number % 2]
        scene.segments["same-piece"] = PHONES[sum(pieces[:number]) : sum(pieces[: number + 1])]
        if number == 5:
            place.services.rotate_key("recipient", actor=ADA)
        if number < 10:
            scene.released(segment="same-piece")
            continue
        with pytest.raises(Refused) as refused:
            scene.released(segment="same-piece")
        assert (refused.value.code, refused.value.field) == ("crossborder_needs_standard_contract", "recipient")
    assert far.services.recipients.abroad()["people"] == 99_999


def test_the_same_people_at_a_second_recipient_abroad_are_counted_once(place: House) -> None:
    """Attack 49 the other way round: nobody is counted twice, so that the count is true."""
    far, farther = abroad(Scene(place, FAR), 100), Scene(place, FARTHER)
    farther.door = farther.gate(SURE, cap=None)
    for scene in (far, farther):
        scene.released()
    assert far.services.recipients.abroad()["people"] == 100 + len(PHONES)


def test_people_are_counted_since_the_first_of_january_of_the_shops_year(place: House) -> None:
    """Attack 49 by the clock: in Shanghai the year has begun, in Greenwich it has not."""
    scene = abroad(Scene(place, FAR), 0)
    scene.house.clock.now = datetime.fromisoformat("2026-12-31T17:00:00+00:00")
    assert scene.services.settings.zone == "Asia/Shanghai"
    assert scene.services.recipients.abroad()["year"] == 2027
    scene.released()
    assert scene.services.recipients.abroad()["people"] == len(PHONES)
