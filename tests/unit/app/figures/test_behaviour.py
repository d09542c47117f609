"""The words of the reports of customer behaviour."""

from __future__ import annotations

from analytics.reports.kinds import KINDS
from app.figures import behaviour, cells, words
from app.figures.speech import SHARES
from tests.fakes.documents import CHINESE, ENGLISH


def test_every_kind_of_behaviour_has_a_name_a_question_and_words_for_what_it_groups_by() -> None:
    kinds = behaviour.kinds(ENGLISH)
    assert set(kinds) == set(behaviour.questions(ENGLISH)) <= set(KINDS)
    for name in kinds:
        assert words.kind(CHINESE, name) != words.kind(ENGLISH, name)
        report = KINDS[name]
        for grouping in (*report.by, *report.parameters):
            assert words.grouping(CHINESE, grouping) != words.plain(grouping)
        for measure in report.measures:
            assert words.measure(CHINESE, measure.name) != words.plain(measure.name)


def test_cells_of_the_reports_have_words() -> None:
    assert cells.cell(ENGLISH, "distance", "to_10") == "up to a tenth below"
    assert cells.cell(ENGLISH, "step", "product_added") == "Put into the basket"
    assert cells.cell(ENGLISH, "step", "bought") == "Bought"
    assert cells.cell(ENGLISH, "came_from", "sms") == cells.cell(ENGLISH, "channel", "sms") == "Text message"
    assert cells.cell(ENGLISH, "cohort", "202610") == "Oct 2026"


def test_shares_are_written_as_per_cent_and_drawn_in_hundredths() -> None:
    assert ENGLISH.amount(-0.0625, "roi") == "-6.2%"
    assert {ENGLISH.scale(name) for name in SHARES} == {100.0}
    assert ENGLISH.scale("cost") == 0.01
    assert "per cent" in words.unit(ENGLISH, "share")
