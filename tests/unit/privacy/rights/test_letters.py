"""Letters: every one in both languages, a reason and a remedy wherever something is refused, nothing left unfilled."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from privacy.errors import Conflict
from privacy.rights import letters, steps
from privacy.rights.letters import Facts
from privacy.vocabulary import Right

FACTS = Facts("SR-BCDFG-HJKLM", "access", date(2026, 6, 1), date(2026, 7, 1), "Green Leaf", "privacy@example.com")


@pytest.mark.parametrize("language", letters.LANGUAGES)
@pytest.mark.parametrize("right", list(Right))
def test_every_right_and_every_answer_has_its_words(language: str, right: Right) -> None:
    told = replace(FACTS, right=right.value)
    for reason in steps.WHY_REFUSED:
        for outcome in steps.OUTCOMES:
            text = " ".join(letters.letter("answer", language, replace(told, outcome=outcome, reason=reason)))
            assert "{" not in text
            assert "SR-BCDFG-HJKLM" in text
            assert "privacy@example.com" in text, "every answer says what one can do about it"
            if outcome != "fulfilled":
                assert letters.words()["reasons"][reason][language] in text
    for name in ("received", "identity"):
        assert "{" not in " ".join(letters.letter(name, language, told))


@pytest.mark.parametrize("language", letters.LANGUAGES)
@pytest.mark.parametrize("right", sorted(steps.OF_THE_DEAD))
def test_a_relative_of_somebody_who_died_is_written_to_as_one(language: str, right: Right) -> None:
    told = replace(FACTS, right=right.value, deceased=True, outcome="fulfilled")
    for name in ("received", "answer"):
        text = " ".join(letters.letter(name, language, told))
        assert "{" not in text
        assert text != " ".join(letters.letter(name, language, replace(told, deceased=False)))
    assert set(letters.words()["kin"]["rights"]) == set(letters.words()["kin"]["fulfilled"]) == {one.value for one in steps.OF_THE_DEAD}


def test_a_letter_is_there_when_there_is_something_to_say() -> None:
    assert letters.available(FACTS, asked=False) == ["received"]
    longer = replace(FACTS, longer="complex", outcome="refused", reason="excessive")
    assert letters.available(longer, asked=True) == ["received", "identity", "longer", "answer"]
    assert "1 July 2026" in " ".join(letters.letter("longer", "en", longer))
    assert "2026年7月1日" in " ".join(letters.letter("longer", "zh", longer))
    for name in ("longer", "answer", "poem"):
        with pytest.raises(Conflict):
            letters.letter(name, "en", FACTS)


def test_every_reason_of_the_closed_lists_has_words() -> None:
    known = letters.words()["reasons"]
    assert set(steps.WHY_CLOSED) | set(steps.WHY_LONGER) == set(known)
    assert set(letters.words()["rights"]) == set(letters.words()["fulfilled"]) == {right.value for right in Right}
