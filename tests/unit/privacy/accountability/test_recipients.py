"""A recipient brings its own purposes along, goes no step that is not there, and no foreign court gets anything by default."""

from __future__ import annotations

import pytest

from privacy.accountability import recipients
from privacy.errors import Refused

HERE = {"key": "ads", "name_en": "Ads", "name_zh": "广告", "country": "CN"}


def test_its_purposes_are_its_own_and_abroad_that_of_its_country() -> None:
    assert [one.key for one in recipients.purposes_of(HERE, "CN")] == ["share.ads"]
    there = recipients.purposes_of(HERE | {"country": "SG"}, "CN")
    assert [one.key for one in there] == ["share.ads", "crossborder.sg"]
    assert all({"en", "zh"} == set(one.name) for one in there)


@pytest.mark.parametrize(
    ("country", "where", "abroad"), [("CN", "CN", False), ("HK", "CN", True), ("DE", "EU", False), ("CN", "EU", True), ("XX", "?", True)]
)
def test_abroad_is_whatever_is_not_home(country: str, where: str, abroad: bool) -> None:
    assert recipients.is_abroad(country, where) is abroad


def test_a_foreign_authority_gets_nothing_without_an_approval() -> None:
    with pytest.raises(Refused) as refused:
        recipients.check_purpose(["foreign_legal_request"])
    assert refused.value.code == "foreign_legal_request"
    recipients.check_purpose(["foreign_legal_request"], "MOJ 2026-1")
    recipients.check_purpose(["marketing.channel.sms"])


@pytest.mark.parametrize(
    ("before", "after", "goes"),
    [
        ("proposed", "active", True),
        ("active", "suspended", True),
        ("suspended", "active", True),
        ("ended", "active", False),
        ("proposed", "suspended", False),
    ],
)
def test_steps(before: str, after: str, goes: bool) -> None:
    if goes:
        recipients.check_step(before, after)
    else:
        with pytest.raises(Refused):
            recipients.check_step(before, after)
