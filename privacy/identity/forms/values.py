"""Clear values made even before a family's own rule: what every recipient means by the same e-mail, telephone, name, day, country.

Promise: pure; columns in, columns out; null means absent going in and *cannot be used* coming out, so that a caller who compares both knows
what was refused; nothing is ever guessed into a value (an unknown gender is no man, 北京 is no empty city). Compatibility forms are folded
(NFKC) and invisible characters dropped first, because a digest of ｊａｎｅ and one of jane do not meet; this is our addition to the
recipients' rules and changes no value that their own rules describe. Usual shapes are handled as columns, unusual values once each.
Must never learn: a key, a person, a recipient's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.normalise import normalise

MAX_CHARACTERS: Final = 256
_INVISIBLE: Final = "[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]"
_BLANK: Final = r"[\s\p{Z}]"
_EMAIL: Final = (
    r"^[a-z0-9!#$%&'*+/=?^_{|}~`\-]+(?:\.[a-z0-9!#$%&'*+/=?^_{|}~`\-]+)*@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$"
)
_CN_MOBILE: Final = r"^\+861[3-9][0-9]{9}$"
_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_NO_DEVICE: Final = "00000000-0000-0000-0000-000000000000"
"""What a telephone answers whose owner wants no advertisement measured."""

_GENDERS: Final = {
    **dict.fromkeys(("f", "female", "woman", "女", "女性", "女士"), "f"),
    **dict.fromkeys(("m", "male", "man", "男", "男性", "先生"), "m"),
}
_COUNTRIES: Final = {"中国": "CN", "中华人民共和国": "CN", "china": "CN", "香港": "HK", "澳门": "MO", "台湾": "TW"}


def clean(values: pa.StringArray | pa.ChunkedArray) -> pa.StringArray:
    """One array, compatibility forms folded, invisible characters and blanks around gone; what is empty then is absent."""
    column = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    column = column.cast(pa.string())
    if not pc.all(pc.string_is_ascii(column)).as_py():
        column = pc.replace_substring_regex(pc.utf8_normalize(column, form="NFKC"), _INVISIBLE, "")
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.string()), column)


def matching(values: pa.StringArray, pattern: str) -> pa.StringArray:
    """What matches a pattern; null for the rest."""
    return pc.if_else(pc.match_substring_regex(values, pattern), values, pa.scalar(None, pa.string()))


def without_blanks(values: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(values, _BLANK, "")


def by_value(values: pa.StringArray, answer: Callable[[str], str | None], *, only: pa.BooleanArray | None = None) -> pa.StringArray:
    """The answer for each distinct value, asked once."""
    asked = values if only is None else pc.if_else(only, values, pa.scalar(None, pa.string()))
    encoded = pc.dictionary_encode(asked)
    answers = pa.array([answer(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pc.take(answers, encoded.indices)


def _with_the_rest(fast: pa.StringArray, values: pa.StringArray, answer: Callable[[str], str | None]) -> pa.StringArray:
    rest = pc.and_(pc.is_valid(values), pc.is_null(fast))
    return pc.coalesce(fast, by_value(values, answer, only=rest)) if pc.any(rest).as_py() else fast


# ── identifiers ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def emails(values: pa.StringArray) -> pa.StringArray:
    """What is an address after a family's own changes (RFC 5321's lengths; other scripts as UTF-8); null where it is none."""
    fast = matching(values, _EMAIL)
    short = pc.and_(pc.less_equal(pc.utf8_length(fast), 254), pc.less_equal(pc.find_substring(fast, "@"), 64))
    return _with_the_rest(pc.if_else(short, fast, pa.scalar(None, pa.string())), values, _any_email)


def _any_email(value: str) -> str | None:
    import email_validator

    if value.isascii() or len(value) > MAX_CHARACTERS:
        return None
    try:
        checked = email_validator.validate_email(value, check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError:
        return None
    return value if "." in checked.domain else None


def phones(values: pa.StringArray, region: str) -> pa.StringArray:
    """E.164 with its plus; a number without a country code belongs to `region`. Null for what is no valid number.

    Chinese numbers go through the vault's own rule, so that what it stored and what it is handed here are spelt alike.
    """
    if region == "CN":
        return normalise("phone", values, namespace="")[0]
    usual = matching(values, _CN_MOBILE)
    return _with_the_rest(usual, values, lambda value: _any_phone(value, region))


def _any_phone(value: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def chinese_mobiles(values: pa.StringArray) -> pa.StringArray:
    """The eleven digits of a mobile number of the mainland; null for every other number."""
    return pc.utf8_slice_codeunits(matching(phones(values, "CN"), _CN_MOBILE), 3)


def devices(values: pa.StringArray) -> pa.StringArray:
    """An advertising identifier in lower case; the one of zeros means that its owner wants none."""
    lower = matching(pc.utf8_lower(values), _UUID)
    return pc.if_else(pc.equal(lower, _NO_DEVICE), pa.scalar(None, pa.string()), lower)


# ── what stands beside them ────────────────────────────────────────────────────────────────────────────────────────────────────


def genders(values: pa.StringArray) -> pa.StringArray:
    """f or m, from the words that say so; null for any other word."""
    return _word(_GENDERS, pc.utf8_lower(values))


def days(values: pa.StringArray) -> pa.StringArray:
    """A day of the calendar as YYYY-MM-DD between 1900 and 2099; null for 30 February."""
    written = matching(values, r"^(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$")
    read = pc.strptime(written, format="%Y-%m-%d", unit="s", error_is_null=True)
    same = pc.equal(pc.strftime(read, format="%Y-%m-%d"), written)
    return pc.if_else(pc.fill_null(same, fill_value=False), written, pa.scalar(None, pa.string()))


def countries(values: pa.StringArray) -> pa.StringArray:
    """ISO 3166-1 in two capitals; null for what no telephone plan knows as a country."""
    import phonenumbers

    upper = pc.utf8_upper(values)
    known = pc.is_in(upper, value_set=pa.array(sorted(phonenumbers.SUPPORTED_REGIONS), pa.string()))
    return pc.coalesce(pc.if_else(known, upper, pa.scalar(None, pa.string())), _word(_COUNTRIES, pc.utf8_lower(values)))


def postcodes(values: pa.StringArray) -> pa.StringArray:
    """Letters, digits, single blanks and hyphens, three to ten."""
    return matching(values, r"^[0-9A-Za-z](?:[ \-]?[0-9A-Za-z]){2,9}$")


def _word(words: dict[str, str], values: pa.StringArray) -> pa.StringArray:
    return pc.take(pa.array(list(words.values()), pa.string()), pc.index_in(values, value_set=pa.array(list(words), pa.string())))
