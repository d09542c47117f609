"""The members: who they are, what they allow, which two records turn out to be one person.

Promise: among those who allow statistics exactly three quarters are women of 20 to 29 and exactly two in five are students, on every day of
the window. Everybody is of age. Addresses and numbers belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingestion.sources.synthetic import words
from ingestion.sources.synthetic.plan import NOTICE, Retailer, padded, stamps

FEMALE, MALE = "女", "男"
GROUPS = (
    (6, FEMALE, words.STUDENT, 22, 24),
    (6, FEMALE, words.OFFICE, 24, 30),
    (3, FEMALE, "", 23, 30),
    (2, MALE, words.STUDENT, 20, 25),
    (1, MALE, words.OFFICE, 25, 45),
    (1, FEMALE, words.OFFICE, 32, 45),
    (1, MALE, "", 32, 60),
)
"""Twentieths, sex, occupation (blank: one of the others), age in whole years on the last day: at least and below. From 22 on somebody was
20 when the profile was written, up to two years before."""
WAYS = ("小程序", "门店", "官网")
REFUSES, WITHDRAWS, SIGNALS, ALLOWS = 0, 1, 2, 3
"""Never allowed; allowed and withdrew, which a file tells; allowed and withdrew in the mini-program; allows."""


@dataclass(frozen=True, slots=True)
class Members:
    """One entry a member in every array."""

    card: np.ndarray
    mobile: np.ndarray
    mail: np.ndarray
    name: np.ndarray
    sex: np.ndarray
    birthday: np.ndarray
    job: np.ndarray
    province: np.ndarray
    level: np.ndarray
    joined: np.ndarray
    signed: np.ndarray
    says: np.ndarray
    openid: np.ndarray
    home: np.ndarray
    zest: np.ndarray
    """How often somebody buys, relative to others."""

    @property
    def counted(self) -> np.ndarray:
        """The places of those who allow statistics, now and throughout."""
        return np.flatnonzero(self.says == ALLOWS)

    @property
    def refused(self) -> np.ndarray:
        """The places of those who never allowed anything."""
        return np.flatnonzero(self.says == REFUSES)

    @property
    def admitted(self) -> np.ndarray:
        """For each member whether their rows enter: those who withdraw in the mini-program do so after everything else has come."""
        return self.says >= SIGNALS

    @property
    def others(self) -> np.ndarray:
        """The places of those of whom nothing may be counted."""
        return np.flatnonzero(self.says != ALLOWS)


def invent(retailer: Retailer) -> Members:
    """All members of a retailer."""
    chance, number = retailer.chance("members"), retailer.members
    says = _says(retailer, chance)
    group = _groups(retailer, chance, says)
    least, below = np.array([one[3] for one in GROUPS])[group], np.array([one[4] for one in GROUPS])[group]
    days_old = (least * 365.25 + chance.random_sample(number) * ((below - least) * 365.25 - 2)).astype(np.int64) + 1
    job = np.array([one[2] for one in GROUPS])[group]
    other = np.array(words.OTHER_JOBS)[chance.randint(0, len(words.OTHER_JOBS), number)]
    index = np.arange(number)
    home = chance.randint(0, 80, number)
    mini = chance.random_sample(number) < 0.48
    mini[: retailer.members // 10] = True  # so that the smallest retailer has some, too
    mini |= says == SIGNALS
    return Members(
        card=padded(880_000_000 + index * 7, 10, "P"),
        mobile=np.char.add(np.array(words.PREFIXES)[index % 4], padded((index * 7919 + 12_345_678) % 10**8, 8)),
        mail=np.char.add(np.char.add("member", index.astype("U7")), "@example.com"),
        name=_names(chance, number),
        sex=np.array([one[1] for one in GROUPS])[group],
        birthday=np.datetime64(retailer.last) - days_old,
        job=np.where(job == "", other, job),
        province=np.array([city[2] for city in words.CITIES])[home % len(words.CITIES)],
        level=np.array(words.LEVELS)[np.minimum(2, chance.geometric(0.6, number) - 1)],
        joined=np.datetime64(retailer.signing) - chance.randint(0, 700, number),
        signed=np.datetime64(retailer.signing) + chance.randint(0, 55, number),
        says=says,
        openid=np.where(mini, padded(index * 104_729 + 10**9, 27, "o"), ""),
        home=home,
        zest=np.minimum(chance.standard_gamma(2.0, number), 6.0) + 0.1,
    )


def _says(retailer: Retailer, chance: np.random.RandomState) -> np.ndarray:
    says = np.full(retailer.members, REFUSES)
    changed = min(retailer.scaled(200), (retailer.members - retailer.allowing) // 3)
    says[: retailer.allowing] = ALLOWS
    says[retailer.allowing : retailer.allowing + changed] = WITHDRAWS
    says[retailer.allowing + changed : retailer.allowing + 2 * changed] = SIGNALS
    return chance.permutation(says)


def _groups(retailer: Retailer, chance: np.random.RandomState, says: np.ndarray) -> np.ndarray:
    """Each member's group: by quota among those who allow, and about so among the others."""
    twentieths = np.repeat(np.arange(len(GROUPS)), [one[0] for one in GROUPS])
    group = twentieths[chance.randint(0, 20, retailer.members)]
    group[says == ALLOWS] = chance.permutation(np.tile(twentieths, retailer.allowing // 20))
    return group


def _names(chance: np.random.RandomState, number: int) -> np.ndarray:
    surnames, given = np.array(list(words.SURNAMES)), np.array(list(words.GIVEN))
    first = given[chance.randint(0, len(given), number)]
    second = np.where(chance.random_sample(number) < 0.6, given[chance.randint(0, len(given), number)], "")
    return np.char.add(np.char.add(surnames[chance.randint(0, len(surnames), number)], first), second)


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(retailer: Retailer, members: Members, joining: np.ndarray) -> pa.Table:
    """The CRM's list. Who joins the mini-program later (`joining`) has no openid in it yet."""
    index = np.arange(retailer.members)
    signed = stamps(members.signed, 36_000 + index % 3_600)
    later = np.zeros(retailer.members, bool)
    later[joining] = True
    says = np.where(members.says == REFUSES, "no", "yes")
    return pa.table(
        {
            "card": members.card,
            "mobile": members.mobile,
            "mail": members.mail,
            "openid": np.where(later, "", members.openid),
            "name": members.name,
            "sex": members.sex,
            "birthday": members.birthday.astype("U10"),
            "job": members.job,
            "province": members.province,
            "level": members.level,
            "joined": members.joined.astype("U10"),
            "joined_by": np.array(WAYS)[index % 3],
            "changed": signed,
            "ok_statistics": says,
            "ok_marketing": np.where((members.says == ALLOWS) & (index % 3 > 0), "yes", "no"),
            "ok_at": signed,
            "ok_notice": np.full(retailer.members, NOTICE),
            "note": np.char.add("电话 ", members.mobile),
        }
    )


def joiners(retailer: Retailer, members: Members) -> tuple[np.ndarray, int]:
    """Who joins the mini-program after the CRM's list was made, and how many of them it knew already under their openid."""
    able = members.counted[members.openid[members.counted] != ""]
    merging = min(retailer.scaled(200), len(able) // 2)
    return able[: min(retailer.scaled(2_000), len(able))], merging


def joined(members: Members, joining: np.ndarray) -> pa.Table:
    """The membership system's list of who connected a card with the mini-program."""
    days = members.signed[joining] + 1
    return pa.table(
        {
            "change": np.char.add("j-", members.card[joining]),
            "card": members.card[joining],
            "openid": members.openid[joining],
            "at": stamps(days, 40_000 + np.arange(len(joining)) % 3_600),
            "level": members.level[joining],
        }
    )


def decisions(retailer: Retailer, members: Members, merging: np.ndarray) -> pa.Table:
    """Acts of consent that a file tells: the mini-program's own first users, channels, and withdrawals."""
    chance = retailer.chance("decisions")
    channels = np.sort(chance.permutation(members.counted)[: retailer.scaled(16_000)])
    leaving = np.flatnonzero(members.says == WITHDRAWS)
    sms = np.where(channels % 2 == 0, "marketing.channel.sms", "marketing.channel.wechat")
    who = np.concatenate([merging, channels, leaving])
    early, late = len(merging) + len(channels), len(leaving)
    after = np.datetime64(retailer.first) + chance.randint(0, len(retailer.days), late)
    return pa.table(
        {
            "act": padded(np.arange(len(who)), 6, "a-"),
            "card": np.concatenate([np.full(len(merging), ""), members.card[channels], members.card[leaving]]),
            "openid": np.concatenate([members.openid[merging], np.full(len(channels) + late, "")]),
            "purpose": np.concatenate([np.full(len(merging), "analytics.statistics"), sms, np.full(late, "analytics.statistics")]),
            "state": np.concatenate([np.full(early, "granted"), np.full(late, "withdrawn")]),
            "at": stamps(np.concatenate([members.signed[who[:early]], after]), np.full(len(who), 43_200)),
            "notice": np.full(len(who), NOTICE),
        }
    )
