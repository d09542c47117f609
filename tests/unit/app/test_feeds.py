"""Sources with their counts for whoever may see them, a test message of nobody, and what was changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app import access, acts, feeds
from app.access import Caller
from privacy.errors import Invalid, NotFound, Refused
from tests.house import House, bearer, track


def caller(house: House, role: str) -> Caller:
    return Caller(house.browser(role).account, role, access.matrix()[role], "")


def test_shares_are_of_what_came_in_the_last_days_and_states_of_when(house: House) -> None:
    source, key = house.source("web")
    house.source("never")
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00Z")
    house.batch([track(n) for n in range(6)] + [{"type": "nonsense"}] + [track(10 + n, user="u-2") for n in range(3)], key)
    officer = caller(house, "officer")
    never, web = feeds.listing(house.services, {}, caller=officer)
    assert (web["received"], web["stored"], web["held_share"], web["refused_share"], web["consent_share"]) == (10, 6, 0.1, 0.3, 0.3)
    assert web["days"] == [0, 0, 0, 0, 0, 0, 10]
    assert (web["state"], never["state"], never["received"], never["held_share"]) == ("current", "silent", 0, None)
    house.clock.forward(days=3)
    _never, web = feeds.listing(house.services, {}, caller=officer)
    assert (web["state"], web["days"]) == ("late", [0, 0, 0, 10, 0, 0, 0])
    house.clock.forward(days=10)
    _never, web = feeds.listing(house.services, {}, caller=officer)
    assert (web["state"], web["received"]) == ("late", 0)
    acts.disable_source(house.services, source, actor="test")
    assert [one["name"] for one in feeds.listing(house.services, {"state": "disabled"}, caller=officer)] == ["web"]


@pytest.mark.parametrize("role", ["administrator", "integrator"])
def test_who_may_not_see_exact_counts_gets_none(house: House, role: str) -> None:
    made = house.client.post("/api/sources", json={"name": "own", "kind": "segment"}, headers=bearer(house.token("integrator"))).get_json()
    house.batch([track(1)], made["write_key"])
    (one,) = feeds.listing(house.services, {}, caller=caller(house, role))
    assert not {"received", "days", "last_received", "held_share"} & one.keys()
    assert one["state"] == ("current" if role == "administrator" else None)
    shown = feeds.one(house.services, made["source"], caller=caller(house, role))
    assert (shown["exact"], shown["editable"]) == (False, False)
    with pytest.raises(NotFound):
        feeds.owned(house.services, made["source"], caller=caller(house, "integrator"))


def test_a_test_message_is_counted_and_stores_nothing(house: House) -> None:
    source, key = house.source("web")
    before = house.counts()
    told = feeds.send_test(house.services, source, caller=caller(house, "integrator"))
    assert told == {"source": source, "received": 1, "quarantined": 0}
    after = house.counts()
    assert house.rows() == 0
    assert {name for name in after if name.startswith("vault.") and after[name] != before[name]} <= {"vault.data_key"}
    (one,) = feeds.listing(house.services, {}, caller=caller(house, "officer"))
    assert (one["received"], one["consent_share"]) == (1, 1.0)
    assert house.batch([track(1)], key)["received"] == 1


def test_a_test_message_is_for_sources_whose_clients_post_to_one_path_and_that_are_not_disabled(house: House) -> None:
    tills, _ = house.source("tills", "file")
    ended, _ = house.source("web")
    acts.disable_source(house.services, ended, actor="test")
    integrator = caller(house, "integrator")
    with pytest.raises(Invalid) as untested:
        feeds.send_test(house.services, tills, caller=integrator)
    assert untested.value.code == "source_untested"
    with pytest.raises(Refused) as disabled:
        feeds.send_test(house.services, ended, caller=integrator)
    assert disabled.value.code == "source_disabled"
    answer = house.client.post(f"/api/sources/{tills}/tests", headers=bearer(house.token("integrator")))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "source_untested")


def test_the_history_is_of_this_source_alone_and_reading_it_is_an_entry(house: House) -> None:
    source, _ = house.source("web")
    other, _ = house.source("other")
    acts.rotate_source(house.services, source, actor="usr_x", overlap=timedelta(hours=1))
    acts.disable_source(house.services, other, actor="usr_x")
    officer = caller(house, "officer")
    told = feeds.history(house.services, source, caller=officer)
    assert [(one["action"], one["who"]) for one in told] == [("source.rotate", "usr_x"), ("source.add", "test")]
    assert feeds.history(house.services, source, caller=caller(house, "integrator")) == []
    read = house.services.log_filter(action="log.read", actor=officer.account_id)
    assert house.services.oversight.survey(read, actor="test", before=None, limit=5, since=house.clock())[1] == 1
    with pytest.raises(NotFound):
        feeds.history(house.services, "src_x", caller=officer)


def test_purposes_are_told_by_name_and_whether_they_open_the_lake(house: House) -> None:
    told = {one["purpose"]: one for one in feeds.purposes(house.services)}
    assert told["analytics.statistics"]["analytic"]
    assert not told["service.fulfilment"]["analytic"]
    assert set(told["analytics.statistics"]["names"]) == {"en", "zh"}
