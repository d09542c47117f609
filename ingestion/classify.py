"""What the values of one column are: an identifier, a time, a number, a word of a list, free text.

Promise: pure and without memory of values; what leaves are shares, formats and shapes ("A9" patterns), never a value. Which values are
identifiers of a kind is said by a recogniser that is handed in. A guess says how sure it is and why; it decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

Recognise = Callable[[str, Sequence[str]], Sequence[bool]]
"""Which of these values are identifiers of a kind: phone, email, national_id, card (payment), ip."""

ENOUGH = 0.85
"""Share of values that have to be of a kind: tables have dirty rows."""
SHAPES = 3
PROBED = 5
"""Values of which one at least has to be a date in a format, before the others are tried."""
_SHAPE_LENGTH = 48

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%Y年%m月%d日", "%d-%m-%Y")
_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", " %I:%M:%S %p", " %I:%M %p")
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)", re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,14}\.\d{1,8}", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d{1,3}(?:\.?\d{3})*,\d{1,4}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_PLATFORM = re.compile(r"o[A-Za-z0-9_-]{27,28}", re.ASCII)
_BOOLEAN = {"true", "false", "yes", "no", "y", "n", "t", "f", "是", "否", "0", "1"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column's values are. `share` is how many are; `form` a date's format (None: ISO); `zoned` whether times tell their zone."""

    name: str
    share: float
    form: str | None = None
    zoned: bool = False
    fraction: bool = False
    note: str | None = None


def kind_of(values: Sequence[str], recognise: Recognise) -> Kind:
    """The kind of a column's filled values."""
    if not values:
        return Kind("empty", 0.0)
    return _identifier(values, recognise) or _moment(values) or _number(values) or _words(values)


def shapes(values: Sequence[str]) -> list[str]:
    """The most frequent shapes: digits as 9, letters as A or a, characters as 字, runs with their length."""
    counted = Counter(map(shape, values))
    return [one for one, _ in counted.most_common(SHAPES)]


def shape(value: str) -> str:
    """The shape of one value. Nothing of the value but its pattern is in it."""
    drawn = "".join(mark if (length := len(list(run))) == 1 else f"{mark}{{{length}}}" for mark, run in groupby(map(_mark, value[:400])))
    return drawn if len(drawn) <= _SHAPE_LENGTH else drawn[:_SHAPE_LENGTH] + "…"


def _mark(one: str) -> str:
    if one.isdigit():
        return "9"
    if one.isascii():
        if one.isalpha():
            return "A" if one.isupper() else "a"
        return one if one in " .,-_/:@+#()" else "*"
    if "\u4e00" <= one <= "\u9fff":
        return "字"
    return "x" if one.isalpha() else "*"


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)


def _identifier(values: Sequence[str], recognise: Recognise) -> Kind | None:
    """The most certain kinds first: a check digit says more than a pattern."""
    for kind in ("national_id", "card", "email", "phone", "ip"):
        share = _share(recognise(kind, values))
        if share >= ENOUGH:
            return Kind(kind, share)
    for kind, pattern in (("uuid", _UUID), ("openid", _PLATFORM)):
        share = _share([pattern.fullmatch(value) is not None for value in values])
        if share >= ENOUGH:
            return Kind(kind, share)
    return None


def _moment(values: Sequence[str]) -> Kind | None:
    zoned = _share([_ZONED.fullmatch(value) is not None for value in values])
    if zoned >= ENOUGH:
        return Kind("instant", zoned, zoned=True)
    iso = _share([_ISO.fullmatch(value) is not None and _iso(value) for value in values])
    if iso >= ENOUGH:
        return Kind("instant" if any(len(value) > 10 for value in values) else "date", iso)
    if not any(any(one.isdigit() for one in value) for value in values[:PROBED]):
        return None
    best: Kind | None = None
    others: list[str] = []
    for form in (day + time for day in _DATES for time in _TIMES):
        if form == "%Y%m%d" and any(not "19000101" <= value <= "21001231" for value in values):
            continue
        if not any(_reads(value, form) for value in values[:PROBED]):
            continue
        share = _share([_reads(value, form) for value in values])
        if share >= ENOUGH:
            others.append(form)
            if best is None or share > best.share:
                best = Kind("instant" if "%H" in form or "%I" in form else "date", share, form=form)
    if best is None:
        return _epoch(values)
    swapped = {form for form in others if form.startswith(("%d/%m", "%m/%d"))}
    note = "day_and_month_ambiguous" if len(swapped) > 1 else None
    return Kind(best.name, best.share, form=best.form, note=note)


def _iso(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _reads(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 (only whether it can be read)
    except ValueError:
        return False
    return True


def _epoch(values: Sequence[str]) -> Kind | None:
    """Counts since 1970 that fall between 2000 and 2100; a column of plain numbers rarely does as a whole."""
    for form, low, high in (("epoch_s", 946_684_800, 4_102_444_800), ("epoch_ms", 946_684_800_000, 4_102_444_800_000)):
        share = _share([_WHOLE.fullmatch(value) is not None and low <= int(value) <= high for value in values])
        if share >= ENOUGH:
            return Kind("instant", share, form=form, zoned=True, note="counts_since_1970")
    return None


def _number(values: Sequence[str]) -> Kind | None:
    whole = [_WHOLE.fullmatch(value) is not None for value in values]
    decimal = [_DECIMAL.fullmatch(value) is not None for value in values]
    share = _share([one or other for one, other in zip(whole, decimal, strict=True)])
    if share >= ENOUGH:
        if set(values) <= {"0", "1"}:
            return Kind("bool", share)
        if any(value.startswith("0") and len(value) > 1 for value in values) and not any(decimal):
            return Kind("code", share, note="leading_zeros")
        return Kind("decimal" if any(decimal) else "int", share, fraction=any(decimal))
    grouped = _share([one or _GROUPED.fullmatch(value) is not None for one, value in zip(whole, values, strict=True)])
    if grouped >= ENOUGH:
        return Kind("decimal", grouped, note="thousands_separators")
    comma = _share([one or _COMMA.fullmatch(value) is not None for one, value in zip(whole, values, strict=True)])
    return Kind("decimal", comma, note="decimal_comma") if comma >= ENOUGH else None


def _words(values: Sequence[str]) -> Kind:
    lowered = {value.lower() for value in values}
    if lowered <= _BOOLEAN:
        return Kind("bool", 1.0)
    lengths = sorted(map(len, values))
    if lengths[len(lengths) * 9 // 10] > 30 or _share([" " in value.strip() or "，" in value for value in values]) > 0.5:
        return Kind("text", 1.0)
    if len(lowered) <= 20 and len(values) >= 3 * len(lowered):
        return Kind("word", 1.0)
    return Kind("code", 1.0)
