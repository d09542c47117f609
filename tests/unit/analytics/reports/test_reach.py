"""The size of a segment as a question: equal rules are one question, cells are public, margins are those of what is added up."""

from __future__ import annotations

from typing import Any

import pytest

from analytics.reports import reach
from analytics.reports.reach import Reach, cells, question
from privacy.errors import Invalid
from tests.fakes.releases import HALF_WIDTH, FakeReleases

MONTHS = (202605, 202604)


def test_the_question_is_the_rule_its_months_the_channel_and_the_recipient_and_nothing_else() -> None:
    one = question("d" * 64, MONTHS, "sms", "rec_a")
    assert one.canonical() == question("d" * 64, tuple(reversed(MONTHS)), "sms", "rec_a").canonical()
    others = [question("e" * 64, MONTHS), question("d" * 64, MONTHS[:1]), question("d" * 64, MONTHS, "email"), question("d" * 64, MONTHS)]
    assert len({other.canonical() for other in (one, *others)}) == 5
    assert (one.purpose, one.bounds.sensitivity, one.rho_nano) == ("marketing.profiling", 1, reach.RHO_NANO)


@pytest.mark.parametrize(
    ("channel", "recipient", "expected"),
    [
        ("", "", ("reachable",)),
        ("sms", "", ("reachable", "no_channel_consent", "frequency_cap")),
        ("", "rec_a", ("reachable", "no_recipient_consent")),
        ("sms", "rec_a", ("reachable", "no_channel_consent", "no_recipient_consent", "frequency_cap")),
    ],
)
def test_the_cells_follow_from_the_question_alone(channel: str, recipient: str, expected: tuple[str, ...]) -> None:
    assert cells(channel, recipient) == expected


def test_an_answer_is_read_once_and_told_again_with_its_margins() -> None:
    releases: Any = FakeReleases()
    door, asked, read = Reach(releases), question("d" * 64, MONTHS, "sms"), []

    def counts() -> dict[str, int]:
        read.append(1)
        return {"reachable": 700, "no_channel_consent": 50}

    assert door.look(asked)["answer"] is None
    first = door.ask(asked, counts, "usr_a")
    assert door.ask(asked, counts, "usr_b") == first
    assert read == [1]
    told = door.look(asked)["answer"]
    assert (told["as_of"], told["size"]["value"]) == (202605, 750)
    assert [one["value"] for one in told["outcomes"]] == [700, 50, 0]
    assert told["outcomes"][0]["high"] == 700 + HALF_WIDTH
    assert told["size"]["high"] == 750 + 3 * HALF_WIDTH
    assert told["outcomes"][1]["low"] == 0, "nobody is fewer than nobody"


def test_a_release_is_shown_as_a_report_and_one_of_another_kind_is_not_its_business() -> None:
    releases: Any = FakeReleases()
    door = Reach(releases)
    release = door.ask(question("d" * 64, MONTHS), lambda: {"reachable": 9}, "usr_a")
    shown = door.show(release)
    assert shown is not None
    assert (shown["window"], shown["rows"][0]["value"], shown["cached"]) == ({"from": "2026-04-01", "to": "2026-05-31"}, 9.0, True)
    stored = next(iter(releases.answers.values()))
    object.__setattr__(stored.question, "kind", "sales")
    assert door.show(release) is None


def test_people_are_counted_under_public_outcomes_only() -> None:
    releases: Any = FakeReleases()
    with pytest.raises(Invalid):
        Reach(releases).ask(question("d" * 64, MONTHS), lambda: {"no_channel_consent": 1}, "usr_a")
