"""Check digits and ranges that tell an identifier from any other run of characters.

Promise: exact arithmetic, no guesses; a value is looked at and forgotten. Pure.
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ISSUERS = re.compile(
    r"3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|(?:2131|1800)\d{11}|4\d{15}|4\d{18}|35\d{14}"
    r"|(?:5[1-5]|2[2-7])\d{14}|6\d{15,18}|81\d{14,17}|9\d{15,18}"
)
_RARE_ISSUERS = re.compile(r"4\d{12}|(?:5018|5020|5038|5[6-8]\d\d|6304|6759|676[1-3])\d{8,15}|3528\d{8,11}|5[1-5]\d{11,13}")


def luhn(digits: str) -> bool:
    """The check digit of cards and IMEI (ISO/IEC 7812)."""
    total = sum(int(d) for d in digits[-1::-2])
    total += sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return total % 10 == 0 and len(set(digits)) > 1


def card(digits: str, *, rare: bool = False) -> bool:
    """A payment card: an issuer's prefix and length, and the check digit. `rare` also takes the short and old kinds."""
    known = _ISSUERS.fullmatch(digits) or (rare and _RARE_ISSUERS.fullmatch(digits))
    return bool(known) and luhn(digits)


def resident_id(text: str) -> bool:
    """A Chinese resident ID of 18 characters: region, a possible date and the check character (GB 11643)."""
    if not re.fullmatch(r"[1-9]\d{16}[0-9Xx]", text):
        return False
    total = sum(w * int(d) for w, d in zip(_ID_WEIGHTS, text[:17], strict=True))
    return "10X98765432"[total % 11] == text[17].upper() and _day(text[6:14])


def old_resident_id(text: str) -> bool:
    """A resident ID of 15 digits: region, a possible date of the twentieth century, no check character."""
    return bool(re.fullmatch(r"[1-8]\d{14}", text)) and _day("19" + text[6:12])


_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(text: str) -> bool:
    """A Chinese unified social credit code of 18 characters with its check character (GB 32100); traders who are one person have one, too."""
    values = [_CREDIT_ALPHABET.find(c) for c in text.upper()]
    if len(values) != 18 or min(values) < 0 or text.isdigit():
        return False
    return (31 - sum(w * v for w, v in zip(_CREDIT_WEIGHTS, values[:17], strict=True)) % 31) % 31 == values[17]


def _day(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1900
    except ValueError:
        return False


_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD FK", 19: "MK SI MN", 20: "AT BA EE KZ XK LT LU", 21: "HR LV LI CH",
        22: "BH BG CR GE DE IE ME RS GB VA", 23: "TL GI IQ IL OM AE SO", 24: "AD CZ MD PK RO SA SK ES SE TN VG DZ", 25: "LY PT ST",
        26: "IS TR", 27: "FR GR IT MR MC SM BI DJ", 28: "AL AZ BY CY DO SV GT HU LB NI PL", 29: "BR EG PS QA UA", 30: "JO KW MU YE",
        31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""Length of an account number by country (ISO 13616)."""


def iban(text: str) -> int:
    """How many characters of the text, from its beginning, are an international bank account number: 0 if none is there."""
    length = _IBAN_LENGTHS.get(text[:2].upper(), 0)
    places = [i for i, c in enumerate(text) if c.isalnum()][:length]
    compact = "".join(text[i] for i in places).upper()
    if not length or not re.fullmatch(rf"[A-Z]{{2}}[0-9]{{2}}[A-Z0-9]{{{length - 4}}}", compact):
        return 0
    ends = places[-1] + 1
    if ends < len(text) and text[ends].isalnum():
        return 0
    return ends if int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1 else 0


def ip(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
