"""Whom of a segment a channel and a recipient may reach now: one outcome a person, for a release; and every reason, for an officer.

Promise: an entry of the access log is committed before anybody is looked for. For a release people are counted under four outcomes in one order
(dp_rules X-2), and who is no candidate at all (a minor, restricted, objecting, without consent) is counted nowhere; the exact reasons are those
of the gate itself. Nothing leaves, and nothing is written. It must never learn an identifier, and it hands a whole number to nobody but the
release door and the officer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from privacy.accountability import dossiers, recipients
from privacy.errors import Invalid
from privacy.export import people
from privacy.export.decide import Answers, Facts, decide
from privacy.export.law import CHANNELS
from privacy.export.making import Rules
from privacy.export.people import Group, Needs
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Audience, Clock, Log
from privacy.vocabulary import LogKind

REACHABLE, NO_CHANNEL, NO_RECIPIENT, CAPPED = "reachable", "no_channel_consent", "no_recipient_consent", "frequency_cap"
OUTCOMES: Final = (NO_CHANNEL, NO_RECIPIENT, CAPPED)
"""In the order in which they are looked for; who meets none of them is reachable."""
Made = Callable[[], Audience]


class Reach:
    """Counts. Transactions are handed in."""

    def __init__(
        self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, clock: Clock, zone: ZoneInfo,
        rules: Rules,
    ) -> None:  # fmt: skip
        self._begin, self._read, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock, self._zone, self._rules = keyring, log, clock, zone, rules

    def check(self, channel: str, recipient: str) -> None:
        """Raises Invalid or NotFound for a channel or a recipient that there is none of."""
        if channel not in CHANNELS:
            raise Invalid("there is no such channel", code="export_channel", field="channel")
        if recipient:
            with self._read() as tx:
                dossiers.one(tx, "recipient", recipient)

    def outcomes(self, audience: Audience, channel: str, recipient: str, *, actor: str) -> dict[str, int]:
        """How many candidates stand under each outcome; for the release door alone."""
        facts, _ = self._facts(audience, channel, recipient, actor)
        return counted(facts, capped=self._capped(facts, channel), ageless=self._bars(audience))

    def reasons(self, audience: Audience, channel: str, recipient: str, *, actor: str) -> dict[str, Any]:
        """How many could leave and how many are kept back under each reason of the gate; exact, for officers."""
        facts, crowd = self._facts(audience, channel, recipient, actor)
        decisions = decide(facts, bars_ageless=self._bars(audience), cap=self._rules.cap if channel else None)
        unknown = {"unknown_person": crowd.unknown} if crowd.unknown else {}
        leaving = int(decisions.allowed.sum())
        return {"people": len(crowd.people), "reachable": leaving, "exclusions": decisions.counts() | unknown}

    def _bars(self, audience: Audience) -> bool:
        return self._rules.unknown_age == "exclude" or (self._rules.unknown_age == "signal" and audience.youth_signal)

    def _capped(self, facts: Facts, channel: str) -> Answers:
        none = np.zeros(len(facts.known), bool)
        return none if self._rules.cap is None or not channel or facts.recent is None else np.asarray(facts.recent >= self._rules.cap)

    def _facts(self, audience: Audience, channel: str, recipient: str, actor: str) -> tuple[Facts, Group]:
        now = self._clock()
        with self._begin() as tx:
            told = {"segment": audience.segment, "version": audience.version, "channel": channel, "recipient": recipient}
            given = {name: value for name, value in told.items() if value != ""}
            self._log(tx, LogKind.READ, "segment.reach", actor=actor, facts=given)
        with self._read_vault() as tx:
            crowd = people.group(tx, self._keyring, audience, now.astimezone(self._zone).date())
        with self._read() as tx:
            needs = self._needs(tx, audience.purpose, channel, recipient)
            facts, _ = people.facts(tx, self._keyring, crowd, needs, now=now, channel=channel, window=self._rules.window)
        return (facts if recipient else without_recipient(facts)), crowd

    def _needs(self, tx: sa.Connection, purpose: str, channel: str, recipient: str) -> Needs:
        by_channel = f"marketing.channel.{channel}" if channel else ""
        if not recipient:
            return Needs(purpose, "", channel=by_channel)
        content = dossiers.one(tx, "recipient", recipient).content
        since = content.get("consent_since")
        return Needs(
            purpose,
            recipients.share_purpose(content),
            since=None if since is None else datetime.fromisoformat(since),
            abroad=f"crossborder.{content['country'].lower()}"
            if recipients.is_abroad(content["country"], self._rules.jurisdiction)
            else "",
            channel=by_channel,
        )


def without_recipient(facts: Facts) -> Facts:
    """What is known of people where nobody is to receive anything of them: then nobody's separate consent is missing."""
    return replace(facts, separate=np.ones(len(facts.known), bool))


def candidates(facts: Facts, *, ageless: bool) -> Answers:
    """Who may be counted, and may be in an audience, at all."""
    against = facts.minor | facts.restricted | facts.objected | ~facts.purpose | ~facts.known
    return np.asarray(~(against | facts.ageless if ageless else against))


def counted(facts: Facts, *, capped: Answers, ageless: bool) -> dict[str, int]:
    """How many candidates stand under each outcome: the first that is true of them. Pure."""
    nobody = np.zeros(len(facts.known), bool)
    against: Mapping[str, Answers] = {
        NO_CHANNEL: nobody if facts.channel is None else facts.suppressed | ~facts.channel,
        NO_RECIPIENT: ~facts.separate | (nobody if facts.abroad is None else ~facts.abroad),
        CAPPED: capped,
    }
    left, told = candidates(facts, ageless=ageless), {}
    for name in OUTCOMES:
        here = left & against[name]
        left = left & ~here
        told[name] = int(here.sum())
    return {REACHABLE: int(left.sum())} | {name: number for name, number in told.items() if number}
