"""TikTok Custom Audiences.

Rule (TikTok's "List of supported IDs"; wire.md 5.5): e-mail lower case, the plus and everything up to the @ removed, dots kept; telephone
digits only with country code (also in the United States), no plus, no leading zeros; advertising identifiers in one case throughout. All are
hashed (SHA-256). The file's headers are Email_SHA256, Phone_SHA256, MAID_SHA256; the interface maps the same ids to audiences with the action
"add" or "delete". Below 1,000 people nothing is delivered. Promise: pure; refuses and never empties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms import values
from privacy.identity.forms.meta import phone
from privacy.identity.forms.shape import Action, Choice, Form, Part

_SCHEMA: Final = {"Email_SHA256": "EMAIL_SHA256", "Phone_SHA256": "PHONE_SHA256"}
"""The interface's names of the file's columns; a MAID's name there depends on whose it is, so it leaves by file only."""


def email(column: pa.StringArray, _: Choice) -> pa.StringArray:
    """Lower case, from the first plus to the @ removed."""
    return values.emails(pc.replace_substring_regex(pc.utf8_lower(column), r"\+[^@]*@", "@"))


def body(table: pa.Table, action: Action, target: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping request; `target` holds advertiser_ids and audience_ids. An absent identifier is an empty object, in its column's place."""
    headers = [header for header in _SCHEMA if header in table.column_names]
    columns = [table[header].to_pylist() for header in headers]
    audiences = list(target["audience_ids"])
    return {
        "advertiser_ids": list(target["advertiser_ids"]),
        "action": "add" if action is Action.ADD else "delete",
        "id_schema": [_SCHEMA[header] for header in headers],
        "batch_data": [[{"id": value, "audience_ids": audiences} if value else {} for value in row] for row in zip(*columns, strict=True)],
    }


FORM: Final = Form(
    family="tiktok",
    parts=(
        Part("Email_SHA256", "email", email, "email_malformed"),
        Part("Phone_SHA256", "phone", phone, "phone_malformed"),
        Part("MAID_SHA256", "device", lambda column, _: values.devices(column), "device_malformed"),
    ),
    file="csv",
    batch=10_000,
    smallest=1_000,
    abroad=True,
    words={Action.ADD: "add", Action.REMOVE: "delete"},
    body=body,
)
