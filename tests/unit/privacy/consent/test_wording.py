"""What a notice must say, how it reads, and what counts as a material change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privacy.consent import registry, wording
from privacy.consent.registry import Notice, Purpose
from privacy.consent.wording import ALWAYS, Change, Draft, Use
from privacy.errors import Invalid
from privacy.vocabulary import PROFILING, STATISTICS

NOW = datetime(2026, 6, 15, tzinfo=UTC)
REGISTERED = {one.key: one for one in registry.first_purposes()} | {
    "crossborder.us": Purpose("crossborder.us", {"CN": "separate_consent"}, name={"en": "Abroad", "zh": "境外"}),
    "research.panel": Purpose("research.panel", {"EU": "consent"}, name={"en": "Panel", "zh": "研究"}),
}
NAMES = {key: one.name for key, one in REGISTERED.items()}
KNOWN = ("behaviour", "demographic", "location", "other")
USE = Use(frozenset({"behaviour"}), frozenset({"analyse"}))


def draft(*purposes: str, version: str = "v1", use: Use = USE, more: tuple[str, ...] = (), anew: frozenset[str] = frozenset()) -> Draft:
    said = {name: f"About {name}." for name in (*ALWAYS, *more)}
    return Draft(version, {"en": said, "zh": said}, dict.fromkeys(purposes or (STATISTICS,), use), anew)


def checked(one: Draft, jurisdiction: str = "CN") -> Draft:
    return wording.check(one, REGISTERED, jurisdiction=jurisdiction, categories=KNOWN)


def without(one: Draft, name: str, language: str) -> Draft:
    items = {tag: dict(said) for tag, said in one.items.items()}
    items[language][name] = " \n"
    return replace(one, items=items)


def published(one: Draft) -> Notice:
    content = one.content()
    texts = wording.rendered(content, NAMES)
    purposes = sorted(one.uses)
    return Notice(registry.notice_hash(one.version, texts, purposes), one.version, texts, purposes, NOW, content)


@pytest.mark.parametrize(
    ("purpose", "jurisdiction", "more"),
    [
        (STATISTICS, "CN", ()),
        (PROFILING, "CN", ("automated",)),
        ("location.store_arrival", "CN", ("necessity", "impact")),
        ("crossborder.us", "CN", ("abroad",)),
        ("research.panel", "CN", ("legal_basis", "complaint")),
        (STATISTICS, "EU", ("legal_basis", "complaint")),
    ],
)
def test_each_item_that_a_purpose_needs_is_asked_for_in_both_languages(purpose: str, jurisdiction: str, more: tuple[str, ...]) -> None:
    whole = draft(purpose, more=more)
    assert checked(whole, jurisdiction).items["en"].keys() == {*ALWAYS, *more}
    for name in (*ALWAYS, *more):
        for language in ("en", "zh"):
            with pytest.raises(Invalid) as error:
                checked(without(whole, name, language), jurisdiction)
            assert (error.value.code, error.value.field) == ("notice_item_missing", f"items.{language}.{name}")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (draft(version="v 1"), "notice_version_invalid"),
        (draft("marketing.unheard"), "purpose_unknown"),
        (draft(use=Use(frozenset({"blood"}), frozenset({"analyse"}))), "category_unknown"),
        (draft(use=Use(frozenset(), frozenset({"analyse"}))), "category_unknown"),
        (draft(use=Use(frozenset({"behaviour"}), frozenset({"sell"}))), "method_unknown"),
        (draft(anew=frozenset({PROFILING})), "purpose_unknown"),
        (replace(draft(), items={"en": draft().items["en"]}), "notice_language_missing"),
        (replace(draft(), items={tag: said | {"weather": "Fine."} for tag, said in draft().items.items()}), "notice_item_unknown"),
        (replace(draft(), items={tag: said | {"rights": "x" * 4_001} for tag, said in draft().items.items()}), "notice_too_long"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused_with_its_code(wrong: Draft, code: str) -> None:
    with pytest.raises(Invalid) as error:
        checked(wrong)
    assert error.value.code == code


def test_what_a_purpose_needs_stands_in_the_words_that_people_read_and_that_are_hashed() -> None:
    notice = published(draft())
    assert notice.texts["en"].startswith("Who is responsible\nAbout controller.")
    assert notice.texts["en"].endswith("What each purpose needs\nStatistics [analytics.statistics]: behaviour; analysed")
    assert notice.texts["zh"].endswith("统计分析 [analytics.statistics]：行为；统计分析")
    assert not wording.altered(notice, NAMES)
    wider = draft(use=Use(frozenset({"behaviour", "location"}), frozenset({"analyse"})))
    assert wording.altered(replace(notice, content=wider.content()), NAMES), "nobody widens it behind the words"
    assert wording.altered(replace(notice, texts=dict(notice.texts) | {"en": "We sell."}), NAMES)


def test_purposes_methods_and_categories_that_come_in_are_material_and_words_and_what_goes_are_not() -> None:
    first = published(draft(use=Use(frozenset({"behaviour", "location"}), frozenset({"analyse"}))))
    wider = draft(use=Use(frozenset({"behaviour", "demographic"}), frozenset({"analyse", "share"})), version="v2")
    assert wording.material([first], wider) == (
        Change(STATISTICS, "category", "demographic"),
        Change(STATISTICS, "method", "share"),
    )
    assert wording.material([first], draft(version="v2")) == ()
    assert wording.material([first], draft(version="v2", anew=frozenset({STATISTICS}))) == (Change(STATISTICS, "purpose", STATISTICS),)
    assert wording.material([], draft(anew=frozenset({STATISTICS}))) == (), "a first notice asks nobody again"


def test_texts_are_compared_line_by_line() -> None:
    lines = wording.compared("We count.\nWe keep it a year.", "We count.\nWe keep it a month.")
    assert [line.mark for line in lines] == ["same", "removed", "added"]
