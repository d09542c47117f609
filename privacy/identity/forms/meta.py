"""Meta Custom Audiences.

Rule (Meta's "Hashing and normalization"; wire.md 5.5): EMAIL trimmed and lower case, dots and +tag kept; PHONE digits with country code, no
plus, no leading zeros; GEN f or m; DOBY, DOBM, DOBD as four, two and two digits; LN and FN lower case without punctuation, every script kept
as UTF-8; FI the first letter; ST two letters in the United States, elsewhere lower case without blanks and punctuation; CT a to z only; ZIP
lower case without blanks, five digits in the United States; COUNTRY two lower-case letters. All are hashed (SHA-256) but EXTERN_ID and MADID.
Added by POST, removed by DELETE of the same payload, 10,000 rows a request. LOOKALIKE_VALUE is not offered: it would send what a person is worth.
Promise: pure; refuses and never empties; an unknown gender is no man.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms import names, places, values
from privacy.identity.forms.shape import Action, Choice, Form, Part


def phone(column: pa.StringArray, choice: Choice) -> pa.StringArray:
    """E.164 without its plus."""
    return pc.utf8_slice_codeunits(values.phones(column, choice.region), 1)


def _postcode(column: pa.StringArray, _: Choice) -> pa.StringArray:
    bare = pc.replace_substring(pc.utf8_lower(values.postcodes(column)), " ", "")
    return pc.replace_substring_regex(bare, r"^([0-9]{5})-[0-9]{4}$", r"\1")


def _date(start: int, stop: int) -> Any:
    return lambda column, _: pc.utf8_slice_codeunits(values.days(column), start, stop)


def body(table: pa.Table, action: Action, target: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of one request; an absent cell is an empty text, which Meta reads as absent."""
    columns = [pc.fill_null(column, "").to_pylist() for column in table.columns]
    return {"payload": {"schema": table.column_names, "data": [list(row) for row in zip(*columns, strict=True)]}}


FORM: Final = Form(
    family="meta",
    parts=(
        Part("EMAIL", "email", lambda column, _: values.emails(pc.utf8_lower(column)), "email_malformed"),
        Part("PHONE", "phone", phone, "phone_malformed"),
        Part("MADID", "device", lambda column, _: values.devices(column), "device_malformed", hashed=False),
        Part("EXTERN_ID", "pseudonym", lambda column, _: values.matching(column, "^[0-9a-f]{32}$"), "pseudonym_malformed", hashed=False),
        Part("GEN", "gender", lambda column, _: values.genders(column), "gender_unknown", identifies=False),
        Part("DOBY", "birth_date", _date(0, 4), "birth_date_malformed", identifies=False),
        Part("DOBM", "birth_date", _date(5, 7), "birth_date_malformed", identifies=False),
        Part("DOBD", "birth_date", _date(8, 10), "birth_date_malformed", identifies=False),
        Part("LN", "last_name", lambda column, _: names.unpunctuated(column), "name_malformed", identifies=False),
        Part("FN", "first_name", lambda column, _: names.unpunctuated(column), "name_malformed", identifies=False),
        Part("FI", "first_name", lambda column, _: names.initials(column), "name_malformed", identifies=False),
        Part("CT", "city", lambda column, _: places.roman(column), "city_not_roman", identifies=False),
        Part("ST", "state", lambda column, _: places.states(column), "state_not_roman", identifies=False),
        Part("ZIP", "postcode", _postcode, "postcode_malformed", identifies=False),
        Part("COUNTRY", "country", lambda column, _: pc.utf8_lower(values.countries(column)), "country_unknown", identifies=False),
    ),
    file="json",
    batch=10_000,
    smallest=100,
    abroad=True,
    words={Action.ADD: "POST", Action.REMOVE: "DELETE"},
    body=body,
)
