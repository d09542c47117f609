"""What the values of groupings are called: the closed lists of the dictionary and of the months' plan, in the reader's language.

Promise: public words only; a value of an open list, a store or a product, is shown as it is. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.figures import behaviour, words
from app.figures.speech import Speech

BINNED = ("orders_each", "spent", "basket", "value_band")
"""Groupings whose values are bins of a number; of an amount in minor units where they are MONEY."""
MONEY = ("spent", "basket", "value_band")


def cell(speech: Speech, name: str, value: str, row: Mapping[str, Any] | None = None) -> str:
    """What one value of a grouping is called; a row may carry the name of its segment or persona."""
    named = (row or {}).get("name")
    if name in ("segment", "persona") and isinstance(named, Mapping):
        return str(named["zh" if speech.chinese else "en"])
    if name in ("month", "cohort") and value.isdigit() and len(value) == 6:
        return speech.month(int(value))
    if name in BINNED:
        return _bin(speech, name, value)
    return {**_outside(speech), **_lists(speech).get(name, {})}.get(value, value)


def condition(speech: Speech, name: str, operator: str, value: str) -> str:
    """A filter in words; its values are parted by bars."""
    _ = speech.gettext
    named = speech.together([cell(speech, name, one) for one in value.split("|")])
    if operator == "!=":
        return _("%(name)s: not %(values)s", name=words.grouping(speech, name), values=named)
    return _("%(name)s: %(values)s", name=words.grouping(speech, name), values=named)


def _bin(speech: Speech, name: str, label: str) -> str:
    """A bin of a distribution in words: both ends, in the currency where it is money."""
    money = name in MONEY
    if label.endswith("+"):
        least = float(label[:-1])
        return speech.gettext("%(low)s and more", low=speech.money(least) if money else speech.number(least))
    ends = label.split("-")
    if len(ends) == 1:
        return speech.number(float(ends[0]))
    if not money:
        return speech.gettext("%(low)s to %(high)s", low=speech.number(float(ends[0])), high=speech.number(float(ends[1])))
    low, above = speech.money(float(ends[0])), speech.money(float(ends[1]) + 1)
    return speech.gettext("%(low)s to under %(high)s", low=low, high=above)


def _outside(speech: Speech) -> dict[str, str]:
    """What stands for everything that no list has."""
    _ = speech.gettext
    return {"other": _("Other"), "unknown": _("Not told"), "never": _("Never")}


def _lists(speech: Speech) -> dict[str, dict[str, str]]:
    found = {**_purchases(speech), **_times(speech), **_people(speech)}
    for name, values in behaviour.cells(speech).items():
        found[name] = {**found.get(name, {}), **values}
    return found


def _purchases(speech: Speech) -> dict[str, dict[str, str]]:
    _ = speech.gettext
    return {
        "step": {
            "product_viewed": _("Viewed a product"),
            "product_added": _("Put into the basket"),
            "order_completed": _("Paid"),
        },
        "sex": {
            "female": _("Women"),
            "male": _("Men"),
        },
        "channel": {
            "pos": _("Till"),
            "store": _("In store"),
            "delivery": _("Delivery"),
            "mini_program": _("Mini-program"),
            "app": _("App"),
            "web": _("Web"),
        },
        "region": _regions(speech),
    }


def _times(speech: Speech) -> dict[str, dict[str, str]]:
    _ = speech.gettext
    return {
        "weekday": {
            "mon": _("Monday"),
            "tue": _("Tuesday"),
            "wed": _("Wednesday"),
            "thu": _("Thursday"),
            "fri": _("Friday"),
            "sat": _("Saturday"),
            "sun": _("Sunday"),
        },
        "daypart": {
            "morning": _("Morning, 6 to 11"),
            "noon": _("Noon, 11 to 14"),
            "afternoon": _("Afternoon, 14 to 17"),
            "evening": _("Evening, 17 to 22"),
            "night": _("Night, 22 to 6"),
        },
    }


def _people(speech: Speech) -> dict[str, dict[str, str]]:
    _ = speech.gettext
    return {
        "occupation": {
            "student": _("Students"),
            "office_worker": _("Office workers"),
            "teacher": _("Teachers"),
            "health_worker": _("Health workers"),
            "public_service": _("Public service"),
            "self_employed": _("Self-employed"),
            "manual_worker": _("Manual workers"),
            "service_worker": _("Service workers"),
            "homemaker": _("Homemakers"),
            "unemployed": _("Looking for work"),
            "retired": _("Retired"),
        },
        "city_tier": {
            "tier1": _("First-tier city"),
            "new_tier1": _("New first-tier city"),
            "tier2": _("Second-tier city"),
            "tier3": _("Third-tier city"),
            "tier4": _("Fourth-tier city"),
            "tier5": _("Fifth-tier city"),
        },
        "device_class": {
            "phone": _("Phone"),
            "tablet": _("Tablet"),
            "desktop": _("Desktop"),
            "tv": _("Television"),
            "server": _("Server"),
            "bot": _("Bot"),
        },
        "stage": _stages(speech),
        "stage_before": _stages(speech),
        "previous_stage": _stages(speech),
    }


def _stages(speech: Speech) -> dict[str, str]:
    _ = speech.gettext
    return {
        "active": _("Active"),
        "cooling": _("Cooling"),
        "sleeping": _("Sleeping"),
        "lost": _("Lost"),
        "new": _("New"),
        "prospect": _("Prospect"),
    }


def _regions(speech: Speech) -> dict[str, str]:
    _ = speech.gettext
    return {
        "east": _("East"),
        "south": _("South"),
        "north": _("North"),
        "west": _("West"),
        "central": _("Central"),
        "northeast": _("Northeast"),
        "northwest": _("Northwest"),
        "southeast": _("Southeast"),
        "southwest": _("Southwest"),
        "midwest": _("Midwest"),
        "beijing": _("Beijing"),
        "tianjin": _("Tianjin"),
        "hebei": _("Hebei"),
        "shanxi": _("Shanxi"),
        "inner_mongolia": _("Inner Mongolia"),
        "liaoning": _("Liaoning"),
        "jilin": _("Jilin"),
        "heilongjiang": _("Heilongjiang"),
        "shanghai": _("Shanghai"),
        "jiangsu": _("Jiangsu"),
        "zhejiang": _("Zhejiang"),
        "anhui": _("Anhui"),
        "fujian": _("Fujian"),
        "jiangxi": _("Jiangxi"),
        "shandong": _("Shandong"),
        "henan": _("Henan"),
        "hubei": _("Hubei"),
        "hunan": _("Hunan"),
        "guangdong": _("Guangdong"),
        "guangxi": _("Guangxi"),
        "hainan": _("Hainan"),
        "chongqing": _("Chongqing"),
        "sichuan": _("Sichuan"),
        "guizhou": _("Guizhou"),
        "yunnan": _("Yunnan"),
        "tibet": _("Tibet"),
        "shaanxi": _("Shaanxi"),
        "gansu": _("Gansu"),
        "qinghai": _("Qinghai"),
        "ningxia": _("Ningxia"),
        "xinjiang": _("Xinjiang"),
        "hong_kong": _("Hong Kong"),
        "macau": _("Macao"),
        "taiwan": _("Taiwan"),
    }
