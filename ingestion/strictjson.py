"""The strict JSON gate in front of everything that comes in.

Promise: what passes holds unique keys, 64-bit integers, finite numbers, real text (no NUL, no lone surrogate) and bounded depth. A
document that is no JSON at all is refused as a whole; an item of a batch that breaks a rule is named by place and rule and does not
take its neighbours with it. Nothing here ever puts a value into a message.

How it stays fast: the quick parser reads everything, and cheap counts over the raw bytes prove that the slow rules cannot be broken.
Every key is a quote followed by a colon, so *key tokens in the bytes ≥ keys written ≥ keys parsed*; equality proves that no key was
written twice. No run of nineteen digits proves that no integer leaves 64 bits; no `\\u0000` proves that there is no NUL. Only when a
count does not settle the matter (and for nothing else) the slow reader looks at the document item by item.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from privacy.errors import Invalid
from privacy.vocabulary import FormRule

MAX_DEPTH = 64
"""Levels of nesting. RudderStack stops at 200, real messages need fewer than ten, the parser itself stops at 1,024."""

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_WHITE = b" \t\r\n"
_LONG_RUN = b"0" * 19
_NUL = b"\\u0000"
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_SAFE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}\Z")
_DIGIT_RUN = re.compile(r"[0-9]{5}")
_CHANGES = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Text, also where it never ends. Possessive, because a body of escaped quotes would else be walked again from each of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Item `index` breaks `rule` at `path` (names and positions only, never a value)."""

    index: int
    path: str
    rule: FormRule


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parsed document and the items of it that must not be used."""

    value: Any
    faults: tuple[Fault, ...] = ()


class _Duplicated(dict[str, Any]):
    """An object whose text wrote a key twice."""


def loads(raw: bytes, *, max_depth: int = MAX_DEPTH, items: str = "batch") -> Parsed:
    """Parse one document. Items are the entries of `items` in an object, of a top-level array, or the document itself (item 0)."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _slow(raw, max_depth, items)
    marks = raw.translate(_DIGITS, _WHITE)
    keys, depth = _measure(value)
    if depth > max_depth or keys != marks.count(b'":') or _NUL in raw or (_LONG_RUN in marks and _leaves_64_bits(value)):
        return _slow(raw, max_depth, items)
    return Parsed(value)


def loads_lines(lines: Sequence[bytes], *, max_depth: int = MAX_DEPTH) -> Parsed:
    """Parse JSON Lines: `value` is a list as long as `lines`, each line an item; a line that is no JSON object is a fault."""
    values: list[Any] = []
    faults: list[Fault] = []
    for index, line in enumerate(lines):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value, fault = _slow_line(line, index, max_depth)
            if fault is not None:
                faults.append(fault)
        values.append(value)
    raw = b"\n".join(lines)
    marks = raw.translate(_DIGITS, b" \t\r")
    keys, depth = _measure(values)
    if depth - 1 > max_depth or keys != marks.count(b'":') or _NUL in raw or (_LONG_RUN in marks and _leaves_64_bits(values)):
        known = {fault.index for fault in faults}
        for index, line in enumerate(lines):
            if index not in known:
                values[index], fault = _slow_line(line, index, max_depth)
                if fault is not None:
                    faults.append(fault)
    known = {fault.index for fault in faults}
    faults.extend(
        Fault(index, "", FormRule.NOT_AN_OBJECT) for index, value in enumerate(values) if type(value) is not dict and index not in known
    )
    return Parsed(values, tuple(sorted(faults, key=lambda fault: fault.index)))


def dumps(item: Any) -> bytes:
    """The item as JSON bytes for the quarantine, also when it broke a rule: surrogates, NaN and huge integers stay as they were."""
    try:
        return orjson.dumps(item)
    except (TypeError, ValueError):
        return json.dumps(item, ensure_ascii=True, default=str).encode()


def safe_path(parts: Sequence[str | int]) -> str:
    """A path that may be shown and counted: a key that does not look like a field name becomes `?` (keys can carry people, too)."""
    shown = ""
    for part in parts:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += ("." if shown else "") + _shown(part)
    return shown


@lru_cache(maxsize=4096)
def _shown(key: str) -> str:
    return key if _reads_like_a_name(key) else "?"


def _reads_like_a_name(key: str) -> bool:
    """Words run together, not a number and not the random letters of a platform's id, a digest or base64, which change kind all the time."""
    return bool(_SAFE_KEY.match(key)) and not _DIGIT_RUN.search(key) and len(_CHANGES.findall(key)) <= 1 + len(key) // 5


def _measure(value: Any) -> tuple[int, int]:
    """Number of keys and levels of nesting, level by level, so that no nesting can exhaust the stack."""
    keys = depth = 0
    level: list[Any] = [value] if type(value) in (dict, list) else []
    while level:
        depth += 1
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                node = node.values()
            for child in node:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
        level = below
    return keys, depth


def _leaves_64_bits(value: Any) -> bool:
    """Whether a number may have been an integer outside 64 bits (the quick parser turns those into floats). Long digit runs inside
    text are common (order numbers), so they alone must not cost the slow reader."""
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is dict:
            stack.extend(node.values())
        elif kind is list:
            stack.extend(node)
        elif (kind is int and not _INT_MIN <= node <= _INT_MAX) or (kind is float and not _INT_MIN < node < _INT_MAX):
            return True
    return False


# ── the slow reader ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _slow(raw: bytes, max_depth: int, items: str) -> Parsed:
    value = _read(raw, max_depth)
    if isinstance(value, dict) and isinstance(value.get(items), list):
        envelope = type(value)({key: entry for key, entry in value.items() if key != items})
        fault = _first_fault(envelope, 0, max_depth)
        if fault is not None:
            raise Invalid(f"the envelope breaks the rule {fault.rule} at {fault.path or 'its root'}", code="invalid_json", field=fault.path)
        entries = value[items]
    elif isinstance(value, list):
        entries = value
    else:
        entries = [value]
    found = (_first_fault(entry, index, max_depth) for index, entry in enumerate(entries))
    return Parsed(value, tuple(fault for fault in found if fault is not None))


def _slow_line(line: bytes, index: int, max_depth: int) -> tuple[Any, Fault | None]:
    try:
        value = _read(line, max_depth)
    except Invalid as error:
        rule = FormRule.TOO_DEEP if error.code == "too_deep" else FormRule.BAD_TEXT if error.field == "text" else FormRule.NOT_AN_OBJECT
        return None, Fault(index, "", rule)
    return value, _first_fault(value, index, max_depth)


def _read(raw: bytes, max_depth: int) -> Any:
    """Parse leniently what can be parsed at all; refuse what no reader should try (depth first, so that the stack is safe)."""
    if _raw_depth(raw) > 4 * max_depth + 8:
        raise Invalid("the document is nested too deeply", code="too_deep")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the document is not UTF-8", code="invalid_json", field="text") from None
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_int=_integer, parse_float=float)
    except (ValueError, RecursionError):
        raise Invalid("the document is not JSON", code="invalid_json") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Duplicated(made)


def _integer(digits: str) -> int | float:
    """An integer of any size that can still be compared; what is longer than 300 digits counts as infinite."""
    return int(digits) if len(digits) <= 300 else float("inf")


def _raw_depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside text, counted without a stack and without a loop over megabytes of them."""
    bare = np.frombuffer(_STRINGS.sub(b"", raw), np.uint8) | 0x20
    steps = (bare == ord("{")).astype(np.int8) - (bare == ord("}")).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def _first_fault(item: Any, index: int, max_depth: int) -> Fault | None:
    for path, value, depth in _walk(item):
        rule = _rule(value, depth, max_depth)
        if rule is not None:
            return Fault(index, safe_path(path), rule)
    return None


def _walk(item: Any) -> Iterator[tuple[tuple[str | int, ...], Any, int]]:
    stack: list[tuple[tuple[str | int, ...], Any, int]] = [((), item, 0)]
    while stack:
        path, value, depth = stack.pop()
        yield path, value, depth
        if isinstance(value, dict):
            stack.extend(((*path, key), child, depth + 1) for key, child in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, place), child, depth + 1) for place, child in enumerate(value))


def _rule(value: Any, depth: int, max_depth: int) -> FormRule | None:
    """The rule that this one value breaks. Depth counts the value's own level: the item is level 1 inside its document."""
    if isinstance(value, (dict, list)):
        if depth + 1 > max_depth:
            return FormRule.TOO_DEEP
        if isinstance(value, _Duplicated):
            return FormRule.DUPLICATE_KEY
        return FormRule.BAD_TEXT if isinstance(value, dict) and not all(_real_text(key) for key in value) else None
    if isinstance(value, str):
        return None if _real_text(value) else FormRule.BAD_TEXT
    if isinstance(value, float):
        return None if value - value == 0 else FormRule.OUT_OF_RANGE
    if isinstance(value, int) and not isinstance(value, bool):
        return None if _INT_MIN <= value <= _INT_MAX else FormRule.OUT_OF_RANGE
    return None


def _real_text(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
