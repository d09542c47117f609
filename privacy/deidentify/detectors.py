"""Where direct identifiers stand in a plain text, and what kind each is.

Promise: each detector answers spans of a plain text (see `characters`); nothing is kept. The strict set is for values that should be
codes and words of a list; the wide set is for free text and prefers to take too much. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from privacy.deidentify import checks

Span = tuple[int, int, str]
"""Start, end, kind."""

_S = r"[\s\-.·•_/()（）]{0,3}"
_BREAK = r"(?:[ \t\r]?\n[ \t]?)?"
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_EMAIL_WIDE = re.compile(
    r"[\w.%+'-]{1,64}\s{0,2}(?:@|[(\[]\s?(?:at|AT|艾特)\s?[)\]]|\sat\s|艾特)\s{0,2}"
    r"(?:[\w-]{1,63}\s?(?:[.。]|[(\[]\s?(?:dot|DOT|点)\s?[)\]]|\sdot\s|点)\s?){1,8}[A-Za-z]{2,24}"
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Za-z:])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,40}")
_ID18 = re.compile(r"(?<!\d)(?=([1-9](?:[\s.\-]{0,2}\d){16}[\s.\-]{0,2}[0-9Xx])(?!\d))")
_GROUPS = re.compile(r"\d+")
_CARD_GROUPS = re.compile(r"(?:1[2-9]|4(?: 4){2}(?: [1-4]){1,2}|4 6 [45]|1(?: 1){11,18})\Z")
"""Lengths of the groups in which a card's digits are written beside other numbers."""
_USCC = re.compile(r"(?<![0-9A-Za-z])[1-9AHNY][1-9A-GY]\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<!\d)\d(?:[\s.\-]{0,2}\d){11,18}(?!\d)")
_IMEI = re.compile(r"(?<!\d)(?:35|86|01|99)\d{13}(?!\d)")
_SSN = re.compile(r"(?<![\d-])(?!000|666)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
_MOBILE = re.compile(rf"(?<!\d)(?:(?:\+|00)?\s?\(?\+?86\)?{_S}|0)?\(?1{_S}[3-9](?:{_S}\d){{9}}(?!\d)")
_LANDLINE = re.compile(
    rf"(?<!\d)(?:(?:\+|00)?\s?\(?86\)?{_S})?\(?(?:0(?:10|2\d|[3-9]\d{{2}})|(?<=86)(?:10|2\d|[3-9]\d{{2}}))\)?{_S}"
    rf"[2-9](?:{_BREAK}\d){{2,3}}{_S}\d(?:{_BREAK}\d){{3}}"
    r"(?:\s?(?:转|ext\.?|x)\s?\d{1,6})?(?!\d)"
)
_ABROAD = re.compile(r"(?<![\d+])(?:\+|00)(?=[1-9])\d{1,3}(?:[\s\-.()/]{0,3}\d){6,12}(?!\d)")
_NANP = re.compile(
    r"(?<!\d)(?:\+?1[\s.\-]{0,2})?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[-. ])[2-9]\d{2}[-. ]\d{4}(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\d)"
)
_GROUPED = re.compile(r"(?<![\d-])\(?\d{2,4}\)?[ -]\d{3}[ -]\d{3,4}(?![\d-])")
_TRUNK = re.compile(r"(?<![\d.,/:\-])0\d{1,4}[ \-]\d{2,4}(?:[ \-]\d{2,4}){1,3}(?![\d:.]*\d)")
"""Groups behind a trunk zero, as most of Europe writes them."""
_PAIRS = re.compile(r"(?<![\d.,/:\-])\d{2}(?:([ \-.])\d{2})(?:\1\d{2}){2,3}(?![\-\d])")
_APART = re.compile(r"(?<!\d)\d(?:[\s.\-·•]{1,3}\d(?!\d)){6,24}")
"""Digits that each stand alone: nobody writes an amount like that."""
_DIGITS = re.compile(r"\D+")
_ANY_PHONE = re.compile(r"\d(?:[^\dA-Za-z\u4e00-\u9fff]{0,3}\d){6}")


_ZONE = re.compile(r"\d(?:[\s\-.·•_/()（）+]{0,4}\d){6,}")
_AT = re.compile(r"@|艾特|[(\[\s](?:at|AT)[)\]\s]")
_BEFORE, _AFTER = 8, 16
"""Around a zone of digits: room for a country code or bracket before it, and for an X, letters or an extension after it."""


def strict(text: str) -> Iterator[Span]:
    """Identifiers that are certain by form or check digit."""
    if _AT.search(text):
        yield from ((*m.span(), "email") for m in _EMAIL_WIDE.finditer(text) if _looks_mail(m[0]))
    yield from _bank_accounts(text)
    for zone in _zones(text):
        yield from _checked(text, zone, rare=False)
        yield from ((*m.span(), "phone") for m in _in(zone, _MOBILE, text))
        yield from ((*m.span(), "phone") for m in _in(zone, _LANDLINE, text) if not m[0].isdigit())
        yield from ((*m.span(), "phone") for m in _in(zone, _ABROAD, text) if m[0][0] == "+")


def wide(text: str) -> Iterator[Span]:
    """Everything that may be an identifier in free text, the most certain first."""
    if _AT.search(text):
        yield from ((*m.span(), "email") for m in _EMAIL.finditer(text))
        yield from ((*m.span(), "email") for m in _EMAIL_WIDE.finditer(text) if _looks_mail(m[0]))
    if text.count(":") > 1:
        yield from ((*m.span(), "ip") for m in _IPV6.finditer(text) if m[0].count(":") > 1 and checks.ip(m[0].strip()))
    if text.count(".") > 2:
        yield from ((*m.span(), "ip") for m in _IPV4.finditer(text) if checks.ip(_octets(m[0])))
    yield from _bank_accounts(text)
    for zone in _zones(text):
        yield from _checked(text, zone, rare=True)
        yield from ((*m.span(), "device") for m in _in(zone, _IMEI, text) if checks.luhn(m[0]))
        yield from ((*m.span(), "id") for m in _in(zone, _SSN, text))
        for pattern in (_MOBILE, _LANDLINE, _ABROAD, _NANP, _GROUPED, _TRUNK, _PAIRS, _APART):
            yield from ((*m.span(), "phone") for m in _in(zone, pattern, text))


def _looks_mail(found: str) -> bool:
    """`look at me dot com` is an address, `meet at the shop. It` is not."""
    return "@" in found or "艾特" in found or bool(re.search(r"[(\[]|\sdot\s", found))


Zone = tuple[int, int]


def _zones(text: str) -> Iterator[Zone]:
    """Where seven digits stand near each other: nothing numeric can begin elsewhere, so that the patterns need not walk the rest."""
    return (found.span() for found in _ZONE.finditer(text))


def _in(zone: Zone, pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that begin in the zone. No pattern crosses the gap between two zones, so the cut behind this one hides no digit."""
    start, end = zone
    return (m for m in pattern.finditer(text, max(0, start - _BEFORE), min(len(text), end + _AFTER)) if m.start() < end)


def _bank_accounts(text: str) -> Iterator[Span]:
    for m in _IBAN.finditer(text):
        if length := checks.iban(m[0]):
            yield m.start(), m.start() + length, "bank_account"


def _checked(text: str, zone: Zone, *, rare: bool) -> Iterator[Span]:
    yield from ((*m.span(1), "id") for m in _in(zone, _ID18, text) if checks.resident_id(_compact(m[1])))
    yield from ((*m.span(), "company") for m in _in(zone, _USCC, text) if checks.uscc(m[0]))
    yield from ((*m.span(), "card") for m in _in(zone, _CARD, text) if checks.card(_DIGITS.sub("", m[0]), rare=rare))
    yield from ((*span, "card") for span in _grouped_cards(text, zone))


def _grouped_cards(text: str, zone: Zone) -> Iterator[tuple[int, int]]:
    """Cards between other numbers, from which only their grouping sets them apart."""
    groups = [m.span() for m in _GROUPS.finditer(text, *zone)]
    if len(groups) < 2:
        return
    for first in range(len(groups)):
        for last in range(first, min(first + 19, len(groups))):
            if last > first and groups[last][0] - groups[last - 1][1] > 2:
                break
            part = groups[first : last + 1]
            if _CARD_GROUPS.match(" ".join(str(end - start) for start, end in part)):
                digits = "".join(text[start:end] for start, end in part)
                if checks.card(digits):
                    yield part[0][0], part[-1][1]


def numbered_elsewhere(text: str) -> Iterator[Span]:
    """What the metadata of phone numbers finds beyond the patterns: for texts that still hold seven digits near each other.

    A bare run of digits without trunk prefix is more often an order than a landline, so it is left to the patterns.
    """
    if _ANY_PHONE.search(text):
        for match in phonenumbers.PhoneNumberMatcher(text, "CN", phonenumbers.Leniency.VALID):
            if not match.raw_string.isdigit() or match.raw_string.startswith("0"):
                yield match.start, match.end, "phone"


def _compact(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text)


def _octets(text: str) -> str:
    return ".".join(str(int(part)) for part in text.split("."))
