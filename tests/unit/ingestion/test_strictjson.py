"""The strict JSON gate: what passes is safe to use, what fails is named by place and rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import strictjson
from privacy.errors import Invalid
from privacy.vocabulary import FormRule


def rules(raw: bytes) -> list[tuple[int, str, FormRule]]:
    return [(fault.index, fault.path, fault.rule) for fault in strictjson.loads(raw).faults]


def batch(*items: str) -> bytes:
    return ('{"batch":[' + ",".join(items) + '],"sentAt":"x"}').encode()


def test_a_clean_batch_passes_as_it_is() -> None:
    raw = batch('{"a": 1, "b" : {"c": [1.5, null, true, "\\u00e9"]}}', "{}")
    assert strictjson.loads(raw) == strictjson.Parsed(json.loads(raw))


@pytest.mark.parametrize(
    ("item", "path", "rule"),
    [
        ('{"p":{"a":1,"a":2}}', "p", FormRule.DUPLICATE_KEY),
        ('{"p":{"a":1,"\\u0061":2}}', "p", FormRule.DUPLICATE_KEY),
        ('{"p":9223372036854775808}', "p", FormRule.OUT_OF_RANGE),
        ('{"p":-9223372036854775809}', "p", FormRule.OUT_OF_RANGE),
        ('{"p":[0,1' + "0" * 5000 + "]}", "p[1]", FormRule.OUT_OF_RANGE),
        ('{"p":1e999}', "p", FormRule.OUT_OF_RANGE),
        ('{"p":NaN}', "p", FormRule.OUT_OF_RANGE),
        ('{"p":-Infinity}', "p", FormRule.OUT_OF_RANGE),
        ('{"p":"a\\u0000b"}', "p", FormRule.BAD_TEXT),
        ('{"p":"\\ud83d"}', "p", FormRule.BAD_TEXT),
        ('{"p":' + "[" * 70 + "]" * 70 + "}", "p" + "[0]" * 63, FormRule.TOO_DEEP),
        ('{"a\\u0000":1}', "", FormRule.BAD_TEXT),
    ],
)
def test_a_bad_item_is_named_and_its_neighbours_live(item: Any, path: Any, rule: Any) -> None:
    assert rules(batch('{"ok":1}', item, '{"ok":2}')) == [(1, path, rule)]
    assert rules(item.encode()) == [(0, path, rule)]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 1234567890123456789])
def test_64_bit_integers_pass(number: Any) -> None:
    parsed = strictjson.loads(batch(f'{{"n":{number}}}'))
    assert parsed.faults == ()
    assert parsed.value["batch"][0]["n"] == number


def test_long_digit_strings_and_quotes_before_colons_are_no_faults() -> None:
    """They only cost a second look."""
    raw = batch('{"order":"12345678901234567890","q":"say \\"x\\": y"}')
    assert strictjson.loads(raw) == strictjson.Parsed(json.loads(raw))


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"a":}', b"nope", b'{"a":1}{', b'{"a":1,}', b'{"a":"\xed\xa0\x80"}'])
def test_what_is_no_json_is_refused_as_a_whole(raw: Any) -> None:
    with pytest.raises(Invalid) as caught:
        strictjson.loads(raw)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 50_000, b"[" * 1500 + b"]" * 1500])
def test_bottomless_nesting_is_refused_without_exhausting_the_stack(raw: Any) -> None:
    with pytest.raises(Invalid) as caught:
        strictjson.loads(raw)
    assert caught.value.code == "too_deep"


def test_a_fault_of_the_envelope_refuses_the_document() -> None:
    with pytest.raises(Invalid):
        strictjson.loads(b'{"batch":[{}],"sentAt":"a","sentAt":"b"}')


def test_a_path_never_repeats_a_key_that_may_be_a_person() -> None:
    fault = strictjson.loads(b'{"li.na@example.com":{"13800138000":NaN}}').faults[0]
    assert fault.path == "?.?"


def test_lines_fail_one_by_one() -> None:
    lines = [b'{"a":1}', b'{"a":1,"a":2}', b"nope", b'{"b":NaN}', b"[1]", b'{"c":"\xff"}', b'{"d":"x"}']
    parsed = strictjson.loads_lines(lines)
    assert [(fault.index, fault.rule) for fault in parsed.faults] == [
        (1, FormRule.DUPLICATE_KEY),
        (2, FormRule.NOT_AN_OBJECT),
        (3, FormRule.OUT_OF_RANGE),
        (4, FormRule.NOT_AN_OBJECT),
        (5, FormRule.BAD_TEXT),
    ]
    assert parsed.value[0] == {"a": 1}
    assert parsed.value[6] == {"d": "x"}


def test_a_faulty_item_can_still_be_written_down() -> None:
    item = strictjson.loads(b'{"a":"\\ud83d","n":123456789012345678901234567890}').value
    assert json.loads(strictjson.dumps(item)) == item


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(json_values)
def test_the_quick_reader_and_the_slow_reader_agree(value: Any) -> None:
    raw = json.dumps({"batch": [value]}).encode()
    assert strictjson.loads(raw) == strictjson._slow(raw, strictjson.MAX_DEPTH, "batch")


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=8), json_values, min_size=1, max_size=4), st.data())
def test_a_key_written_twice_is_always_found(value: Any, data: Any) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    text = json.dumps(value)
    doubled = text[:-1] + "," + json.dumps(key, ensure_ascii=data.draw(st.booleans())) + ":1}"
    raw = doubled.encode("utf-8")
    assert FormRule.DUPLICATE_KEY in {rule for _, _, rule in rules(b'{"batch":[' + raw + b"]}")} | (
        {FormRule.DUPLICATE_KEY} if "\\u0000" in text else set()
    )


def test_a_hundred_ordinary_events_have_no_fault() -> None:
    event = {"type": "track", "messageId": "m" * 36, "properties": {f"k{i}": "v" * 20 for i in range(25)}, "context": {"a": {"b": 1}}}
    raw = json.dumps({"batch": [event] * 100}).encode()
    assert strictjson.loads(raw).faults == ()
