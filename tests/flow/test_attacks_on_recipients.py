"""Attacks 50 to 52 at the doors that an export asks: a purpose answers for itself alone, a recipient gets what was agreed, while it is.

The same tried at the gate itself: test_attacks_through_the_gate.
"""

from __future__ import annotations

import pytest

from privacy.errors import Refused
from privacy.vocabulary import PROFILING, STATISTICS
from tests.fakes.paperwork import ADA, AGENCY, active
from tests.house import PURPOSES, House, bearer

WHO = {"type": "phone", "value": "13800138000"}


def decided(house: House, key: str, purpose: str) -> bool:
    answer = house.client.post("/v1/consents/decisions", json={"decisions": [{"identifier": WHO, "purpose": purpose}]}, headers=bearer(key))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return bool(answer.get_json()["items"][0]["allowed"])


def test_attack_50_what_is_allowed_for_one_purpose_opens_nothing_for_another(sqlite_only: House) -> None:
    """Nor does a service's necessary purpose open the lake, whose every reading names its own purpose."""
    house = sqlite_only
    _, key = house.source("desk")
    house.grant(key, [(WHO["type"], WHO["value"])], purposes=[STATISTICS])
    assert [decided(house, key, purpose) for purpose in ("service.fulfilment", STATISTICS, PROFILING)] == [True, True, False]
    assert [len(house.services.preferences.population(purpose).run_ids) for purpose in PURPOSES] == [1, 0]
    for purpose in ("service.fulfilment", "safety.recall", "marketing.channel.sms", "pricing"):
        with pytest.raises(Refused) as caught:
            house.services.preferences.population(purpose)
        assert caught.value.code == "purpose_not_analytic"
    recipient = active(house.services)
    services = house.services
    assert services.recipients.agreed(recipient, "marketing.channel.sms", ["phone"]).holds
    assert not services.recipients.agreed(recipient, PROFILING, ["phone"]).holds


def test_attack_51_a_column_more_needs_a_new_agreement_and_a_new_assessment_before_anything_goes_there(sqlite_only: House) -> None:
    house, services = sqlite_only, sqlite_only.services
    recipient = active(services)
    assert not services.recipients.agreed(recipient, "marketing.channel.sms", ["phone", "birth_date"]).holds
    officer = bearer(house.token("officer"))
    path = f"/api/recipients/{recipient}"
    seen = house.client.get(path, headers=officer).headers["ETag"]
    wider = house.client.patch(path, json={"categories": ["phone", "health"]}, headers=officer | {"If-Match": seen})
    assert (wider.status_code, wider.get_json()["status"]) == (200, "proposed"), "what people were told has changed"
    again = house.client.post(f"{path}/status", json={"status": "active"}, headers=officer | {"If-Match": wider.headers["ETag"]})
    assert again.status_code == 403
    assert again.get_json()["code"].startswith("agreement_")


def test_attack_52_nothing_goes_under_an_agreement_that_is_over(sqlite_only: House) -> None:
    house, services = sqlite_only, sqlite_only.services
    recipient = active(services)
    house.clock.forward(days=201)
    verdict = services.recipients.agreed(recipient, AGENCY["purposes"][0], AGENCY["categories"])
    assert (verdict.holds, verdict.code) == (False, "agreement_expired")
    services.recipients.set_status(recipient, "suspended", seen=2, actor=ADA)
    with pytest.raises(Refused) as caught:
        services.recipients.set_status(recipient, "active", seen=3, actor=ADA)
    assert caught.value.code == "agreement_expired"
