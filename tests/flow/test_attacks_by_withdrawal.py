"""Attack 26 in one list: a no at each moment of an export, and what the recipient is told of it, exactly once."""

from __future__ import annotations

from typing import Any

from app import deliveries
from privacy.records import Audience
from tests.fakes.paperwork import ADA, AGENCY, BOB
from tests.gatehouse import PHONES, Scene, opened
from tests.house import House

SURE = 40_000_000


class Moments(Scene):
    """A scene in which somebody says no at the moment at which the list's people are looked for."""

    def __init__(self, house: House) -> None:
        self.meanwhile: list[str] = []
        super().__init__(house, AGENCY)
        self.delivery = self.services.deliveries  # type: ignore[assignment]
        self.door = self.services.__dict__["exports"] = self.gate(SURE, cap=None)

    def audience(self, segment: str) -> Audience:
        found = super().audience(segment)
        while self.meanwhile:
            self.no(self.meanwhile.pop())
        return found

    def no(self, phone: str, *purposes: str) -> None:
        self.allow([phone], purposes or self.share, "withdrawn")

    def carry(self, times: int = 3) -> None:
        """Rounds of the schedule: more than one, because a second one must find nothing to do."""
        for _ in range(times):
            deliveries.carry(self.services)
            self.house.clock.forward(seconds=5)

    def told(self) -> list[set[str]]:
        """The removals, the oldest first, as their recipient reads them."""
        parts = deliveries.listing(self.services, action="remove")["items"]
        return [self.removed(one["id"]) for one in reversed(parts) if one["state"] != "acknowledged"]

    def removed(self, part: str) -> set[str]:
        return {row["phone"] for row in opened([deliveries.fetch(self.services, part, actor=ADA)[1]])}

    def lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = deliveries.removals(self.services)["items"]
        return found


def test_a_no_is_in_no_list_that_is_handed_out_after_it_and_in_one_removal_after_it_was(place: House) -> None:
    """Before the snapshot, while it is made, after the seal, after a look at the file, after the delivery; said twice and looked for ten times."""
    scene = Moments(place)
    before, during, sealed, looked, after = PHONES[:5]
    scene.no(before)
    id_ = scene.approved()
    scene.meanwhile = [during]
    scene.door.release(id_, actor=BOB)
    assert scene.door.show(id_, exact=True)["officers"]["people"] == 198
    scene.no(sealed)
    scene.carry()
    scene.no(looked)
    assert scene.phones(id_) == {*PHONES[4:]}
    scene.carry()
    assert scene.lines() == []
    scene.no(after)
    scene.carry(5)
    scene.no(after, "marketing.channel.sms")
    scene.no(after)
    scene.carry(5)
    assert scene.told() == [{after}]
    assert scene.phones(id_) == {*PHONES[5:]}
    (part,) = deliveries.listing(scene.services, action="remove")["items"]
    deliveries.acknowledge(scene.services, part["id"], actor=ADA)
    scene.carry()
    assert [line["people"] for line in scene.lines()] == [1]


def test_who_comes_back_and_goes_again_is_removed_once_more_and_only_then(place: House) -> None:
    """The acknowledgement closes a removal; the next list has them again, and the next no is a removal of its own."""
    scene = Moments(place)
    scene.phones(scene.released())
    for times in (1, 2):
        scene.no(PHONES[0])
        scene.carry()
        assert scene.told() == [{PHONES[0]}]
        part = deliveries.listing(scene.services, action="remove")["items"][0]
        deliveries.acknowledge(scene.services, part["id"], actor=ADA)
        scene.house.clock.forward(minutes=1)
        scene.allow(PHONES[:1], [*scene.share, "marketing.channel.sms"])
        scene.carry()
        assert len(scene.lines()) == times
        scene.segments["other"] = PHONES[:100]
        if times == 1:
            assert PHONES[0] in scene.phones(scene.released(segment="other"))
