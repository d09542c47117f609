"""Snippets: every kind whose clients post has some, filled with address and key, and each is well-formed code."""

from __future__ import annotations

import ast
import json
import re
import shlex

import pytest

from app.console import snippets
from ingestion import strictjson
from privacy.vocabulary import SOURCE_KINDS

ADDRESS, KEY = "https://in.shop.example", "wk_abc234"
POSTED = ("segment", "rudderstack", "snowplow", "posthog")
EVERY = [(kind, one) for kind in POSTED for one in snippets.of(kind, ADDRESS, KEY)]
NAMES = [f"{kind} {one.name}" for kind, one in EVERY]


@pytest.mark.parametrize(("kind", "one"), EVERY, ids=NAMES)
def test_a_snippet_holds_the_address_and_the_key_and_nothing_left_open(kind: str, one: snippets.Snippet) -> None:
    assert "in.shop.example" in one.code
    assert KEY in one.code
    assert snippets.PLACEHOLDER not in one.code
    assert one.code.count("{") == one.code.count("}")


@pytest.mark.parametrize("one", [one for _, one in EVERY if "Python" in one.name], ids=lambda one: one.name)
def test_python_parses(one: snippets.Snippet) -> None:
    ast.parse(one.code)


def test_curl_posts_a_batch_that_our_own_reader_takes() -> None:
    (curl,) = [one for one in snippets.of("segment", ADDRESS, KEY) if one.name == "curl"]
    words = shlex.split(curl.code.replace("\\\n", " "))
    assert words[:2] == ["curl", f"{ADDRESS}/v1/batch"]
    assert words[words.index("--user") + 1] == f"{KEY}:"
    parsed = strictjson.loads(words[words.index("--data") + 1].encode())
    assert not parsed.faults
    assert json.dumps(parsed.value["batch"][0]["type"]) == '"track"'


def test_the_key_of_the_page_that_keeps_none_is_a_placeholder() -> None:
    for kind in POSTED:
        assert all(snippets.PLACEHOLDER in one.code for one in snippets.of(kind, ADDRESS))
        assert not any(re.search("wk_", one.code) for one in snippets.of(kind, ADDRESS))


def test_kinds_that_nobody_posts_for_have_no_client() -> None:
    assert {kind for kind in SOURCE_KINDS if snippets.of(kind, ADDRESS)} == {*POSTED, "file"}
