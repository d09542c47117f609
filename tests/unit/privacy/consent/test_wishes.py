"""What is no valid consent has a code; a no is always accepted (requirements C-05, attack 29)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from privacy.consent import registry, wishes
from privacy.consent.registry import Purpose
from privacy.consent.wishes import Wish
from privacy.errors import PiyingError

REGISTERED = {
    purpose.key: purpose
    for purpose in (
        *registry.first_purposes(),
        Purpose("share.acme", {"CN": "separate_consent"}, separate=True, name={"en": "x", "zh": "x"}),
    )
}
NOTICES = {"v1": "f" * 64}


def check(**item: Any) -> Wish | PiyingError:
    return wishes.check({"purpose": "analytics.statistics", "state": "granted"} | item, REGISTERED, NOTICES)


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"purpose": "no.such"}, "purpose_unknown"),
        ({"purpose": None}, "purpose_unknown"),
        ({"state": "yes"}, "consent_state_unknown"),
        ({"state": ["granted"]}, "consent_state_unknown"),
        ({"at": datetime(2026, 1, 1)}, "zone_missing"),  # noqa: DTZ001
        ({"default_state": "checked"}, "consent_preticked"),
        ({"notice": "v2"}, "notice_unknown"),
        ({"collection": "telepathy"}, "collection_unknown"),
        ({"language": "the mother tongue"}, "language_unknown"),
        ({"phone": "x"}, "unknown_field"),
        ({"separate_for": ["share.acme"]}, "separate_mismatch"),
        ({"purpose": "share.acme", "default_state": "unchecked", "separate_for": ["acme", "umbrella"]}, "consent_bundled"),
        ({"purpose": "share.acme", "default_state": "unchecked", "separate_for": ["umbrella"]}, "separate_mismatch"),
        ({"purpose": "share.acme"}, "default_state_missing"),
    ],
)
def test_what_is_no_valid_grant_is_refused_with_its_code(item: dict[str, Any], code: str) -> None:
    wrong = check(**item)
    assert isinstance(wrong, PiyingError)
    assert wrong.code == code


@pytest.mark.parametrize("state", ["withdrawn", "denied"])
@pytest.mark.parametrize("item", [{"default_state": "checked"}, {"notice": "v2"}, {"separate_for": ["a", "b"]}, {"purpose": "share.acme"}])
def test_a_no_is_accepted_however_it_was_collected(state: str, item: dict[str, Any]) -> None:
    assert isinstance(check(**item, state=state), Wish)


def test_one_separate_act_names_one_subject() -> None:
    for subject in ([], ["acme"], ["share.acme"]):
        wish = check(purpose="share.acme", default_state="unchecked", separate_for=subject)
        assert isinstance(wish, Wish)
        assert wish.evidence == {"collection": "api", "form": "separate", "default_state": "unchecked"}
    assert isinstance(check(purpose="share.acme", collection="paper"), Wish)


def test_a_wish_carries_the_notices_hash_and_its_instants() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert check(notice="v1", at=at) == Wish(
        "analytics.statistics", "granted", at, None, "f" * 64, {"collection": "api", "form": "general"}
    )
