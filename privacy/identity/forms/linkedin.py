"""LinkedIn Matched Audiences.

Rule (LinkedIn's "DMP segments: users"; wire.md 5.5): e-mail without blanks, lower case, SHA-256 or SHA-512; Android's advertising identifier;
no telephone. LinkedIn also takes first name, last name, title, company and country in clear: these are refused by name, whoever asks.
5,000 elements a request with the action ADD or REMOVE; below 300 people nothing is delivered. Promise: pure; refuses and never empties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy.identity.forms import values
from privacy.identity.forms.digests import SHA256, SHA512
from privacy.identity.forms.shape import Action, Choice, Form, Part

HEADERS: Final = {"X-Restli-Protocol-Version": "2.0.0", "X-RestLi-Method": "BATCH_CREATE"}


def email(column: pa.StringArray, _: Choice) -> pa.StringArray:
    """Blanks gone, lower case."""
    return values.emails(pc.utf8_lower(values.without_blanks(column)))


def body(table: pa.Table, action: Action, target: Mapping[str, Any]) -> dict[str, Any]:
    """One batch of elements; the digest's length says which it is."""
    return {"elements": [{"action": "ADD" if action is Action.ADD else "REMOVE", "userIds": _ids(row)} for row in table.to_pylist()]}


def _ids(row: Mapping[str, str | None]) -> list[dict[str, str]]:
    found = []
    hashed, device = row.get("email"), row.get("googleaid")
    if hashed:
        found.append({"idType": "SHA256_EMAIL" if len(hashed) == 64 else "SHA512_EMAIL", "idValue": hashed})
    if device:
        found.append({"idType": "GOOGLE_AID", "idValue": device})
    return found


FORM: Final = Form(
    family="linkedin",
    parts=(
        Part("email", "email", email, "email_malformed"),
        Part("googleaid", "device", lambda column, _: values.devices(column), "device_malformed", hashed=False),
    ),
    file="json",
    batch=5_000,
    smallest=300,
    abroad=True,
    digests=(SHA256, SHA512),
    clear=frozenset({"first_name", "last_name", "title", "company", "country"}),
    words={Action.ADD: "ADD", Action.REMOVE: "REMOVE"},
    body=body,
)
