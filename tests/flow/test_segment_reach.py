"""How many a segment means: one release, whoever asks and however often; whole numbers for officers alone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app import reaching, segments
from app.reaching import Wanted
from privacy.dp.ledger import Charge
from tests.flow.segmented import VIEWERS, Scene, member
from tests.house import House, bearer

SEVEN_SIGMA = 350
"""A normal tail of seven standard deviations of 50 is 10⁻¹²; the discrete Gaussian's is not above it."""


def charges(house: House) -> int:
    with house.services.read_console() as tx:
        return int(tx.execute(sa.select(sa.func.count(sa.distinct(Charge.release_id)))).scalar_one())


def test_a_size_is_bought_once_and_repeats_itself_for_nothing(house: House) -> None:
    scene = Scene(house)
    path = f"/api/segments/{scene.segment()['id']}/reach"
    looked = scene.get(path).get_json()
    assert (looked["answer"], looked["affordable"], looked["months"]) == (None, True, [202604, 202605])
    assert looked["cost"]["rho_nano"] == 200_000
    assert charges(house) == 0
    asked = scene.post(path)
    assert asked.status_code == 202, asked.get_data(as_text=True)
    scene.work()
    told = scene.get(path).get_json()["answer"]
    assert told["as_of"] == 202605
    assert abs(told["size"]["value"] - 20) < SEVEN_SIGMA
    assert charges(house) == 1
    again = scene.post(path).get_json()
    assert (again["job"], again["release"], again["cost"]["rho_nano"]) == (None, told["release"], 0)
    twin = scene.segment({"all": [VIEWERS, VIEWERS]}, name="The same under another name")
    assert scene.get(f"/api/segments/{twin['id']}/reach").get_json()["answer"] == told
    house.clock.forward(days=3)
    assert scene.get(path).get_json()["answer"] == told
    assert charges(house) == 1
    shown = scene.get(f"/api/releases/{told['release']}").get_json()
    assert (shown["kind"], shown["rows"][0]["outcome"]) == ("segment_reach", "reachable")


def test_attack_17_five_hundred_moves_of_a_slider_buy_nothing(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    path = f"/api/segments/{scene.segment()['id']}/reach"
    scene.post(path)
    scene.work()
    before = charges(sqlite_only)
    for days in range(1, 251):
        assert scene.post("/api/segments/sentences", {"rule": VIEWERS | {"within": {"days": days}}}).status_code == 200
        reaching.look(scene.services, Wanted(path.split("/")[3]))
    assert charges(sqlite_only) == before == 1


def test_whom_a_channel_reaches_is_counted_once_a_person_in_a_fixed_order(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    made = scene.segment()
    scene.allow([member(number) for number in range(12)], ["marketing.channel.sms"])
    services = scene.services
    audience = segments.audience(services, made["id"])
    assert len(audience.virtual_ids) == 25
    exact = scene.post(f"/api/segments/{made['id']}/reasons", {"channel": "sms"}, scene.officer).get_json()
    assert (exact["people"], exact["reachable"], exact["exclusions"]) == (25, 12, {"channel_consent_missing": 13})
    assert services.reached.outcomes(audience, "sms", "", actor="t") == {"reachable": 12, "no_channel_consent": 13}
    assert services.reached.outcomes(audience, "", "", actor="t") == {"reachable": 25}
    scene.post(f"/api/segments/{made['id']}/reach", {"channel": "sms"})
    scene.work()
    told = scene.get(f"/api/segments/{made['id']}/reach?channel=sms").get_json()["answer"]
    assert [one["outcome"] for one in told["outcomes"]] == ["reachable", "no_channel_consent", "frequency_cap"]


def test_who_is_no_candidate_is_counted_nowhere(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    made = scene.segment()
    services = scene.services
    audience = segments.audience(services, made["id"])
    scene.allow([member(0)], ["marketing.profiling"], state="withdrawn")
    assert services.reached.outcomes(audience, "", "", actor="t") == {"reachable": 24}
    reasons = services.reached.reasons(audience, "", "", actor="t")
    assert reasons["exclusions"] == {"purpose_consent_missing": 1}


@pytest.mark.parametrize("role", ["marketer", "integrator", "administrator"])
def test_whole_numbers_are_for_officers_alone(sqlite_only: House, role: str) -> None:
    token = bearer(sqlite_only.token(role))
    assert sqlite_only.client.post("/api/segments/seg_x/reasons", json={}, headers=token).status_code == 403
    assert sqlite_only.client.post("/api/audiences/aud_x/counts", headers=token).status_code == 403


def test_what_is_wrong_with_a_question_is_told_before_anything_is_paid(sqlite_only: House) -> None:
    scene = Scene(sqlite_only)
    path = f"/api/segments/{scene.segment()['id']}/reach"
    for body, status in (({"channel": "pigeon"}, 422), ({"recipient": "rec_none"}, 404), ({"version": 9}, 404)):
        assert scene.post(path, body).status_code == status
    assert charges(sqlite_only) == 0
