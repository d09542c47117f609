"""Messages that wait for a consent, consent that messages carry, and a source's exact counts."""

from __future__ import annotations

from tests.house import House, bearer, track

DENIED = {"consent": {"categoryPreferences": {"stats": False}}}
GRANTED = {"consent": {"categoryPreferences": {"stats": True}}}
CATEGORIES = {"stats": "analytics.statistics"}


def test_a_category_grants_only_for_a_source_that_may_say_so(house: House) -> None:
    _, key = house.source("quiet", categories=CATEGORIES)
    assert house.batch([track(1, context=GRANTED)], key)["refused"] == 1
    _, key = house.source("trusted", categories=CATEGORIES, consent_signals="accept")
    assert house.batch([track(2, context=GRANTED)], key)["stored"] == 1


def test_a_category_that_is_denied_refuses_and_stays_denied(house: House) -> None:
    _, key = house.source(categories=CATEGORIES, consent_signals="accept")
    assert house.batch([track(1, context=DENIED)], key)["refused"] == 1
    assert house.batch([track(2, context=GRANTED)], key)["refused"] == 1, "a source's word never lifts a no"
    assert house.batch([track(1, context=DENIED)], key)["refused"] == 1, "what was refused is not remembered as stored"
    assert house.rows() == 0


def test_the_counts_of_a_source_are_for_those_who_may_read_exact_numbers(house: House) -> None:
    source, key = house.source()
    house.batch([track(1), track(2), {"type": "nonsense"}], key)
    answer = house.client.get(f"/api/sources/{source}/counts", headers=bearer(house.token("integrator")))
    numbers = {(one["verdict"], one["reason"]): one["number"] for one in answer.get_json()["items"]}
    assert numbers == {("refused", "consent_missing"): 2, ("quarantined", "unknown_type"): 1}
    assert house.client.get(f"/api/sources/{source}/counts", headers=bearer(house.token("marketer"))).status_code == 403
