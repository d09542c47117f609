"""The self-check: controls of the law, each a query over the live house with a question, an article and a place to go.

Promise: a control looks at the thing itself and writes nothing but the entries of what it reads; one that cannot look is broken, never in order.
Its answer is a state, a count and no value. Each control has a test that breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from privacy.errors import PiyingError

if TYPE_CHECKING:
    from app.wiring import Services

OK, ATTENTION, BROKEN = "ok", "attention", "broken"
STATES = (BROKEN, ATTENTION, OK)
KEPT = timedelta(minutes=10)
_COUNTED: WeakKeyDictionary[Services, tuple[datetime, dict[str, int]]] = WeakKeyDictionary()
PARTS = ("app.accountability.of_law", "app.accountability.of_papers", "app.accountability.of_care")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a control saw; `count` is how much of it is not as it should be."""

    state: str
    count: int = 0


Look = Callable[["Services"], Finding]


@dataclass(frozen=True, slots=True)
class Control:
    """One control: `link` is the page where it is put right."""

    id: str
    law: str
    question: str
    question_zh: str
    link: str
    look: Look


def broken_if(count: int) -> Finding:
    """Broken as soon as there is one."""
    return Finding(BROKEN if count else OK, count)


def attention_if(count: int) -> Finding:
    """Wants a look as soon as there is one."""
    return Finding(ATTENTION if count else OK, count)


def every() -> tuple[Control, ...]:
    """All controls, in the order of the law."""
    return tuple(one for part in PARTS for one in import_module(part).CONTROLS)


def run(services: Services, controls: Iterable[Control] | None = None) -> dict[str, Any]:
    """Asks every control: {"ok", "broken", "attention", "items"}; what is broken comes first."""
    items = [_asked(services, one) for one in (every() if controls is None else controls)]
    items.sort(key=lambda one: STATES.index(one["state"]))
    counted = {state: sum(1 for one in items if one["state"] == state) for state in STATES}
    return {"ok": not counted[BROKEN], "broken": counted[BROKEN], "attention": counted[ATTENTION], "items": items}


def counts(services: Services) -> dict[str, int]:
    """How many controls are broken and how many want a look, as of at most ten minutes ago: for a start page, which asks them all no more often."""
    now = services.clock()
    told = _COUNTED.get(services)
    if told is None or not timedelta() <= now - told[0] < KEPT:
        found = run(services)
        told = _COUNTED[services] = (now, {"broken": found["broken"], "attention": found["attention"]})
    return told[1]


def _asked(services: Services, one: Control) -> dict[str, Any]:
    try:
        found = one.look(services)
    except PiyingError:
        found = Finding(BROKEN)
    except Exception:  # a control that cannot look has failed; what it failed over could quote a value and stays unsaid
        found = Finding(BROKEN)
    return {
        "id": one.id,
        "law": one.law,
        "question": one.question,
        "question_zh": one.question_zh,
        "state": found.state,
        "count": found.count,
        "link": one.link,
    }
