"""One spelling for each identifier, so that the same person is found again whatever keyboard wrote it.

Promise: pure; equal identifiers in different dress become equal text, different ones stay different; what is no identifier of its type
is reported as bad and never guessed at; values that stand for nobody (0000, null, anonymous…) become absent and never link. The usual
shapes are handled as columns; only unusual values, each once, go through the slow and thorough libraries.
Must never learn: a key, a person, a database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.vocabulary import ALIAS, NAMESPACED_TYPES, IdentifierType

SEPARATOR: Final = "\x1f"
"""Stands between a namespace and a value; no value can contain it, because control characters are bad."""

MAX_LENGTH: Final = 256
"""Characters. Longer than any identifier of any type; an e-mail address may have 254."""

BLOCKED: Final = frozenset(
    {
        "", "-", "--", "?", ".", "null", "(null)", "none", "nil", "nan", "na", "n/a", "n.a.", "anonymous", "anon", "undefined", "unknown", "guest",
        "test", "tester", "testing", "default", "empty", "blank", "false", "true", "no", "not available", "not provided", "visitor", "user",
        "匿名", "未知", "无", "空", "游客", "散客", "测试", "00000000-0000-0000-0000-000000000000",
        "9774d56d682e549c",  # an Android ID that a whole series of devices shared
        "test@test.com", "test@test.cn", "test@example.com", "a@a.com", "noemail@noemail.com", "no@email.com", "example@example.com",
    }
)  # fmt: skip
"""Compared in lower case and without spaces at the ends."""

_BLOCKED_SHAPE: Final = (
    "^(?:"
    + "|".join(rf"{digit}{{6,}}" for digit in "123456789")
    + r"|0+|x{3,}|test[ _-]?\d*|(?:null|none|nil|undefined|unknown|anonymous|noemail|n/a)@.*)$"
)
"""Zeros, one digit six times and more, crosses, numbered tests, addresses of nobody."""

_SEPARATORS: Final = r"[\s\-‐‑‒–—−().·/]"
_CN_MOBILE: Final = r"^(?:(?:\+|00)?86)?1[3-9][0-9]{9}$"
_EMAIL: Final = r"^[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$"
_CARD: Final = r"^[A-Z0-9]{3,32}$"
_PLATFORM_ID: Final = r"^[A-Za-z0-9_\-]{6,64}$"
_PRINTABLE: Final = r"^[!-~](?:[ -~]*[!-~])?$"
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")


def normalise(type_: str, values: pa.StringArray, *, namespace: str) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Normalised values (null where absent, blocked or bad) and which of them are bad.

    Types of `NAMESPACED_TYPES` get the source's namespace in front. Whole columns go in and come out, in their order.
    """
    kind = IdentifierType.CUSTOMER_NO if type_ == ALIAS else IdentifierType(type_)
    column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    text = pc.utf8_trim_whitespace(column)
    text = pc.if_else(_blocked(text), pa.scalar(None, pa.string()), text)
    normal = _FAST[kind](text)
    rest = pc.and_(pc.is_valid(text), pc.is_null(normal))
    bad = rest
    if pc.any(rest).as_py():
        normal, bad = _slowly(kind, text, normal, rest)
    if kind in NAMESPACED_TYPES:
        normal = pc.binary_join_element_wise(pa.scalar(namespace), normal, SEPARATOR)
    return normal, bad


def _blocked(text: pa.StringArray) -> pa.BooleanArray:
    lower = pc.utf8_lower(text)
    known = pc.is_in(lower, value_set=pa.array(sorted(BLOCKED), pa.string()))
    return pc.or_(known, pc.fill_null(pc.match_substring_regex(lower, _BLOCKED_SHAPE), fill_value=False))


def _slowly(
    kind: IdentifierType, text: pa.StringArray, normal: pa.StringArray, rest: pa.BooleanArray
) -> tuple[pa.StringArray, pa.BooleanArray]:
    """Each unusual value once: cleaned, tried again by the fast rule, then by the library of its type."""
    unusual = pc.dictionary_encode(pc.if_else(rest, text, pa.scalar(None, pa.string())))
    cleaned = pa.array([_clean(value) for value in unusual.dictionary.to_pylist()], pa.string())
    blocked = _blocked(cleaned)
    again = _FAST[kind](cleaned)
    thorough = _THOROUGH.get(kind)
    answers: list[str | None] = again.to_pylist()
    if thorough is not None:
        answers = [thorough(value) if answer is None else answer for value, answer in zip(cleaned.to_pylist(), answers, strict=True)]
    found = pc.if_else(blocked, pa.scalar(None, pa.string()), pa.array(answers, pa.string()))
    failed = pc.and_(pc.invert(blocked), pc.is_null(found))
    spread = pc.take(found, unusual.indices)
    return pc.coalesce(normal, spread), pc.fill_null(pc.take(failed, unusual.indices), fill_value=False)


def _clean(value: str) -> str:
    """Compatibility forms folded, invisible characters gone, every Unicode digit an ASCII one."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", value[: MAX_LENGTH * 2]))
    return "".join(_digit(one) for one in folded).strip() if len(value) <= MAX_LENGTH * 2 else value


@cache
def _digit(one: str) -> str:
    if one.isascii():
        return one
    value = unicodedata.digit(one, None)
    return one if value is None else str(value)


def _matching(text: pa.StringArray, pattern: str) -> pa.StringArray:
    return pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string()))


# ── the usual shapes, as columns ───────────────────────────────────────────────────────────────────────────────────────────────


def _phone(text: pa.StringArray) -> pa.StringArray:
    bare = _matching(pc.replace_substring_regex(text, _SEPARATORS, ""), _CN_MOBILE)
    return pc.binary_join_element_wise(pa.scalar("+86"), pc.utf8_slice_codeunits(bare, -11), "")


def _email(text: pa.StringArray) -> pa.StringArray:
    lower = _matching(pc.utf8_lower(text), _EMAIL)
    short = pc.and_(pc.less_equal(pc.utf8_length(lower), 254), pc.less_equal(pc.find_substring(lower, "@"), 64))
    return pc.if_else(short, lower, pa.scalar(None, pa.string()))


def _member_card(text: pa.StringArray) -> pa.StringArray:
    return _matching(pc.utf8_upper(pc.replace_substring_regex(text, r"[ \-]", "")), _CARD)


def _platform_id(text: pa.StringArray) -> pa.StringArray:
    return _matching(text, _PLATFORM_ID)


def _own_id(text: pa.StringArray) -> pa.StringArray:
    return _printable(text)


def _device(text: pa.StringArray) -> pa.StringArray:
    return pc.utf8_lower(_printable(text))


def _printable(text: pa.StringArray) -> pa.StringArray:
    """Printable ASCII of a bounded length; the bound stands beside the pattern, because in it the pattern would cost half a millisecond."""
    return pc.if_else(pc.less_equal(pc.binary_length(text), MAX_LENGTH), _matching(text, _PRINTABLE), pa.scalar(None, pa.string()))


def _nothing(text: pa.StringArray) -> pa.StringArray:
    return pa.nulls(len(text), pa.string())


_FAST: Final[dict[IdentifierType, Callable[[pa.StringArray], pa.StringArray]]] = {
    IdentifierType.PHONE: _phone,
    IdentifierType.EMAIL: _email,
    IdentifierType.MEMBER_CARD: _member_card,
    IdentifierType.NATIONAL_ID: _nothing,
    IdentifierType.UNIONID: _platform_id,
    IdentifierType.OPENID: _platform_id,
    IdentifierType.CUSTOMER_NO: _own_id,
    IdentifierType.COOKIE: _own_id,
    IdentifierType.DEVICE: _device,
}


# ── unusual values, one at a time ──────────────────────────────────────────────────────────────────────────────────────────────


def _any_phone(value: str) -> str | None:
    """E.164 of any valid number of the world; without a country code it is a Chinese one."""
    import phonenumbers

    try:
        number = phonenumbers.parse(value, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _any_email(value: str) -> str | None:
    """Addresses with quotes, other scripts or international domains; the domain's existence is not asked for."""
    import email_validator

    try:
        checked = email_validator.validate_email(value, check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError:
        return None
    short = len(checked.local_part) <= 64 and len(checked.normalized) <= 254
    return checked.normalized.lower() if short and "." in checked.domain else None


def _resident_id(value: str) -> str | None:
    """Eighteen places with a right region, birth date and checksum (GB 11643)."""
    from stdnum.cn import ric

    compact = re.sub(r"[ \-]", "", value).upper()
    return compact if len(compact) == 18 and ric.is_valid(compact) else None


def _foreign_card(value: str) -> str | None:
    """A card number in another script: kept if it is short and printable."""
    compact = re.sub(r"[ \-]", "", value).upper()
    return compact if 3 <= len(compact) <= 64 and compact.isprintable() else None


def _other_script(value: str) -> str | None:
    return value if 0 < len(value) <= MAX_LENGTH and value.isprintable() else None


_THOROUGH: Final[dict[IdentifierType, Callable[[str], str | None]]] = {
    IdentifierType.PHONE: _any_phone,
    IdentifierType.EMAIL: _any_email,
    IdentifierType.MEMBER_CARD: _foreign_card,
    IdentifierType.NATIONAL_ID: _resident_id,
    IdentifierType.CUSTOMER_NO: _other_script,
    IdentifierType.COOKIE: _other_script,
    IdentifierType.DEVICE: lambda value: _other_script(value.lower()),
}
