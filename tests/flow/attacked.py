"""A home whose people allow six invented recipients everything that they need: what is tried at the gate of exports is tried on copies of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import gatehouse, house
from tests.fakes.paperwork import ABROAD, AGENCY
from tests.gatehouse import PHONES, Scene

SECOND: dict[str, Any] = AGENCY | {
    "key": "second-sms",
    "name_en": "Second Messages (invented)",
    "name_zh": "第二短信（虚构）",
    "contact": "privacy@second-messages.example",
}
PARTNER: dict[str, Any] = AGENCY | {
    "key": "tea-study",
    "name_en": "Tea Study (invented)",
    "name_zh": "茶研究（虚构）",
    "kind": "independent",
    "purposes": ["marketing.profiling"],
    "categories": ["gender", "age_band", "city", "illness"],
}
RIVAL: dict[str, Any] = PARTNER | {"key": "milk-study", "name_en": "Milk Study (invented)", "name_zh": "奶研究（虚构）"}
FAR: dict[str, Any] = ABROAD | {"purposes": ["marketing.channel.sms"], "categories": ["phone"], "mechanism": "exempt"}
FARTHER: dict[str, Any] = FAR | {"key": "farther-ads", "name_en": "Farther Ads (invented)", "name_zh": "更远广告（虚构）"}
SHAPE: dict[str, Any] = {"form": "pseudonymous", "channel": ""}


def home(folder: Path) -> Path:
    """Makes the home: people, consents, recipients with their papers."""
    house.make_home(folder / "empty", {}, house.Clock())
    with gatehouse.shop(folder / "empty", folder / "home") as made:
        for given in (AGENCY, SECOND, PARTNER, RIVAL, FAR, FARTHER):
            Scene(made, given)
        Scene(made, AGENCY).allow(PHONES, ["crossborder.sg"])
    return folder / "home"
