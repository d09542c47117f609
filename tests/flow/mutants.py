"""Well-formed messages that something happened to, from one seed, so that a run can be had again.

Promise: pure; the same seed gives the same mutants. What comes out may be anything that a sender's bug or an attacker could write.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 1e308, 5e-324, 0.1),
    *("", " ", "null", "undefined", "NaN", "-0", "\u0000", "\ufeff", "\u202e", "1e999", "9" * 400, "A" * 5_000),
    *("١٣٨٠٠١٣٨٠٠٠", "１３８００１３８０００", "13800138000", "li@example.com", "𠀀" * 40),
    *("%00%0d%0a", "';--", "=cmd()", "../../x", "<b>", "{{7*7}}", "track"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-06-15T04:30:00", "2026-02-30T00:00:00Z", "2026-06-15T04:30:00+99:99"),
    *([], {}, [[]], [{}], {"": ""}, ["x"] * 50, {"a": {"b": {"c": {"d": {"e": {}}}}}}, {"$ne": None}, {"__proto__": {"x": 1}}),
)
KEYS = (
    "",
    "type",
    "userId",
    "messageId",
    "timestamp",
    "properties",
    "traits",
    "context",
    "phone",
    "email",
    "__proto__",
    "a" * 300,
    "\u0000",
    "e",
    "eid",
    "time",
)
DEEPEST = 100
TOKENS = (
    b"NaN",
    b"-Infinity",
    b"1e400",
    b'"\\ud800"',
    b'"\\u0000"',
    b"[" * 70 + b"]" * 70,
    b"9" * 60,
    b'"\xff\xfe"',
    b"{}",
    b"tru",
    b"",
    b",",
    b'"',
    b"//x",
)


def mutants(seeds: Sequence[Any], seed: int, number: int) -> Iterator[Any]:
    """Mutants of the seeds: values exchanged, keys lost, renamed, added, parts of one message in another.

    None is nested so deeply that no reader tries a document that holds it: such a one is refused whole, its neighbours with it.
    """
    chance = random.Random(seed)
    for _ in range(number):
        one = copy.deepcopy(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            changed = _changed(copy.deepcopy(one), chance, seeds)
            one = changed if _depth(changed) <= DEEPEST else one
        yield one


def _depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(one) for one in inside), default=0)


def _changed(one: Any, chance: random.Random, seeds: Sequence[Any]) -> Any:
    places = list(_places(one))
    if not places or chance.random() < 0.02:
        return copy.deepcopy(chance.choice(NASTY))
    parent, key = chance.choice(places)
    act = chance.random()
    if act < 0.6:
        parent[key] = copy.deepcopy(chance.choice(NASTY))
    elif act < 0.75:
        del parent[key]
    elif act < 0.9 and isinstance(parent, dict):
        parent[chance.choice(KEYS)] = copy.deepcopy(chance.choice((parent[key], *NASTY)))
    else:
        other, place = chance.choice(list(_places(copy.deepcopy(chance.choice(seeds)))))
        parent[key] = other[place]
    return one


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document that can be changed: its holder and its key."""
    inside = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, held in inside:
        yield value, key
        yield from _places(held)


def broken(document: Any, chance: random.Random) -> bytes:
    """A document's bytes, hurt: cut, doubled, a token thrown in, bits turned."""
    raw = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    place = chance.randrange(len(raw) + 1)
    act = chance.randrange(5)
    if act == 0:
        return raw[:place]
    if act == 1:
        return raw[:place] + chance.choice(TOKENS) + raw[place:]
    if act == 2:
        return raw[:place] + chance.choice(TOKENS) + raw[place + chance.randrange(1, 9) :]
    if act == 3:
        return raw + raw[:place]
    hurt = bytearray(raw)
    for _ in range(3):
        hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
    return bytes(hurt)
