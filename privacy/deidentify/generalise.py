"""Generalising rules: an open value becomes one of a closed, public list of outcomes.

Promise: whatever comes in, only a name from the dictionary's `generalisations.toml` (or null) comes out. Pure; it works once for each
distinct value and keeps none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors

OTHER = "other"
_LETTERS = re.compile(r"[a-z]+|[\u4e00-\u9fff]+")
_COUNTRY = re.compile(r"[A-Z]{2}")


def generalise(data: Mapping[str, Any], by: str, values: pa.StringArray) -> pa.StringArray:
    """The outcome of rule `by` for each value; blank and absent values are null (a blank referrer is `direct`)."""
    rule = _rule(data, by)
    encoded = pc.dictionary_encode(values)
    outcomes = pa.array([rule(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pc.take(outcomes, encoded.indices)


def _rule(data: Mapping[str, Any], by: str) -> Callable[[str], str | None]:
    if by == "region":
        return _region(data["regions"])
    groups: Mapping[str, list[str]] = data["groups"].get(by)
    if groups is None:
        raise errors.Invalid("unknown generalising rule", code="bad_dictionary")
    return {"page_group": _page, "referrer_group": _referrer}.get(by, _contains)(groups)


def _by_word(groups: Mapping[str, list[str]], words: set[str]) -> str:
    return next((name for name, known in groups.items() if not words.isdisjoint(known)), OTHER)


def _page(groups: Mapping[str, list[str]]) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        path = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", "", value.strip())
        path = re.split(r"[?#]", path, maxsplit=1)[0].lower()
        if not value.strip():
            return None
        return _by_word(groups, set(_LETTERS.findall(path))) if path.strip("/") else "home"

    return rule


def _referrer(groups: Mapping[str, list[str]]) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        text = value.strip().lower()
        if not text:
            return "direct"
        found = re.match(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:]+)", text)
        labels = found[1].split(".") if found else []
        return _by_word(groups, set(labels[:-1]))

    return rule


def _contains(groups: Mapping[str, list[str]]) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        text = value.strip().lower()
        if not text:
            return None
        if text in groups:
            return text
        return next((name for name, known in groups.items() if any(word in text for word in known)), OTHER)

    return rule


def _region(regions: Mapping[str, Any]) -> Callable[[str], str | None]:
    big = frozenset(regions["big"])
    first = {alias: names[0] for names in regions["provinces"].values() for alias in names}
    ordered = sorted(first, key=len, reverse=True)
    beginning = re.compile("|".join(re.escape(a) + (r"(?![a-z])" if a.isascii() else "") for a in ordered))

    def rule(value: str) -> str | None:
        text = value.strip()
        if not text:
            return None
        if _COUNTRY.fullmatch(text):
            return text
        text = re.sub(r"^(中国|中华人民共和国|china[,\s]*|cn-)", "", text.lower())
        if text in big:
            return text
        found = beginning.match(text)
        return first[found[0]] if found else OTHER

    return rule
