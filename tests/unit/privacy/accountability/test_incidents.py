"""The clocks of an incident follow its law, level and harm; a letter has the contents of PIPL 57."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from privacy.accountability import incidents
from privacy.errors import Conflict, Invalid
from tests.fakes.paperwork import INCIDENT

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
ONE: dict[str, Any] = INCIDENT | {"critical": False, "notified": {}, "state": "open", "taken": "", "advice": "Change the password."}


def clocks(**changes: Any) -> dict[str, timedelta]:
    one = ONE | changes
    began = datetime.fromisoformat(one["discovered_at"])
    return {found.clock: found.due - began for found in incidents.deadlines(one, NOW)}


def test_who_has_to_be_told_by_when() -> None:
    hours = {name: due.total_seconds() / 3600 for name, due in clocks().items()}
    assert hours == {"cn_authority": 0, "cn_people": 0, "cn_network": 4, "eu_authority": 72}
    assert clocks(critical=True)["cn_critical"] == timedelta(hours=1)
    assert "cn_network" not in clocks(level="general")
    assert "cn_network" not in clocks(network=False)
    assert set(clocks(harm="unlikely", regimes=["CN"], network=False)) == {"cn_authority"}
    assert "eu_people" in clocks(harm="high")
    assert clocks(regimes=[]) == {}


def test_a_clock_runs_is_late_and_stops() -> None:
    def state(clock: str, now: datetime, **changes: Any) -> str:
        return {found.clock: found.state for found in incidents.deadlines(ONE | changes, now)}[clock]

    began = datetime.fromisoformat(ONE["discovered_at"])
    assert state("cn_network", began + timedelta(hours=4)) == "running"
    assert state("cn_network", began + timedelta(hours=4, seconds=1)) == "late"
    assert state("cn_authority", began + timedelta(hours=24)) == "running"
    assert state("cn_authority", began + timedelta(hours=25)) == "late"
    told = {"cn_network": (began + timedelta(hours=3)).isoformat()}
    assert state("cn_network", began + timedelta(days=9), notified=told) == "done"


def test_a_notification_lies_between_discovery_and_now_and_comes_once() -> None:
    incidents.check_notified(ONE, "cn_network", NOW, NOW)
    for at in (NOW + timedelta(seconds=1), NOW - timedelta(days=1)):
        with pytest.raises(Invalid):
            incidents.check_notified(ONE, "cn_network", at, NOW)
    with pytest.raises(Invalid):
        incidents.check_notified(ONE, "cn_critical", NOW, NOW)
    with pytest.raises(Conflict):
        incidents.check_notified(ONE | {"notified": {"cn_network": NOW.isoformat()}}, "cn_network", NOW, NOW)


def test_it_goes_forward_and_closing_it_unanswered_needs_a_reason() -> None:
    incidents.check_state(ONE, "contained", "")
    with pytest.raises(Invalid) as reason:
        incidents.check_state(ONE, "closed", " ")
    assert reason.value.code == "incident_reason_missing"
    incidents.check_state(ONE, "closed", "the list was unreadable for the finder")
    with pytest.raises(Conflict):
        incidents.check_state(ONE | {"state": "contained"}, "open", "")


@pytest.mark.parametrize(
    ("language", "parts"), [("en", ["Kinds of information: phone", "1.", "2.", "3."]), ("zh", ["信息种类：phone", "一、", "二、", "三、"])]
)
def test_the_letter_has_the_contents_of_the_law(language: str, parts: list[str]) -> None:
    letter = incidents.letter(ONE, "Lantern Tea", "privacy@lantern.example", language)
    assert all(part in letter for part in [*parts, ONE["cause"], ONE["advice"], "Lantern Tea", "privacy@lantern.example"])
