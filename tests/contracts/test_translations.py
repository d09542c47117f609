"""Every sentence of the console is translated once, with the same placeholders, and no translation outlives its sentence."""

from __future__ import annotations

from collections import Counter

from tests.contracts.translations import entries, missing, placeholders, sentences


def test_every_sentence_is_translated() -> None:
    assert missing() == {}


def test_no_translation_is_a_guess() -> None:
    assert [(name, sentence) for name, sentence, entry in entries() if entry.fuzzy] == []


def test_no_translation_outlives_its_sentence() -> None:
    assert [(name, sentence) for name, sentence, _ in entries() if sentence not in sentences()] == []


def test_a_sentence_is_translated_in_one_place() -> None:
    assert [sentence for sentence, times in Counter(sentence for _, sentence, _ in entries()).items() if times > 1] == []


def test_a_translation_is_filled_with_the_same_names_as_its_sentence() -> None:
    wrong = []
    for name, sentence, entry in entries():
        wanted = set().union(*map(placeholders, sentence))
        translations = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        wrong += [(name, sentence) for text in translations if placeholders(text) != wanted]
    assert wrong == []


def test_a_sentence_with_a_placeholder_says_what_it_is() -> None:
    """`%s` and `{}` cannot be moved by a translator."""
    assert [sentence for sentence in sentences() if any("%s" in text or "%d" in text for text in sentence)] == []
