"""One plain form of a text for detection, with the way back to the original characters.

Promise: width, circles, foreign digits, invisible characters, spelled-out Chinese numerals and written-out line breaks make no difference
to the detectors, and every span found maps back to the text as it was written. Pure; keeps no text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SPELLED = {
    "0": "〇零洞",
    "1": "一壹幺",
    "2": "二贰两",
    "3": "三叁",
    "4": "四肆",
    "5": "五伍",
    "6": "六陆",
    "7": "七柒拐",
    "8": "八捌",
    "9": "九玖勾",
}
NUMERALS = {numeral: digit for digit, numerals in _SPELLED.items() for numeral in numerals}
_N = "".join(NUMERALS)
_RUN = re.compile(rf"[{_N}0-9](?:[ \t\r\n.·_-]{{0,2}}[{_N}0-9]){{6,}}")
_SPELT = re.compile(rf"[{_N}]")
_UNEVEN = re.compile(r"[^\x00-\x7f\u4e00-\u9fff\u3000-\u3029\uff01-\uff5e]")
"""Outside these ranges a character's plain form may be longer or shorter than one character."""
_BREAK = re.compile(r"\\+[nrt]")
"""A line break or tab as JSON and source code write it."""
_TO_DIGITS = str.maketrans(NUMERALS)


@dataclass(frozen=True, slots=True)
class Plain:
    """`text` is the plain form; `origin[i]` is where its i-th character stood and the last one where the text ended.

    It is None where positions are unchanged.
    """

    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a plain span, with what is invisible behind it."""
        if self.origin is None:
            return start, end
        return self.origin[start], max(self.origin[end - 1] + 1, self.origin[end])


class _Table(dict[int, str]):
    """The plain form of each character, worked out the first time it is met."""

    def __missing__(self, point: int) -> str:
        self[point] = form = _plain_character(chr(point))
        return form


def _plain_character(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):
        return ""
    if category == "Zs":
        return " "
    return unicodedata.normalize("NFKC", character)


_TABLE = _Table()


def plain(text: str) -> Plain:
    """The plain form of a text."""
    origin: list[int] | None = None
    if "\\" in text and _BREAK.search(text):
        text, origin = _broken(text)
    if not text.isascii():
        if _UNEVEN.search(text):
            forms = [_TABLE[ord(c)] for c in text]
            places = origin or range(len(text) + 1)
            origin = [*(places[i] for i, form in enumerate(forms) for _ in form), places[-1]]
            text = "".join(forms)
        else:
            text = text.translate(_TABLE)
        if _SPELT.search(text):
            text = _RUN.sub(lambda run: run[0].translate(_TO_DIGITS), text)
    return Plain(text, origin)


def _broken(text: str) -> tuple[str, list[int]]:
    """A text whose written-out line breaks are line breaks, and its way back."""
    parts: list[str] = []
    origin: list[int] = []
    end = 0
    for found in _BREAK.finditer(text):
        parts += [text[end : found.start()], "\n"]
        origin += range(end, found.start() + 1)
        end = found.end()
    return "".join([*parts, text[end:]]), [*origin, *range(end, len(text) + 1)]
