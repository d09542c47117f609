"""Incidents: what is written down of them, by when the law wants somebody told, and the letter to the people concerned.

Promise: pure. A clock runs from the moment of discovery and stops when its notification is written down; none is ever dropped without a reason.
The letter has the contents of PIPL 57. The clocks are data with their source: [V] read in the statute, [S] in secondary texts, [M] from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from privacy.accountability.fields import Field
from privacy.errors import Conflict, Invalid

OPEN, CONTAINED, CLOSED = "open", "contained", "closed"
STATES = (OPEN, CONTAINED, CLOSED)
LEVELS = ("general", "larger", "major", "extraordinary")
"""一般, 较大, 重大, 特别重大 (国家网络安全事件报告管理办法)."""
HARM = ("unlikely", "possible", "high")

FIELDS = (
    Field("title"),
    Field("what", "long", most=8_000),
    Field("discovered_at", "instant"),
    Field("began_at", "instant", required=False),
    Field("ended_at", "instant", required=False),
    Field("level", "choice", choices=LEVELS),
    Field("harm", "choice", choices=HARM),
    Field("network", "flag", required=False),
    Field("critical", "flag", required=False),
    Field("regimes", "many", choices=("CN", "EU")),
    Field("categories", "words", pattern=r"[a-z][a-z_]{1,39}", most=40),
    Field("cause", "long", most=4_000),
    Field("taken", "long", required=False, most=4_000),
    Field("advice", "long", required=False, most=4_000),
)
"""`network`: an incident of network security; `critical`: of a critical information infrastructure."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Somebody who has to be told, and by when. `runs` says of which incidents."""

    id: str
    whom: str
    after: timedelta
    law: str
    runs: Callable[[Mapping[str, Any]], bool]


CLOCKS = (
    Clock("cn_authority", "authority", timedelta(0), "PIPL 57 [V]", lambda one: "CN" in one["regimes"]),
    Clock("cn_people", "people", timedelta(0), "PIPL 57 [V]", lambda one: "CN" in one["regimes"] and one["harm"] != "unlikely"),
    Clock(
        "cn_network", "cac", timedelta(hours=4), "国家网络安全事件报告管理办法 (2025-11-01) [S]",
        lambda one: "CN" in one["regimes"] and one["network"] and not one["critical"] and one["level"] != "general",
    ),
    Clock(
        "cn_critical", "cac", timedelta(hours=1), "国家网络安全事件报告管理办法 (2025-11-01) [S]",
        lambda one: "CN" in one["regimes"] and one["network"] and one["critical"] and one["level"] != "general",
    ),
    Clock("eu_authority", "authority", timedelta(hours=72), "GDPR 33 [M]", lambda one: "EU" in one["regimes"] and one["harm"] != "unlikely"),
    Clock("eu_people", "people", timedelta(hours=72), "GDPR 34 [M]", lambda one: "EU" in one["regimes"] and one["harm"] == "high"),
)  # fmt: skip
"""PIPL 57 says at once (立即); it needs no notice to people where measures avoid harm effectively. GDPR 34 says without undue delay: ours is the
72 hours of Article 33."""
AT_ONCE = timedelta(hours=24)
"""What the house takes for "at once" before a clock without a number is red: the law names none."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock of one incident: done, running or late."""

    clock: str
    whom: str
    law: str
    due: datetime
    done_at: datetime | None
    state: str


def deadlines(incident: Mapping[str, Any], now: datetime) -> list[Deadline]:
    """The clocks that run for an incident, the nearest first."""
    began = datetime.fromisoformat(incident["discovered_at"])
    told = incident.get("notified", {})
    found = []
    for clock in CLOCKS:
        if not clock.runs(incident):
            continue
        done = datetime.fromisoformat(told[clock.id]) if clock.id in told else None
        due = began + clock.after
        late = (done or now) > (due if clock.after else due + AT_ONCE)
        found.append(Deadline(clock.id, clock.whom, clock.law, due, done, "late" if late else "running" if done is None else "done"))
    return sorted(found, key=lambda one: (one.due, one.clock))


def check_notified(incident: Mapping[str, Any], clock: str, at: datetime, now: datetime) -> None:
    """Raises unless this clock runs, was not stopped before, and the moment lies between discovery and now."""
    if clock not in {one.id for one in CLOCKS if one.runs(incident)}:
        raise Invalid("this clock does not run for this incident", code="incident_clock_unknown", field="clock")
    if clock in incident.get("notified", {}):
        raise Conflict("this notification is written down already", code="incident_notified")
    if not datetime.fromisoformat(incident["discovered_at"]) <= at <= now:
        raise Invalid("a notification lies between discovery and now", code="dossier_invalid", field="at")


def check_state(incident: Mapping[str, Any], after: str, reason: str) -> None:
    """Raises unless an incident may go on: open → contained → closed; closing it with a clock unanswered needs a reason."""
    if STATES.index(after) <= STATES.index(incident["state"]):
        raise Conflict("an incident does not go back", code="incident_step", field="state")
    open_clocks = [one.id for one in CLOCKS if one.runs(incident) and one.id not in incident.get("notified", {})]
    if after == CLOSED and open_clocks and not reason.strip():
        raise Invalid("closing it without a notification needs the reason", code="incident_reason_missing", field="reason")


_LETTER = {
    "en": (
        "Notice of an incident concerning personal information\n\n"
        "What happened: {what}\nWhen it was discovered: {discovered}\n\n"
        "1. Which information, why, and what harm may follow\n"
        "Kinds of information: {categories}\nCause: {cause}\nHarm: {harm}\n\n"
        "2. What we have done, and what you can do\n{taken}\n{advice}\n\n"
        "3. How to reach us\n{controller}: {contact}\n"
    ),
    "zh": (
        "个人信息安全事件告知书\n\n"
        "发生了什么：{what}\n发现时间：{discovered}\n\n"
        "一、涉及的个人信息种类、原因和可能造成的危害\n"
        "信息种类：{categories}\n原因：{cause}\n可能的危害：{harm}\n\n"
        "二、我们采取的补救措施和您可以采取的减轻危害的措施\n{taken}\n{advice}\n\n"
        "三、我们的联系方式\n{controller}：{contact}\n"
    ),
}
_HARM = {
    "en": {"unlikely": "unlikely", "possible": "possible", "high": "likely and serious"},
    "zh": {"unlikely": "不太可能", "possible": "有可能", "high": "很可能且较为严重"},
}


def letter(incident: Mapping[str, Any], controller: str, contact: str, language: str) -> str:
    """The notice to the people concerned, with the contents of PIPL 57, out of what the incident's paper says."""
    none = {"en": "(still to be written down)", "zh": "（待补充）"}[language]
    return _LETTER[language].format(
        what=incident["what"],
        discovered=incident["discovered_at"],
        categories="、".join(incident["categories"]) if language == "zh" else ", ".join(incident["categories"]),
        cause=incident["cause"],
        harm=_HARM[language][incident["harm"]],
        taken=incident["taken"] or none,
        advice=incident["advice"] or none,
        controller=controller or none,
        contact=contact or none,
    )
