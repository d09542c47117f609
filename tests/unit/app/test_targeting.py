"""What the pages of segments show: names for ids, sizes where somebody bought them, and a reason where nothing can be asked."""

from __future__ import annotations

import pytest

from app import audiences, reaching, segments, targeting
from app.reaching import Wanted
from privacy.errors import NotFound
from tests.house import House

BODY = {"name": "Newcomers", "purpose": "marketing.profiling", "use": "marketing", "rule": {"stage": ["prospect"]}}


def test_the_list_tells_a_size_once_it_was_bought_and_what_is_kept(house: House) -> None:
    services = house.services
    made = segments.add(services, BODY, actor="usr_a")
    (before,) = targeting.listing(services)
    assert (before["answer"], before["kept"], before["who"]) == (None, 0, "usr_a")
    reaching.ask(services, Wanted(made["id"]), asked_by="usr_a")
    audiences.make(services, {"segment": made["id"]}, actor="usr_a")
    (after,) = targeting.listing(services)
    assert (after["answer"]["as_of"], after["kept"]) == (202605, 1)
    assert targeting.others(services) == [(f"{made['id']}@1", "Newcomers (1)")]
    assert [one["segment_name"] for one in targeting.kept(services)] == ["Newcomers"]
    assert targeting.recipients(services) == []


def test_a_segment_whose_use_is_refused_shows_why_instead_of_a_size(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from privacy.errors import Refused

    services = house.services
    made = segments.add(services, BODY, actor="usr_a")

    def refused(*_: object) -> None:
        raise Refused("the review has ended", code="segment_use_refused", field="review")

    monkeypatch.setattr(segments, "permitted", refused)
    told = targeting.page(services, Wanted(made["id"]), asked_by="usr_a")
    assert (told["reach"], told["refused"]) == (None, "segment_use_refused")
    assert reaching.answered(services, made["id"]) is None
    with pytest.raises(NotFound):
        targeting.page(services, Wanted("seg_none"), asked_by="usr_a")
