"""Two who decide, release, take or call back at once, papers that end and people who are erased meanwhile: one order of things, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from app import erasing
from privacy.audit.log import LogPayload
from privacy.errors import PiyingError, Raced, Unavailable
from privacy.export import leavers
from tests import gatehouse
from tests.fakes.paperwork import ADA, AGENCY, BOB
from tests.gatehouse import PHONES, Scene
from tests.house import House, postgres_house

EVE = "usr_eve0000000000"
FEW = PHONES[:100]
RHO = 10_000_000
"""σ = 7.1: a count of a hundred fails a minimum of ten with its margin with a probability below 10⁻¹⁴; each race has its count to pay."""
Act = Callable[[], Any]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house on each database for all races; each race has a recipient of its own."""
    home = tmp_path_factory.mktemp("races") / "home"
    if request.param == "sqlite":
        with gatehouse.shop(request.getfixturevalue("gate_home"), home) as made:
            yield made
    else:
        server, databases, keys = request.getfixturevalue("template_databases")
        with postgres_house(server, databases, keys, home) as made:
            yield made


@pytest.fixture
def scene(shop: House, request: pytest.FixtureRequest) -> Scene:
    number = len(shop.services.recipients.listing())
    made = Scene(shop, AGENCY | {"key": f"race-{number}", "name_en": f"Race {number} (invented)"}, FEW)
    made.delivery = shop.services.deliveries  # type: ignore[assignment]
    made.door = shop.services.__dict__["exports"] = made.gate(RHO, cap=None, minimum=10)
    return made


def patiently(act: Act) -> Any:
    """Asks again where the program says that it is busy, for two minutes: a machine may be slow, and nothing here is about how fast it is."""
    until = time.monotonic() + 120
    while True:
        try:
            return act()
        except (Unavailable, Raced):
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def together(*acts: Act) -> list[Any]:
    """Each act's answer, or the code of its refusal; all begin at once, and whoever is told to wait asks again."""
    told: list[Any] = [None] * len(acts)
    begin = threading.Barrier(len(acts), timeout=300)

    def run(place: int) -> None:
        begin.wait()
        try:
            told[place] = patiently(acts[place])
        except PiyingError as error:
            told[place] = error.code
        except BaseException as fault:  # shown by the test that looks at the answers
            told[place] = fault

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [one for one in told if isinstance(one, BaseException)], told
    return told


def taken(scene: Scene, id_: str) -> set[str]:
    return scene.phones(id_)


def entry_of(scene: Scene, action: str, **facts: str) -> int:
    """The log's position of an act."""
    with scene.services.read_console() as tx:
        rows = tx.execute(
            sa.select(LogPayload.seq, LogPayload.payload).where(LogPayload.action == action, LogPayload.payload.is_not(None))
        ).all()
    (found,) = [int(seq) for seq, payload in rows if all(value.encode() in bytes(payload) for value in facts.values())]
    return found


def test_of_two_who_approve_at_once_one_does_and_who_asked_never_does(scene: Scene) -> None:
    id_ = str(scene.door.request(scene.wish(), actor=ADA)["id"])
    told = together(*(lambda actor=actor: scene.door.approve(id_, actor=actor) for actor in (BOB, ADA, EVE)))
    assert told[1] == "own_request"
    assert [type(told[0]), type(told[2])].count(dict) == 1
    assert "export_state" in told
    shown = scene.door.show(id_, exact=True)
    assert (shown["state"], shown["decided_by"]) == ("approved", BOB if isinstance(told[0], dict) else EVE)


def test_a_yes_a_no_and_a_taking_back_at_once_end_as_one_of_them_and_a_no_is_never_lost(scene: Scene) -> None:
    id_ = str(scene.door.request(scene.wish(), actor=ADA)["id"])
    told = together(
        lambda: scene.door.approve(id_, actor=BOB),
        lambda: scene.door.reject(id_, "not this", actor=EVE),
        lambda: scene.door.cancel(id_, actor=ADA),
    )
    ended = [one["state"] for one in told[1:] if isinstance(one, dict)]
    assert ended == [scene.door.show(id_, exact=True)["state"]]


def test_an_approval_after_its_time_decides_nothing_whoever_is_faster(scene: Scene) -> None:
    """The schedule ends the request while somebody says yes: it is over either way."""
    id_ = str(scene.door.request(scene.wish(), actor=ADA)["id"])
    scene.house.clock.forward(days=11)
    told = together(lambda: scene.door.approve(id_, actor=BOB), scene.door.expire, lambda: scene.door.release(id_, actor=EVE))
    assert (told[0], told[2]) in {("export_approval_over", "export_state"), ("export_state", "export_state")}
    assert scene.door.show(id_, exact=True)["state"] == "expired"


def test_of_two_releases_at_once_one_makes_a_list_and_the_other_leaves_it_alone(scene: Scene) -> None:
    id_ = scene.approved()
    told = together(*(lambda actor=actor: scene.door.release(id_, actor=actor) for actor in (BOB, EVE)))
    assert sorted(type(one).__name__ for one in told) == ["dict", "str"]
    assert "export_state" in told
    assert taken(scene, id_) == {*FEW}
    with scene.services.read_console() as tx:
        assert len(leavers.of(tx, id_)) == len(FEW)


def test_two_lists_for_one_recipient_at_once_are_held_against_each_other(scene: Scene) -> None:
    """Attack 19 by speed: the second sees the first, or waits and sees it then."""
    scene.segments |= {"same-one": FEW, "same-two": FEW[1:]}
    ids = [scene.approved(segment=name) for name in ("same-one", "same-two")]
    told = together(*(lambda id_=id_: scene.door.release(id_, actor=BOB) for id_ in ids))
    assert [one for one in told if isinstance(one, str)] in (["export_difference_too_small"], [])
    with scene.services.read_console() as tx:
        lists = [set(leavers.of(tx, id_)) for id_, one in zip(ids, told, strict=True) if isinstance(one, dict)]
    for other in lists[1:]:
        assert not [group for group in (lists[0] - other, other - lists[0]) if 0 < len(group) < 10]


def test_two_takes_at_once_make_one_revision_and_nobody_who_said_no_is_in_either(scene: Scene) -> None:
    id_ = scene.released()
    scene.allow(FEW[:3], scene.share, "withdrawn")
    told = together(*[lambda: taken(scene, id_)] * 3)
    assert told == [{*FEW[3:]}] * 3
    shown = scene.door.show(id_, exact=True)
    assert (shown["manifest"]["revision"], shown["downloads"]) == (2, 3)


def test_a_list_called_back_while_it_is_taken_is_whole_or_gone_and_gone_from_then_on(scene: Scene) -> None:
    id_ = scene.released()
    told = together(lambda: taken(scene, id_), lambda: scene.door.revoke(id_, actor=BOB), lambda: taken(scene, id_))
    assert isinstance(told[1], dict)
    assert all(one in ({*FEW}, "export_gone") for one in (told[0], told[2]))
    with pytest.raises(PiyingError) as gone:
        taken(scene, id_)
    assert gone.value.code == "export_gone"
    assert not [path for path in (scene.house.home / "exports").iterdir() if path.name.startswith(id_)]


def test_an_agreement_that_ends_between_approval_and_release_releases_nothing(scene: Scene) -> None:
    """Before it: refused. At the same time: released before it in the log, or not at all; and nothing is taken after it."""
    mine = [one for one in scene.services.agreements.listing() if one["recipient"] == scene.recipient]
    id_ = scene.approved()
    told = together(
        lambda: scene.door.release(id_, actor=BOB),
        lambda: scene.services.agreements.end(mine[0]["id"], seen=mine[0]["version"], actor=EVE),
    )
    if isinstance(told[0], dict):
        assert entry_of(scene, "export.release", export=id_) < entry_of(scene, "agreement.end", paper=mine[0]["id"])
    else:
        assert told[0] == "agreement_ended"
    for act in (lambda: scene.door.release(id_, actor=BOB), lambda: taken(scene, id_)):
        with pytest.raises(PiyingError) as refused:
            patiently(act)
        assert refused.value.code in ("agreement_ended", "export_state", "export_gone")


def test_who_is_erased_while_a_list_is_released_and_taken_is_in_nothing_that_is_taken_afterwards(scene: Scene) -> None:
    """And no row about them is left here; what was taken before is followed by a removal."""
    id_, services = scene.approved(), scene.services
    phone = f"+86137{len(services.recipients.listing()):08d}"
    scene.allow([phone], ["marketing.profiling", "marketing.channel.sms", *scene.share])
    scene.segments["same-more"] = [*FEW, phone]
    scene.door.cancel(id_, actor=ADA)
    id_ = scene.approved(segment="same-more")
    (person,) = scene.people([phone])
    handle = str(services.cases.open("phone", phone, purpose="rights_request", reason="asked for it", actor=ADA)["handle"])

    def erase() -> str:
        erasure = erasing.begin(services, handle, actor=ADA, approved_by=BOB)
        patiently(lambda: erasing.run(services))
        return str(erasing.certificate(services, erasure)["certificate"])

    def hand_out() -> set[str]:
        scene.door.release(id_, actor=BOB)
        return taken(scene, id_)

    told = together(hand_out, erase)
    assert told[0] in ({*FEW}, {*FEW, phone}, "export_state"), told
    assert taken(scene, id_) == {*FEW}
    assert scene.door.held([person]) == 0
