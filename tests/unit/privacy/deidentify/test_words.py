"""The word lists contradict neither themselves nor each other."""

from __future__ import annotations

import re

from privacy.deidentify.words import CHINESE_WORDS, GIVEN, GIVEN_CHARACTERS, KNOWN, SURNAMES, THINGS


def test_no_given_name_is_also_an_ordinary_word() -> None:
    assert not GIVEN & KNOWN, sorted(GIVEN & KNOWN)
    assert THINGS <= KNOWN


def test_lists_hold_small_letters_and_single_characters() -> None:
    assert all(word == word.lower() for word in GIVEN | KNOWN)
    assert len(set(GIVEN_CHARACTERS)) > 200
    assert re.fullmatch(SURNAMES, "欧阳")
    assert re.fullmatch(SURNAMES, "王")


def test_ordinary_chinese_words_have_two_or_more_characters() -> None:
    assert all(len(word) > 1 for word in CHINESE_WORDS)
