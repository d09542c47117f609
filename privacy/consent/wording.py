"""What a notice must say: the items of the law, the words of each language, and what a later notice changes.

Promise: pure. A notice that lacks an item which its purposes need is none (PIPL 17, 23, 24, 30, 39; GDPR 13); what it says is shown as it is
stored, item by item, in the order of the law. A change of purpose, method or categories is material (PIPL 14(2)): it is told apart from a
change of words. It must never learn who read a notice.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from privacy.consent.registry import Notice, Purpose, notice_hash
from privacy.errors import Invalid
from privacy.vocabulary import PROFILING

LANGUAGES = ("en", "zh")
METHODS: Mapping[str, tuple[str, str]] = {
    "collect": ("collected", "收集"),
    "store": ("stored", "存储"),
    "analyse": ("analysed", "统计分析"),
    "profile": ("decided on automatically", "自动化决策"),
    "send": ("used to send messages", "发送信息"),
    "share": ("handed to others", "向他人提供"),
    "publish": ("published", "公开"),
    "abroad": ("sent abroad", "跨境提供"),
}
"""How data is processed: the closed list of which a notice names those of each purpose."""
CATEGORIES: Mapping[str, tuple[str, str]] = {
    "behaviour": ("behaviour", "行为"),
    "calendar": ("calendar", "日历"),
    "child": ("children", "儿童"),
    "commercial": ("goods", "商品"),
    "consent": ("consent", "同意记录"),
    "content": ("what you write", "反馈内容"),
    "demographic": ("sex, age, occupation", "性别、年龄、职业"),
    "device": ("device", "设备"),
    "health": ("health", "健康"),
    "identity": ("identity", "身份标识"),
    "location": ("region", "地区"),
    "religion": ("religion", "宗教信仰"),
    "time": ("time", "时间"),
    "transaction": ("purchases", "交易"),
}
"""What people call the dictionary's categories; another one is shown as it is named there."""

ITEMS: Mapping[str, tuple[str, str, str]] = {
    "controller": ("Who is responsible", "个人信息处理者", "PIPL 17(1)(1); GDPR 13(1)(a)"),
    "contact": ("How to reach us", "联系方式", "PIPL 17(1)(1); GDPR 13(1)(a)"),
    "purposes": ("What for", "处理目的", "PIPL 17(1)(2); GDPR 13(1)(c)"),
    "methods": ("How", "处理方式", "PIPL 17(1)(2)"),
    "categories": ("Which data", "个人信息种类", "PIPL 17(1)(2)"),
    "retention": ("How long", "保存期限", "PIPL 17(1)(2); GDPR 13(2)(a)"),
    "after_retention": ("And afterwards", "到期后的处理", "Network Data Regulation 21"),
    "recipients": ("Who receives it", "接收方清单", "PIPL 23; GDPR 13(1)(e)"),
    "rights": ("Your rights, and how to use them", "权利及行使方式", "PIPL 17(1)(3), 50; GDPR 13(2)(b)"),
    "withdrawal": ("How to withdraw", "撤回同意的方式", "PIPL 15; GDPR 13(2)(c)"),
    "necessity": ("Why the sensitive data is needed", "处理敏感个人信息的必要性", "PIPL 30"),
    "impact": ("What it means for you", "对个人权益的影响", "PIPL 30"),
    "automated": ("Automated decisions, and how to refuse them", "自动化决策及拒绝方式", "PIPL 24; GDPR 13(2)(f)"),
    "abroad": ("What leaves the country, and your rights there", "跨境提供及向境外接收方行使权利的方式", "PIPL 39; GDPR 13(1)(f)"),
    "legal_basis": ("What it rests on in law", "合法性基础", "GDPR 13(1)(c)"),
    "complaint": ("Where to complain", "投诉渠道", "GDPR 13(2)(d)"),
}
"""Item → what people read above it in English and Chinese, and the article that asks for it. In the order in which they are shown."""

ALWAYS = tuple(ITEMS)[:10]
_SENSITIVE = ("sensitive.", "location.")
"""Families whose data is sensitive: whereabouts are (PIPL 28)."""
LONGEST_ITEM = 4_000
LONGEST = 60_000
"""Characters of one language."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Use:
    """What a notice says one purpose needs: categories of the dictionary, methods of the list."""

    categories: frozenset[str]
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice before it is published. `items` is language → item → words; `anew` are purposes whose meaning has changed."""

    version: str
    items: Mapping[str, Mapping[str, str]]
    uses: Mapping[str, Use]
    anew: frozenset[str] = field(default_factory=frozenset)

    def content(self) -> dict[str, Any]:
        """What is stored beside the rendered words, in one spelling."""
        return {
            "items": {language: {name: said[name] for name in ITEMS if name in said} for language, said in sorted(self.items.items())},
            "uses": {key: {"categories": sorted(use.categories), "methods": sorted(use.methods)} for key, use in sorted(self.uses.items())},
            "anew": sorted(self.anew),
        }


class Change(NamedTuple):
    """One material change: of which purpose, what kind (`purpose`, `method`, `category`), and what came in."""

    purpose: str
    kind: str
    added: str


class Line(NamedTuple):
    """One line of a comparison: `same`, `added` or `removed`."""

    mark: str
    words: str


def needed(purposes: Collection[str], registered: Mapping[str, Purpose], jurisdiction: str) -> tuple[str, ...]:
    """The items that a notice of these purposes must say, in their order."""
    wanted = set(ALWAYS)
    if any(key.startswith(_SENSITIVE) for key in purposes):
        wanted |= {"necessity", "impact"}
    if PROFILING in purposes:
        wanted.add("automated")
    if any(key.startswith("crossborder.") for key in purposes):
        wanted.add("abroad")
    if jurisdiction == "EU" or any("CN" not in registered[key].grounds for key in purposes if key in registered):
        wanted |= {"legal_basis", "complaint"}
    return tuple(name for name in ITEMS if name in wanted)


def check(draft: Draft, registered: Mapping[str, Purpose], *, jurisdiction: str, categories: Collection[str]) -> Draft:
    """The draft as it may be published, its words trimmed, or `Invalid` with the item that is missing."""
    if not _VERSION.fullmatch(draft.version):
        raise Invalid("a version is letters, digits, dots and dashes", code="notice_version_invalid", field="version")
    if not draft.uses or not draft.uses.keys() <= registered.keys() or not draft.anew <= draft.uses.keys():
        raise Invalid("a notice names registered purposes", code="purpose_unknown", field="purposes")
    for key, use in draft.uses.items():
        if not use.categories or not use.categories <= set(categories):
            raise Invalid(
                "a notice names the categories of each purpose, of the dictionary's", code="category_unknown", field=f"uses.{key}"
            )
        if not use.methods or not use.methods <= METHODS.keys():
            raise Invalid("a notice names the methods of each purpose, of the list", code="method_unknown", field=f"uses.{key}")
    if set(draft.items) != set(LANGUAGES):
        raise Invalid("a notice is written in both languages", code="notice_language_missing", field="items")
    asked_for = needed(draft.uses, registered, jurisdiction)
    trimmed = {language: _trimmed(language, said, asked_for) for language, said in draft.items.items()}
    if trimmed["en"].keys() ^ trimmed["zh"].keys():
        raise Invalid("both languages have the same items", code="notice_item_missing", field="items")
    return Draft(draft.version, trimmed, dict(draft.uses), draft.anew)


def _trimmed(language: str, said: Mapping[str, str], asked_for: Collection[str]) -> dict[str, str]:
    """The items of one language; raises Invalid for one that is missing, unknown or too long."""
    if not said.keys() <= ITEMS.keys():
        raise Invalid("a notice has an item that nobody knows", code="notice_item_unknown", field=f"items.{language}")
    told = {name: words.replace("\r\n", "\n").strip() for name, words in said.items() if words.strip()}
    for name in asked_for:
        if name not in told:
            raise Invalid("the law asks for an item that this notice lacks", code="notice_item_missing", field=f"items.{language}.{name}")
    if max(map(len, told.values())) > LONGEST_ITEM or sum(map(len, told.values())) > LONGEST:
        raise Invalid("an item is longer than anybody reads", code="notice_too_long", field=f"items.{language}")
    return told


def rendered(content: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The words as they are shown, by language: each item under its heading, then what each purpose needs. `names` are the purposes' own.

    The notice's hash is over these words, so that nobody can change afterwards what a notice covered.
    """
    return {
        language: "\n\n".join(
            [
                *(f"{ITEMS[name][column]}\n{said[name]}" for name in ITEMS if name in said),
                ("What each purpose needs", "各处理目的所需")[column] + "\n" + "\n".join(_uses(content, names, language, column)),
            ]
        )
        for column, language in enumerate(LANGUAGES)
        if (said := content["items"].get(language)) is not None
    }


def _uses(content: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], language: str, column: int) -> Iterator[str]:
    comma, colon, end = ((", ", ": ", "; "), ("、", "：", "；"))[column]
    for key, use in sorted(content["uses"].items()):
        what = comma.join(CATEGORIES.get(one, (one, one))[column] for one in sorted(use["categories"]))
        how = comma.join(METHODS[one][column] for one in sorted(use["methods"]))
        again = ("", (" (asked anew)", "（重新征得同意）")[column])[key in content["anew"]]
        yield f"{names.get(key, {}).get(language, key)} [{key}]{again}{colon}{what}{end}{how}"


def altered(notice: Notice, names: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether somebody changed a stored notice in place: its hash, or what it covers, is no longer what it was."""
    if notice_hash(notice.version, notice.texts, notice.purposes) != notice.id:
        return True
    return notice.content is not None and rendered(notice.content, names) != dict(notice.texts)


def uses_of(notice: Notice) -> dict[str, Use]:
    """What a published notice says of each purpose; empty where it was published without its items."""
    told = notice.content.get("uses", {}) if notice.content else {}
    return {key: Use(frozenset(one["categories"]), frozenset(one["methods"])) for key, one in told.items()}


def anew(notice: Notice) -> frozenset[str]:
    """The purposes that a published notice asks for anew."""
    return frozenset(notice.content.get("anew", ()) if notice.content else ())


def material(before: Sequence[Notice], draft: Draft) -> tuple[Change, ...]:
    """What the draft adds to what the last notice of each purpose said. A purpose's first notice changes nothing."""
    changes: list[Change] = []
    for key, use in sorted(draft.uses.items()):
        last = next((uses_of(one)[key] for one in reversed(before) if key in uses_of(one)), None)
        if last is None:
            continue
        if key in draft.anew:
            changes.append(Change(key, "purpose", key))
        changes += [Change(key, "category", one) for one in sorted(use.categories - last.categories)]
        changes += [Change(key, "method", one) for one in sorted(use.methods - last.methods)]
    return tuple(changes)


def compared(before: str, after: str) -> list[Line]:
    """Two texts line by line."""
    marks = {"  ": "same", "+ ": "added", "- ": "removed"}
    lines = difflib.Differ().compare(before.splitlines(), after.splitlines())
    return [Line(marks[line[:2]], line[2:]) for line in lines if line[:2] in marks]
