"""Cells that no spreadsheet runs: the one rule by which every file for people's eyes is written, a page's and a recipient's alike.

Promise: a text that a spreadsheet could take for a formula gets an apostrophe in front, which spreadsheets read as "this is text"; a plain
number keeps its sign; nothing else is changed, so that whoever takes the apostrophe away has the value again. The first signs are those of
OWASP's page on CSV injection (CWE-1236), with the full-width ones that East Asian versions read as their ASCII twins, a line feed and a zero
byte. Pure; learns nothing of what the cells mean.
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
"""A text that begins so is guarded."""

_PLAIN_NUMBER: Final = r"^-?[0-9]+(?:\.[0-9]+)?$"
_NUMBER: Final = re.compile(_PLAIN_NUMBER.removesuffix("$") + r"\Z")
_BEGINS: Final = "^[" + "".join(re.escape(sign) for sign in FORMULA if sign != "\0") + r"\x00]"


def safe(text: str) -> str:
    """One cell."""
    return "'" + text if text.startswith(FORMULA) and not _NUMBER.match(text) else text


def safe_column(texts: pa.StringArray) -> pa.StringArray:
    """A column of cells; absent stays absent."""
    guarded = pc.and_not(pc.match_substring_regex(texts, _BEGINS), pc.match_substring_regex(texts, _PLAIN_NUMBER))
    if not pc.any(guarded).as_py():
        return texts
    return pc.if_else(guarded, pc.binary_join_element_wise(pa.scalar("'"), texts, ""), texts)
