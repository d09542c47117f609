"""Campaigns, what they cost a day, and what members did with them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ingestion.sources.synthetic import words
from ingestion.sources.synthetic.members import Members
from ingestion.sources.synthetic.plan import Retailer, padded, stamps, yuan

KINDS = ("曝光", "打开", "点击", "到店")
LENGTH = 14
"""Days that a campaign runs."""


def _starts(retailer: Retailer) -> np.ndarray:
    """One campaign a month, from its fifth day on."""
    return np.searchsorted(retailer.month_of_day, np.arange(retailer.months)) + 4


def _ids(retailer: Retailer) -> np.ndarray:
    return padded(np.arange(retailer.months) + 1, 2, "C")


def listing(retailer: Retailer) -> pa.Table:
    """The campaigns."""
    starts, number = _starts(retailer), retailer.months
    return pa.table(
        {
            "id": _ids(retailer),
            "name": [words.CAMPAIGNS[one % len(words.CAMPAIGNS)] for one in range(number)],
            "channel": [words.CAMPAIGN_CHANNELS[one % len(words.CAMPAIGN_CHANNELS)] for one in range(number)],
            "starts": retailer.days[starts].astype("U10"),
            "ends": retailer.days[starts + LENGTH - 1].astype("U10"),
        }
    )


def costs(retailer: Retailer) -> pa.Table:
    """What each campaign cost on each of its days."""
    chance = retailer.chance("costs")
    campaign, day = np.repeat(np.arange(retailer.months), LENGTH), np.tile(np.arange(LENGTH), retailer.months)
    return pa.table(
        {
            "campaign": _ids(retailer)[campaign],
            "day": retailer.days[_starts(retailer)[campaign] + day].astype("U10"),
            "spend": yuan(chance.randint(20_000, 200_000, len(campaign))),
        }
    )


def touches(retailer: Retailer, members: Members) -> tuple[pa.Table, np.ndarray]:
    """Contacts and what followed them; whose are counted."""
    chance = retailer.chance("touches")
    number = retailer.scaled(24_000, 10)
    who, campaign = chance.randint(0, retailer.members, number), chance.randint(0, retailer.months, number)
    day = _starts(retailer)[campaign] + chance.randint(0, LENGTH, number)
    luck = chance.random_sample(number)
    depth = 1 + (luck < 0.4) + (luck < 0.15) + (luck < 0.05)
    touch = np.repeat(np.arange(number), depth)
    kind = np.arange(len(touch)) - np.repeat(np.cumsum(depth) - depth, depth)
    arm = np.where(touch % 10 == 0, "control", np.where(touch % 2, "a", "b"))
    table = pa.table(
        {
            "id": np.char.add(padded(touch, 6, "t-"), np.char.add("-", kind.astype("U1"))),
            "at": stamps(retailer.days[day[touch]], 36_000 + chance.randint(0, 28_000, number)[touch] + kind * 60),
            "card": members.card[who[touch]],
            "campaign": _ids(retailer)[campaign[touch]],
            "channel": np.array(words.CAMPAIGN_CHANNELS)[campaign[touch] % len(words.CAMPAIGN_CHANNELS)],
            "kind": np.array(KINDS)[kind],
            "creative": np.array(words.CREATIVES)[touch % len(words.CREATIVES)],
            "experiment": np.char.add("x", _ids(retailer)[campaign[touch]]),
            "arm": arm,
        }
    )
    return table, members.admitted[who[touch]]
