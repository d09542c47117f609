"""Keeps lists of one recipient so far apart that no two of them set a few people aside (attack 19): pure sets of handles.

Promise: two lists cut everybody in them into three groups: the ones of the first alone, of the second alone, of both. Each group that a new list
makes with an earlier one is empty or has at least the minimum, but for people who say no today: a suppression is exempt, because it is the person's
own act and the recipient is told of it anyway. People are held back for it or stay where they were; nobody comes in whom the definition
never meant. Nothing is refused here and nothing random is drawn. It must never learn who a handle is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as Group
from dataclasses import dataclass, field
from typing import Any

Order = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A list that was given: everybody who stood in it, and who of them may be given to the recipient of the new one today, whatever their segments.

    `excused` are absent from it for a reason of their own: they do not allow its recipient, who is another one.
    """

    everybody: Group[bytes] = field(repr=False)
    today: Group[bytes] = field(repr=False)
    excused: Group[bytes] = field(default=frozenset(), repr=False)

    def distance(self, wanted: Group[bytes]) -> int:
        """By how many people a new list differs from this one; who says no today is no difference."""
        return len(wanted - self.everybody) + len(self.today - wanted)


def first(wanted: Group[bytes], given: Sequence[Given], minimum: int, order: Order) -> set[bytes]:
    """Whom the first list of a definition may hold. Where a few are missing whom another list has, others are held back with them, in `order`."""
    kept: set[bytes] = set(wanted)
    while True:
        before = len(kept)
        for one in given:
            kept = _against(kept, one, minimum, order)
        if len(kept) == before:
            return kept


def _against(kept: set[bytes], one: Given, minimum: int, order: Order) -> set[bytes]:
    both = kept & one.everybody
    new = kept - both - one.excused
    if _few(len(new), minimum):
        kept = kept - new
    if _few(len(both), minimum):
        return kept - both
    missing = len(one.today - kept)
    if not both or not _few(missing, minimum):
        return kept
    if len(both) - (minimum - missing) < minimum:
        return kept - both
    return kept - set(sorted(both, key=order)[: minimum - missing])


def again(wanted: Group[bytes], newest: Given, given: Sequence[Given], minimum: int) -> set[bytes]:
    """Whom the next list of the same definition may hold: people come in and go out in groups that are large enough, seen from every list."""
    joining, leaving = set(wanted - newest.everybody), set(newest.today - wanted)
    joining = _whole(joining, [(one.everybody | one.excused, one.today - newest.everybody, frozenset()) for one in given], minimum)
    pools = [(one.everybody, newest.today & one.everybody, newest.today - one.everybody) for one in given]
    leaving = _whole(leaving, [(newest.everybody, newest.today, frozenset()), *pools], minimum)
    return set(wanted & newest.everybody) | joining | ((newest.today - wanted) - leaving)


def _whole(moving: set[bytes], lists: Iterable[tuple[Group[bytes], Group[bytes], Group[bytes]]], minimum: int) -> set[bytes]:
    """Who may move: the part inside each list, and the part outside it, is empty or large, and so is what of its pool stays behind."""
    lists = list(lists)
    while moving:
        if _few(len(moving), minimum):
            return set()
        before = len(moving)
        for everybody, inner, outer in lists:
            inside = moving & everybody
            for part, pool in ((inside, inner), (moving - inside, outer)):
                if _few(len(part), minimum) or (part and _few(len(pool - part), minimum)):
                    moving = moving - part
        if len(moving) == before:
            break
    return moving


def _few(number: int, minimum: int) -> bool:
    return 0 < number < minimum
