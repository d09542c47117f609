"""Folds a person's acts about one purpose into a timeline and says whether it allowed at a moment and allows now.

Promise: pure and the same for every order of arrival; the unknown is denied; no source's word lifts a person's no.
It must never learn who the person is: it sees acts and instants (integer microseconds since 1970, UTC), never an identifier or a handle.

The rules (DESIGN §6, SHAPES "Consent at admission", law_rules L-13):

1. An act counts from the earlier of its effective time and its receipt. Nobody can act after we heard of it, so a clock that runs ahead
   never delays a withdrawal and never lets a grant outlive one that was received later.
2. Acts are ordered by that instant, then by effective time; a no wins ties. The number of arrival plays no part.
3. A person's own grant lifts what came before it. A source's grant counts only where nothing at all was said before.
4. A no counts whoever brings it. A grant ends when its validity does; only the person's own new grant renews it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from privacy.vocabulary import ConsentKind, ConsentState, Reason

POLICY = "fold-1"
"""Name of the rules above; it stands beside every decision that is recorded, and changes when they do."""

ALLOWED, WITHDRAWN, DENIED, EXPIRED, NOT_YET, MISSING = range(6)
"""Codes of a standing. The stored and the vectorised forms use the numbers; people see the reasons."""

REASONS: tuple[str, ...] = (
    "",
    Reason.CONSENT_WITHDRAWN.value,
    Reason.CONSENT_WITHDRAWN.value,
    Reason.CONSENT_EXPIRED.value,
    Reason.CONSENT_NOT_YET.value,
    Reason.CONSENT_MISSING.value,
)
_REASONS = np.array(REASONS, dtype=object)
_GRANTED = ConsentState.GRANTED.value
_STRICTEST_FIRST = (WITHDRAWN, DENIED, ALLOWED, EXPIRED, NOT_YET, MISSING)
FOR_EVER = 2**63 - 1
"""The instant at which what has no end ends."""


class Event(NamedTuple):
    """One act about one purpose. Instants are microseconds since 1970, UTC."""

    state: str
    kind: str
    effective: int
    received: int
    valid_until: int | None = None

    @property
    def start(self) -> int:
        """The instant from which the act counts (rule 1)."""
        return self.effective if self.effective < self.received else self.received


class Timeline(NamedTuple):
    """The folded acts: from `starts[i]` on, `codes[i]` holds until the next start. Starts rise strictly."""

    starts: tuple[int, ...]
    codes: tuple[int, ...]

    def code_at(self, at: int) -> int:
        found = NOT_YET if self.starts else MISSING
        for start, code in zip(self.starts, self.codes, strict=True):
            if start > at:
                break
            found = code
        return found


class Decision(NamedTuple):
    """A verdict with its reason; `reason` is empty when allowed, else a word of `vocabulary.Reason`."""

    allowed: bool
    reason: str


class Decisions(NamedTuple):
    """The vector form: one entry a row; `reasons` holds strings, empty where allowed."""

    allowed: npt.NDArray[np.bool_]
    reasons: npt.NDArray[np.object_]


class Lines(NamedTuple):
    """Timelines of many people about one purpose, in columns: nearly everybody said nothing, or one grant that holds from `since` to `until`.

    `said` is 0, 1 or, for those whose timeline stands in `more` by their place, 2.
    """

    said: npt.NDArray[np.int8]
    since: npt.NDArray[np.int64]
    until: npt.NDArray[np.int64]
    more: Mapping[int, Timeline]

    def timeline(self, place: int) -> Timeline:
        """One person's timeline."""
        if self.said[place] == 1:
            until = int(self.until[place])
            return granted(int(self.since[place]), None if until == FOR_EVER else until)
        return self.more[place] if self.said[place] else NOTHING


class Standing(NamedTuple):
    """The last word of a timeline: what the projection keeps. `expires` only ever ends a grant."""

    code: int
    since: int
    expires: int | None


NOTHING = Timeline((), ())


def is_grant(state: str) -> bool:
    """Whether a state allows; every other state, known or not, is a no."""
    return state == _GRANTED


def fold(events: Sequence[Event]) -> Timeline:
    """The timeline of one person and one purpose, whatever the order in which the acts are given."""
    events = sorted(events, key=_order) if len(events) > 1 else events
    if len(events) == 1 and is_grant(events[0].state):
        return granted(events[0].start, events[0].valid_until)
    starts: list[int] = []
    codes: list[int] = []
    expires: int | None = None
    heard = False

    def push(start: int, code: int) -> None:
        if starts and starts[-1] == start:
            starts.pop()
            codes.pop()
        if not codes or codes[-1] != code:
            starts.append(start)
            codes.append(code)

    def expire(before: int) -> None:
        if expires is not None and expires <= before:
            push(max(expires, starts[-1]), EXPIRED)

    for event in events:
        start = event.start
        if is_grant(event.state):
            if heard and event.kind != ConsentKind.EXPLICIT:
                continue
            expire(start)
            push(start, ALLOWED)
            expires = event.valid_until
        else:
            expire(start)
            push(start, WITHDRAWN if event.state == ConsentState.WITHDRAWN else DENIED)
            expires = None
        heard = True
    expire(FOR_EVER)
    return Timeline(tuple(starts), tuple(codes))


def _order(event: Event) -> tuple[int, int, bool, bool, int]:
    """Rules 1 and 2. Equal keys are acts with equal effect, so the sort needs no arrival number."""
    if is_grant(event.state):
        valid = FOR_EVER if event.valid_until is None else event.valid_until
        return event.start, event.effective, False, event.kind == ConsentKind.EXPLICIT, -valid
    return event.start, event.effective, True, False, event.state == ConsentState.WITHDRAWN


def granted(since: int, expires: int | None) -> Timeline:
    """The timeline of one single grant: what nearly everybody has."""
    if expires is None:
        return Timeline((since,), (ALLOWED,))
    if expires <= since:
        return Timeline((since,), (EXPIRED,))
    return Timeline((since, expires), (ALLOWED, EXPIRED))


def standing(timeline: Timeline) -> Standing:
    """The last word of a timeline that is not empty."""
    last, code = timeline.starts[-1], timeline.codes[-1]
    if code != EXPIRED:
        return Standing(code, last, None)
    if len(timeline.starts) == 1 or timeline.codes[-2] != ALLOWED:
        return Standing(ALLOWED, last, last)
    return Standing(ALLOWED, timeline.starts[-2], last)


def strictest(timelines: Sequence[Timeline]) -> Timeline:
    """The consent of people who turned out to be one: at every moment a no of any wins, then a grant of any (DESIGN §5)."""
    if len(timelines) == 1:
        return timelines[0]
    starts: list[int] = []
    codes: list[int] = []
    for at in sorted({start for timeline in timelines for start in timeline.starts}):
        held = {timeline.code_at(at) for timeline in timelines}
        code = next(code for code in _STRICTEST_FIRST if code in held)
        if not codes or codes[-1] != code:
            starts.append(at)
            codes.append(code)
    return Timeline(tuple(starts), tuple(codes))


def decide(timeline: Timeline | None, at: int, now: int) -> Decision:
    """Allowed at `at` and now; of two reasons the present one is told."""
    known = timeline if timeline is not None else NOTHING
    code = known.code_at(now) or known.code_at(at)
    return Decision(code == ALLOWED, REASONS[code])


def lines_of(timelines: Sequence[Timeline | None]) -> Lines:
    """Timelines as columns."""
    size = len(timelines)
    made = nothing(size)
    more: dict[int, Timeline] = {}
    for place, timeline in enumerate(timelines):
        if timeline:
            put(made, more, place, timeline)
    return made._replace(more=more)


def nothing(size: int) -> Lines:
    """The lines of people who said nothing."""
    return Lines(np.zeros(size, np.int8), np.zeros(size, np.int64), np.full(size, FOR_EVER, np.int64), {})


def put(lines: Lines, more: dict[int, Timeline], place: int, timeline: Timeline) -> None:
    """Writes one person's timeline into columns, what does not fit them into `more`."""
    more.pop(place, None)
    lines.said[place] = 1
    if timeline.codes == (ALLOWED,):
        lines.since[place], lines.until[place] = timeline.starts[0], FOR_EVER
    elif timeline.codes == (ALLOWED, EXPIRED):
        lines.since[place], lines.until[place] = timeline.starts
    elif timeline.starts:
        lines.said[place] = 2
        more[place] = timeline
    else:
        lines.said[place] = 0


def decide_lines(lines: Lines, person: npt.NDArray[np.integer], times: npt.NDArray[np.int64], now: int) -> Decisions:
    """`decide` for many rows: `person[i]` is the place in `lines` of row i's person, `times[i]` its instant in microseconds."""
    everyone = np.arange(len(lines.said))
    present = _codes(lines, everyone, np.full(len(everyone), now, np.int64))[person]
    code = np.where(present != ALLOWED, present, _codes(lines, np.asarray(person), times))
    return Decisions(code == ALLOWED, _REASONS[code])


def _codes(lines: Lines, person: npt.NDArray[np.integer], times: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """The code of each row's person at its time."""
    said = lines.said[person]
    held = np.where(times >= lines.until[person], np.int8(EXPIRED), np.int8(ALLOWED))
    code = np.where(said == 0, np.int8(MISSING), np.where(times < lines.since[person], np.int8(NOT_YET), held)).astype(np.int8)
    if lines.more:
        rows = np.flatnonzero(said == 2)
        places = sorted(lines.more)
        code[rows] = _walked([lines.more[place] for place in places], np.searchsorted(places, person[rows]), times[rows])
    return code


def both(one: Decisions, within: Decisions) -> Decisions:
    """What holds only if both do; where the second alone fails nobody was asked for it yet."""
    lost = one.allowed & ~within.allowed
    return Decisions(one.allowed & within.allowed, np.where(lost, REASONS[MISSING], one.reasons))


def decide_many(timelines: Sequence[Timeline | None], person: npt.NDArray[np.integer], times: npt.NDArray[np.int64], now: int) -> Decisions:
    """`decide_lines` for timelines that are not in columns yet."""
    return decide_lines(lines_of(timelines), person, times, now)


def _walked(timelines: Sequence[Timeline], person: npt.NDArray[np.integer], times: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """The code of each row's person at its time. Walks the k-th acts of all rows at once; few people have many."""
    counts = np.fromiter((len(timeline.starts) for timeline in timelines), np.int64, len(timelines))
    offsets = np.cumsum(counts) - counts
    total = int(counts.sum())
    starts = np.fromiter((start for timeline in timelines for start in timeline.starts), np.int64, total)
    codes = np.fromiter((code for timeline in timelines for code in timeline.codes), np.int8, total)
    found = np.full(len(person), NOT_YET, np.int8)
    rows = np.arange(len(person))
    k = 0
    while True:
        rows = rows[counts[person[rows]] > k]
        if not len(rows):
            return found
        index = offsets[person[rows]] + k
        begun = starts[index] <= times[rows]
        rows, index = rows[begun], index[begun]
        found[rows] = codes[index]
        k += 1
