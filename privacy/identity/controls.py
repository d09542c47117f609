"""Control rows: addresses of the controller's own, each in the files of one recipient and no other, by which a leaked list names who had it.

Promise: pure. Only what the controller owns and has registered is ever used (L-10: a telephone number that one makes up is somebody's): single
addresses, or a whole e-mail domain whose every mailbox is the controller's, where the local parts are made under a key, so that nobody tells
one from a stranger's. An address once given to a recipient stays that recipient's, for this export and all later ones, so one control found is
enough, and two recipients' controls in one sample name both, whatever they mixed. What an address was for stands with the assignment, never in
the file.

How many: a sample of s rows out of n holds none of c controls with probability C(n−c, s)/C(n, s) ≤ (1 − c/n)^s, so c = ⌈n·(1 − p^{1/s})⌉ leaves
at most p. For a thousand rows and p = 10⁻⁶ that is 1.37 % of the list: few telephone numbers reach it, a domain always does. Where the register
is too small the plan says what chance it leaves and the gate shows it; it never invents a number. Pseudonymous tables need no control: every
pseudonym is its recipient's alone.
Must never learn: a person, a database, which recipient a file is for beyond its name.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors
from privacy.identity.pseudonyms import MacKey, macs

SAMPLE_ROWS: Final = 1_000
MISSED: Final = 1e-6
"""How often a sample of a thousand rows may name nobody."""

_LOCAL_SIGNS: Final = 10


@dataclass(frozen=True, slots=True)
class Register:
    """What the controller owns of one identifier type: single values (normalised), and e-mail domains of which it owns every mailbox."""

    values: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The controls of one export, and the chance that a sample of a thousand rows holds none of them."""

    values: tuple[str, ...]
    missed: float
    wanted: int

    @property
    def enough(self) -> bool:
        """Whether the register held as many as were wanted."""
        return len(self.values) >= self.wanted


def wanted(rows: int, *, sample: int = SAMPLE_ROWS, missed: float = MISSED) -> int:
    """Controls to put among `rows` people so that a sample misses them all with at most this probability; 0 for an empty list.

    n is the length with the controls in it, hence the share over what is left.
    """
    if rows <= 0:
        return 0
    share = -math.expm1(math.log(missed) / sample)
    return max(1, math.ceil(rows * share / (1 - share)))


def missing(rows: int, controls: int, *, sample: int = SAMPLE_ROWS) -> float:
    """The probability that a random sample of a file of `rows` people and `controls` controls holds none (hypergeometric, exact)."""
    whole = rows + controls
    drawn = min(sample, whole)
    if controls == 0:
        return 1.0
    if drawn > rows:
        return 0.0
    return math.exp(math.lgamma(rows + 1) - math.lgamma(rows - drawn + 1) - math.lgamma(whole + 1) + math.lgamma(whole - drawn + 1))


def choose(register: Register, given: Mapping[str, str], recipient: str, rows: int, key: MacKey) -> Plan:
    """The controls for an export of `rows` people to `recipient`. `given` holds every assignment there ever was: value → recipient.

    First the recipient's own from earlier exports, then free registered values in an order of the key's own, then mailboxes of the domains.
    """
    count = wanted(rows)
    own = sorted(value for value, owner in given.items() if owner == recipient)
    free = _shuffled([value for value in register.values if value not in given], recipient, key)
    chosen: list[str] = [*own, *free][:count]
    taken = {*given, *register.values}
    for mailbox in _mailboxes(register.domains, recipient, key):
        if len(chosen) >= count:
            break
        if mailbox not in taken:
            chosen.append(mailbox)
    return Plan(tuple(chosen), missing(rows, len(chosen)), count)


def _shuffled(values: Sequence[str], recipient: str, key: MacKey) -> list[str]:
    """An order that only the key's holder can repeat, other for each recipient."""
    marks = macs(key, [b"control/order\0" + recipient.encode() + b"\0" + value.encode() for value in values])
    return [value for _, value in sorted(zip(marks, values, strict=True))]


def _mailboxes(domains: Sequence[str], recipient: str, key: MacKey) -> Iterator[str]:
    """Mailboxes without end, ten signs each: 50 bits of an HMAC, so that two recipients never meet in practice (and `choose` looks)."""
    number = 0
    while domains:
        message = b"control/mailbox\0" + recipient.encode() + b"\0" + str(number).encode()
        (mark,) = macs(key, [message])
        local = base64.b32encode(mark).decode().lower()[:_LOCAL_SIGNS]
        yield f"{local}@{domains[number % len(domains)]}"
        number += 1


@dataclass(frozen=True, slots=True)
class Traced:
    """Whose file a sample was: how many values of each recipient were in it."""

    found: Mapping[str, int]

    @property
    def recipient(self) -> str | None:
        """The one recipient, if there is exactly one."""
        return next(iter(self.found)) if len(self.found) == 1 else None


def trace(sample: Sequence[pa.StringArray], marks: Mapping[str, pa.StringArray]) -> Traced:
    """Which recipients' marks stand anywhere in the columns of a sample.

    `marks` are the recipients' controls in the form they were sent in (hashed by their forms), or their pseudonyms; a value that two
    recipients share proves nothing and is refused. Upper and lower case of a digest are the same.
    """
    owners = [recipient for recipient, values in marks.items() for _ in range(len(values))]
    everything = pc.utf8_lower(pa.concat_arrays([pa.array([], pa.string()), *(values.cast(pa.string()) for values in marks.values())]))
    if len(pc.unique(everything)) != len(everything):
        raise errors.Invalid("A control belongs to one recipient and stands once.", code="control_shared", field="marks")
    found: dict[str, int] = {}
    seen: set[int] = set()
    for column in sample:
        places = pc.index_in(pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string()))), value_set=everything)
        seen.update(pc.unique(places.drop_null()).to_pylist())
    for place in sorted(seen):
        found[owners[place]] = found.get(owners[place], 0) + 1
    return Traced(found)
