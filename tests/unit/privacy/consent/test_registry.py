"""Purposes have one ground that exists where they serve; a notice is its own hash."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.consent import registry
from privacy.consent.registry import GROUNDS, Purpose
from privacy.errors import Conflict, Invalid
from privacy.vocabulary import ANALYTIC_PURPOSES, Ground

NAME = {"en": "Sharing with a partner", "zh": "与合作方共享"}


def test_the_first_purposes_are_those_of_the_shapes_and_pass_their_own_check() -> None:
    first = {purpose.key: purpose for purpose in registry.first_purposes()}
    assert {key for key, purpose in first.items() if purpose.analytic} == set(ANALYTIC_PURPOSES)
    assert {key for key in first if key.startswith("marketing.channel.")} == {
        f"marketing.channel.{channel}" for channel in ("sms", "email", "push", "wechat", "phone")
    }
    assert {"service.fulfilment", "safety.recall", "location.store_arrival"} <= first.keys()
    assert [registry.check_purpose(purpose) for purpose in first.values()] == list(first.values())


def test_seeding_twice_adds_nothing_and_keeps_what_an_officer_added(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        assert registry.seed(tx, now) == len(registry.first_purposes())
        registry.add_purpose(tx, Purpose("share.acme", {"CN": "separate_consent"}, name=NAME), now)
        assert registry.seed(tx, now) == 0
        assert registry.purposes(tx)["share.acme"] == Purpose("share.acme", {"CN": "separate_consent"}, False, True, None, NAME)


def test_china_knows_its_seven_grounds_and_no_legitimate_interest() -> None:
    assert Ground.LEGITIMATE_INTEREST not in GROUNDS["CN"]
    assert len(set(GROUNDS["CN"]) - {Ground.SEPARATE_CONSENT}) == 7
    with pytest.raises(Invalid) as refused:
        registry.check_purpose(Purpose("service.improve", {"CN": "legitimate_interest"}, name=NAME))
    assert refused.value.code == "ground_not_in_jurisdiction"
    assert registry.check_purpose(Purpose("service.improve", {"EU": "legitimate_interest"}, name=NAME)).grounds == {
        "EU": "legitimate_interest"
    }


@pytest.mark.parametrize(
    ("purpose", "code"),
    [
        (Purpose("Share", {"CN": "consent"}, name=NAME), "purpose_key_invalid"),
        (Purpose("service.x", {}, name=NAME), "ground_missing"),
        (Purpose("service.x", {"XX": "consent"}, name=NAME), "jurisdiction_unknown"),
        (Purpose("service.x", {"CN": "contract"}, analytic=True, name=NAME), "purpose_not_analytic"),
        (Purpose("service.x", {"CN": "consent"}, validity_days=0, name=NAME), "validity_invalid"),
        (Purpose("service.x", {"CN": "consent"}, name={"en": "x"}), "name_missing"),
        (Purpose("sensitive.health", {"CN": "consent"}, name=NAME), "separate_consent_needed"),
    ],
)
def test_a_purpose_that_breaks_a_rule_is_refused_with_its_code(purpose: Purpose, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        registry.check_purpose(purpose)
    assert refused.value.code == code


def test_a_key_is_taken_once(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        registry.seed(tx, now)
        with pytest.raises(Conflict):
            registry.add_purpose(tx, Purpose("service.fulfilment", {"CN": "contract"}, name=NAME), now)


def test_a_notice_is_named_by_its_text_and_a_change_in_place_shows(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        registry.seed(tx, now)
        texts = {"en": "We count.", "zh": "我们统计。"}
        identity = registry.publish_notice(tx, "2026-01", texts, ["analytics.statistics"], now)
        assert registry.publish_notice(tx, "2026-01", texts, ["analytics.statistics"], now) == identity
        assert registry.notice_names(tx) == {"2026-01": identity, identity: identity}
        assert registry.altered_notices(tx) == []
        with pytest.raises(Conflict):
            registry.publish_notice(tx, "2026-01", texts | {"en": "We sell."}, ["analytics.statistics"], now)
        tx.execute(sa.update(registry.NoticeRow).values(texts={"en": "We sell."}))
        assert registry.altered_notices(tx) == ["2026-01"]


def test_a_notice_names_registered_purposes_and_has_a_text(stores: Stores, now: datetime) -> None:
    with stores.begin_platform() as tx:
        registry.seed(tx, now)
        for version, texts, serves, code in (
            ("1", {"en": "x"}, ["no.such"], "purpose_unknown"),
            ("1", {"en": " "}, ["analytics.statistics"], "notice_text_missing"),
            ("a b", {"en": "x"}, ["analytics.statistics"], "notice_version_invalid"),
        ):
            with pytest.raises(Invalid) as refused:
                registry.publish_notice(tx, version, texts, serves, now)
            assert refused.value.code == code
