"""Live events by name of whoever opens them: one entry a watch, own sources only, filters over what is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import access, watching
from app.access import Caller
from privacy.errors import NotFound
from tests.house import House, bearer, track


def integrator(house: House) -> Caller:
    account = house.browser("integrator").account
    return Caller(account, "integrator", access.matrix()["integrator"], "")


def test_a_watch_that_runs_is_gone_on_with_and_not_logged_again(house: House) -> None:
    source, _ = house.source("web")
    one = integrator(house)
    first = watching.open_(house.services, source, caller=one)
    house.clock.forward(minutes=9)
    assert watching.open_(house.services, source, caller=one) == first
    house.clock.forward(minutes=2)
    assert watching.open_(house.services, source, caller=one)["ends_at"] == house.clock() + timedelta(minutes=10)
    with house.services.read_console() as tx:
        size, _signed = house.services.log_state(tx)
    wanted = house.services.log_filter(action="source.live")
    found, total, _busy = house.services.oversight.survey(wanted, actor="test", before=None, limit=10, since=house.clock())
    assert total == 2
    assert {line.facts["minutes"] for line in found.items if line.facts} == {10}
    assert size > 2


def test_another_s_source_answers_as_if_there_were_none(house: House) -> None:
    mine, other = integrator(house), integrator(house)
    made = house.client.post("/api/sources", json={"name": "own", "kind": "segment"}, headers=bearer(house.token("integrator")))
    source = made.get_json()["source"]
    for ask in (watching.open_, watching.end):
        for caller in (mine, other):
            with pytest.raises(NotFound) as refused:
                ask(house.services, source, caller=caller)
            assert refused.value.code == "source_not_found"
    with pytest.raises(NotFound):
        watching.rows(house.services, source, {}, caller=mine)


def test_rows_need_an_own_watch(house: House) -> None:
    source, key = house.source("web")
    one, two = integrator(house), integrator(house)
    watching.open_(house.services, source, caller=one)
    house.batch([track(1)], key)
    assert len(watching.rows(house.services, source, {}, caller=one)["items"]) == 1
    with pytest.raises(NotFound) as refused:
        watching.rows(house.services, source, {}, caller=two)
    assert refused.value.code == "live_closed"
    watching.end(house.services, source, caller=one)
    with pytest.raises(NotFound):
        watching.rows(house.services, source, {}, caller=one)


def test_filters_ask_the_type_the_form_and_the_words_that_are_shown(house: House) -> None:
    source, key = house.source("web")
    one = integrator(house)
    watching.open_(house.services, source, caller=one)
    house.batch([track(1, properties={"product_id": "P7"}), track(2, event="Coupon Applied"), {"type": "nonsense"}], key)

    def kinds(**applied: str) -> list[str]:
        return sorted(watching.kind(row) for row in watching.rows(house.services, source, applied, caller=one)["items"])

    assert kinds() == ["", "coupon_applied", "product_viewed"]
    assert kinds(type="event") == ["coupon_applied", "product_viewed"]
    assert kinds(type="coupon_applied") == ["coupon_applied"]
    assert kinds(outcome="quarantined") == [""]
    assert kinds(q="PRODUCT_ID: p7") == ["product_viewed"]
    assert kinds(q="u-1") == [], "a customer's number is nowhere to be found"


def test_the_routes_tell_what_the_page_tells(house: House) -> None:
    source, key = house.source("web")
    token = bearer(house.token("integrator"))
    place = f"/api/sources/{source}/live"
    assert house.client.get(place, headers=token).get_json()["code"] == "live_closed"
    opened = house.client.post(place, headers=token)
    assert (opened.status_code, opened.get_json()["ends_at"]) == (201, "2026-06-15T04:40:00+00:00")
    house.batch([track(1), {"type": "nonsense"}], key)
    rows = house.client.get(f"{place}?outcome=quarantined", headers=token).get_json()["items"]
    assert rows == [
        {"minute": "2026-06-15T04:30:00+00:00", "record": None, "outcome": "quarantined", "columns": {}, "identifiers": [],
         "path": "type", "rule": "unknown_type"}
    ]  # fmt: skip
    assert house.client.get(f"{place}?outcome=refused", headers=token).status_code == 422
    assert house.client.post(f"{place}/endings", headers=token).get_json() == {"source": source, "ended": True}
    assert house.counts()["platform.live_row"] == 0
