"""The door of notices (privacy.notices, privacy.consent.asked): a material change asks again, decisions follow what was shown.

Its routes answer by app.answers.notices and are app.api.notices; its pages are app.console.notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app import notices
from privacy.errors import Conflict, Invalid, NotFound, PiyingError, Refused
from tests.house import House

STATISTICS = "analytics.statistics"
ITEMS = ("controller", "contact", "purposes", "methods", "categories", "retention", "after_retention", "recipients", "rights", "withdrawal")
WHO = ("phone", "13800138000")


def told(version: str, *, uses: Mapping[str, Any] | None = None, anew: tuple[str, ...] = (), **items: str) -> dict[str, Any]:
    """A notice that says everything."""
    said = {name: f"What we say about {name}." for name in ITEMS} | items
    wanted = uses or {STATISTICS: {"categories": ["behaviour"], "methods": ["analyse"]}}
    if "marketing.profiling" in wanted:
        said["automated"] = "Say no at any time."
    return {"version": version, "items": {"en": said, "zh": said}, "uses": wanted, "anew": list(anew)}


WIDER = {STATISTICS: {"categories": ["behaviour", "demographic"], "methods": ["analyse"]}}


def decide(house: House, purpose: str = STATISTICS, *, who: tuple[str, str] = WHO, **use: str) -> dict[str, Any]:
    item = {"identifier": {"type": who[0], "value": who[1]}, "purpose": purpose, **use}
    (verdict,) = notices.decide(house.services, [item], actor="test")
    return verdict


def grant(house: House, notice: str | None, *, who: tuple[str, str] = WHO, state: str = "granted", purpose: str = STATISTICS) -> None:
    item = {"identifier": {"type": who[0], "value": who[1]}, "purpose": purpose, "state": state, "default_state": "unchecked"}
    house.services.preferences.record([item | ({"notice": notice} if notice else {})], actor="test")


def publish(house: House, *args: Any, **named: Any) -> str:
    return str(notices.publish(house.services, told(*args, **named), actor="test")["notice"])


def test_a_notice_without_an_item_of_the_law_is_not_published(house: House) -> None:
    with pytest.raises(Invalid) as error:
        publish(house, "v1", retention=" ")
    assert (error.value.code, error.value.field) == ("notice_item_missing", "items.en.retention")
    assert notices.listing(house.services) == []


def test_what_was_published_is_never_another_text(house: House) -> None:
    first = publish(house, "v1")
    assert publish(house, "v1") == first
    with pytest.raises(Conflict):
        publish(house, "v1", rights="None.")
    assert [one["version"] for one in notices.listing(house.services)] == ["v1"]


def test_consent_does_not_reach_a_category_that_a_later_notice_added(house: House) -> None:
    v1 = publish(house, "v1")
    grant(house, v1)
    house.clock.forward(days=1)
    publish(house, "v2", uses=WIDER)
    assert decide(house)["allowed"]
    assert decide(house, category="behaviour")["allowed"]
    refused = decide(house, category="demographic")
    assert (refused["allowed"], refused["reason"], refused["ask"]) == (False, "consent_not_for_this", True)
    assert not decide(house, category="location")["allowed"], "what no notice names is allowed to nobody"
    house.clock.forward(days=1)
    grant(house, "v2")
    assert decide(house, category="demographic")["allowed"]
    assert not decide(house, category="demographic")["ask"]


def test_an_act_under_the_old_form_does_not_reach_further_though_it_comes_later(house: House) -> None:
    v1 = publish(house, "v1")
    publish(house, "v2", uses=WIDER)
    grant(house, v1)
    assert not decide(house, category="demographic")["allowed"]


def test_an_act_that_names_no_notice_covers_what_was_in_force(house: House) -> None:
    grant(house, None)
    house.clock.forward(days=1)
    publish(house, "v1")
    assert decide(house, category="behaviour")["allowed"]
    house.clock.forward(days=1)
    publish(house, "v2", uses=WIDER)
    assert not decide(house, category="demographic")["allowed"]
    grant(house, None)
    assert decide(house, category="demographic")["allowed"]


def test_a_purpose_whose_meaning_changed_is_denied_until_it_is_asked_anew(house: House) -> None:
    grant(house, publish(house, "v1"))
    house.clock.forward(days=1)
    v2 = publish(house, "v2", anew=(STATISTICS,))
    assert decide(house)["reason"] == "consent_not_for_this"
    house.clock.forward(days=1)
    grant(house, v2)
    assert decide(house)["allowed"]


def test_a_method_that_came_in_is_denied_and_a_change_of_words_asks_nobody(house: House) -> None:
    grant(house, publish(house, "v1"))
    house.clock.forward(days=1)
    publish(house, "v2", rights="Write to us, or call.")
    assert notices.to_be_asked(house.services, actor="test") == {}
    assert not decide(house)["ask"]
    publish(house, "v3", uses={STATISTICS: {"categories": ["behaviour"], "methods": ["analyse", "share"]}})
    assert decide(house, method="analyse")["allowed"]
    assert not decide(house, method="share")["allowed"]


def test_the_preview_counts_exactly_whom_publishing_would_ask_again(house: House) -> None:
    v1 = publish(house, "v1")
    for last in range(4):
        grant(house, v1, who=("phone", f"1380013800{last}"))
    grant(house, v1, who=("phone", "13800138003"), state="withdrawn")
    house.clock.forward(days=1)
    shown = notices.preview(house.services, told("v2", uses=WIDER), actor="test", exact=True)
    assert shown == {"changes": [{"purpose": STATISTICS, "kind": "category", "added": "demographic"}], "people": 3}
    assert notices.preview(house.services, told("v2", uses=WIDER), actor="test", exact=False)["people"] is None
    assert notices.preview(house.services, told("v2", rights="Other words."), actor="test", exact=True)["people"] == 0
    publish(house, "v2", uses=WIDER)
    grant(house, "v2")
    assert notices.to_be_asked(house.services, actor="test") == {STATISTICS: 2}


def test_two_who_turned_out_to_be_one_are_asked_once(house: House) -> None:
    v1 = publish(house, "v1")
    _, key = house.source("desk")
    grant(house, v1)
    grant(house, v1, who=("email", "li@example.com"))
    line = {"type": "identify", "userId": "c-1", "traits": {"phone": WHO[1], "email": "li@example.com"}, "messageId": "m-1"}
    assert house.batch([line], key)["stored"] == 1
    house.clock.forward(days=1)
    publish(house, "v2", uses=WIDER)
    assert notices.to_be_asked(house.services, actor="test") == {STATISTICS: 1}


def test_a_purpose_that_rests_on_a_contract_does_not_depend_on_any_consent(house: House) -> None:
    """Attack 31: whoever refuses everything optional is served all the same."""
    with house.services.read_console() as tx:
        optional = [one.key for one in house.services.purposes(tx).values() if one.rests_on_consent()]
    for purpose in optional:
        grant(house, None, purpose=purpose, state="withdrawn")
    assert not any(decide(house, purpose)["allowed"] for purpose in optional)
    for purpose in ("service.fulfilment", "safety.recall"):
        verdict = decide(house, purpose)
        assert (verdict["allowed"], verdict["ask"]) == (True, False)


def test_after_a_refusal_nobody_asks_before_the_cool_down_is_over(house: House) -> None:
    assert decide(house)["ask"]
    grant(house, None, state="denied")
    until = house.clock() + timedelta(days=house.services.settings.privacy.cool_down_days)
    assert (decide(house)["ask"], decide(house)["do_not_ask_until"]) == (False, until.isoformat())
    house.clock.now = until - timedelta(microseconds=1)
    assert not decide(house)["ask"]
    house.clock.now = until
    assert (decide(house)["ask"], decide(house)["do_not_ask_until"]) == (True, None)


def test_a_changed_notice_does_not_shorten_the_cool_down(house: House) -> None:
    grant(house, publish(house, "v1"), state="denied")
    house.clock.forward(days=1)
    publish(house, "v2", anew=(STATISTICS,))
    assert not decide(house)["ask"]


def test_a_consent_that_ends_soon_may_be_asked_for_and_is_listed(house: House) -> None:
    until = house.clock() + timedelta(days=40)
    item = {"identifier": {"type": "phone", "value": WHO[1]}, "purpose": STATISTICS, "state": "granted", "valid_until": until}
    house.services.preferences.record([item], actor="test")
    assert not decide(house)["ask"]
    assert notices.ending(house.services, actor="test")["total"] == 0
    house.clock.forward(days=15)
    assert decide(house)["ask"]
    soon = notices.ending(house.services, actor="test")
    assert (soon["total"], [(one["purpose"], one["expires"]) for one in soon["items"]]) == (1, [(STATISTICS, until)])
    house.clock.now = until
    assert decide(house)["reason"] == "consent_expired"
    assert notices.ending(house.services, actor="test")["total"] == 0


def test_unknown_and_erased_people_look_like_somebody_who_said_nothing(house: House) -> None:
    assert decide(house, who=("phone", "13900139000")) == decide(house)


def test_a_question_about_an_unregistered_purpose_is_refused(house: House) -> None:
    with pytest.raises(Refused) as error:
        decide(house, "marketing.unheard")
    assert error.value.code == "purpose_unknown"
    with pytest.raises(NotFound):
        notices.one(house.services, "v9")


def test_separate_consent_is_not_given_by_marketing_consent(house: House) -> None:
    house.services.notice_book.register(
        house.services.new_purpose(
            key="share.acme", grounds={"CN": "separate_consent"}, name={"en": "Sharing with Acme", "zh": "向阿克米提供"}
        ),
        actor="test",
    )
    grant(house, None, purpose="marketing.profiling")
    grant(house, None, purpose="marketing.channel.sms")
    assert not decide(house, "share.acme")["allowed"]
    grant(house, None, purpose="share.acme")
    assert decide(house, "share.acme")["allowed"]


def test_a_channel_needs_its_own_consent(house: House) -> None:
    grant(house, None, purpose="marketing.profiling")
    assert decide(house, "marketing.profiling")["allowed"]
    assert not decide(house, "marketing.channel.sms")["allowed"]
    grant(house, None, purpose="marketing.channel.email")
    assert not decide(house, "marketing.channel.sms")["allowed"]


def test_a_purpose_that_needs_paper_is_not_allowed_by_a_click(house: House) -> None:
    book = house.services.notice_book
    book.register(
        house.services.new_purpose(
            key="sensitive.health", grounds={"CN": "separate_consent"}, name={"en": "Health", "zh": "健康"}, written=True
        ),
        actor="test",
    )
    who = {"identifier": {"type": WHO[0], "value": WHO[1]}, "purpose": "sensitive.health", "state": "granted"}
    with pytest.raises(PiyingError) as error:
        house.services.preferences.record([who | {"default_state": "unchecked"}], actor="test")
    assert error.value.code == "written_form_missing"
    assert not decide(house, "sensitive.health")["allowed"]
    house.services.preferences.record([who | {"collection": "paper", "artefact": "a" * 64}], actor="test")
    assert decide(house, "sensitive.health")["allowed"]


def test_each_decision_is_an_entry_with_counts_and_nobody_in_it(house: House) -> None:
    decide(house)
    page = house.services.log_page(before=None, actor="test")
    entry = next(one for one in page["items"] if one["action"] == "consent.decide")
    assert entry["facts"] == {"purposes": [STATISTICS], "count": 1}


def test_the_latency_of_withdrawals_is_measured_from_receipt_to_their_entry(house: House) -> None:
    assert notices.latency(house.services) is None
    grant(house, None)
    grant(house, None, state="withdrawn")
    measured = notices.latency(house.services)
    assert measured is not None
    assert (measured["count"], measured["longest"]) == (1, 0.0), "a clock that stands still"
