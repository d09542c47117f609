"""Signals of a browser about consent: the header Sec-GPC, strings of TCF 2 and of GPP. What they deny counts; what they allow is a word.

Promise: pure. GPC and GPP only ever object; their absence says nothing and their presence is never consent. Of TCF only the purposes that
somebody consented to count: a legitimate interest is none. A string that cannot be read says nothing and stops nobody. It must never
learn who the browser belongs to.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from ingestion.source import Claim, Reading
from privacy.records import RawBatch
from privacy.vocabulary import PROFILING, STATISTICS

SHARING = "share"
"""Stands for every purpose of the family `share.*`: to whom data goes is the deployment's own to know."""
TCF_PURPOSES: Mapping[str, frozenset[int]] = {PROFILING: frozenset({3, 4}), STATISTICS: frozenset({9}), SHARING: frozenset({2, 4})}
"""Our purpose → the purposes of TCF 2 that all must be consented to: profiles and their use; audiences' statistics; advertisements."""
LONGEST = 4_096
"""Characters of a string; clients write at most a few hundred."""
_PLACES = (("tcf", ("tcf", "tcString", "tcfString", "IABTCF_TCString")), ("gpp", ("gpp", "gppString", "IABGPP_HDR_GppString")))
_GPP_HEADER, _US_NATIONAL = 3, 7


class Unreadable(ValueError):
    """A string that is none; it says nothing."""


class Tcf(NamedTuple):
    """What counts of a TCF 2 core string, and what is shown of it."""

    version: int
    created: int
    updated: int
    cmp: int
    language: str
    policy: int
    consented: frozenset[int]
    legitimate: frozenset[int]


class UsNational(NamedTuple):
    """What counts of GPP's section for the United States."""

    sale_opt_out: int
    sharing_opt_out: int
    targeted_opt_out: int
    gpc: bool | None
    """None where the section has no part about GPC."""


# ── what a request says ────────────────────────────────────────────────────────────────────────────────────────────────────────


def objects(header: str | None) -> bool:
    """Whether the header Sec-GPC objects: the one value that means anything is 1."""
    return header == "1"


def said(message: Any, *, gpc: bool, european: bool) -> dict[str, bool]:
    """What one message says about our purposes (and SHARING), with what its request said. TCF counts in Europe alone."""
    told: dict[str, bool] = {}
    strings = dict(_strings(message))
    if european and "tcf" in strings:
        with suppress(Unreadable):
            told |= of_tcf(tcf(strings["tcf"]))
    objected = gpc
    if "gpp" in strings:
        with suppress(Unreadable):
            national = us_national_of(strings["gpp"])
            objected = objected or (national is not None and _opted_out(national))
    return told | ({PROFILING: False, SHARING: False} if objected else {})


def of_tcf(string: Tcf) -> dict[str, bool]:
    """Our purposes as a TCF string answers them."""
    return {purpose: needed <= string.consented for purpose, needed in TCF_PURPOSES.items()}


def _opted_out(section: UsNational) -> bool:
    return 1 in (section.sale_opt_out, section.sharing_opt_out, section.targeted_opt_out) or section.gpc is True


def _strings(message: Any) -> Iterator[tuple[str, str]]:
    context = message.get("context") if isinstance(message, dict) else None
    if not isinstance(context, dict):
        return
    consent = context.get("consent")
    for kind, names in _PLACES:
        for place in (consent, context) if isinstance(consent, dict) else (context,):
            found = next((place[name] for name in names if isinstance(place.get(name), str) and place[name]), None)
            if found is not None and len(found) <= LONGEST:
                yield kind, found
                break


def speaks(message: Any) -> bool:
    """Whether a message carries a string of TCF or GPP."""
    return next(_strings(message), None) is not None


def add(raw: RawBatch, messages: Sequence[Any], shares: Iterable[str], *, gpc: bool, european: bool) -> RawBatch:
    """The batch with what the browser says beside each message's own words; a no goes before a yes of the same message."""
    if raw.items is None or not (gpc or any(map(speaks, messages))):
        return raw
    families = tuple(sorted(shares))
    items = [_with(item, said(message, gpc=gpc, european=european), families) for item, message in zip(raw.items, messages, strict=True)]
    return replace(raw, items=items)


def _with(item: Reading, told: Mapping[str, bool], shares: Sequence[str]) -> Reading:
    if not told or not item.rows:
        return item
    first = item.rows[0]
    spoken = {purpose: value for purpose, value in told.items() if purpose != SHARING}
    spoken |= dict.fromkeys(shares, told[SHARING]) if SHARING in told else {}
    kept = tuple(one for one in first.claims if one.explicit or not (one.purpose in spoken and (one.granted or not spoken[one.purpose])))
    known = {one.purpose for one in kept if not one.explicit}
    more = tuple(Claim(purpose, value, first.at, explicit=False) for purpose, value in spoken.items() if purpose not in known)
    return replace(item, rows=(first._replace(claims=kept + more), *item.rows[1:]))


# ── the strings ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Bits:
    """The bits of a string in base64 for addresses, from the front."""

    def __init__(self, text: str, *, six: bool = False) -> None:
        if six:
            self._bits = "".join(f"{_ALPHABET[one]:06b}" for one in text) if set(text) <= _ALPHABET.keys() else ""
        else:
            try:
                raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            except (binascii.Error, ValueError):
                raise Unreadable from None
            self._bits = "".join(f"{one:08b}" for one in raw)
        if not self._bits:
            raise Unreadable
        self._place = 0

    def number(self, width: int) -> int:
        end = self._place + width
        if end > len(self._bits):
            raise Unreadable
        read, self._place = int(self._bits[self._place : end], 2), end
        return read

    def letters(self, count: int) -> str:
        return "".join(chr(65 + self.number(6)) for _ in range(count))

    def chosen(self, width: int) -> frozenset[int]:
        """Numbers from 1 on whose bit is set."""
        return frozenset(place for place in range(1, width + 1) if self.number(1))

    def fibonacci(self) -> int:
        """A whole number in Fibonacci coding: sums of Fibonacci numbers, ended by two ones."""
        before, now, total, last = 1, 2, 0, 0
        values = [before, now]
        for place in range(40):
            bit = self.number(1)
            if bit and last:
                return total
            if place >= len(values):
                values.append(values[-1] + values[-2])
            total += values[place] if bit else 0
            last = bit
        raise Unreadable


_ALPHABET = {letter: place for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")}


def tcf(text: str) -> Tcf:
    """The core of a TCF 2 string; raises Unreadable. Segments behind the first full stop are about vendors and say nothing to us."""
    bits = _Bits(text.split(".", 1)[0])
    version = bits.number(6)
    if version != 2:
        raise Unreadable
    created, updated = bits.number(36), bits.number(36)
    cmp, _, _ = bits.number(12), bits.number(12), bits.number(6)
    language, _, policy = bits.letters(2), bits.number(12), bits.number(6)
    bits.number(2)  # specific to a service; unusual stacks
    bits.number(12)  # special features
    consented, legitimate = bits.chosen(24), bits.chosen(24)
    return Tcf(version, created, updated, cmp, language, policy, consented, legitimate)


def us_national(text: str) -> UsNational:
    """GPP's section for the United States; raises Unreadable."""
    core, *parts = text.split(".")
    bits = _Bits(core, six=True)
    if bits.number(6) != 1:
        raise Unreadable
    bits.number(12)  # six notices of two bits
    sale, sharing, targeted = bits.number(2), bits.number(2), bits.number(2)
    gpc: bool | None = None
    for part in parts:
        piece = _Bits(part, six=True)
        if piece.number(2) == 1:
            gpc = bool(piece.number(1))
    return UsNational(sale, sharing, targeted, gpc)


def us_national_of(text: str) -> UsNational | None:
    """The section for the United States of a whole GPP string, or a section by itself; None where the string has none."""
    header, *sections = text.split("~")
    if not sections:
        return us_national(text)
    place = {section: index for index, section in enumerate(_sections(header))}.get(_US_NATIONAL)
    if place is None or place >= len(sections):
        return None
    return us_national(sections[place])


def _sections(header: str) -> list[int]:
    """Which sections a GPP string has, in their order."""
    bits = _Bits(header, six=True)
    if bits.number(6) != _GPP_HEADER or bits.number(6) != 1:
        raise Unreadable
    found: list[int] = []
    last = 0
    for _ in range(bits.number(12)):
        if bits.number(1):
            first = last + bits.fibonacci()
            last = first + bits.fibonacci()
            if last - first > 64:
                raise Unreadable
            found += range(first, last + 1)
        else:
            last += bits.fibonacci()
            found.append(last)
    return found
